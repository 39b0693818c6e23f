//! Models of the lock-free parts.
//!
//! Under loom: every interleaving, and every value that a weak memory order could show. Run by
//! `RUSTFLAGS="--cfg loom" cargo test -p instrument-task --release --lib models`. Under shuttle (`--cfg shuttle`): the same and longer ones
//! (`schedules`), by many random schedules of sequentially consistent steps.

use std::sync::Arc;

#[cfg(loom)]
use loom::{model, thread};
#[cfg(shuttle)]
use shuttle::thread;

#[cfg(shuttle)]
mod schedules;
#[cfg(shuttle)]
use schedules::model;

use super::{
    recorder::{Options, Recorder},
    ring::{Ring, Value},
    shard::{Block, End, STRIDE_ONE, Shard},
    slot,
};

fn value(n: u64) -> Value {
    Value {
        key: 4 * slot::ALONE * u32::try_from(n).unwrap(),
        stride: STRIDE_ONE,
        ticks: n,
    }
}

fn recorder() -> Arc<Recorder> {
    Arc::new(Recorder::new(Options {
        scoped: true,
        time_every_outcome: false,
        base_stride: STRIDE_ONE,
    }))
}

/// One call of series 0, from start to end.
fn call(shard: &Shard, end: End) {
    let slot = slot::from_id(0);
    let mut token = shard.start_at(slot);
    shard.end_at(slot, &mut token, end);
}

/// Sums as the flusher reads them: ended first, then started.
fn read(shards: &[Arc<Shard>]) -> (usize, usize) {
    // The table anew each time, as the flusher does.
    let sum = |read: fn(&Block) -> usize| {
        shards
            .iter()
            .filter_map(|shard| shard.table().first().map(read))
            .sum()
    };
    let ended = sum(|block| block.ended().outcomes.iter().sum());
    (sum(Block::started), ended)
}

#[test]
fn a_ring_gives_out_what_went_in_once_and_whole() {
    model(|| {
        let ring = Arc::new(Ring::new());
        let producer = {
            let ring = Arc::clone(&ring);
            thread::spawn(move || (1..=3).for_each(|n| _ = ring.push(value(n))))
        };
        let mut seen = Vec::new();
        ring.drain(|value| seen.push(value));
        producer.join().unwrap();
        ring.drain(|value| seen.push(value));
        assert!(
            seen.iter().all(|seen| *seen == value(seen.ticks)),
            "whole entries: {seen:?}"
        );
        assert!(seen.is_sorted_by_key(|value| value.ticks), "in order: {seen:?}");
        assert_eq!(seen.len() + ring.dropped(), 3, "each once, or counted: {seen:?}");
    });
}

#[test]
fn in_flight_is_never_negative_while_a_call_moves_between_threads() {
    model(|| {
        let recorder = recorder();
        let (first, second) = (recorder.acquire(), recorder.acquire());
        let slot = slot::from_id(0);
        first.allocate(slot);
        second.allocate(slot);
        let shards = [Arc::clone(&first), Arc::clone(&second)];
        let mover = thread::spawn(move || {
            let mut token = first.start_at(slot);
            let end = thread::spawn(move || second.end_at(slot, &mut token, End::Success));
            end.join().unwrap();
        });
        let (started, ended) = read(&shards);
        assert!(started >= ended, "{started} started, {ended} ended");
        mover.join().unwrap();
        assert_eq!(read(&shards), (1, 1));
    });
}

#[test]
fn a_table_that_grows_under_the_reader_loses_nothing() {
    model(|| {
        let recorder = recorder();
        let shard = recorder.acquire();
        let shards = [Arc::clone(&shard)];
        let caller = thread::spawn(move || {
            call(&shard, End::Success);
            // A series past the end of the table: the cells move.
            shard.allocate(slot::from_id(shard.table().len()));
            call(&shard, End::Success);
        });
        let (started, ended) = read(&shards);
        assert!(started >= ended, "{started} started, {ended} ended");
        caller.join().unwrap();
        assert_eq!(read(&shards), (2, 2));
    });
}

#[test]
fn an_end_elsewhere_brings_its_start_from_a_table_that_grew() {
    model(|| {
        let recorder = recorder();
        let (first, second) = (recorder.acquire(), recorder.acquire());
        let slot = slot::from_id(0);
        first.allocate(slot);
        second.allocate(slot);
        let shards = [Arc::clone(&first), Arc::clone(&second)];
        let mover = thread::spawn(move || {
            first.allocate(slot::from_id(first.table().len()));
            let mut token = first.start_at(slot);
            second.end_at(slot, &mut token, End::Success);
        });
        let (started, ended) = read(&shards);
        assert!(started >= ended, "{started} started, {ended} ended");
        mover.join().unwrap();
        assert_eq!(read(&shards), (1, 1));
    });
}

#[test]
fn a_shard_that_changes_hands_goes_on_counting() {
    model(|| {
        let recorder = recorder();
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let recorder = Arc::clone(&recorder);
                thread::spawn(move || {
                    let shard = recorder.acquire();
                    call(&shard, End::Success);
                    recorder.release(shard);
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let mut shards = Vec::new();
        recorder.read_shards(0, &mut shards);
        assert_eq!(read(&shards), (2, 2));
        let mut values = 0;
        shards
            .iter()
            .for_each(|shard| _ = shard.ring.drain(|_| values += 1));
        assert_eq!(values, 2);
    });
}

#[test]
fn a_flush_sees_the_value_of_every_end_that_it_sees() {
    model(|| {
        let recorder = recorder();
        let shard = recorder.acquire();
        let shards = [Arc::clone(&shard)];
        let caller = thread::spawn(move || {
            call(&shard, End::Success);
            call(&shard, End::Exception);
        });
        let mut values = 0;
        let mut drain = || {
            let (started, ended) = read(&shards);
            let successes = shards[0]
                .table()
                .first()
                .map_or(0, |block| block.ended().outcomes[0]);
            shards[0].ring.drain(|value| {
                assert_eq!(slot::from_key(value.key), (0, 0));
                values += 1;
            });
            assert!(started >= ended);
            assert!(values >= successes, "{values} values for {successes} successes");
        };
        drain();
        caller.join().unwrap();
        drain();
        assert_eq!((read(&shards), values), ((2, 2), 1));
    });
}
