//! What a call costs: bare, with no client, untimed, timed; and what reading the clock twice costs.

use std::time::Duration;

use criterion::{Bencher, Criterion, Throughput, criterion_group, criterion_main};
use instrument_task::Client;
use instrument_task_benches::{
    BATCH, HARDLY_EVER, annotated, bare, build, poll_annotated, poll_bare, time_batch, two_instants,
    two_raw_reads,
};

/// Runs a bench in batches, between which the rings are drained, off the clock.
fn batches<T>(bencher: &mut Bencher<'_>, client: Option<&Client>, call: impl Fn(u64) -> T) {
    bencher.iter_custom(|batches| (0..batches).map(|_| time_batch(client, &call)).sum::<Duration>());
}

fn call(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("call");
    group.throughput(Throughput::Elements(BATCH.into()));
    group.bench_function("bare", |b| batches(b, None, bare::task));
    group.bench_function("bare, async", |b| batches(b, None, poll_bare));
    group.bench_function("two Instant::now()", |b| batches(b, None, two_instants));
    group.bench_function("two raw reads", |b| batches(b, None, two_raw_reads));
    group.bench_function("no client", |b| batches(b, None, annotated::task));
    group.bench_function("no client, async", |b| batches(b, None, poll_annotated));
    for (name, rate) in [("untimed", HARDLY_EVER), ("timed", 1.0)] {
        let guard = build(rate).expect("a client on loopback");
        group.bench_function(name, |b| batches(b, Some(&guard), annotated::task));
        group.bench_function(format!("{name}, async"), |b| {
            batches(b, Some(&guard), poll_annotated);
        });
    }
    group.finish();
}

criterion_group!(benches, call);
criterion_main!(benches);
