//! What the attribute costs, in nanoseconds of a call and beside reading the clock: the medians of interleaved rounds, so that
//! whatever else the machine does meets all alike.
//!
//! `cargo run --release -p instrument-task-benches --bin overhead [ROUNDS]`

use std::{array, env, process::ExitCode};

use instrument_task::{Client, Error};
use instrument_task_benches::{
    BATCH, HARDLY_EVER, WARM, annotated, bare, build, figures::Samples, poll_annotated, poll_bare,
    time_batch, two_instants, two_raw_reads,
};
use instrument_task_tests::bounds;

const ROUNDS: usize = 4_000;

/// What an untimed call may cost over the bare one, and a timed one, in two raw reads.
const AIMS: [(&str, f64); 2] = [("untimed", bounds::UNTIMED), ("timed", bounds::TIMED)];

/// Adds a batch to `samples`, in nanoseconds of a call, after others that warm up.
fn add<T>(samples: &mut Samples, client: Option<&Client>, call: impl Fn(u64) -> T) {
    for _ in 0..WARM {
        time_batch(client, &call);
    }
    let took = time_batch(client, &call);
    samples.0.push(took.as_nanos() as f64 / f64::from(BATCH));
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
        add(&mut plain.bare_beside_off, None, bare::task);
        add(&mut plain.off, None, annotated::task);
        add(&mut future.bare_beside_off, None, poll_bare);
        add(&mut future.off, None, poll_annotated);
    }
    let (all, hardly_any) = (build(1.0)?, build(HARDLY_EVER)?);
    for _ in 0..rounds {
        add(&mut plain.bare, None, bare::task);
        add(&mut plain.untimed, Some(&hardly_any), annotated::task);
        add(&mut plain.timed, Some(&all), annotated::task);
        add(&mut raw_reads, None, two_raw_reads);
        add(&mut future.bare, None, poll_bare);
        add(&mut future.untimed, Some(&hardly_any), poll_annotated);
        add(&mut future.timed, Some(&all), poll_annotated);
        add(&mut instants, None, two_instants);
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
