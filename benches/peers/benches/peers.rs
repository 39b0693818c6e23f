//! A timed call beside what one would take instead. Those that can be set up in one process; the others are in the report.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use instrument_task_benches::{BATCH, annotated, bare, build, time_batch};
use instrument_task_peers::{
    contenders::{
        self, autometrics, cadence, dogstatsd, fastrace, limits, merni, metrics, socket, statsd, tracing,
    },
    sink::Sink,
};

fn peers(criterion: &mut Criterion) {
    let sink = Sink::start().expect("a socket on loopback");
    let mut group = criterion.benchmark_group("peers");
    group.throughput(Throughput::Elements(BATCH.into()));
    group.bench_function("bare call", |b| {
        b.iter_custom(|batches| (0..batches).map(|_| time_batch(None, bare::task)).sum());
    });
    let guard = build(1.0).expect("a client on loopback");
    group.bench_function("instrument-task, timed", |b| {
        b.iter_custom(|batches| {
            (0..batches)
                .map(|_| time_batch(Some(&guard), annotated::task))
                .sum()
        });
    });
    for name in [
        limits::RAW_READS,
        limits::INSTANTS,
        tracing::DISABLED,
        fastrace::DISABLED,
        metrics::HANDLES,
        merni::MERNI,
        autometrics::AUTOMETRICS,
        cadence::BUFFERED,
        dogstatsd::BATCHED,
        statsd::STATSD,
        socket::SOCKET,
    ] {
        let contender = contenders::named(name).expect("it is one of them");
        let running = (contender.set_up)(sink.address()).expect("it can be set up");
        group.bench_function(name, |b| {
            b.iter_custom(|batches| {
                let batch = || -> Duration {
                    let begun = Instant::now();
                    (running.batch)(black_box(BATCH));
                    begun.elapsed()
                };
                (0..batches).map(|_| batch()).sum()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, peers);
criterion_main!(benches);
