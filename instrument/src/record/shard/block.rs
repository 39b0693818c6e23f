//! The cells of one series in one shard, and how a call can end.

use super::{
    super::slot,
    strides::{STRIDE_MAX, STRIDE_NEVER, STRIDE_ONE},
};
use crate::sync::{AtomicU32, AtomicUsize, Ordering, Own as _};

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It returned something that is not an error.
    Success,
    /// It returned an error.
    Exception,
    /// It unwound: an exception, and a panic besides.
    Panic,
    /// Its future was dropped before it was done.
    Cancelled,
}

/// The outcomes that have durations of their own, in the order of their numbers on the ring.
pub(crate) const OUTCOMES: usize = 3;

impl End {
    /// The outcome's number: success, exceptions, cancelled.
    #[inline(always)]
    pub(crate) const fn outcome(self) -> u32 {
        match self {
            Self::Success => 0,
            Self::Exception | Self::Panic => 1,
            Self::Cancelled => 2,
        }
    }
}

/// The cells of one series in one shard: one cache line.
#[derive(Debug, Default)]
#[repr(C, align(64))]
pub(crate) struct Block {
    pub(super) started: AtomicUsize,
    pub(super) ended: [AtomicUsize; OUTCOMES],
    pub(super) panics: AtomicUsize,
    /// Calls to leave untimed before the next timed one. Holder only.
    pub(super) skip: AtomicU32,
    /// Calls of the running stride that come after its pick. Holder only.
    pub(super) rest: AtomicU32,
    /// The stride that the next pick comes from. Holder only.
    pub(super) picked: AtomicU32,
    /// The stride to use; 0 until the holder asks for it. The flusher sets it when it changes, the holder doubles it when
    /// its ring is full: the last store wins, and as the rate on the wire is measured, none can be wrong.
    ///
    /// Where it is one and nothing is left to do but to read the raw counter, the holder makes it [`PLAIN`].
    pub(super) stride: AtomicU32,
    /// Whether calls that fail or are cancelled are timed as well: one of [`ASK`], [`NO`] and [`YES`]. Holder only.
    pub(super) every_outcome: AtomicU32,
    /// The key of a success that stands alone on the ring.
    pub(super) key: u32,
}

/// The holder has not asked yet.
pub(super) const ASK: u32 = 0;
pub(super) const NO: u32 = 1;
pub(super) const YES: u32 = 2;

/// A stride of one that the holder has taken up: `skip` and `rest` are 0, `picked` is one, and the clock is raw.
pub(super) const PLAIN: u32 = 1;

#[cfg(not(any(loom, shuttle)))]
const _: () = assert!(size_of::<Block>() == slot::BLOCK);

/// The most calls to leave untimed at a time. One more is negative as a signed number.
pub(super) const SKIP_MAX: u32 = i32::MAX as u32;

/// Adds one to a cell that only this thread writes.
#[inline(always)]
pub(super) fn bump(cell: &AtomicUsize, order: Ordering) {
    cell.store(cell.own().wrapping_add(1), order);
}

/// What a block held when it was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) outcomes: [usize; OUTCOMES],
    pub(crate) panics: usize,
}

impl Ended {
    /// What ended since `before` was read. Wraps with the cells.
    pub(crate) fn since(&self, before: Self) -> Self {
        Self {
            outcomes: std::array::from_fn(|o| self.outcomes[o].wrapping_sub(before.outcomes[o])),
            panics: self.panics.wrapping_sub(before.panics),
        }
    }

    /// All of it as one number, which changes with each.
    pub(crate) fn sum(&self) -> usize {
        self.outcomes
            .iter()
            .fold(self.panics, |sum, more| sum.wrapping_add(*more))
    }
}

impl Block {
    pub(crate) fn started(&self) -> usize {
        self.started.load(Ordering::Relaxed)
    }

    /// Reads what has ended. Panics first: they are stored last, so they never exceed the exceptions.
    pub(crate) fn ended(&self) -> Ended {
        let panics = self.panics.load(Ordering::Acquire);
        Ended {
            panics,
            outcomes: std::array::from_fn(|o| self.ended[o].load(Ordering::Acquire)),
        }
    }

    /// Counts a success. Holder only.
    #[inline(always)]
    pub(crate) fn succeed(&self) {
        bump(&self.ended[End::Success.outcome() as usize], Ordering::Release);
    }

    /// Counts an end. Holder only.
    pub(crate) fn count(&self, end: End) {
        bump(&self.ended[end.outcome() as usize], Ordering::Release);
        if matches!(end, End::Panic) {
            bump(&self.panics, Ordering::Release);
        }
    }

    /// Adds to a counter of its own. Holder only.
    pub(crate) fn add(&self, more: usize) {
        self.started
            .store(self.started.own().wrapping_add(more), Ordering::Relaxed);
    }

    /// Takes half as many durations from now on: the ring is filling up. Holder only.
    #[cold]
    #[inline(never)]
    pub(super) fn slow_down(&self) {
        // One that is plain counts as what it stands for.
        let stride = self.stride.load(Ordering::Relaxed).clamp(STRIDE_ONE, STRIDE_MAX);
        self.stride.store((stride * 2).min(STRIDE_MAX), Ordering::Relaxed);
    }

    /// Moves the stride towards `wanted`: up at once, down only where the ring kept up, and by half at most. True if it has further to
    /// go. Flusher only.
    pub(crate) fn steer(&self, wanted: u32, kept_up: bool) -> bool {
        let now = self.stride();
        if now == wanted || now == 0 || now == STRIDE_NEVER {
            return false;
        }
        if now < wanted {
            self.stride.store(wanted, Ordering::Relaxed);
            return false;
        }
        if kept_up {
            let next = wanted.max(now / 2);
            self.stride.store(next, Ordering::Relaxed);
            // A task that was hot and is quiet now would sit out the rest of its long stride. The holder may overwrite
            // this with the count it was just writing; the next drain then does it again.
            if self.skip.load(Ordering::Relaxed) > next / STRIDE_ONE {
                self.skip.store(next / STRIDE_ONE, Ordering::Relaxed);
                self.rest.store(0, Ordering::Relaxed);
            }
            return next > wanted;
        }
        true
    }
}

impl Block {
    /// The block at `slot`.
    pub(super) fn new(slot: usize) -> Self {
        Self {
            key: slot::key(slot, End::Success.outcome()) | slot::ALONE,
            ..Self::default()
        }
    }

    /// The block of a tag set that is at `index`.
    pub(super) fn of_tag_set(index: usize) -> Self {
        let mut block = Self::new(slot::from_id(index));
        block.key |= slot::TAGGED;
        block
    }

    /// The series it belongs to, or a tag set's index.
    pub(super) fn id(&self) -> usize {
        slot::from_key(self.key).0
    }

    pub(super) fn is_of_tag_set(&self) -> bool {
        self.key & slot::TAGGED != 0
    }

    /// The key under which a value of the outcome of this number goes on the ring.
    pub(super) fn key_of(&self, outcome: u32) -> u32 {
        self.key & !slot::ALONE | outcome
    }

    /// What it has counted, as one number, read by who counts. Holder only.
    pub(super) fn own_sum(&self) -> usize {
        let ended = Ended {
            outcomes: std::array::from_fn(|o| self.ended[o].own()),
            panics: self.panics.own(),
        };
        ended.sum().wrapping_add(self.started.own())
    }

    /// Has a set begin where another one ended: the counts go on, and the sampling starts anew. Holder only.
    pub(super) fn start_anew(&self) {
        for cell in [&self.skip, &self.rest, &self.picked, &self.stride] {
            cell.store(0, Ordering::Relaxed);
        }
        self.every_outcome.store(ASK, Ordering::Relaxed);
    }

    /// The stride that it uses now.
    pub(crate) fn stride(&self) -> u32 {
        match self.stride.load(Ordering::Relaxed) {
            PLAIN => STRIDE_ONE,
            stride => stride,
        }
    }

    /// Takes over what `old` holds. Nobody else knows this block yet.
    pub(super) fn continue_from(&self, old: &Self) {
        let move_over = |to: &AtomicUsize, from: &AtomicUsize| to.store(from.own(), Ordering::Relaxed);
        move_over(&self.started, &old.started);
        move_over(&self.panics, &old.panics);
        for (to, from) in self.ended.iter().zip(&old.ended) {
            move_over(to, from);
        }
        // What the flusher writes into the old block from now on is lost; it looks again at the next drain.
        for (to, from) in [
            (&self.skip, &old.skip),
            (&self.rest, &old.rest),
            (&self.picked, &old.picked),
            (&self.stride, &old.stride),
            (&self.every_outcome, &old.every_outcome),
        ] {
            to.store(from.load(Ordering::Relaxed), Ordering::Relaxed);
        }
    }
}
