//! The throughput of a worker with metrics and without.

use std::error::Error;

use graphile_worker::{IntoTaskHandlerResult, JobSpec, TaskHandler, WorkerContext};
use instrument_task::instrument_task;
use instrument_task_examples::{
    command::Arguments,
    metrics::Metrics,
    servers::{Postgres, Server},
    throughput::{self, Countdown},
};
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;

/// How often the two take turns in a pair.
const TURNS: u32 = 20;

static JOBS: Countdown = Countdown::new();

/// A job that does nothing, so that what is around it shows.
#[derive(Clone, Serialize, Deserialize)]
struct Plain {
    number: u64,
}

impl TaskHandler for Plain {
    const IDENTIFIER: &'static str = "plain";

    async fn run(self, _: WorkerContext) -> impl IntoTaskHandlerResult {
        JOBS.one_less();
    }
}

/// The same with metrics.
#[derive(Clone, Serialize, Deserialize)]
struct Timed {
    number: u64,
}

impl TaskHandler for Timed {
    const IDENTIFIER: &'static str = "timed";

    #[instrument_task(name = "timed")]
    async fn run(self, _: WorkerContext) -> impl IntoTaskHandlerResult {
        JOBS.one_less();
    }
}

/// Has a worker empty the queue again and again.
pub fn compare(
    arguments: &Arguments,
    runtime: &Runtime,
    server: &Server<Postgres>,
) -> Result<bool, Box<dyn Error>> {
    let _metrics = Metrics::start()?;
    let worker = runtime.block_on(
        crate::options(server.url())
            .define_job::<Plain>()
            .define_job::<Timed>()
            .init(),
    )?;
    let Arguments { jobs, pairs, .. } = *arguments;
    throughput::compare(jobs, pairs, TURNS, server.settings(), |blocks| {
        runtime.block_on(async {
            let queue = worker.create_utils();
            let spec = JobSpec::default();
            for with_metrics in &blocks.order {
                // In one statement a block, which says when they are due: the worker takes them in that order.
                if *with_metrics {
                    let jobs: Vec<_> = (0..blocks.jobs).map(|number| (Timed { number }, &spec)).collect();
                    queue.add_jobs(&jobs).await?;
                } else {
                    let jobs: Vec<_> = (0..blocks.jobs).map(|number| (Plain { number }, &spec)).collect();
                    queue.add_jobs(&jobs).await?;
                }
            }
            // What the runs before have left would be in the way of this one, and the plans that the server makes depend on it.
            if let Some(server) = server.own() {
                server.query("vacuum analyze")?;
            }
            JOBS.set(blocks);
            // Until there is nothing left.
            worker.run_once().await?;
            Ok(JOBS.took(blocks)?)
        })
    })
}
