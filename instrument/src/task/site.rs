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
        series::Series,
        shard::{Current, Here},
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
    pub(crate) fn listens(&self) -> bool {
        self.series.epoch() != 0
    }

    /// Counts a start, if there is a client.
    #[inline(always)]
    pub(super) fn start(&'static self, token: &mut Token) {
        start(token, Here.current(), &self.series);
    }

    /// Counts a start in the cells at `slot`, if there is a client.
    #[inline(always)]
    pub(super) fn start_at(&'static self, slot: usize, token: &mut Token) {
        start_at(token, Here.current(), &self.series, slot);
    }

    /// Counts the end of the call that `token` stands for, on whichever thread that is.
    #[inline(always)]
    pub(super) fn end(&'static self, token: &mut Token, end: End) {
        match end {
            End::Success => succeed(token, Here.current(), &self.series),
            other => end_at(token, Here.current(), &self.series, self.slot(), other),
        }
    }

    /// Counts the end of a call whose cells are at `slot`.
    #[inline(always)]
    pub(super) fn end_at(&'static self, slot: usize, token: &mut Token, end: End) {
        end_at(token, Here.current(), &self.series, slot, end);
    }
}

// What the two halves of a call do stands out of line, once for all tasks: little code where the function is, and no register
// saved on the short way through, because all that is rare ends in a call in the tail. The look for the thread's shard stays
// behind: where the annotated function is compiled, the compiler may know a shorter way to a thread-local, and looks once for both.
// The epoch is read anew, since a register that kept it over that look would have to be saved.

#[inline(never)]
fn start(token: &mut Token, here: Current<'_>, series: &'static Series) {
    if !here.start(token, series.epoch(), || series.slot()) {
        start_elsewhere(token, here, series);
    }
}

#[inline(never)]
fn start_at(token: &mut Token, here: Current<'_>, series: &'static Series, slot: usize) {
    if !here.start_at(token, series.epoch(), slot) {
        local::start(token, series, slot);
    }
}

#[inline(never)]
fn succeed(token: &mut Token, here: Current<'_>, series: &'static Series) {
    if !here.succeed(token, || series.slot()) {
        succeed_elsewhere(token, here, series);
    }
}

/// Counts any end. It is off the short way, but may be taken often.
#[cold]
#[inline(never)]
fn end_at(token: &mut Token, here: Current<'_>, series: &'static Series, slot: usize, end: End) {
    if !here.end(token, slot, end) {
        local::end(token, series, slot, end);
    }
}

// With the arguments of the above in their places.

#[cold]
#[inline(never)]
fn start_elsewhere(token: &mut Token, _: Current<'_>, series: &'static Series) {
    local::start(token, series, series.slot());
}

#[cold]
#[inline(never)]
fn succeed_elsewhere(token: &mut Token, here: Current<'_>, series: &'static Series) {
    end_at(token, here, series, series.slot(), End::Success);
}
