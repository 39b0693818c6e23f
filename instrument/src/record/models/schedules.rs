//! Longer models, each under many random schedules: threads that come, count and go, calls that end elsewhere, and a flusher
//! that reads all the while.

use std::sync::Arc;

use shuttle::{
    rand::{Rng, thread_rng},
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use super::{recorder, slot};
use crate::record::{
    recorder::Recorder,
    registry::{self, Identity, Options},
    ring::CAPACITY,
    shard::{End, STRIDE_ONE, Token},
    snapshot::{Drained, Reader, Totals},
};

/// Schedules of each kind for a model.
const SCHEDULES: usize = 5_000;
/// Points at which a schedule of the second kind changes which thread goes first: most faults take fewer.
const CHANGES: usize = 3;

/// Runs `what` under schedules in which any thread may go next, and under others in which one goes first until it is overtaken.
pub(super) fn model(what: impl Fn() + Send + Sync + 'static) {
    let what = Arc::new(what);
    let again = Arc::clone(&what);
    shuttle::check_random(move || again(), SCHEDULES);
    shuttle::check_pct(move || what(), SCHEDULES, CHANGES);
}

const ENDS: [End; 4] = [End::Success, End::Exception, End::Panic, End::Cancelled];

/// The slots of two series of this model's own.
fn slots() -> [usize; 2] {
    ["schedules.a", "schedules.b"].map(|task| {
        let identity = Identity {
            task: task.into(),
            ..Identity::default()
        };
        registry::slot_of(identity, Options::default())
    })
}

/// Calls under way, which any thread may end.
type UnderWay = Arc<Mutex<Vec<(usize, Token)>>>;

/// A thread's life: it takes a shard, makes `calls` calls, leaves some of them to others, ends some of theirs, and gives the shard
/// back. Returns how many successes it ended.
fn live(recorder: &Recorder, under_way: &UnderWay, slots: [usize; 2], calls: usize) -> usize {
    let shard = recorder.acquire();
    let mut successes = 0;
    let mut end = |slot: usize, token: &mut Token| {
        let end = ENDS[thread_rng().gen_range(0..ENDS.len())];
        successes += usize::from(end == End::Success);
        shard.end_at(slot, token, end);
    };
    for _ in 0..calls {
        let slot = slots[thread_rng().gen_range(0..slots.len())];
        let mut token = shard.start_at(slot);
        match thread_rng().gen_range(0..3) {
            0 => under_way.lock().unwrap().push((slot, token)),
            1 => {
                let other = under_way.lock().unwrap().pop();
                if let Some((slot, mut token)) = other {
                    end(slot, &mut token);
                }
                end(slot, &mut token);
            }
            _ => end(slot, &mut token),
        }
    }
    recorder.release(shard);
    successes
}

fn ended(totals: &Totals) -> usize {
    totals.ended.outcomes.iter().sum()
}

/// What the flusher has seen.
struct Seen {
    reader: Reader,
    drained: Drained,
    slots: [usize; 2],
    last: [Totals; 2],
    values: usize,
    /// Whether every call is timed.
    every: bool,
}

impl Seen {
    /// Drains, and checks what has to hold at any time.
    fn drain(&mut self) {
        self.reader.drain(&mut self.drained);
        self.values += self.drained.values.len();
        let totals = self.slots.map(|slot| self.drained.totals[slot::to_id(slot)]);
        let mut successes = 0;
        for (now, last) in totals.iter().zip(&self.last) {
            assert!(now.started >= ended(now), "in flight is never negative: {now:?}");
            assert!(
                now.ended.panics <= now.ended.outcomes[1],
                "panics are exceptions: {now:?}"
            );
            let grown = now.started >= last.started
                && now.ended.panics >= last.ended.panics
                && now
                    .ended
                    .outcomes
                    .iter()
                    .zip(last.ended.outcomes)
                    .all(|(now, last)| *now >= last);
            assert!(grown, "sums only grow: {last:?} {now:?}");
            successes += now.ended.outcomes[0];
        }
        let there = self.values + self.drained.ring_full;
        assert_eq!(self.drained.measured, there);
        assert!(
            !self.every || there >= successes,
            "{there} values for {successes} successes"
        );
        self.last = totals;
    }
}

const THREADS: usize = 3;
const GENERATIONS: usize = 2;

/// Generations of threads at work while the flusher reads, and steers if `steers`. Each thread makes so many `calls`.
fn at_work(steers: bool, calls: usize) {
    let (recorder, slots) = (recorder(), slots());
    let under_way = UnderWay::default();
    let done = Arc::new(AtomicBool::new(false));
    let flusher = {
        let (recorder, done) = (Arc::clone(&recorder), Arc::clone(&done));
        thread::spawn(move || {
            let mut seen = Seen {
                reader: Reader::new(recorder),
                drained: Drained::default(),
                slots,
                last: [Totals::default(); 2],
                values: 0,
                every: !steers,
            };
            let mut stride = STRIDE_ONE;
            loop {
                // Asked before: the last drain comes after the last call.
                let last = done.load(Ordering::SeqCst);
                seen.drain();
                if last {
                    return seen;
                }
                if steers {
                    stride = 3 * STRIDE_ONE - stride;
                    seen.reader.steer(&vec![stride; seen.drained.totals.len()]);
                }
                thread::yield_now();
            }
        })
    };
    let threads: Vec<_> = (0..THREADS)
        .map(|_| {
            let (recorder, under_way) = (Arc::clone(&recorder), Arc::clone(&under_way));
            thread::spawn(move || {
                let generation = |_| {
                    let (recorder, under_way) = (Arc::clone(&recorder), Arc::clone(&under_way));
                    let thread = thread::spawn(move || live(&recorder, &under_way, slots, calls));
                    thread.join().unwrap()
                };
                (0..GENERATIONS).map(generation).sum::<usize>()
            })
        })
        .collect();
    let mut successes: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    // What nobody took on ends here.
    let shard = recorder.acquire();
    let rest: Vec<_> = under_way.lock().unwrap().drain(..).collect();
    for (slot, mut token) in rest {
        shard.end_at(slot, &mut token, End::Success);
        successes += 1;
    }
    recorder.release(shard);
    done.store(true, Ordering::SeqCst);
    let seen = flusher.join().unwrap();

    let sum = |what: fn(&Totals) -> usize| seen.last.iter().map(what).sum::<usize>();
    let all = THREADS * GENERATIONS * calls;
    assert_eq!((sum(|totals| totals.started), sum(ended)), (all, all));
    assert_eq!(sum(|totals| totals.ended.outcomes[0]), successes);
    let measured = seen.drained.measured;
    if steers {
        assert!(measured <= successes, "{measured} measured of {successes}");
    } else {
        assert_eq!(
            (measured, seen.values),
            (successes, successes),
            "each success is a value"
        );
    }
    let mut shards = Vec::new();
    recorder.read_shards(0, &mut shards);
    assert!(
        shards.len() <= THREADS,
        "never more shards than threads alive: {}",
        shards.len()
    );
}

#[test]
fn generations_of_threads_lose_nothing_while_a_flusher_reads() {
    // Too few to fill half a ring: nobody slows down, and each call is timed.
    const CALLS: usize = 2;
    const { assert!(THREADS * GENERATIONS * CALLS < CAPACITY / 2) };
    model(|| at_work(false, CALLS));
}

#[test]
fn generations_of_threads_lose_nothing_while_strides_change() {
    // Enough to fill rings.
    const CALLS: usize = 12;
    const { assert!(THREADS * GENERATIONS * CALLS > 2 * CAPACITY) };
    model(|| at_work(true, CALLS));
}
