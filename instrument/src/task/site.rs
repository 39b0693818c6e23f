//! The call site: a `static` in every annotated function, and the whole hot path of a call.

pub use crate::record::shard::{End, Token};
use crate::record::{local, series::Series, shard::with_current};

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
        let slot = self.series.slot();
        let token = with_current(|shard| {
            let shard = shard.filter(|shard| shard.epoch() == epoch)?;
            Some(shard.start(shard.block(slot)?, slot))
        });
        match token {
            Some(token) => token,
            None => local::start(&self.series),
        }
    }

    /// Counts the end of the call that `token` stands for, on whichever thread that is.
    #[inline(always)]
    pub fn end(&'static self, token: Token, end: End) {
        if token.recorder == 0 {
            return;
        }
        let slot = self.series.slot();
        let here = with_current(|shard| {
            let shard = shard.filter(|shard| shard.terms().recorder == token.recorder)?;
            shard.end(shard.block(slot)?, slot, token, end);
            Some(())
        });
        if here.is_none() {
            local::end(&self.series, token, end);
        }
    }
}
