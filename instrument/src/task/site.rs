//! The call site: a `static` in every annotated function, and the whole hot path of a call.

pub use crate::record::shard::{End, Token};
use crate::record::{local, series::Series, shard::Here};

/// An annotated function's place in the program.
#[derive(Debug)]
pub struct Site {
    series: Series,
}

impl Site {
    /// The site of the task called `name`. Sites of equal names share a series.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self {
            series: Series::new(name),
        }
    }

    /// Counts a start, and reads the clock if this call is to be timed.
    #[inline(always)]
    pub fn start(&'static self) -> Token {
        let epoch = local::epoch();
        if epoch == 0 {
            return Token::OFF;
        }
        let (here, slot) = (Here, self.series.slot());
        if let Some(shard) = here.shard()
            && shard.epoch() == epoch
            && let Some(block) = shard.block(slot)
        {
            return shard.start(block, slot);
        }
        local::start(&self.series)
    }

    /// Counts the end of the call that `token` stands for, on whichever thread that is.
    #[inline(always)]
    pub fn end(&'static self, token: Token, end: End) {
        if !token.is_on() {
            return;
        }
        let (here, slot) = (Here, self.series.slot());
        if let Some(shard) = here.shard()
            && shard.terms().recorder == token.recorder()
            && let Some(block) = shard.block(slot)
        {
            return shard.end(block, slot, token, end);
        }
        local::end(&self.series, token, end);
    }
}
