//! A worker that ends well when it is told to: on SIGTERM (what an orchestrator sends) or Ctrl-C it takes no more jobs, finishes those
//! under way, and only then lets go of the guard, which sends what is left.
//!
//! ```text
//! STATSD_HOST=127.0.0.1 STATSD_PORT=8125 cargo run --example graceful_shutdown
//! ```
//!
//! Exit codes: 0 if everything left, 1 if something was still pending or was dropped.

use std::{error::Error, process::ExitCode, time::Duration};

use instrument_task::instrument_task;
use tokio::{runtime, task::JoinSet, time::sleep};

/// How long the jobs under way may take to finish once no more are taken. An orchestrator kills after a grace period of its own, 30 s by
/// default in Kubernetes: this and [`LAST_FLUSH`] together have to be shorter.
const DRAIN: Duration = Duration::from_secs(10);

/// How long the last flush may take.
const LAST_FLUSH: Duration = Duration::from_secs(5);

/// A job. One that takes longer than [`DRAIN`] would be dropped, and count as cancelled.
#[instrument_task]
async fn deliver(number: u64) -> Result<u64, &'static str> {
    sleep(Duration::from_millis(number % 50)).await;
    if number % 10 == 3 {
        Err("no such mailbox")
    } else {
        Ok(number)
    }
}

/// Returns when the process is told to end.
async fn told_to_end() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            _ = terminate.recv() => Ok(()),
            pressed = tokio::signal::ctrl_c() => pressed,
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

/// Takes jobs until told to end, and waits for those under way. Says how many it took.
async fn work() -> std::io::Result<u64> {
    let (mut jobs, mut taken) = (JoinSet::new(), 0);
    let mut end = std::pin::pin!(told_to_end());
    println!("working; end me by SIGTERM or Ctrl-C");
    loop {
        tokio::select! {
            // Asked first, or a queue that is never empty would be all there is.
            biased;
            told = &mut end => break told?,
            // Here a queue would be asked for its next job.
            () = sleep(Duration::from_millis(1)) => {
                jobs.spawn(deliver(taken));
                taken += 1;
            }
            Some(_) = jobs.join_next() => {}
        }
    }
    let under_way = jobs.len();
    let drained = tokio::time::timeout(DRAIN, async { while jobs.join_next().await.is_some() {} });
    println!("{under_way} jobs under way, all done: {}", drained.await.is_ok());
    // What is not done by now is dropped here, before the guard, and so counts as cancelled.
    jobs.shutdown().await;
    Ok(taken)
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    // Before the runtime, so that it outlives every job.
    let metrics = instrument_task::init()?;
    let runtime = runtime::Builder::new_multi_thread().enable_all().build()?;
    let taken = runtime.block_on(work())?;
    // Its threads are gone after this, and with them whatever could still count.
    drop(runtime);
    // Dropping the guard would do as well; this one tells what came of it.
    let report = metrics.shutdown(LAST_FLUSH);
    println!("{taken} jobs taken");
    println!(
        "sent {}, pending {}, dropped {}",
        report.sent, report.pending, report.dropped
    );
    println!("ledger: {:?}", report.ledger);
    Ok(if report.pending == 0 && report.dropped == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
