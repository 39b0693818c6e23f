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
//! A chunk is published with Release once it is built and lives until the shard is dropped.

use std::{cell::Cell, ptr, sync::Arc};

use super::{
    busy::Busy,
    registry::{self, Options, Timing},
    ring::{Ring, Value},
    slot::{self, CHUNKS},
};
use crate::{
    clock,
    sync::{AtomicPtr, AtomicU32, AtomicUsize, Mutex, Ordering, Own as _, lock},
};

/// A stride of one call; strides are in units of 1/256 of a call, so that a rate of 0.7 can be had.
pub(crate) const STRIDE_ONE: u32 = 256;
/// The largest stride, about four million calls.
pub(crate) const STRIDE_MAX: u32 = 1 << 30;
/// The stride of a series that is never timed.
const STRIDE_NEVER: u32 = u32::MAX;

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

/// A call that has started: whose it is, how it is timed, and when it began.
///
/// Two words, so that it travels in registers.
#[derive(Clone, Copy, Debug)]
pub struct Token {
    /// The recorder it counts in, and below it the stride it was picked with. 0 is a call that nobody counts; a stride of 0
    /// is one that is not timed.
    terms: u64,
    began: u64,
}

impl Token {
    /// A call that nobody counts.
    pub(crate) const OFF: Self = Self { terms: 0, began: 0 };

    /// A call that is counted but not timed.
    #[inline(always)]
    pub(crate) fn untimed(recorder: u32) -> Self {
        Self {
            terms: u64::from(recorder) << 32,
            began: 0,
        }
    }

    #[inline(always)]
    fn timed(recorder: u32, stride: u32, began: u64) -> Self {
        Self {
            terms: (u64::from(recorder) << 32) | u64::from(stride),
            began,
        }
    }

    /// Whether anybody counts this call.
    #[inline(always)]
    pub(crate) fn is_on(self) -> bool {
        self.terms != 0
    }

    #[inline(always)]
    pub(crate) fn recorder(self) -> u32 {
        (self.terms >> 32) as u32
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "the lower half")]
    fn stride(self) -> u32 {
        self.terms as u32
    }
}

/// The cells of one series in one shard: one cache line.
#[derive(Debug, Default)]
#[repr(C, align(64))]
pub(crate) struct Block {
    started: AtomicUsize,
    ended: [AtomicUsize; OUTCOMES],
    panics: AtomicUsize,
    /// Calls to leave untimed before the next timed one. Holder only.
    skip: AtomicU32,
    /// Calls of the running stride that come after its pick. Holder only.
    rest: AtomicU32,
    /// The stride that the next pick comes from. Holder only.
    picked: AtomicU32,
    /// The stride to use; 0 until the holder asks for it. The flusher sets it when it changes, the holder doubles it when
    /// its ring is full: the last store wins, and as the rate on the wire is measured, none can be wrong.
    stride: AtomicU32,
    /// Whether calls that fail or are cancelled are timed as well: one of [`ASK`], [`NO`] and [`YES`]. Holder only.
    every_outcome: AtomicU32,
}

/// The holder has not asked yet.
const ASK: u32 = 0;
const NO: u32 = 1;
const YES: u32 = 2;

/// Adds one to a cell that only this thread writes.
#[inline(always)]
fn bump(cell: &AtomicUsize, order: Ordering) {
    cell.store(cell.own().wrapping_add(1), order);
}

/// What a block held when it was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) outcomes: [usize; OUTCOMES],
    pub(crate) panics: usize,
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

    /// Counts an end, and nothing else: for a series that stands beside another one. Holder only.
    pub(crate) fn count(&self, end: End) {
        bump(&self.ended[end.outcome() as usize], Ordering::Release);
    }

    /// Counts the end of a call.
    #[inline(always)]
    fn count_end(&self, end: End) {
        bump(&self.ended[end.outcome() as usize], Ordering::Release);
        if matches!(end, End::Panic) {
            bump(&self.panics, Ordering::Release);
        }
    }

    /// Takes half as many durations from now on: the ring is filling up. Holder only.
    #[cold]
    #[inline(never)]
    fn slow_down(&self) {
        let stride = self.stride.load(Ordering::Relaxed).clamp(STRIDE_ONE, STRIDE_MAX);
        self.stride.store((stride * 2).min(STRIDE_MAX), Ordering::Relaxed);
    }

    /// Moves the stride towards `wanted`: up at once, down only where the ring kept up. Flusher only.
    pub(crate) fn steer(&self, wanted: u32, kept_up: bool) {
        let now = self.stride.load(Ordering::Relaxed);
        if now == wanted || now == 0 || now == STRIDE_NEVER {
            return;
        }
        if now < wanted {
            self.stride.store(wanted, Ordering::Relaxed);
        } else if kept_up {
            let next = wanted.max(now / 2);
            self.stride.store(next, Ordering::Relaxed);
            // A task that was hot and is quiet now would sit out the rest of its long stride. The holder may overwrite
            // this with the count it was just writing; the next drain then does it again.
            if self.skip.load(Ordering::Relaxed) > next / STRIDE_ONE {
                self.skip.store(next / STRIDE_ONE, Ordering::Relaxed);
                self.rest.store(0, Ordering::Relaxed);
            }
        }
    }
}

/// The strides of a recorder's series, for shards that meet a series for the first time.
#[derive(Debug)]
pub(crate) struct Strides {
    base: u32,
    by_id: Mutex<Vec<u32>>,
}

impl Strides {
    /// `base` is the stride of a series that the flusher has not set one for.
    pub(crate) fn new(base: u32) -> Self {
        Self {
            base: base.clamp(STRIDE_ONE, STRIDE_MAX),
            by_id: Mutex::new(Vec::new()),
        }
    }

    /// The stride of series `id`; `None` if this is not the moment to ask.
    fn get(&self, id: usize) -> Option<u32> {
        // The thread may be allocating under one of the locks, with an allocator that is instrumented.
        if Busy::holds_lock() {
            return None;
        }
        let Options { timing, stride, .. } = registry::options_of(id);
        let _busy = Busy::locked();
        Some(match lock(&self.by_id).get(id) {
            _ if timing == Timing::Never => STRIDE_NEVER,
            Some(stride) => *stride,
            None if stride != 0 => stride,
            None => self.base,
        })
    }

    /// Takes over the flusher's strides, by series id.
    pub(crate) fn set(&self, strides: &[u32]) {
        let _busy = Busy::locked();
        strides.clone_into(&mut lock(&self.by_id));
    }
}

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

/// The cells and the ring of one thread. What every call reads stands first, on the line of the first chunks.
#[derive(Debug)]
#[repr(C, align(64))]
pub(crate) struct Shard {
    /// The installation that the holder last checked this shard against. Holder only.
    epoch: AtomicUsize,
    terms: Terms,
    raw_clock: bool,
    /// State of the holder's random picks. Holder only.
    random: AtomicU32,
    chunks: [AtomicPtr<Block>; CHUNKS],
    strides: Arc<Strides>,
    pub(crate) ring: Ring,
}

impl Shard {
    pub(crate) fn new(terms: Terms, strides: Arc<Strides>, seed: u32) -> Self {
        Self {
            terms,
            strides,
            raw_clock: clock::is_raw(),
            epoch: AtomicUsize::new(0),
            random: AtomicU32::new(seed.max(1)),
            chunks: std::array::from_fn(|_| AtomicPtr::new(ptr::null_mut())),
            ring: Ring::new(),
        }
    }

    pub(crate) fn terms(&self) -> Terms {
        self.terms
    }

    #[inline(always)]
    pub(crate) fn epoch(&self) -> usize {
        self.epoch.load(Ordering::Relaxed)
    }

    pub(crate) fn set_epoch(&self, epoch: usize) {
        self.epoch.store(epoch, Ordering::Relaxed);
    }

    /// The block at `slot`, if its chunk exists.
    #[inline(always)]
    pub(crate) fn block(&self, slot: usize) -> Option<&Block> {
        let chunk = self.chunks[slot::chunk(slot)].load(Ordering::Relaxed);
        if chunk.is_null() {
            return None;
        }
        // SAFETY: a chunk that is not null was stored by `allocate` (on this thread, or before the pool's lock gave the
        // shard to this thread), holds `chunk_len` blocks, and lives as long as the shard. `index` is below that length
        // because slots are made by `slot::from_id` alone.
        Some(unsafe { &*chunk.add(slot::index(slot)) })
    }

    /// The blocks of a chunk, for the flusher.
    pub(crate) fn chunk(&self, chunk: usize) -> Option<&[Block]> {
        // Acquire pairs with the Release in `allocate`: a chunk that is seen is built.
        let blocks = self.chunks[chunk].load(Ordering::Acquire);
        if blocks.is_null() {
            return None;
        }
        // SAFETY: stored by `allocate` with `chunk_len(chunk)` blocks, freed only by `drop`.
        Some(unsafe { std::slice::from_raw_parts(blocks, slot::chunk_len(chunk)) })
    }

    /// Makes the chunk of `slot`. Holder only; `slot` is a registered one.
    pub(crate) fn allocate(&self, slot: usize) -> &Block {
        if let Some(block) = self.block(slot) {
            return block;
        }
        let chunk = slot::chunk(slot);
        let blocks: Box<[Block]> = (0..slot::chunk_len(chunk)).map(|_| Block::default()).collect();
        self.chunks[chunk].store(Box::into_raw(blocks).cast(), Ordering::Release);
        self.block(slot).expect("the chunk was just stored")
    }

    /// Counts a start.
    #[inline(always)]
    pub(crate) fn start(&self, block: &Block, slot: usize) -> Token {
        bump(&block.started, Ordering::Relaxed);
        let skip = block.skip.own();
        if skip != 0 {
            block.skip.store(skip - 1, Ordering::Relaxed);
            return Token::untimed(self.terms.recorder);
        }
        if self.raw_clock
            && block.stride.load(Ordering::Relaxed) == STRIDE_ONE
            && block.picked.own() == STRIDE_ONE
        {
            return Token::timed(self.terms.recorder, STRIDE_ONE, clock::ticks(true));
        }
        self.start_picked(block, slot)
    }

    /// Goes on with a start at which the count of skipped calls ran out.
    #[inline(never)]
    fn start_picked(&self, block: &Block, slot: usize) -> Token {
        match self.pick(block, slot) {
            0 => Token::untimed(self.terms.recorder),
            stride => Token::timed(self.terms.recorder, stride, clock::ticks(self.raw_clock)),
        }
    }

    /// Decides about a call at which the count of skipped ones ran out: returns the stride it was picked with, or 0 if
    /// it is not timed after all, and lays out the next stride: one random pick in it, and as many calls skipped as
    /// that takes.
    #[inline(never)]
    fn pick(&self, block: &Block, slot: usize) -> u32 {
        let mut stride = block.stride.load(Ordering::Relaxed);
        let new = stride == 0;
        if new {
            let Some(answer) = self.strides.get(slot::to_id(slot)) else {
                return 0;
            };
            stride = answer.max(STRIDE_ONE);
            block.stride.store(stride, Ordering::Relaxed);
        }
        if stride == STRIDE_NEVER {
            block.skip.store(u32::MAX, Ordering::Relaxed);
            return 0;
        }
        // A stride of 2.5 is two calls one time and three the next, at random.
        let length = (stride + (self.next_random() & (STRIDE_ONE - 1))) / STRIDE_ONE;
        let at = ((u64::from(self.next_random()) * u64::from(length)) >> 32) as u32;
        let rest = block.rest.own();
        let this = block.picked.own();
        block.rest.store(length - 1 - at, Ordering::Relaxed);
        block.picked.store(stride, Ordering::Relaxed);
        if !new {
            block.skip.store(rest + at, Ordering::Relaxed);
            return this;
        }
        if at > 0 {
            block.skip.store(at - 1, Ordering::Relaxed);
            return 0;
        }
        // The first call of all is the pick of its stride: lay out the one after it.
        self.pick(block, slot)
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

    /// Counts the end of the call that `token` stands for; its value first, if it has one.
    #[inline(always)]
    pub(crate) fn end(&self, block: &Block, slot: usize, token: Token, end: End) {
        if token.stride() != 0 {
            if !self.raw_clock || !matches!(end, End::Success) {
                return self.end_timed(block, slot, token, end);
            }
            // Another core's counter may be behind by some ticks: nothing then, never a huge duration.
            let ticks = clock::ticks(true).saturating_sub(token.began);
            let value = Value::new(key(slot, end), token.stride(), ticks);
            if !self.ring.try_push(value) {
                return self.end_with_look(block, value, end);
            }
        }
        block.count_end(end);
    }

    /// Counts the end of a timed call that is not a success, or that no raw counter timed.
    #[cold]
    #[inline(never)]
    fn end_timed(&self, block: &Block, slot: usize, token: Token, end: End) {
        if matches!(end, End::Success) || self.times_every_outcome(block, slot) {
            let ticks = clock::ticks(self.raw_clock).saturating_sub(token.began);
            let value = Value::new(key(slot, end), token.stride(), ticks);
            return self.end_with_look(block, value, end);
        }
        block.count_end(end);
    }

    /// Counts an end whose value may find the ring full.
    #[cold]
    #[inline(never)]
    fn end_with_look(&self, block: &Block, value: Value, end: End) {
        if self.ring.push(value) {
            block.slow_down();
        }
        block.count_end(end);
    }

    /// Whether calls of this series that fail or are cancelled are timed as well.
    #[inline(always)]
    fn times_every_outcome(&self, block: &Block, slot: usize) -> bool {
        match block.every_outcome.own() {
            ASK => self.ask_every_outcome(block, slot),
            answer => answer == YES,
        }
    }

    #[cold]
    #[inline(never)]
    fn ask_every_outcome(&self, block: &Block, slot: usize) -> bool {
        if Busy::holds_lock() {
            return false;
        }
        let every = match registry::options_of(slot::to_id(slot)).timing {
            Timing::Client => self.terms.time_every_outcome,
            Timing::Always => true,
            Timing::Success | Timing::Never => false,
        };
        block
            .every_outcome
            .store(if every { YES } else { NO }, Ordering::Relaxed);
        every
    }
}

/// The key of a value: series and outcome.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "a slot has 29 bits")]
fn key(slot: usize, end: End) -> u32 {
    ((slot as u32) << 2) | end.outcome()
}

/// Takes apart the key of a value: series id and outcome.
pub(crate) fn unpack(key: u32) -> (usize, usize) {
    (slot::to_id((key >> 2) as usize), (key & 3) as usize)
}

impl Drop for Shard {
    fn drop(&mut self) {
        for (chunk, blocks) in self.chunks.iter().enumerate() {
            let blocks = blocks.load(Ordering::Acquire);
            if !blocks.is_null() {
                let blocks = ptr::slice_from_raw_parts_mut(blocks, slot::chunk_len(chunk));
                // SAFETY: made by `Box::into_raw` from a boxed slice of this length, and nobody can reach it any more.
                drop(unsafe { Box::from_raw(blocks) });
            }
        }
    }
}

thread_local! {
    /// The shard that calls on this thread count in now. It has no destructor, so it can be read at any time of a
    /// thread's life, in other thread-locals' destructors too.
    static CURRENT: Cell<*const Shard> = const { Cell::new(ptr::null()) };
}

/// The stack frame that looks at the thread's current shard; it bounds how long.
#[derive(Debug)]
pub(crate) struct Here;

impl Here {
    /// The shard that this thread counts in now.
    #[inline(always)]
    #[expect(clippy::unused_self, reason = "it bounds the lifetime of what is returned")]
    pub(crate) fn shard(&self) -> Option<&Shard> {
        // SAFETY: `Tenancy` is the only writer. It stores a pointer to a shard that it keeps alive by an `Arc`, and clears or
        // replaces it before it lets go of that `Arc`. A `Here` is a local of a function of this crate that ends no tenancy
        // on this thread and calls nothing of the user's but his allocator, and a scope that he enters there ends there.
        unsafe { CURRENT.get().as_ref() }
    }
}

/// Keeps a shard alive while it is, or may be, this thread's current one. It cannot leave its thread.
///
/// Tenancies of scoped shards are held by stack frames alone and so end in the reverse order of their beginning; the one
/// tenancy of an unscoped shard that a thread has may end at any time.
#[derive(Debug)]
pub(crate) struct Tenancy {
    shard: Arc<Shard>,
    /// The scoped shard that was current before, or null.
    outer: Cell<*const Shard>,
}

impl Tenancy {
    pub(crate) fn new(shard: Arc<Shard>) -> Self {
        Self {
            shard,
            outer: Cell::new(ptr::null()),
        }
    }

    pub(crate) fn shard(&self) -> &Arc<Shard> {
        &self.shard
    }

    /// Makes this the thread's current shard.
    pub(crate) fn enter(&self) {
        let outer = Here
            .shard()
            .filter(|now| now.terms.scoped)
            .map_or(ptr::null(), ptr::from_ref);
        if !ptr::eq(outer, Arc::as_ptr(&self.shard)) {
            self.outer.set(outer);
        }
        CURRENT.set(Arc::as_ptr(&self.shard));
    }

    /// Ends it early: what `drop` does, before the shard is given to somebody else.
    pub(crate) fn leave(&self) {
        // Back to the scope around this one, whose frame still holds its shard; outside of any scope to nothing, and the
        // next call asks `record::local` for the right one.
        if ptr::eq(CURRENT.get(), Arc::as_ptr(&self.shard)) {
            CURRENT.set(self.outer.get());
        }
    }
}

impl Drop for Tenancy {
    fn drop(&mut self) {
        self.leave();
    }
}
