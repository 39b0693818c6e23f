//! A timed call when many tasks are called in turn: it grows by what the caches miss.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use instrument_task::with_client;
use instrument_task_benches::{BATCH, build};
use instrument_task_peers::many::Many;

fn series(criterion: &mut Criterion) {
    let guard = build(1.0).expect("a client on loopback");
    let mut group = criterion.benchmark_group("series");
    group.throughput(Throughput::Elements(BATCH.into()));
    for count in [1, 100, 10_000] {
        let many = Many::new(count);
        let mut at = 0;
        group.bench_with_input(BenchmarkId::new("bare", count), &many, |b, many| {
            b.iter_custom(|batches| {
                let begun = Instant::now();
                for _ in 0..batches {
                    many.bare(&mut at, black_box(BATCH));
                }
                begun.elapsed()
            });
        });
        group.bench_with_input(BenchmarkId::new("timed", count), &many, |b, many| {
            b.iter_custom(|batches| {
                let batch = || {
                    let took = with_client(&guard, || {
                        let begun = Instant::now();
                        many.annotated(&mut at, black_box(BATCH));
                        begun.elapsed()
                    });
                    // Reading the books drains the rings.
                    black_box(guard.ledger());
                    took
                };
                std::iter::repeat_with(batch)
                    .take(usize::try_from(batches).unwrap_or(usize::MAX))
                    .sum::<Duration>()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, series);
criterion_main!(benches);
