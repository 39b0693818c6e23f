//! A small worker whose tasks are counted and timed, and all the way of its numbers: from the attribute on the
//! functions (`tasks.rs`) to a statsd server.
//!
//! ```text
//! cargo run --example quickstart
//! STATSD_HOST=127.0.0.1 STATSD_PORT=8125 cargo run --example quickstart -- --seconds 10 --rate 1000
//! ```
//!
//! Exit codes: 0 if every number arrived (at the server of its own) or left (to another one), 1 if not, 2 if it
//! could not start.

mod arguments;
mod summary;
mod tally;
mod tasks;
mod worker;

use std::{
    env,
    error::Error,
    io::{IsTerminal, Write, stderr},
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use instrument_task::{Client, testing::Receiver};
use tokio::{runtime, task::JoinSet, time::interval};

use arguments::Arguments;
use summary::Arrived;
use tally::Tally;

/// The variables that name a server, or switch everything off.
const SERVER_VARIABLES: [&str; 10] = [
    "STATSD_DISABLED",
    "STATSD_URL",
    "STATSD_SOCKET_PATH",
    "STATSD_ADDR",
    "STATSD_HOST",
    "STATSD_PORT",
    "DD_DOGSTATSD_URL",
    "DD_DOGSTATSD_SOCKET",
    "DD_AGENT_HOST",
    "DD_DOGSTATSD_PORT",
];

/// Jobs that may be under way at once, however many are asked for.
const CONCURRENT: usize = 5_000;

fn main() -> ExitCode {
    let arguments = match Arguments::parse(env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(why) => {
            eprintln!("quickstart: {why}");
            return ExitCode::from(2);
        }
    };
    if arguments.help {
        println!("{}", arguments::HELP);
        return ExitCode::SUCCESS;
    }
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("quickstart: {error}");
            ExitCode::from(2)
        }
    }
}

/// Works, reports, and says whether every number got where it should.
fn run(arguments: &Arguments) -> Result<bool, Box<dyn Error>> {
    let (metrics, receiver) = if let Some(variables) = server_in_environment() {
        // What every program does: a guard in `main`, configured by the environment.
        println!("Sending to the server that the environment names: {variables}");
        (instrument_task::init()?, None)
    } else {
        // No server is needed to look at it: the library brings one for tests.
        let receiver = Receiver::start()?;
        let address = receiver.address().to_string();
        println!("No server in the environment; receiving on {address}.");
        (Client::builder().address(address).install()?, Some(receiver))
    };
    if !metrics.is_enabled() {
        println!("Metrics are switched off: nothing is counted or sent.");
    }

    worker::hide_expected_panics();
    let tally = Arc::new(Tally::default());
    runtime::Builder::new_multi_thread()
        .enable_time()
        .build()?
        .block_on(work(arguments, &tally));
    let calls = tally.calls();

    // Dropping the guard would send the rest too; this way it also tells what came of it.
    let client = metrics.client();
    let report = metrics.shutdown(Duration::from_secs(5));
    let ledger = client.ledger();

    let complete = if let Some(receiver) = &receiver {
        receiver.wait_until(Duration::from_secs(5), |receiver| {
            receiver.packets_seen() >= ledger.packets
        });
        let arrived = Arrived::at(receiver);
        println!(
            "\nWhat arrived:\n{}",
            summary::table(&arrived.calls(), |task, q| arrived.quantile(task, q))
        );
        println!(
            "The first packets on the wire:\n{}",
            summary::first_lines(&receiver.packets())
        );
        let bad_lines = receiver.bad_lines();
        for line in &bad_lines {
            println!("malformed: {line}");
        }
        arrived.calls() == calls && bad_lines.is_empty()
    } else {
        println!("\nWhat the worker did:\n{}", summary::table(&calls, |_, _| None));
        let lost = ledger.counters.dropped + ledger.timers.dropped_at_shutdown;
        report.pending == 0 && lost == 0
    };
    println!("Ledger:\n{}", summary::ledger(&ledger));
    println!(
        "{}",
        match (complete, &receiver) {
            (true, Some(_)) => "Every call arrived.",
            (true, None) if ledger.packets == 0 => "There was nothing to send.",
            (true, None) => "Every call was handed to the network.",
            (false, Some(_)) => "What arrived is not what the worker did.",
            (false, None) => "Some of it could not be sent: is the server there?",
        }
    );
    if arguments.json {
        println!("{}", summary::json(&calls, &ledger));
    }
    Ok(complete)
}

/// The variables that name a server, with their values; an empty one counts as unset.
fn server_in_environment() -> Option<String> {
    let set: Vec<_> = SERVER_VARIABLES
        .iter()
        .filter_map(|variable| Some((variable, env::var_os(variable)?)))
        .filter(|(_, value)| !value.is_empty())
        .map(|(variable, value)| format!("{variable}={}", value.to_string_lossy()))
        .collect();
    (!set.is_empty()).then(|| set.join(" "))
}

/// Starts jobs at the rate that was asked for, shows how it goes, and waits for the last of them.
async fn work(arguments: &Arguments, tally: &Arc<Tally>) {
    let (start, mut launched) = (Instant::now(), 0);
    let mut jobs = JoinSet::new();
    let mut ticks = interval(Duration::from_millis(10));
    let mut progress = Progress::new();
    loop {
        let elapsed = start.elapsed().min(arguments.duration);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let due = (elapsed.as_secs_f64() * arguments.rate) as u64;
        while launched < due && jobs.len() < CONCURRENT {
            let (number, tally) = (launched, Arc::clone(tally));
            jobs.spawn(async move { worker::job(number, &tally).await });
            launched += 1;
        }
        while jobs.try_join_next().is_some() {}
        progress.show(elapsed, tally);
        if elapsed == arguments.duration {
            break;
        }
        ticks.tick().await;
    }
    jobs.join_all().await;
    progress.end(start.elapsed(), tally);
}

/// A line that says how the work goes: redrawn on a terminal, one a second elsewhere.
struct Progress {
    terminal: bool,
    shown: Duration,
}

impl Progress {
    fn new() -> Self {
        Self {
            terminal: stderr().is_terminal(),
            shown: Duration::ZERO,
        }
    }

    fn show(&mut self, elapsed: Duration, tally: &Tally) {
        let often = Duration::from_millis(if self.terminal { 100 } else { 1_000 });
        if elapsed >= self.shown + often {
            self.shown = elapsed;
            self.draw(elapsed, tally);
        }
    }

    fn end(&self, elapsed: Duration, tally: &Tally) {
        self.draw(elapsed, tally);
        if self.terminal {
            eprintln!();
        }
    }

    fn draw(&self, elapsed: Duration, tally: &Tally) {
        let calls = tally.calls();
        let sum = |count: fn(&tally::Calls) -> u64| calls.iter().map(count).sum::<u64>();
        let line = format!(
            "{:5.1} s: {} started, {} succeeded, {} failed, {} cancelled",
            elapsed.as_secs_f64(),
            sum(|calls| calls.started),
            sum(|calls| calls.success),
            sum(|calls| calls.exceptions),
            sum(|calls| calls.cancelled),
        );
        let (before, after) = if self.terminal {
            ("\r", "\x1b[K")
        } else {
            ("", "\n")
        };
        // A closed terminal is no reason to stop working.
        let _ = write!(stderr(), "{before}{line}{after}").and_then(|()| stderr().flush());
    }
}
