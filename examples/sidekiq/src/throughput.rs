//! The throughput of a processor with metrics and without.

use std::error::Error;

use async_trait::async_trait;
use instrument_task::instrument_task;
use instrument_task_examples::{
    command::Arguments,
    metrics::Metrics,
    throughput::{self, Countdown, Stopwatch},
};
use sidekiq::{Result as SidekiqResult, Worker};
use tokio::runtime::Runtime;

static JOBS: Countdown = Countdown::new();

/// A worker that does nothing, so that what is around it shows.
struct Bare;

#[async_trait]
impl Worker<u64> for Bare {
    async fn perform(&self, _: u64) -> SidekiqResult<()> {
        JOBS.one_less();
        Ok(())
    }
}

/// The same with metrics.
struct Measured;

#[async_trait]
impl Worker<u64> for Measured {
    #[instrument_task(name = "measured")]
    async fn perform(&self, _: u64) -> SidekiqResult<()> {
        JOBS.one_less();
        Ok(())
    }
}

/// Has a processor empty the queue again and again.
pub fn compare(arguments: &Arguments, runtime: &Runtime, url: &str) -> Result<bool, Box<dyn Error>> {
    let _metrics = Metrics::start()?;
    let redis = runtime.block_on(crate::connect(url))?;
    throughput::compare(arguments.jobs, arguments.pairs, |with_metrics| {
        runtime.block_on(async {
            for number in 0..arguments.jobs {
                if with_metrics {
                    Measured::perform_async(&redis, number).await?;
                } else {
                    Bare::perform_async(&redis, number).await?;
                }
            }
            JOBS.set(arguments.jobs);
            let mut processor = crate::processor(&redis);
            processor.register(Bare);
            processor.register(Measured);
            let stop = processor.get_cancellation_token();
            let start = Stopwatch::start();
            let watch = async {
                JOBS.end().await;
                stop.cancel();
                start.read()
            };
            let ((), took) = tokio::join!(processor.run(), watch);
            Ok(took)
        })
    })
}
