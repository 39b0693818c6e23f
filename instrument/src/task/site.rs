//! The call site: a `static` in every annotated function, and the whole hot path of a call.

pub use crate::record::{
    registry::Timing,
    shard::{End, Token},
};
use crate::{
    flush::budget,
    record::{local, registry::Options, series::Series, shard::Here},
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
        };
        Self {
            series: Series::new(name, setup.prefix, setup.tags, options),
        }
    }

    #[inline(always)]
    pub(super) fn series(&'static self) -> &'static Series {
        &self.series
    }

    /// Where the cells stand; 0 if that is not known yet.
    #[inline(always)]
    pub(super) fn slot(&self) -> usize {
        self.series.slot()
    }

    /// Counts a start, and reads the clock if this call is to be timed.
    #[inline(always)]
    pub(super) fn start_at(&'static self, slot: usize) -> Token {
        let epoch = local::epoch();
        if epoch == 0 {
            return Token::OFF;
        }
        start::<true>(&self.series, slot, epoch)
    }

    /// Counts the end of the call that `token` stands for, on whichever thread that is.
    #[inline(always)]
    pub(super) fn end_at(&'static self, slot: usize, token: Token, end: End) {
        if !token.is_on() {
            return;
        }
        match end {
            End::Success => succeed::<true>(&self.series, slot, token),
            end => fail::<true>(&self.series, slot, token, end),
        }
    }
}

// What follows stands out of line, and ends in what it calls: so it needs no frame of its own, and the annotated function
// saves no registers for it while there is no client. The parameter has it compiled with the crate that is annotated: there
// the thread's pointer is one load, where a library made for any use would have to call for it.

#[inline(never)]
fn start<const HERE: bool>(series: &'static Series, slot: usize, epoch: usize) -> Token {
    let here = Here;
    if let Some(shard) = here.shard()
        && shard.epoch() == epoch
        && let Some(block) = shard.block(slot)
    {
        return shard.start(block, slot);
    }
    local::start(series, slot)
}

#[inline(never)]
fn succeed<const HERE: bool>(series: &'static Series, slot: usize, token: Token) {
    end(series, slot, token, End::Success);
}

#[cold]
#[inline(never)]
fn fail<const HERE: bool>(series: &'static Series, slot: usize, token: Token, how: End) {
    end(series, slot, token, how);
}

#[inline(always)]
fn end(series: &'static Series, slot: usize, token: Token, end: End) {
    let here = Here;
    if let Some(shard) = here.shard()
        && shard.terms().recorder == token.recorder()
        && let Some(block) = shard.block(slot)
    {
        return shard.end(block, slot, token, end);
    }
    local::end(series, slot, token, end);
}
