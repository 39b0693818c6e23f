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

use instrument_task_examples::{
    metrics::Metrics,
    tally::{Calls, Tally},
};
use tokio::{runtime, task::JoinSet, time::interval};

use arguments::Arguments;

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
    // In a program of your own: `let _metrics = instrument_task::init()?;`
    let metrics = Metrics::start()?;

    worker::hide_expected_panics();
    let tally = Arc::new(Tally::new(tasks::NAMES));
    runtime::Builder::new_multi_thread()
        .enable_time()
        .build()?
        .block_on(work(arguments, &tally));
    Ok(metrics.finish(&tally.calls(), None, arguments.json))
}

/// Starts jobs at the rate that was asked for, shows how it goes, and waits for the last of them.
async fn work(arguments: &Arguments, tally: &Arc<worker::Tally>) {
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

    fn show(&mut self, elapsed: Duration, tally: &worker::Tally) {
        let often = Duration::from_millis(if self.terminal { 100 } else { 1_000 });
        if elapsed >= self.shown + often {
            self.shown = elapsed;
            self.draw(elapsed, tally);
        }
    }

    fn end(&self, elapsed: Duration, tally: &worker::Tally) {
        self.draw(elapsed, tally);
        if self.terminal {
            eprintln!();
        }
    }

    fn draw(&self, elapsed: Duration, tally: &worker::Tally) {
        let calls = tally.calls();
        let sum = |count: fn(&Calls) -> u64| calls.iter().map(|(_, calls)| count(calls)).sum::<u64>();
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
