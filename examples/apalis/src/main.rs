//! Jobs of apalis that are counted, timed and watched: a queue, a worker, and the numbers.
//!
//! ```text
//! cargo run -p instrument-task-example-apalis                                     SQLite in memory: no server at all
//! cargo run -p instrument-task-example-apalis -- --redis redis://127.0.0.1/       a Redis of yours
//! STATSD_HOST=127.0.0.1 cargo run -p instrument-task-example-apalis               a statsd of yours
//! cargo run --release -p instrument-task-example-apalis -- --throughput           with metrics and without
//! ```

mod arguments;
mod redis;

use std::{
    env,
    error::Error,
    process::ExitCode,
    time::{Duration, Instant},
};

use instrument_task_example_apalis::{
    jobs::{CONCURRENCY, Letter},
    metrics::Counts,
    sqlite, store, throughput,
    worker::{ATTEMPTS, JOBS, Layers},
};
use instrument_task_examples::{
    metrics::{Metrics, Sent},
    panics, summary,
};
use tokio::runtime::Runtime;

use arguments::Arguments;

/// How long an attempt at a job may take.
const TIME_LIMIT: Duration = Duration::from_millis(300);
/// Lines of the wire that are shown.
const LINES: usize = 24;

fn main() -> ExitCode {
    match Arguments::parse(env::args().skip(1)) {
        Ok(Some(arguments)) => match run(&arguments) {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        },
        Ok(None) => {
            println!("{}", arguments::USAGE);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}\n\n{}", arguments::USAGE);
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<bool, Box<dyn Error>> {
    panics::hide("corrupt ");
    let metrics = Metrics::start()?;
    let runtime = Runtime::new()?;
    if arguments.throughput {
        return throughput::compare(&runtime, arguments.jobs, arguments.pairs);
    }
    let layers = Layers::new(TIME_LIMIT);
    let start = Instant::now();
    let stored = if let Some(url) = &arguments.redis {
        println!("{} jobs, queued in the Redis at {url}.", arguments.jobs);
        runtime.block_on(redis::work(url, arguments.jobs, &layers))?
    } else {
        println!("{} jobs, queued in SQLite, in memory.", arguments.jobs);
        runtime.block_on(async {
            let pool = sqlite::open().await?;
            sqlite::push(&pool, (0..arguments.jobs).map(Letter::new)).await?;
            sqlite::work(&pool, &layers).await?;
            store::counts(&sqlite::rows(&pool).await?)
        })?
    };
    println!(
        "Done in {:.1} s, {CONCURRENCY} at a time.",
        start.elapsed().as_secs_f64()
    );
    // Whatever is still under way ends here, as cancelled: before the numbers are sent.
    drop(runtime);
    drop(layers);
    Ok(report(metrics, stored))
}

/// Sends what is left, shows it beside what the store says, and says whether the two agree.
fn report(metrics: Metrics, stored: [Counts; 2]) -> bool {
    let Sent {
        report,
        ledger,
        receiver,
    } = metrics.send();
    let receiver = receiver.as_ref();
    let tasks = [JOBS, ATTEMPTS];
    println!("\n{}", Counts::head());
    for (task, counts) in tasks.iter().zip(&stored) {
        println!("{}", counts.line(format!("{task} (store)")));
    }
    let mut agree = report.pending == 0 && report.dropped == 0 && ledger.is_balanced();
    if let Some(receiver) = receiver {
        let arrived = tasks.map(|task| Counts::arrived(receiver, task));
        for (task, counts) in tasks.iter().zip(&arrived) {
            println!("{}", counts.line(format!("{task} (metrics)")));
        }
        for (what, name) in [("waited in the queue", "queue_latency"), ("took", "success")] {
            if let Some(timer) = receiver.timer(&format!("tasks.duration.{JOBS}.{name}")) {
                println!(
                    "  a job {what}: median {:.1} ms, p99 {:.1} ms",
                    timer.quantile(0.5),
                    timer.quantile(0.99)
                );
            }
        }
        println!("\nOf the last packets on the wire:");
        let packets: Vec<_> = receiver
            .packets()
            .iter()
            .map(|packet| String::from_utf8_lossy(packet).into_owned())
            .collect();
        let lines = packets.iter().flat_map(|packet| packet.lines());
        let told: Vec<_> = lines.filter(|line| !line.contains("|ms")).collect();
        for line in &told[told.len().saturating_sub(LINES)..] {
            println!("  {line}");
        }
        let bad_lines = receiver.bad_lines();
        for line in &bad_lines {
            println!("malformed: {line}");
        }
        agree = agree && arrived == stored && bad_lines.is_empty();
    }
    println!("\nLedger:\n{}", summary::ledger(&ledger));
    println!(
        "{}",
        match (agree, receiver) {
            (true, Some(_)) => "What arrived is what the store says.",
            (true, None) => "Everything was handed to the network.",
            (false, _) => "The metrics are not what the store says.",
        }
    );
    agree
}
