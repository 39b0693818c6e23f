//! Ways to make a call, side by side in one group of criterion's: a bench for each claim.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, measurement::WallTime};
use instrument_task::{Client, Guard};
use instrument_task_benches::{BATCH, HARDLY_EVER, build, time_batch, two_raw_reads};

use crate::{Running, contenders, sink::Sink};

/// The group of a claim. What it measures are batches, between which rings are drained off the clock.
#[derive(Debug)]
pub struct Group<'a>(Inner<'a>);

/// Criterion's has no `Debug`.
struct Inner<'a>(BenchmarkGroup<'a, WallTime>);

impl std::fmt::Debug for Inner<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BenchmarkGroup").finish_non_exhaustive()
    }
}

impl<'a> Group<'a> {
    /// The group of that name.
    pub fn new(criterion: &'a mut Criterion, name: &str) -> Self {
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(BATCH.into()));
        Self(Inner(group))
    }

    /// Measures what takes so long as `batch` says.
    pub fn batches(&mut self, name: &str, parameter: Option<usize>, mut batch: impl FnMut() -> Duration) {
        let id = match parameter {
            Some(parameter) => BenchmarkId::new(name, parameter),
            None => BenchmarkId::from_parameter(name),
        };
        self.0.0.bench_function(id, |bencher| {
            bencher.iter_custom(|batches| (0..batches).map(|_| batch()).sum());
        });
    }

    /// Measures a call, in the scope of the client if there is one.
    pub fn call<T>(&mut self, name: &str, client: Option<&Client>, call: impl Fn(u64) -> T) {
        self.batches(name, None, || time_batch(client, &call));
    }

    /// Measures the two readings of the clock that a timed call cannot do without.
    pub fn raw_reads(&mut self) {
        self.call("two raw clock reads", None, two_raw_reads);
    }

    /// Measures a contender, which sends to a server that lasts as long as this.
    ///
    /// # Panics
    /// If it cannot be set up.
    pub fn contender(&mut self, name: &str) {
        let sink = Sink::start().expect("a socket on loopback");
        let contender = contenders::named(name).expect("it is one of them");
        let Running { batch, settle, end } = (contender.set_up)(sink.address()).expect("it can be set up");
        self.batches(name, None, || {
            let begun = Instant::now();
            batch(black_box(BATCH));
            let took = begun.elapsed();
            settle();
            took
        });
        end();
    }
}

/// A client that times every call.
///
/// # Panics
/// If there is no socket or no thread to be had.
pub fn timed() -> Guard {
    build(1.0).expect("a client on loopback")
}

/// A client that times hardly any.
///
/// # Panics
/// If there is no socket or no thread to be had.
pub fn untimed() -> Guard {
    build(HARDLY_EVER).expect("a client on loopback")
}
