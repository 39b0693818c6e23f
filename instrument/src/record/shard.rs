//! A shard: the cells that one thread counts in.
//!
//! What the user is promised: a call costs no lock, no read-modify-write and no line that another thread keeps writing, and
//! still no count is ever lost. What follows:
//! - every cell has **one writer**, the thread that holds the shard, so a plain load and store adds one. A shard changes
//!   hands only through the lock of its pool, which orders the old holder's stores before the new holder's loads;
//! - counters **only grow** (and wrap). Nobody resets them; the flusher keeps what it has seen, so there is nothing to race for;
//! - *ended* cells are stored with Release and read with Acquire, and the flusher reads the ended cells of all shards before
//!   any *started* cell: an end that is seen brings its start with it, whichever thread that was on, so *in flight* is
//!   never negative. `started` itself needs no ordering of its own;
//! - a duration is pushed before its end is stored, so a reader that saw the end finds the value in the ring.
//!
//! Blocks stand in one table, in the order of their series. A series past its end has the holder make a longer one, copy and
//! publish it; a reader that still goes through the old one sees what was counted until then, and the rest the next time. Tag sets have
//! their cells elsewhere (`sets`): there are many, and they come and go.

mod block;
mod current;
mod sets;
mod strides;
mod token;

use std::{cell::Cell, hint, mem, ptr, sync::Arc};

pub use self::{block::End, token::Token};
use self::{
    block::{ASK, NO, PLAIN, SKIP_MAX, YES, bump},
    strides::STRIDE_NEVER,
    token::Home,
};
pub(crate) use self::{
    block::{Block, Ended, OUTCOMES},
    current::{Current, Here, Tenancy},
    sets::{CHUNK, Chunk, Note, Sets},
    strides::{STRIDE_MAX, STRIDE_ONE, Strides},
};
use super::{
    busy::Busy,
    forks,
    registry::{self, Options, Timing},
    ring::{Ring, Value},
    slot,
    tag_set::TagSet,
};
use crate::{
    clock,
    sync::{AtomicU32, Mutex, Ordering, Own as _, lock},
};

/// What a shard is made for; fixed for its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    /// The recorder it belongs to.
    pub(crate) recorder: u32,
    /// Whether it belongs to a client that counts only inside its scope.
    pub(crate) scoped: bool,
    /// Whether calls that fail or are cancelled are timed as well.
    pub(crate) time_every_outcome: bool,
}

/// What every call reads of a shard, on one line. The cells are the holder's alone: a change of hands is all the order that
/// they need.
#[derive(Debug)]
#[repr(C, align(64))]
struct Head {
    /// The installation that the holder last checked this shard against.
    epoch: Cell<usize>,
    home: Home,
    /// The address behind the table.
    end: Cell<usize>,
    /// The first block of the table.
    blocks: Cell<*const Block>,
}

// SAFETY: only the thread that holds the shard touches the cells, and it changes hands through a lock. Those of `NOBODY` are
// never written.
unsafe impl Sync for Head {}
// SAFETY: `blocks` points to what the shard itself keeps alive.
unsafe impl Send for Head {}

/// An epoch that never is: of a shard that has to be looked at before it counts.
pub(crate) const NEVER: usize = usize::MAX;

/// Stands for the shard of a thread that has none. It is of no epoch and of a recorder that does not exist, and has no table.
static NOBODY: Head = Head::new(u32::MAX, 0);

impl Head {
    const fn new(recorder: u32, number: u32) -> Self {
        Self {
            epoch: Cell::new(NEVER),
            home: Home::new(recorder, number),
            end: Cell::new(0),
            blocks: Cell::new(ptr::null()),
        }
    }
}

/// The cells and the ring of one thread.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Shard {
    head: Head,
    pub(crate) ring: Ring,
    pub(crate) sets: Sets,
    terms: Terms,
    raw_clock: bool,
    /// State of the holder's random picks. Holder only.
    random: AtomicU32,
    /// The table, for others. The holder takes the lock to publish a longer one; the flusher, to take hold of the newest.
    table: Mutex<Arc<[Block]>>,
    strides: Arc<Strides>,
    /// The number of forks under which it was made.
    forks: u32,
}

impl Shard {
    /// The shard of this number among those of its recorder.
    pub(crate) fn new(terms: Terms, strides: Arc<Strides>, number: u32) -> Self {
        Self {
            head: Head::new(terms.recorder, number),
            terms,
            strides,
            raw_clock: clock::is_raw(),
            // Multiplied by a large odd number, so that neighbours do not start alike.
            random: AtomicU32::new(number.wrapping_add(1).wrapping_mul(0x9E37_79B9).max(1)),
            table: Mutex::new(Arc::new([])),
            forks: forks::count(),
            ring: Ring::new(),
            sets: Sets::new(),
        }
    }

    /// Gives the tag set cells; false if there is no room. Holder only.
    pub(crate) fn open(&self, set: &Arc<TagSet>) -> bool {
        self.sets.open(set, self.forks == forks::count())
    }

    pub(crate) fn terms(&self) -> Terms {
        self.terms
    }

    /// The holder checked this shard against the epoch; 0 is none.
    pub(crate) fn set_epoch(&self, epoch: usize) {
        self.head.epoch.set(if epoch == 0 { NEVER } else { epoch });
    }

    /// The block at `slot`, if the table is that long. Holder only; a block is let go of before [`allocate`](Self::allocate) is
    /// called.
    #[inline(always)]
    pub(crate) fn block(&self, slot: usize) -> Option<&Block> {
        let first = self.head.blocks.get();
        let block = first.wrapping_byte_add(slot);
        // The sum first: it is needed anyway. Where addresses are short, or carry a tag in their first byte, it might go around the
        // end of memory.
        let is_beyond = if cfg!(all(target_pointer_width = "64", target_arch = "x86_64")) {
            block.addr() >= self.head.end.get()
        } else {
            slot >= self.head.end.get() - first.addr()
        };
        if is_beyond {
            return None;
        }
        // SAFETY: what lies before the end of a table is not null.
        unsafe { hint::assert_unchecked(!block.is_null()) };
        // SAFETY: `blocks` points to the table's first block and `end` behind its last, both stored by `grow` (on this thread,
        // or before the pool's lock gave the shard to this thread), and the slot is a multiple of a block's size. The table
        // lives until `grow` stores another one, which this thread does not have it do while it has the block.
        Some(unsafe { &*block })
    }

    /// The newest table, for the flusher.
    pub(crate) fn table(&self) -> Arc<[Block]> {
        Arc::clone(&lock(&self.table))
    }

    /// Calls `count` with the cells at `slot`, which is a registered one. Nothing, if it is that of a tag set without cells
    /// here. Holder only.
    pub(crate) fn with<R>(&self, slot: usize, count: impl FnOnce(&Block) -> R) -> Option<R> {
        if slot::is_tag_set(slot) {
            self.sets.with(slot, count)
        } else {
            Some(count(self.allocate(slot)))
        }
    }

    /// Makes the table long enough for `slot`. Holder only; `slot` is a registered one, and no tag set's.
    pub(crate) fn allocate(&self, slot: usize) -> &Block {
        if self.block(slot).is_none() {
            self.grow(slot::to_id(slot) + 1);
        }
        self.block(slot).expect("the table was just made as long")
    }

    fn grow(&self, least: usize) {
        let length = slot::to_id(self.head.end.get() - self.head.blocks.get().addr());
        // By half, so that a thread which meets one series after the other copies each but a few times.
        let longer = least.max(length + length / 2).next_multiple_of(8);
        // Allocates first: an instrumented allocator counts in the old table.
        let new: Arc<[Block]> = (0..longer).map(|id| Block::new(slot::from_id(id))).collect();
        for (at, block) in new[..length].iter().enumerate() {
            if let Some(old) = self.block(slot::from_id(at)) {
                block.continue_from(old);
            }
        }
        self.head.blocks.set(new.as_ptr());
        self.head.end.set(new.as_ptr_range().end.addr());
        if self.forks == forks::count() {
            let old = mem::replace(&mut *lock(&self.table), new);
            // An instrumented allocator counts in the new one.
            drop(old);
        } else {
            // In the child of a fork a thread that does not exist may hold the lock for ever, and nobody reads a parent's table.
            mem::forget(new);
        }
    }

    // The arguments of what follows stand in the order that leaves each in its register on the short way.

    /// Counts a start.
    #[inline(always)]
    fn start(token: &mut Token, shard: &Self, block: &Block) {
        let skip = block.skip.own().wrapping_sub(1);
        if skip.cast_signed() >= 0 {
            block.skip.store(skip, Ordering::Relaxed);
            bump(&block.started, Ordering::Relaxed);
            shard.head.home.start(token);
        } else if block.stride.load(Ordering::Relaxed) == PLAIN {
            // The clock first, of what it need not wait for.
            shard.head.home.start_timed(token);
            bump(&block.started, Ordering::Relaxed);
        } else {
            Self::start_with_pick(token, shard, shard.terms.recorder, block);
        }
    }

    /// Counts a start at which the count of skipped ones ran out.
    #[inline(never)]
    fn start_with_pick(token: &mut Token, shard: &Self, recorder: u32, block: &Block) {
        bump(&block.started, Ordering::Relaxed);
        *token = match shard.pick(block) {
            0 => Token::untimed(recorder),
            stride => Token::timed(recorder, stride, shard.raw_clock),
        };
    }

    /// A start off the hot path, in whichever shard.
    pub(crate) fn start_at(&self, slot: usize) -> Token {
        let mut token = Token::off();
        self.with(slot, |block| Self::start(&mut token, self, block));
        token
    }

    /// Decides about a call at which the count of skipped ones ran out: returns the stride it was picked with, or 0 if
    /// it is not timed after all, and lays out the next stride.
    fn pick(&self, block: &Block) -> u32 {
        let mut stride = block.stride.load(Ordering::Relaxed);
        let is_new = stride == 0;
        if is_new || block.every_outcome.own() == ASK {
            // All that is to be asked, at the thread's first call, which is the one that may take locks.
            let options = self.options(block);
            if let Some(options) = options {
                self.set_every_outcome(block, options);
            }
            if is_new {
                let Some(options) = options else { return 0 };
                stride = self.first_stride(block, options);
                block.stride.store(stride, Ordering::Relaxed);
            }
        }
        if stride == STRIDE_NEVER {
            block.skip.store(SKIP_MAX, Ordering::Relaxed);
            return 0;
        }
        if is_new {
            let at = self.lay_out(block, stride);
            if at > 0 {
                block.skip.store(at - 1, Ordering::Relaxed);
                return 0;
            }
            // The first call of all is the pick of its stride: on to the one after it.
        }
        let (rest, picked) = (block.rest.own(), block.picked.own());
        let at = self.lay_out(block, stride);
        block.skip.store(rest + at, Ordering::Relaxed);
        if stride == STRIDE_ONE && self.raw_clock {
            block.stride.store(PLAIN, Ordering::Relaxed);
        }
        picked
    }

    /// The stride of a series whose site asks for this, at the first call here.
    fn first_stride(&self, block: &Block, options: Options) -> u32 {
        let stride = if block.is_of_tag_set() {
            // The flusher sets another at its next drain if it has to.
            self.strides.first(options)
        } else {
            self.strides.get(block.id(), options)
        };
        stride.max(STRIDE_ONE)
    }

    /// Lays out a stride: one random pick in it, which is the call returned, counted from 0, and then the rest.
    fn lay_out(&self, block: &Block, stride: u32) -> u32 {
        // A stride of 2.5 is two calls one time and three the next, at random.
        let length = (stride + (self.next_random() & (STRIDE_ONE - 1))) / STRIDE_ONE;
        let at = ((u64::from(self.next_random()) * u64::from(length)) >> 32) as u32;
        block.rest.store(length - 1 - at, Ordering::Relaxed);
        block.picked.store(stride, Ordering::Relaxed);
        at
    }

    /// Xorshift: four instructions, and good enough to break a period.
    fn next_random(&self) -> u32 {
        let mut x = self.random.own();
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        self.random.store(x, Ordering::Relaxed);
        x
    }

    /// Counts a success of a call that is timed at a stride of one; its value first.
    ///
    /// # Safety
    /// The call is timed.
    #[inline(always)]
    unsafe fn succeed_timed(token: &mut Token, shard: &Self, block: &Block) {
        // All that needs no clock comes before it: the clock waits for what is under way, and takes its time besides.
        let Some(place) = shard.ring.place() else {
            return Self::end(token, shard, End::Success, block);
        };
        // SAFETY: the caller's promise.
        let ticks = unsafe { token.ticks(clock::raw()) };
        place.put_alone(block.key, ticks);
        block.succeed();
    }

    /// Counts the end of the call that `token` stands for, and spends it; its value first, if it has one.
    #[cold]
    #[inline(never)]
    fn end(token: &mut Token, shard: &Self, end: End, block: &Block) {
        if let Some((stride, ticks)) = token.value()
            && (matches!(end, End::Success) || shard.times_every_outcome(block))
        {
            let key = block.key_of(end.outcome());
            if shard.ring.push(Value { key, stride, ticks }) {
                block.slow_down();
            }
        }
        block.count(end);
        *token = Token::off();
    }

    /// Puts a value of a timer of its own on the ring. It stands for itself: whether it is sent is the flusher's to say.
    pub(crate) fn record(&self, slot: usize, nanos: u64) {
        let block = self.allocate(slot);
        let key = slot::key(slot::from_id(block.id()), End::Success.outcome());
        self.ring.push(Value {
            key,
            stride: STRIDE_ONE,
            ticks: nanos,
        });
        block.succeed();
    }

    /// An end off the hot path, in whichever shard.
    pub(crate) fn end_at(&self, slot: usize, token: &mut Token, end: End) {
        self.with(slot, |block| Self::end(token, self, end, block));
    }

    /// Whether calls of this series that fail or are cancelled are timed as well.
    #[inline(always)]
    fn times_every_outcome(&self, block: &Block) -> bool {
        match block.every_outcome.own() {
            ASK => self.ask_every_outcome(block),
            answer => answer == YES,
        }
    }

    #[cold]
    #[inline(never)]
    fn ask_every_outcome(&self, block: &Block) -> bool {
        self.options(block)
            .is_some_and(|options| self.set_every_outcome(block, options))
    }

    fn set_every_outcome(&self, block: &Block, options: Options) -> bool {
        let every = match options.timing {
            Timing::Client => self.terms.time_every_outcome,
            Timing::Always => true,
            Timing::Success | Timing::Never => false,
        };
        block
            .every_outcome
            .store(if every { YES } else { NO }, Ordering::Relaxed);
        every
    }

    /// What the series' site asks for; `None` if this is not the moment to look: the thread may be allocating under the lock, with an
    /// allocator that is instrumented.
    fn options(&self, block: &Block) -> Option<Options> {
        if block.is_of_tag_set() {
            return Some(self.sets.options(block.id()));
        }
        (!Busy::holds_lock()).then(|| registry::options_of(block.id()))
    }
}
