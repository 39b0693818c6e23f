//! The throughput of a worker with metrics and without.

use std::error::Error;

use graphile_worker::{IntoTaskHandlerResult, JobSpec, TaskHandler, WorkerContext};
use instrument_task::instrument_task;
use instrument_task_examples::{
    command::Arguments,
    metrics::Metrics,
    throughput::{self, Stopwatch},
};
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;

/// A job that does nothing, so that what is around it shows.
#[derive(Serialize, Deserialize)]
struct Bare;

impl TaskHandler for Bare {
    const IDENTIFIER: &'static str = "bare";

    async fn run(self, _: WorkerContext) -> impl IntoTaskHandlerResult {}
}

/// The same with metrics.
#[derive(Serialize, Deserialize)]
struct Measured;

impl TaskHandler for Measured {
    const IDENTIFIER: &'static str = "measured";

    #[instrument_task(name = "measured")]
    async fn run(self, _: WorkerContext) -> impl IntoTaskHandlerResult {}
}

/// Has a worker empty the queue again and again.
pub fn compare(arguments: &Arguments, runtime: &Runtime, url: &str) -> Result<bool, Box<dyn Error>> {
    let _metrics = Metrics::start()?;
    throughput::compare(arguments.jobs, arguments.pairs, |with_metrics| {
        runtime.block_on(async {
            let worker = crate::options(url)
                .define_job::<Bare>()
                .define_job::<Measured>()
                .init()
                .await?;
            let queue = worker.create_utils();
            for _ in 0..arguments.jobs {
                if with_metrics {
                    queue.add_job(Measured, JobSpec::default()).await?;
                } else {
                    queue.add_job(Bare, JobSpec::default()).await?;
                }
            }
            let start = Stopwatch::start();
            // Until there is nothing left.
            worker.run_once().await?;
            let took = start.read();
            Ok(took)
        })
    })
}
