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

use crate::sync::{AtomicU64, AtomicUsize, Ordering, Own as _};

/// Values a ring holds: at the default drain interval of 100 ms, 10 000 values a second from one thread, which is ten
/// series at their whole default budget. It is 16 KiB a thread.
#[cfg(not(loom))]
pub(crate) const CAPACITY: usize = 2048;
#[cfg(loom)]
pub(crate) const CAPACITY: usize = 2;

/// One measured duration. Two words, so that it travels in registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Value {
    head: u64,
    /// The duration in raw ticks.
    pub(crate) ticks: u64,
}

impl Value {
    /// A value with its key (series and outcome, packed by the shard) and how many calls it was picked from, in units of
    /// 1/256.
    #[inline(always)]
    pub(crate) fn new(key: u32, stride: u32, ticks: u64) -> Self {
        let head = (u64::from(stride) << 32) | u64::from(key);
        Self { head, ticks }
    }

    #[expect(clippy::cast_possible_truncation, reason = "the lower half")]
    pub(crate) fn key(self) -> u32 {
        self.head as u32
    }

    pub(crate) fn stride(self) -> u32 {
        (self.head >> 32) as u32
    }
}

#[derive(Debug)]
struct Entry {
    head: AtomicU64,
    ticks: AtomicU64,
}

/// Keeps what the two sides write on cache lines of their own.
#[derive(Debug)]
#[repr(align(64))]
struct Line<T>(T);

#[derive(Debug)]
struct Producer {
    /// Values ever pushed.
    tail: AtomicUsize,
    /// The count of pushed values at which to look where the consumer is.
    look: AtomicUsize,
    /// Values that found the ring full.
    dropped: AtomicUsize,
    entries: Box<[Entry; CAPACITY]>,
}

#[derive(Debug)]
pub(crate) struct Ring {
    producer: Line<Producer>,
    /// Values ever popped.
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
                head: AtomicU64::new(0),
                ticks: AtomicU64::new(0),
            })
            .collect();
        let Ok(entries) = entries.into_boxed_slice().try_into() else {
            unreachable!("the vector has CAPACITY entries")
        };
        Self {
            producer: Line(Producer {
                tail: AtomicUsize::new(0),
                look: AtomicUsize::new(CAPACITY / 2),
                dropped: AtomicUsize::new(0),
                entries,
            }),
            head: Line(AtomicUsize::new(0)),
        }
    }

    /// Adds a value if there is certainly room; else it is for [`push`](Self::push). Producer only.
    #[inline(always)]
    pub(crate) fn try_push(&self, value: Value) -> bool {
        let Producer { tail, look, .. } = &self.producer.0;
        let at = tail.own();
        if at == look.own() {
            return false;
        }
        self.put(at, value);
        true
    }

    /// Adds a value, or counts it as dropped if the ring is full; true if the producer should slow down. Producer only.
    pub(crate) fn push(&self, value: Value) -> bool {
        let Producer { tail, look, .. } = &self.producer.0;
        let at = tail.own();
        let (room, slow_down) = if at == look.own() {
            self.look(at)
        } else {
            (true, false)
        };
        if room {
            self.put(at, value);
        }
        slow_down
    }

    /// Writes an entry and publishes it.
    #[inline(always)]
    fn put(&self, at: usize, value: Value) {
        let Producer { tail, entries, .. } = &self.producer.0;
        let entry = &entries[at % CAPACITY];
        entry.head.store(value.head, Ordering::Relaxed);
        entry.ticks.store(value.ticks, Ordering::Relaxed);
        tail.store(at.wrapping_add(1), Ordering::Release);
    }

    /// Looks where the consumer is: whether there is room, and whether values come faster than they are taken out.
    #[cold]
    #[inline(never)]
    fn look(&self, at: usize) -> (bool, bool) {
        let Producer { look, dropped, .. } = &self.producer.0;
        let used = at.wrapping_sub(self.head.0.load(Ordering::Acquire));
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
        look.store(at.wrapping_add(next), Ordering::Relaxed);
        (true, used >= half)
    }

    /// Takes out what was there when it began, and says how much was ever pushed by then. Consumer only.
    pub(crate) fn drain(&self, mut take: impl FnMut(Value)) -> usize {
        let tail = self.producer.0.tail.load(Ordering::Acquire);
        let mut at = self.head.0.own();
        while at != tail {
            let entry = &self.producer.0.entries[at % CAPACITY];
            let (head, ticks) = (
                entry.head.load(Ordering::Relaxed),
                entry.ticks.load(Ordering::Relaxed),
            );
            take(Value { head, ticks });
            at = at.wrapping_add(1);
        }
        self.head.0.store(tail, Ordering::Release);
        tail
    }

    /// Values that ever found the ring full.
    pub(crate) fn dropped(&self) -> usize {
        self.producer.0.dropped.load(Ordering::Relaxed)
    }
}
