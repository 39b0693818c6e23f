//! A recorder: all shards that count for one client, and the pool that threads take them from.
//!
//! A thread that ends gives its shard back at once and the next new thread goes on with it, counters, ring and all:
//! there are never more shards than threads that were alive together, and nothing waits for the flusher. The
//! pool's lock is what hands a shard over: it orders everything the old holder stored before anything the new one loads.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use super::{
    busy::Busy,
    forks,
    gauges::Gauges,
    shard::{Shard, Strides, Terms},
    tags,
};
use crate::sync::{Mutex, lock};

/// What a recorder is to do, as its client configured it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Whether it counts only inside its client's scope.
    pub(crate) scoped: bool,
    /// Whether calls that fail or are cancelled are timed as well.
    pub(crate) time_every_outcome: bool,
    /// The stride before the flusher sets one, in units of 1/256.
    pub(crate) base_stride: u32,
}

#[derive(Debug)]
pub(crate) struct Recorder {
    terms: Terms,
    strides: Arc<Strides>,
    pool: Mutex<Pool>,
    gauges: Gauges,
    /// The number of forks under which it was made.
    forks: u32,
}

#[derive(Debug, Default)]
struct Pool {
    all: Vec<Arc<Shard>>,
    free: Vec<Arc<Shard>>,
}

/// Ids are never used again; 0 stands for no recorder.
static NEXT_ID: AtomicU32 = AtomicU32::new(1);

impl Recorder {
    pub(crate) fn new(options: Options) -> Self {
        let Options {
            scoped,
            time_every_outcome,
            base_stride,
        } = options;
        // Relaxed: all it must be is different.
        let recorder = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        Self {
            terms: Terms {
                recorder,
                scoped,
                time_every_outcome,
            },
            strides: Arc::new(Strides::new(base_stride)),
            pool: Mutex::default(),
            gauges: Gauges::default(),
            forks: forks::count(),
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.terms.recorder
    }

    pub(crate) fn strides(&self) -> &Strides {
        &self.strides
    }

    pub(crate) fn gauges(&self) -> &Gauges {
        &self.gauges
    }

    /// Whether this is a parent's, in the child of a fork: its pool may be locked by a thread that does not exist, and nobody
    /// reads its shards.
    fn is_parents(&self) -> bool {
        self.forks != forks::count()
    }

    fn new_shard(&self, number: usize) -> Arc<Shard> {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        Arc::new(Shard::new(self.terms, Arc::clone(&self.strides), number))
    }

    /// A shard for the caller alone: one that was given back, or a new one.
    pub(crate) fn acquire(&self) -> Arc<Shard> {
        let _busy = Busy::locked();
        if self.is_parents() {
            return self.new_shard(0);
        }
        let mut pool = lock(&self.pool);
        if let Some(shard) = pool.free.pop() {
            return shard;
        }
        let shard = self.new_shard(pool.all.len());
        pool.all.push(Arc::clone(&shard));
        // Giving back must not allocate: it happens while a thread ends.
        let all = pool.all.len();
        let free = pool.free.len();
        pool.free.reserve(all - free);
        shard
    }

    /// Gives a shard back.
    pub(crate) fn release(&self, shard: Arc<Shard>) {
        let _busy = Busy::locked();
        if !self.is_parents() {
            lock(&self.pool).free.push(shard);
        }
    }

    /// Has the shards that no thread holds close what tag sets they may.
    pub(crate) fn sweep_free(&self) {
        // Held one at a time, as a thread would, so that no thread waits meanwhile.
        let free = {
            let _busy = Busy::locked();
            lock(&self.pool).free.len()
        };
        for _ in 0..free {
            let shard = {
                let _busy = Busy::locked();
                let mut pool = lock(&self.pool);
                if pool.free.is_empty() {
                    return;
                }
                // From the other end than threads take them, which puts each behind the rest.
                pool.free.remove(0)
            };
            shard.sets.sweep(tags::sweeps(), usize::MAX);
            self.release(shard);
        }
    }

    /// Appends the shards made after the first `known`.
    pub(crate) fn read_shards(&self, known: usize, shards: &mut Vec<Arc<Shard>>) {
        let _busy = Busy::locked();
        let pool = lock(&self.pool);
        shards.extend_from_slice(&pool.all[known..]);
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use std::thread;

    use super::*;
    use crate::{
        record::{
            local,
            shard::STRIDE_ONE,
            snapshot::{Drained, Reader},
        },
        task::{
            guard::Call,
            site::{Site, Token},
        },
    };

    #[test]
    fn a_thousand_threads_ten_at_a_time_share_few_shards_and_lose_nothing() {
        static SITE: Site = Site::new("a_thousand_threads");
        const CALLS: usize = 1_000;
        let recorder = Arc::new(Recorder::new(Options {
            scoped: false,
            time_every_outcome: false,
            base_stride: STRIDE_ONE,
        }));
        assert!(local::install(&recorder), "no other unit test installs one");
        for _ in 0..100 {
            let calls = || {
                (0..CALLS).for_each(|_| {
                    let mut token = Token::off();
                    Call::start(&SITE, &mut token).succeed();
                });
            };
            let threads: Vec<_> = (0..10).map(|_| thread::spawn(calls)).collect();
            for thread in threads {
                thread.join().unwrap();
            }
        }
        local::uninstall(&recorder);
        let mut shards = Vec::new();
        recorder.read_shards(0, &mut shards);
        assert!(shards.len() <= 16, "{}", shards.len());
        let mut drained = Drained::default();
        Reader::new(recorder).drain(&mut drained);
        let name = |at: &usize| &*drained.series[*at].identity.task == "a_thousand_threads";
        let at = (0..drained.series.len()).find(name).expect("the task was called");
        let totals = drained.totals[at];
        assert_eq!(
            (totals.started, totals.ended.outcomes[0]),
            (1_000 * CALLS, 1_000 * CALLS)
        );
    }
}
