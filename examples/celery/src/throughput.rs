//! The throughput of a worker with metrics and without.

use std::{error::Error, sync::Arc};

use celery::{Celery, error::CeleryError, task::TaskResult};
use instrument_task::celery::Measured;
use instrument_task_examples::{
    command::Arguments,
    metrics::Metrics,
    servers::{Redis, Server},
    throughput::{self, Countdown},
};
use tokio::{runtime::Runtime, select, task::JoinSet};

/// How often the two take turns in a pair.
const TURNS: u32 = 20;
/// How many put jobs into the queue at a time.
const HANDS: u8 = 16;

static JOBS: Countdown = Countdown::new();

/// A task that does nothing, so that what is around it shows.
#[celery::task]
pub async fn plain(number: u64) -> TaskResult<u64> {
    JOBS.one_less();
    Ok(number)
}

/// The same, for the worker to measure.
#[celery::task]
pub async fn timed(number: u64) -> TaskResult<u64> {
    JOBS.one_less();
    Ok(number)
}

/// Has a worker empty the queue again and again.
pub fn compare(
    arguments: &Arguments,
    runtime: &Runtime,
    server: &Server<Redis>,
) -> Result<bool, Box<dyn Error>> {
    let _metrics = Metrics::start()?;
    let (url, settings) = (server.url(), server.settings());
    let queue = crate::queue();
    let app = runtime.block_on(async {
        celery::app!(
            broker = RedisBroker { url },
            tasks = [plain, Measured<timed>],
            task_routes = ["*" => &queue],
        )
        .await
    })?;
    let Arguments { jobs, pairs, .. } = *arguments;
    throughput::compare(jobs, pairs, TURNS, settings, |blocks| {
        runtime.block_on(async {
            for with_metrics in &blocks.order {
                fill(&app, blocks.jobs, *with_metrics).await?;
            }
            JOBS.set(blocks);
            let queues = [&*queue];
            select! {
                consumed = app.consume_from(&queues) => {
                    consumed?;
                    Err("interrupted".into())
                }
                () = JOBS.end() => Ok(JOBS.took(blocks)?),
            }
        })
    })
}

/// Puts the jobs of a block into the queue.
async fn fill(app: &Arc<Celery>, jobs: u64, with_metrics: bool) -> Result<(), Box<dyn Error>> {
    let mut hands = JoinSet::new();
    for hand in 0..HANDS {
        let app = Arc::clone(app);
        hands.spawn(async move {
            for number in (hand.into()..jobs).step_by(HANDS.into()) {
                if with_metrics {
                    app.send_task(timed::new(number)).await?;
                } else {
                    app.send_task(plain::new(number)).await?;
                }
            }
            Ok::<_, CeleryError>(())
        });
    }
    while let Some(filled) = hands.join_next().await {
        filled??;
    }
    Ok(())
}
