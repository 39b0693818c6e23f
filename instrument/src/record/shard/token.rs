//! What a call carries from its start to its end.

use std::mem::MaybeUninit;

use super::strides::{STRIDE_MAX, STRIDE_ONE};
use crate::clock;

/// A call that has started: whose it is, how it is timed, and when it began.
///
/// It stays where it was made, in the caller's frame or in his future, and the two halves of a call get its address: so a call
/// that nobody counts takes one store, and none of the registers that a function has to save.
#[derive(Clone, Copy, Debug)]
pub struct Token {
    /// In the upper half the recorder it counts in; 0 is a call that nobody counts. In the lower half how it is timed, in one of
    /// the forms below.
    terms: u64,
    /// Written if the call is timed.
    began: MaybeUninit<u64>,
}

/// How a call is timed. With the first two comes the number of the shard that it started in, and with the others its stride.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Not at all.
    Untimed = 0,
    /// By the raw counter, at a stride of one.
    Timed = 1,
    /// By the raw counter. At a stride of 0 it is not timed after all.
    Strided = 2,
    /// By `Instant`, for want of a raw counter.
    ByInstant = 3,
}

const FORM_BITS: u32 = 2;

const _: () = assert!(STRIDE_MAX < 1 << (u32::BITS - FORM_BITS));

/// The terms of a call that is still to start: of no recorder, as those of one that nobody counts.
const FRESH: u64 = 1;

const fn terms(recorder: u32, rest: u32, form: Form) -> u64 {
    (recorder as u64) << u32::BITS | (rest << FORM_BITS) as u64 | form as u64
}

impl Token {
    /// A call that nobody counts.
    #[inline(always)]
    #[must_use]
    pub fn off() -> Self {
        Self::with(0)
    }

    /// A call that is still to start.
    #[inline(always)]
    pub(crate) fn fresh() -> Self {
        Self::with(FRESH)
    }

    /// A call that is counted but not timed, in whichever shard.
    pub(crate) fn untimed(recorder: u32) -> Self {
        Self::with(terms(recorder, 0, Form::Strided))
    }

    /// One whose terms do not say that it is timed.
    #[inline(always)]
    fn with(terms: u64) -> Self {
        Self {
            terms,
            began: MaybeUninit::uninit(),
        }
    }

    /// A call that is timed from now on, with this stride.
    pub(super) fn timed(recorder: u32, stride: u32, is_raw: bool) -> Self {
        let (form, now) = if is_raw {
            (Form::Strided, clock::raw())
        } else {
            (Form::ByInstant, clock::instant())
        };
        Self {
            terms: terms(recorder, stride, form),
            began: MaybeUninit::new(now),
        }
    }

    /// Whether anybody counts this call.
    #[inline(always)]
    pub(crate) fn is_on(&self) -> bool {
        self.recorder() != 0
    }

    #[inline(always)]
    pub(crate) fn recorder(&self) -> u32 {
        (self.terms >> u32::BITS) as u32
    }

    #[inline(always)]
    pub(crate) fn is_fresh(&self) -> bool {
        self.terms == FRESH
    }

    /// Whether the call is still to start. Not any more, then: nobody counts it, unless it is started now.
    #[inline(always)]
    pub(crate) fn take_fresh(&mut self) -> bool {
        let is_fresh = self.is_fresh();
        if is_fresh {
            self.terms = 0;
        }
        is_fresh
    }

    /// The stride that it is timed with and the ticks since its start, if it is timed. The difference wraps where another core's
    /// counter was behind.
    pub(super) fn value(&self) -> Option<(u32, u64)> {
        const TIMED: u64 = Form::Timed as u64;
        const STRIDED: u64 = Form::Strided as u64;
        const BY_INSTANT: u64 = Form::ByInstant as u64;
        #[expect(clippy::cast_possible_truncation, reason = "the lower half")]
        let rest = self.terms as u32 >> FORM_BITS;
        let (stride, now) = match self.terms % (1 << FORM_BITS) {
            TIMED => (STRIDE_ONE, clock::raw()),
            STRIDED if rest != 0 => (rest, clock::raw()),
            BY_INSTANT => (rest, clock::instant()),
            _ => return None,
        };
        // SAFETY: these are the terms of timed calls.
        Some((stride, unsafe { self.ticks(now) }))
    }

    /// The ticks from the start until `now`.
    ///
    /// # Safety
    /// The call is timed.
    #[inline(always)]
    pub(super) unsafe fn ticks(&self, now: u64) -> u64 {
        // SAFETY: terms that say that a call is timed are only ever written together with this.
        now.wrapping_sub(unsafe { self.began.assume_init() })
    }
}

/// The terms of the most calls that start in a shard: constants of the shard, so that one comparison tells at the end that the
/// thread is in that shard still.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Home {
    untimed: u64,
    timed: u64,
}

impl Home {
    pub(super) const fn new(recorder: u32, number: u32) -> Self {
        // The number loses its upper bits before there are that many shards.
        Self {
            untimed: terms(recorder, number, Form::Untimed),
            timed: terms(recorder, number, Form::Timed),
        }
    }

    /// Makes `token` a call that started here and is not timed.
    #[inline(always)]
    pub(super) fn start(&self, token: &mut Token) {
        token.terms = self.untimed;
    }

    /// Makes `token` a call that started here and is timed from now on, at a stride of one.
    #[inline(always)]
    pub(super) fn start_timed(&self, token: &mut Token) {
        token.terms = self.timed;
        token.began = MaybeUninit::new(clock::raw());
    }

    /// Whether `token` started here and is timed at a stride of one, or not at all; `None` if it is any other.
    #[inline(always)]
    pub(super) fn is_timed(&self, token: &Token) -> Option<bool> {
        match self.untimed ^ token.terms {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    /// Whether `token` counts for the same recorder.
    #[inline(always)]
    pub(super) fn is_of_recorder(&self, token: &Token) -> bool {
        (self.untimed ^ token.terms) >> u32::BITS == 0
    }
}
