//! The throughput of a worker with metrics and without, in turns in one run.

use std::error::Error;

use apalis::{
    layers::WorkerBuilderExt,
    prelude::{TaskBuilder, TaskSink, WorkerBuilder, WorkerError},
};
use instrument_task::apalis::{MetricsExt, MetricsLayer};
use instrument_task_examples::throughput::{self, Countdown, Stopwatch, Took};
use tokio::runtime::Runtime;

use crate::{jobs::CONCURRENCY, sqlite};

static JOBS: Countdown = Countdown::new();

/// A job that does nothing, so that what is around it shows.
async fn nothing(_: u64) {
    JOBS.one_less();
}

/// Has a worker do `jobs` jobs with metrics and without, `pairs` times, and prints what came of it.
///
/// # Errors
/// Those of the store and of the worker.
pub fn compare(runtime: &Runtime, jobs: u64, pairs: u32) -> Result<bool, Box<dyn Error>> {
    throughput::compare(jobs, pairs, |with_metrics| {
        runtime.block_on(work(jobs, with_metrics))
    })
}

/// What a worker takes for so many jobs.
async fn work(jobs: u64, with_metrics: bool) -> Result<Took, Box<dyn Error>> {
    let pool = sqlite::open().await?;
    let mut queue = sqlite::queue::<u64>(&pool, sqlite::QUEUE);
    for job in 0..jobs {
        queue.push_task(TaskBuilder::new(job).build()).await?;
    }
    JOBS.set(jobs);
    let end = async {
        JOBS.end().await;
        Ok::<_, WorkerError>(())
    };
    let builder = WorkerBuilder::new("throughput")
        .backend(queue)
        .concurrency(CONCURRENCY);
    let start = Stopwatch::start();
    if with_metrics {
        let layer = MetricsLayer::new("nothing").concurrency(CONCURRENCY);
        builder.metrics(layer).build(nothing).run_until(end).await?;
    } else {
        builder.build(nothing).run_until(end).await?;
    }
    Ok(start.read())
}
