//! The call site: a `static` in every annotated function, and the whole hot path of a call.

pub use crate::record::{
    registry::Timing,
    shard::{End, Token},
};
use crate::{
    flush::budget,
    record::{
        local,
        registry::{Metric, Options},
        series::{Epoch, Series},
        shard::Here,
    },
};

/// An annotated function's place in the program.
#[derive(Debug)]
pub struct Site {
    series: Series,
}

/// What a call site asks for besides its name.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// Goes before the name, with a dot between them; may be empty.
    pub prefix: &'static str,
    /// Tags that are the same for every call.
    pub tags: &'static [(&'static str, &'static str)],
    /// Which outcomes are timed.
    pub timing: Timing,
    /// The share of the calls that is timed at most.
    pub sample_rate: Option<f64>,
    /// Whether the number of calls in flight is sent as a gauge.
    pub in_flight: bool,
}

impl Setup {
    /// Nothing but a name.
    pub const NONE: Self = Self {
        prefix: "",
        tags: &[],
        timing: Timing::Client,
        sample_rate: None,
        in_flight: false,
    };
}

impl Site {
    /// The site of the task called `name`. Sites of equal names share a series.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self::with(name, Setup::NONE)
    }

    /// A site that asks for more.
    ///
    /// # Panics
    ///
    /// In the compiler, if the sample rate is not above 0 and at most 1.
    #[must_use]
    pub const fn with(name: &'static str, setup: Setup) -> Self {
        let stride = match setup.sample_rate {
            None => 0,
            Some(rate) => {
                assert!(
                    rate > 0.0 && rate <= 1.0,
                    "a sample rate is above 0 and at most 1"
                );
                budget::base_stride(rate)
            }
        };
        let options = Options {
            timing: setup.timing,
            stride,
            in_flight: setup.in_flight,
            metric: Metric::Task,
        };
        Self {
            series: Series::new(name, setup.prefix, setup.tags, options),
        }
    }

    #[inline(always)]
    pub(super) fn series(&'static self) -> &'static Series {
        &self.series
    }

    /// Where the cells stand, if that is known yet.
    #[inline(always)]
    pub(super) fn slot(&self) -> usize {
        self.series.slot()
    }

    /// Whether there may be a client to count in, as far as this thread knows: the one load that a call costs without.
    #[inline(always)]
    pub(crate) fn epoch(&self) -> Option<Epoch> {
        self.series.epoch()
    }

    /// Counts a start, if there is a client.
    #[inline(always)]
    pub(super) fn start(&'static self, epoch: Epoch, token: &mut Token) {
        start::<()>(token, &self.series, epoch);
    }

    /// Counts a start in the cells at `slot`, if there is a client.
    #[inline(always)]
    pub(super) fn start_at(&'static self, slot: usize, epoch: Epoch, token: &mut Token) {
        start_at(token, &self.series, slot, epoch);
    }

    /// Counts the end of the call that `token` stands for, on whichever thread that is.
    #[inline(always)]
    pub(super) fn end(&'static self, token: &mut Token, end: End) {
        match end {
            End::Success => succeed::<()>(token, &self.series),
            other => end_at(token, &self.series, self.slot(), other),
        }
    }

    /// Counts the end of a call whose cells are at `slot`.
    #[inline(always)]
    pub(super) fn end_at(&'static self, slot: usize, token: &mut Token, end: End) {
        end_at(token, &self.series, slot, end);
    }
}

// What the two halves of a call do stands out of line, once for all tasks of a crate: little code where the function is, and no
// register saved on the short way through, because all that is rare ends in a call in the tail.
//
// The parameter that says nothing has the two compiled where the annotated functions are. There the compiler knows a shorter way to
// a thread-local than in a library that is made for any use.

#[inline(never)]
#[expect(clippy::extra_unused_type_parameters, reason = "see above")]
fn start<InProgram>(token: &mut Token, series: &'static Series, epoch: Epoch) {
    let here = Here;
    if !here.current().start(token, epoch, || series.slot()) {
        start_elsewhere(token, series);
    }
}

#[inline(never)]
#[expect(clippy::extra_unused_type_parameters, reason = "see above")]
fn succeed<InProgram>(token: &mut Token, series: &'static Series) {
    let here = Here;
    if !here.current().succeed(token, || series.slot()) {
        succeed_elsewhere(token, series);
    }
}

#[inline(never)]
fn start_at(token: &mut Token, series: &'static Series, slot: usize, epoch: Epoch) {
    let here = Here;
    if !here.current().start_at(token, epoch, slot) {
        local::start(token, series, slot);
    }
}

/// Counts any end. It is off the short way, but may be taken often.
#[cold]
#[inline(never)]
fn end_at(token: &mut Token, series: &'static Series, slot: usize, end: End) {
    let here = Here;
    if !here.current().end(token, slot, end) {
        local::end(token, series, slot, end);
    }
}

// With the arguments of the above in their places.

#[cold]
#[inline(never)]
fn start_elsewhere(token: &mut Token, series: &'static Series) {
    local::start(token, series, series.slot());
}

#[cold]
#[inline(never)]
fn succeed_elsewhere(token: &mut Token, series: &'static Series) {
    end_at(token, series, series.slot(), End::Success);
}
