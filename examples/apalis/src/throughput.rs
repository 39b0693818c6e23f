//! The throughput of a worker with metrics and without, in turns in one run.

use std::{
    error::Error,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

use apalis::{
    layers::WorkerBuilderExt,
    prelude::{TaskBuilder, TaskSink, WorkerBuilder, WorkerError},
};
use instrument_task::apalis::{MetricsExt, MetricsLayer};
use tokio::{runtime::Runtime, sync::Notify};

use crate::{jobs::CONCURRENCY, sqlite};

static LEFT: AtomicU64 = AtomicU64::new(0);
static LAST: Notify = Notify::const_new();

/// A job that does nothing, so that what is around it shows.
async fn nothing(_: u64) {
    if LEFT.fetch_sub(1, Relaxed) == 1 {
        LAST.notify_one();
    }
}

/// Has a worker do `jobs` jobs with metrics and without, `pairs` times, prints what came of each pair, and returns the median of
/// the ratios: jobs a second with metrics over those without.
///
/// # Errors
/// Those of the store and of the worker.
pub fn compare(runtime: &Runtime, jobs: u64, pairs: usize) -> Result<f64, Box<dyn Error>> {
    println!("{jobs} jobs each time, in jobs a second:\n  without      with     ratio");
    // What is done for the first time takes longer.
    for with_metrics in [false, true] {
        runtime.block_on(work(jobs, with_metrics))?;
    }
    let mut ratios = Vec::new();
    for pair in 0..pairs {
        // Each one goes first as often as the other.
        let mut took = [Duration::ZERO; 2];
        for with_metrics in if pair % 2 == 0 {
            [false, true]
        } else {
            [true, false]
        } {
            took[usize::from(with_metrics)] = runtime.block_on(work(jobs, with_metrics))?;
        }
        let [without, with] = took.map(|took| jobs as f64 / took.as_secs_f64());
        println!("{without:9.0} {with:9.0} {:9.4}", with / without);
        ratios.push(with / without);
    }
    ratios.sort_by(f64::total_cmp);
    let median = ratios.get(ratios.len() / 2).copied().unwrap_or(1.0);
    println!("median of the ratios: {median:.4}");
    Ok(median)
}

/// How long a worker takes for so many jobs.
async fn work(jobs: u64, with_metrics: bool) -> Result<Duration, Box<dyn Error>> {
    let pool = sqlite::open().await?;
    let mut queue = sqlite::queue::<u64>(&pool, sqlite::QUEUE);
    for job in 0..jobs {
        queue.push_task(TaskBuilder::new(job).build()).await?;
    }
    LEFT.store(jobs, Relaxed);
    let end = async {
        LAST.notified().await;
        Ok::<_, WorkerError>(())
    };
    let builder = WorkerBuilder::new("throughput")
        .backend(queue)
        .concurrency(CONCURRENCY);
    let start = Instant::now();
    if with_metrics {
        let layer = MetricsLayer::new("nothing").concurrency(CONCURRENCY);
        builder.metrics(layer).build(nothing).run_until(end).await?;
    } else {
        builder.build(nothing).run_until(end).await?;
    }
    Ok(start.elapsed())
}
