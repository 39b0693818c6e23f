//! The throughput of a worker with metrics and without.

use std::error::Error;

use celery::task::TaskResult;
use instrument_task::instrument_task;
use instrument_task_examples::{
    command::Arguments,
    metrics::Metrics,
    throughput::{self, Countdown, Stopwatch},
};
use tokio::{runtime::Runtime, select};

static JOBS: Countdown = Countdown::new();

/// A task that does nothing, so that what is around it shows.
#[celery::task]
pub async fn bare(number: u64) -> TaskResult<u64> {
    JOBS.one_less();
    Ok(number)
}

/// The same with metrics.
#[instrument_task]
#[celery::task]
pub async fn measured(number: u64) -> TaskResult<u64> {
    JOBS.one_less();
    Ok(number)
}

/// Has a worker empty the queue again and again.
pub fn compare(arguments: &Arguments, runtime: &Runtime, url: &str) -> Result<bool, Box<dyn Error>> {
    let _metrics = Metrics::start()?;
    let queue = crate::queue();
    let app = runtime.block_on(async {
        celery::app!(
            broker = RedisBroker { url },
            tasks = [bare, measured],
            task_routes = ["*" => &queue],
        )
        .await
    })?;
    throughput::compare(arguments.jobs, arguments.pairs, |with_metrics| {
        runtime.block_on(async {
            for number in 0..arguments.jobs {
                if with_metrics {
                    app.send_task(measured::new(number)).await?;
                } else {
                    app.send_task(bare::new(number)).await?;
                }
            }
            JOBS.set(arguments.jobs);
            let queues = [&*queue];
            let start = Stopwatch::start();
            select! {
                consumed = app.consume_from(&queues) => {
                    consumed?;
                    Err("interrupted".into())
                }
                () = JOBS.end() => Ok(start.read()),
            }
        })
    })
}
