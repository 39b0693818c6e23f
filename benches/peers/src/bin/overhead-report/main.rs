//! What this library costs beside what one would take instead, and beside the limits: a table and a plot.
//!
//! `cargo run --release -p instrument-task-peers --bin overhead-report [--rounds N] [--seconds N] [--out FOLDER] [--strict]`
//!
//! Every contender has a process of its own, because most of them are global. In each round every one of them is asked in turn
//! for one batch of calls, so that whatever else the machine does meets all alike; figures are medians over the rounds. With
//! `--strict` it fails if a claim does not hold.

mod brief;
mod child;
mod claims;
mod instructions;
mod memory;
mod paced;
mod plot;
mod rounds;
mod table;

use std::{env, fs, path::PathBuf, process::ExitCode};

use instrument_task_peers::Error;
use table::Seen;

/// What was asked for.
#[derive(Debug)]
struct Options {
    /// Rounds of batches.
    rounds: usize,
    /// How long a contender works at its pace.
    seconds: u64,
    /// Where the report goes.
    out: PathBuf,
    /// Whether a claim that does not hold is a failure.
    strict: bool,
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, Error> {
        let mut options = Self {
            rounds: 400,
            seconds: 3,
            out: PathBuf::from("benches/report"),
            strict: false,
        };
        while let Some(key) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{key} wants a value"));
            match key.as_str() {
                "--rounds" => options.rounds = value()?.parse()?,
                "--seconds" => options.seconds = value()?.parse()?,
                "--out" => options.out = value()?.into(),
                "--strict" => options.strict = true,
                _ => {
                    return Err(
                        format!("{key} is unknown: --rounds N, --seconds N, --out FOLDER, --strict").into(),
                    );
                }
            }
        }
        Ok(options)
    }
}

fn report(options: &Options) -> Result<bool, Error> {
    let quick = options.seconds == 0;
    eprintln!("calls: {} rounds", options.rounds);
    let calls = rounds::calls(options.rounds)?;
    eprintln!("threads");
    let threads = rounds::threads(options.rounds / 8 + 1, quick)?;
    eprintln!("series");
    let series = rounds::series(options.rounds)?;
    eprintln!("cold calls");
    let cold = rounds::cold(options.rounds / 16 + 1)?;
    eprintln!("a million tasks a second, {} s each", options.seconds);
    let paced = paced::all(options.seconds)?;
    let share = paced::share(options.seconds)?;

    eprintln!("rates");
    let rates = rounds::rates(quick)?;
    eprintln!("memory");
    let memory = memory::all(quick)?;
    eprintln!("instructions");
    let instructions = instructions::all(quick)?;

    let claims = claims::judge(&calls, &threads, &series, &paced, &share, &instructions);
    let seen = Seen {
        calls: &calls,
        threads: &threads,
        series: &series,
        cold: &cold,
        paced: &paced,
        share: &share,
        rates: &rates,
        memory: &memory,
        instructions: &instructions,
        claims: &claims,
    };
    let text = table::markdown(&seen);
    fs::create_dir_all(&options.out)?;
    fs::write(options.out.join("overhead.md"), &text)?;
    plot::draw(&options.out.join("overhead.svg"), &calls)?;
    println!("{text}");
    println!("written to {}", options.out.display());
    Ok(!options.strict || claims.iter().all(claims::Claim::holds))
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let result = match arguments.first().map(String::as_str) {
        Some(child::FLAG) => child::run(&arguments[1..]).map(|()| true),
        Some(memory::FLAG) => memory::run(&arguments[1..]).map(|()| true),
        _ => Options::parse(arguments.into_iter()).and_then(|options| report(&options)),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}
