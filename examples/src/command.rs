//! The command of an example with a queue: its options and its end.

use std::{env, error::Error, process::ExitCode};

/// What the user asked for.
pub struct Arguments {
    /// How many jobs.
    pub jobs: u64,
    /// Whether workers with metrics and without are to be compared instead.
    pub throughput: bool,
    /// How many times.
    pub pairs: u32,
    /// Whether programs read the output.
    pub json: bool,
}

const OPTIONS: &str = "
  --jobs N       how many jobs (2000; 50000 in each pair with --throughput)
  --throughput   instead of all that, compare the throughput with metrics and without, in pairs
  --pairs N      how many of these (5)
  --json         as its last line, print what was planned, what the tasks counted by themselves, and the ledger
  --help

It starts a server for the queue, unless the environment names one (REDIS_URL, or DATABASE_URL), and receives its metrics
itself, unless the environment names a statsd server (STATSD_HOST, STATSD_PORT and their like).

Exit codes: 0 if every number got where it should, or the throughput with metrics keeps to its bound, 1 if not, 2 if it could not start.";

/// Runs an example: `about` is what `--help` says first. `run` says whether every number got where it should.
pub fn main(
    name: &str,
    about: &str,
    run: impl FnOnce(&Arguments) -> Result<bool, Box<dyn Error>>,
) -> ExitCode {
    let arguments = match parse(env::args().skip(1)) {
        Ok(Some(arguments)) => arguments,
        Ok(None) => {
            println!("{about}\n{OPTIONS}");
            return ExitCode::SUCCESS;
        }
        Err(why) => {
            eprintln!("{name}: {why}");
            return ExitCode::from(2);
        }
    };
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{name}: {error}");
            ExitCode::from(2)
        }
    }
}

/// Nothing if help is asked for; what is wrong comes back as a sentence.
fn parse(mut words: impl Iterator<Item = String>) -> Result<Option<Arguments>, String> {
    let (mut jobs, mut pairs) = (None, 5);
    let (mut throughput, mut json) = (false, false);
    while let Some(word) = words.next() {
        match &*word {
            "--jobs" => jobs = Some(number(&word, words.next())?),
            "--pairs" => pairs = number(&word, words.next())?,
            "--throughput" => throughput = true,
            "--json" => json = true,
            "--help" | "-h" => return Ok(None),
            _ => return Err(format!("{word} is not an option; see --help")),
        }
    }
    let jobs = jobs.unwrap_or(if throughput { 50_000 } else { 2_000 });
    Ok(Some(Arguments {
        jobs: jobs.into(),
        throughput,
        pairs,
        json,
    }))
}

fn number(key: &str, value: Option<String>) -> Result<u32, String> {
    let value = value.ok_or_else(|| format!("{key} needs a number"))?;
    match value.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(format!("{key} {value}: not a whole number above 0")),
    }
}
