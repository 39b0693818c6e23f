//! Durations on their way from the thread that measured them to the flusher: a bounded single-producer,
//! single-consumer ring.
//!
//! What the user is promised: recording never waits, and a value that went in comes out once. What follows for the
//! orderings:
//! - `tail` is stored with Release after the entry and read with Acquire by the consumer, so an entry is whole when it is
//!   seen;
//! - `head` is stored with Release after the entries before it were read, and read with Acquire by the producer, so no
//!   entry is overwritten while it is read;
//! - the producer's end moves from thread to thread only through the lock of the shard pool, which orders everything.
//!
//! Entries are atomics, so the worst that a broken ordering could do is a wrong number; the models in `record::models` look
//! for exactly that.

use std::cell::Cell;

use super::{shard::STRIDE_ONE, slot};
use crate::sync::{AtomicU32, AtomicU64, AtomicUsize, Ordering, Own as _};

/// Values a ring holds. Half of it, where the producer begins to take fewer, is 10 000 values a second from one thread at the longest pause
/// between drains, 200 ms by default: ten series at their whole default budget. It is 64 KiB a thread.
#[cfg(not(any(loom, shuttle)))]
pub(crate) const CAPACITY: usize = 4096;
#[cfg(loom)]
pub(crate) const CAPACITY: usize = 2;
#[cfg(shuttle)]
pub(crate) const CAPACITY: usize = 32;

/// One measured duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Value {
    /// Series and outcome, packed by the shard.
    pub(crate) key: u32,
    /// How many calls it was picked from, in units of 1/256.
    pub(crate) stride: u32,
    /// The duration in raw ticks.
    pub(crate) ticks: u64,
}

#[derive(Debug)]
struct Entry {
    key: AtomicU32,
    stride: AtomicU32,
    ticks: AtomicU64,
}

/// Keeps what the two sides write on cache lines of their own.
#[derive(Debug)]
#[repr(align(64))]
struct Line<T>(T);

/// What a position moves by: the size of an entry, so that no instruction goes into making a distance of an index.
const SIZE: usize = 16;

#[cfg(not(any(loom, shuttle)))]
const _: () = assert!(size_of::<Entry>() == SIZE);

/// The entry at a position.
#[inline(always)]
fn at(entries: &[Entry; CAPACITY], position: usize) -> &Entry {
    &entries[(position / SIZE) % CAPACITY]
}

#[derive(Debug)]
struct Producer {
    /// The position of the next value. Positions wrap with the integer.
    tail: AtomicUsize,
    /// The position at which to look where the consumer is.
    look: Cell<usize>,
    /// Values that found the ring full.
    dropped: AtomicUsize,
    entries: Box<[Entry; CAPACITY]>,
}

// SAFETY: `look` is the producer's alone, and the producer's end changes hands through a lock.
unsafe impl Sync for Producer {}

/// A place in the ring that is free.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    entry: &'a Entry,
    tail: &'a AtomicUsize,
    next: usize,
}

impl Place<'_> {
    /// Adds the value.
    #[inline(always)]
    pub(crate) fn put(self, value: Value) {
        let Value { key, stride, ticks } = value;
        self.entry.stride.store(stride, Ordering::Relaxed);
        self.put_alone(key, ticks);
    }

    /// Adds a value whose key says that it stands alone: it needs no stride.
    #[inline(always)]
    pub(crate) fn put_alone(self, key: u32, ticks: u64) {
        self.entry.key.store(key, Ordering::Relaxed);
        self.entry.ticks.store(ticks, Ordering::Relaxed);
        self.tail.store(self.next, Ordering::Release);
    }
}

#[derive(Debug)]
pub(crate) struct Ring {
    producer: Line<Producer>,
    /// The position of the next value to take out.
    head: Line<AtomicUsize>,
}

/// Values between two looks while the ring is more than half full, and so between two doublings of the stride: it is
/// doubled four times before the first value is lost, and a stride that fits the load lets through a hundred values
/// or two in a drain interval.
const STEP: usize = CAPACITY.div_ceil(8);

impl Ring {
    pub(crate) fn new() -> Self {
        let entries: Vec<Entry> = (0..CAPACITY)
            .map(|_| Entry {
                key: AtomicU32::new(0),
                stride: AtomicU32::new(0),
                ticks: AtomicU64::new(0),
            })
            .collect();
        let Ok(entries) = entries.into_boxed_slice().try_into() else {
            unreachable!("the vector has CAPACITY entries")
        };
        Self {
            producer: Line(Producer {
                tail: AtomicUsize::new(0),
                look: Cell::new(CAPACITY / 2 * SIZE),
                dropped: AtomicUsize::new(0),
                entries,
            }),
            head: Line(AtomicUsize::new(0)),
        }
    }

    /// The place of the next value, unless it is time to [`look`](Self::look). Producer only.
    #[inline(always)]
    pub(crate) fn place(&self) -> Option<Place<'_>> {
        let Producer { tail, look, .. } = &self.producer.0;
        let position = tail.own();
        (position != look.get()).then(|| self.place_at(position))
    }

    #[inline(always)]
    fn place_at(&self, position: usize) -> Place<'_> {
        let Producer { tail, entries, .. } = &self.producer.0;
        Place {
            entry: at(entries, position),
            tail,
            next: position.wrapping_add(SIZE),
        }
    }

    /// Adds a value, or counts it as dropped if the ring is full; true if the producer should slow down. Producer only.
    pub(crate) fn push(&self, value: Value) -> bool {
        let position = self.producer.0.tail.own();
        let (mut room, mut slow_down) = (true, false);
        if position == self.producer.0.look.get() {
            (room, slow_down) = self.look(position);
        }
        if room {
            self.place_at(position).put(value);
        }
        slow_down
    }

    /// Looks where the consumer is: whether there is room, and whether values come faster than they are taken out.
    fn look(&self, position: usize) -> (bool, bool) {
        let Producer { look, dropped, .. } = &self.producer.0;
        let used = position.wrapping_sub(self.head.0.load(Ordering::Acquire)) / SIZE;
        if used >= CAPACITY {
            let count = dropped.own().wrapping_add(1);
            dropped.store(count, Ordering::Relaxed);
            return (false, count % STEP == 0);
        }
        let half = CAPACITY / 2;
        let next = if used < half {
            half - used
        } else {
            STEP.min(CAPACITY - used)
        };
        look.set(position.wrapping_add(next * SIZE));
        (true, used >= half)
    }

    /// Takes out what was there when it began, and says how much that was. Consumer only.
    pub(crate) fn drain(&self, mut take: impl FnMut(Value)) -> usize {
        let tail = self.producer.0.tail.load(Ordering::Acquire);
        let head = self.head.0.own();
        let mut position = head;
        while position != tail {
            let entry = at(&self.producer.0.entries, position);
            let key = entry.key.load(Ordering::Relaxed);
            let stride = if key & slot::ALONE == 0 {
                entry.stride.load(Ordering::Relaxed)
            } else {
                STRIDE_ONE
            };
            take(Value {
                key,
                stride,
                ticks: entry.ticks.load(Ordering::Relaxed),
            });
            position = position.wrapping_add(SIZE);
        }
        self.head.0.store(tail, Ordering::Release);
        tail.wrapping_sub(head) / SIZE
    }

    /// Values that ever found the ring full.
    pub(crate) fn dropped(&self) -> usize {
        self.producer.0.dropped.load(Ordering::Relaxed)
    }
}
