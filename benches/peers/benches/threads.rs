//! A timed call on one thread, on two, and on more than most machines of developers have cores for.

use std::{sync::Barrier, thread, time::Duration};

use criterion::{Criterion, criterion_group, criterion_main};
use instrument_task::Client;
use instrument_task_benches::{annotated, bare, time_batch};
use instrument_task_peers::side_by_side::{self, Group};

/// The longest of the batches that so many threads make at once.
fn at_once<T>(threads: usize, client: Option<&Client>, call: impl Fn(u64) -> T + Copy + Sync) -> Duration {
    let barrier = Barrier::new(threads);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    time_batch(client, call);
                    barrier.wait();
                    time_batch(client, call)
                })
            })
            .collect();
        workers
            .into_iter()
            .filter_map(|worker| worker.join().ok())
            .max()
            .unwrap_or_default()
    })
}

fn threads(criterion: &mut Criterion) {
    let guard = side_by_side::timed();
    let mut group = Group::new(criterion, "threads");
    for threads in [1, 2, 16] {
        group.batches("bare", Some(threads), || at_once(threads, None, bare::task));
        group.batches("timed", Some(threads), || {
            at_once(threads, Some(&guard), annotated::task)
        });
    }
}

criterion_group!(benches, threads);
criterion_main!(benches);
