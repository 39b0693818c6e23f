//! The throughput of a worker with metrics and without, in turns in one run.

use std::error::Error;

use apalis::{
    layers::WorkerBuilderExt,
    prelude::{TaskBuilder, TaskSink, WorkerBuilder, WorkerError},
};
use instrument_task::apalis::{MetricsExt, MetricsLayer};
use instrument_task_examples::throughput::{self, Blocks, Countdown, Took};
use tokio::runtime::Runtime;

use crate::{jobs::CONCURRENCY, sqlite};

/// How often the two take turns in a pair.
const TURNS: u32 = 8;

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
    throughput::compare(jobs, pairs, TURNS, "SQLite in memory", |blocks| {
        // The layer is the worker's, so each block is two of them: one that is not timed, and one that is.
        let mut took = Took::default();
        for with_metrics in &blocks.order[1..] {
            let alone = Blocks {
                jobs: blocks.jobs,
                order: vec![*with_metrics; 2],
            };
            took.append(runtime.block_on(work(&alone, *with_metrics))?);
        }
        Ok(took)
    })
}

/// What a worker takes for these jobs.
async fn work(blocks: &Blocks, with_metrics: bool) -> Result<Took, Box<dyn Error>> {
    let pool = sqlite::open().await?;
    let mut queue = sqlite::queue::<u64>(&pool, sqlite::QUEUE);
    for job in 0..blocks.jobs * blocks.order.len() as u64 {
        queue.push_task(TaskBuilder::new(job).build()).await?;
    }
    JOBS.set(blocks);
    let end = async {
        JOBS.end().await;
        Ok::<_, WorkerError>(())
    };
    let builder = WorkerBuilder::new("throughput")
        .backend(queue)
        .concurrency(CONCURRENCY);
    if with_metrics {
        let layer = MetricsLayer::new("nothing").concurrency(CONCURRENCY);
        builder.metrics(layer).build(nothing).run_until(end).await?;
    } else {
        builder.build(nothing).run_until(end).await?;
    }
    Ok(JOBS.took(blocks)?)
}
