//! What the attribute costs, in nanoseconds of a call and beside reading the clock: the medians of interleaved rounds, so that
//! whatever else the machine does meets all alike.
//!
//! `cargo run --release -p instrument-task-benches --bin overhead [ROUNDS]`

use std::{array, env, process::ExitCode};

use instrument_task::{Client, Error};
use instrument_task_benches::{
    BATCH, HARDLY_EVER, annotated, bare, build, poll_annotated, poll_bare, time_batch, two_instants,
    two_raw_reads,
};

const ROUNDS: usize = 4_000;

/// Batches that warm up: as many as fill a thread's ring once around, as they do in a worker that goes on.
const WARM: u32 = 5;

/// What a timed call may cost over the bare one, and an untimed one, in two raw reads.
const AIMS: [(&str, f64); 2] = [("untimed", 0.5), ("timed", 1.25)];

/// Nanoseconds of a call, one figure for each round.
#[derive(Default)]
struct Samples(Vec<f64>);

impl Samples {
    /// Batches that warm up, and one that counts.
    fn add<T>(&mut self, client: Option<&Client>, call: impl Fn(u64) -> T) {
        for _ in 0..WARM {
            time_batch(client, &call);
        }
        let took = time_batch(client, &call);
        self.0.push(took.as_nanos() as f64 / f64::from(BATCH));
    }

    fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
    }

    /// What each round had over the same round of `other`.
    fn over(&self, other: &Self) -> Self {
        Self(
            self.0
                .iter()
                .zip(&other.0)
                .map(|(own, other)| own - other)
                .collect(),
        )
    }

    /// Each round in units of the same round of `other`.
    fn by(&self, other: &Self) -> Self {
        Self(
            self.0
                .iter()
                .zip(&other.0)
                .map(|(own, other)| own / other)
                .collect(),
        )
    }
}

/// What was measured of one kind of function.
#[derive(Default)]
struct Costs {
    bare: Samples,
    untimed: Samples,
    timed: Samples,
    /// Measured by themselves: a client anywhere in the process would make a difference.
    off: Samples,
    bare_beside_off: Samples,
}

impl Costs {
    fn report(&self, kind: &str) {
        let off = self.off.over(&self.bare_beside_off).median();
        let [untimed, timed] = [&self.untimed, &self.timed].map(|mode| mode.over(&self.bare).median());
        let bare = self.bare.median();
        println!("{kind:6} {bare:6.2}  {off:+9.2}  {untimed:+8.2}  {timed:+6.2}");
    }

    /// What the modes cost over the bare function, in two raw reads of the same round.
    fn ratios(&self, raw_reads: &Samples) -> [f64; 2] {
        let modes = [&self.untimed, &self.timed];
        array::from_fn(|at| modes[at].over(&self.bare).by(raw_reads).median())
    }
}

fn run(rounds: usize) -> Result<bool, Error> {
    let (mut plain, mut future) = (Costs::default(), Costs::default());
    let (mut instants, mut raw_reads) = (Samples::default(), Samples::default());
    for _ in 0..rounds {
        plain.bare_beside_off.add(None, bare::task);
        plain.off.add(None, annotated::task);
        future.bare_beside_off.add(None, poll_bare);
        future.off.add(None, poll_annotated);
    }
    let (all, hardly_any) = (build(1.0)?, build(HARDLY_EVER)?);
    for _ in 0..rounds {
        plain.bare.add(None, bare::task);
        plain.untimed.add(Some(&hardly_any), annotated::task);
        plain.timed.add(Some(&all), annotated::task);
        raw_reads.add(None, two_raw_reads);
        future.bare.add(None, poll_bare);
        future.untimed.add(Some(&hardly_any), poll_annotated);
        future.timed.add(Some(&all), poll_annotated);
        instants.add(None, two_instants);
    }

    println!("ns of a call, medians of {rounds} interleaved rounds");
    println!("         bare  no client   untimed   timed");
    plain.report("plain");
    future.report("async");
    println!(
        "two Instant::now() {:.2}, two raw reads {:.2}",
        instants.median(),
        raw_reads.median()
    );
    println!("\nover two raw reads   aim at most");
    let mut within = true;
    for (kind, costs) in [("plain", plain), ("async", future)] {
        for ((mode, aim), ratio) in AIMS.into_iter().zip(costs.ratios(&raw_reads)) {
            within &= ratio <= aim;
            println!("{kind:6}{mode:8} {ratio:4.2}  {aim:8.2}");
        }
    }
    Ok(within)
}

fn main() -> ExitCode {
    let rounds = env::args().nth(1).and_then(|rounds| rounds.parse().ok());
    match run(rounds.unwrap_or(ROUNDS)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            println!("\npast an aim");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
