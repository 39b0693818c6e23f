//! A timed call on one thread, on two, and on more than most machines of developers have cores for.

use std::{sync::Barrier, thread, time::Duration};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use instrument_task::Client;
use instrument_task_benches::{BATCH, annotated, bare, build, time_batch};

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
    let guard = build(1.0).expect("a client on loopback");
    let mut group = criterion.benchmark_group("threads");
    group.throughput(Throughput::Elements(BATCH.into()));
    for threads in [1, 2, 16] {
        group.bench_with_input(BenchmarkId::new("bare", threads), &threads, |b, &threads| {
            b.iter_custom(|batches| (0..batches).map(|_| at_once(threads, None, bare::task)).sum());
        });
        group.bench_with_input(BenchmarkId::new("timed", threads), &threads, |b, &threads| {
            b.iter_custom(|batches| {
                (0..batches)
                    .map(|_| at_once(threads, Some(&guard), annotated::task))
                    .sum()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, threads);
criterion_main!(benches);
