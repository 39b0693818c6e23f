//! The throughput of a processor with metrics and without.

use std::error::Error;

use async_trait::async_trait;
use instrument_task::instrument_task;
use instrument_task_examples::{
    command::Arguments,
    metrics::Metrics,
    servers::{Redis, Server},
    throughput::{self, Countdown},
};
use sidekiq::{RedisPool, Result as SidekiqResult, Worker};
use tokio::{runtime::Runtime, task::JoinSet};

/// How often the two take turns in a pair.
const TURNS: u32 = 20;
/// How many put jobs into the queue at a time.
const HANDS: u8 = 16;

static JOBS: Countdown = Countdown::new();

/// A worker that does nothing, so that what is around it shows.
struct Plain;

#[async_trait]
impl Worker<u64> for Plain {
    async fn perform(&self, _: u64) -> SidekiqResult<()> {
        JOBS.one_less();
        Ok(())
    }
}

/// The same with metrics.
struct Timed;

#[async_trait]
impl Worker<u64> for Timed {
    #[instrument_task(name = "timed")]
    async fn perform(&self, _: u64) -> SidekiqResult<()> {
        JOBS.one_less();
        Ok(())
    }
}

/// Has a processor empty the queue again and again.
pub fn compare(
    arguments: &Arguments,
    runtime: &Runtime,
    server: &Server<Redis>,
) -> Result<bool, Box<dyn Error>> {
    let _metrics = Metrics::start()?;
    let redis = runtime.block_on(crate::connect(server.url()))?;
    let Arguments { jobs, pairs, .. } = *arguments;
    throughput::compare(jobs, pairs, TURNS, server.settings(), |blocks| {
        runtime.block_on(async {
            for with_metrics in &blocks.order {
                fill(&redis, blocks.jobs, *with_metrics).await?;
            }
            JOBS.set(blocks);
            let mut processor = crate::processor(&redis);
            processor.register(Plain);
            processor.register(Timed);
            let stop = processor.get_cancellation_token();
            let watch = async {
                JOBS.end().await;
                stop.cancel();
            };
            tokio::join!(processor.run(), watch);
            Ok(JOBS.took(blocks)?)
        })
    })
}

/// Puts the jobs of a block into the queue.
async fn fill(redis: &RedisPool, jobs: u64, with_metrics: bool) -> Result<(), Box<dyn Error>> {
    let mut hands = JoinSet::new();
    for hand in 0..HANDS {
        let redis = redis.clone();
        hands.spawn(async move {
            for number in (hand.into()..jobs).step_by(HANDS.into()) {
                if with_metrics {
                    Timed::perform_async(&redis, number).await?;
                } else {
                    Plain::perform_async(&redis, number).await?;
                }
            }
            SidekiqResult::Ok(())
        });
    }
    while let Some(filled) = hands.join_next().await {
        filled??;
    }
    Ok(())
}
