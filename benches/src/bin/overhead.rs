//! What the attribute costs, in nanoseconds of a call and beside reading the clock: the medians of interleaved rounds, so that
//! whatever else the machine does meets all alike.
//!
//! `cargo run --release -p instrument-task-benches --bin overhead [ROUNDS]`

use std::{env, process::ExitCode};

use instrument_task::{Client, Error};
use instrument_task_benches::{
    BATCH, HARDLY_EVER, annotated, bare, install, poll_annotated, poll_bare, time_batch, two_instants,
    two_raw_reads,
};

const ROUNDS: usize = 400;
/// Batches of each kind in a round, after one to warm up.
const BATCHES: usize = 20;

/// Nanoseconds of a call, one figure for each batch.
#[derive(Default)]
struct Samples(Vec<f64>);

impl Samples {
    fn add<T>(&mut self, client: Option<&Client>, call: impl Fn(u64) -> T) {
        time_batch(client, &call);
        for _ in 0..BATCHES {
            let took = time_batch(client, &call);
            self.0.push(took.as_nanos() as f64 / f64::from(BATCH));
        }
    }

    fn median(&mut self) -> f64 {
        self.0.sort_by(f64::total_cmp);
        self.0.get(self.0.len() / 2).copied().unwrap_or(f64::NAN)
    }
}

/// What was measured of one kind of function.
#[derive(Default)]
struct Costs {
    bare: Samples,
    off: Samples,
    timed: Samples,
    untimed: Samples,
}

impl Costs {
    /// Prints the medians and gives back what the modes cost over the bare function.
    fn report(&mut self, kind: &str) -> [f64; 3] {
        let bare = self.bare.median();
        let over = [&mut self.off, &mut self.untimed, &mut self.timed].map(|mode| mode.median() - bare);
        let [off, untimed, timed] = over;
        println!("{kind:6} {bare:6.2}  {off:+9.2}  {untimed:+8.2}  {timed:+6.2}");
        over
    }
}

fn run(rounds: usize) -> Result<bool, Error> {
    let (mut plain, mut future) = (Costs::default(), Costs::default());
    let (mut instants, mut raw_reads) = (Samples::default(), Samples::default());
    for _ in 0..rounds {
        plain.bare.add(None, bare::task);
        future.bare.add(None, poll_bare);
        instants.add(None, two_instants);
        raw_reads.add(None, two_raw_reads);
        plain.off.add(None, annotated::task);
        future.off.add(None, poll_annotated);

        let client = install(HARDLY_EVER)?;
        plain.untimed.add(Some(&client), annotated::task);
        future.untimed.add(Some(&client), poll_annotated);
        drop(client);

        let client = install(1.0)?;
        plain.timed.add(Some(&client), annotated::task);
        future.timed.add(Some(&client), poll_annotated);
        drop(client);
    }

    println!("ns of a call, medians of {rounds} interleaved rounds");
    println!("         bare  no client   untimed   timed");
    let costs = [plain.report("plain"), future.report("async")];
    let (instants, raw_reads) = (instants.median(), raw_reads.median());
    println!("two Instant::now() {instants:.2}, two raw reads {raw_reads:.2}");
    println!("\nover two raw reads   aim at most");
    let mut within = true;
    for (kind, [_, untimed, timed]) in ["plain", "async"].iter().zip(costs) {
        for (mode, cost, aim) in [("untimed", untimed, 0.5), ("timed", timed, 1.25)] {
            let ratio = cost / raw_reads;
            within &= ratio <= aim;
            println!("{kind:6}{mode:8} {ratio:4.2}  {aim:8.2}");
        }
    }
    Ok(within)
}

fn main() -> ExitCode {
    let rounds = env::args()
        .nth(1)
        .and_then(|rounds| rounds.parse().ok())
        .unwrap_or(ROUNDS);
    match run(rounds) {
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
