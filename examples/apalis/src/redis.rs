//! The queue in Redis.

use std::{collections::HashMap, error::Error, process, time::Duration};

use apalis::prelude::{TaskBuilder, TaskSink, WorkerError};
use apalis_redis::{Config, RedisStorage};
use instrument_task_example_apalis::{
    jobs::{Fate, Letter, send_letter},
    metrics::Counts,
    store::{self, Row},
    worker,
    worker::Layers,
};
use redis::{AsyncTypedCommands, aio::ConnectionManager};
use tokio::time::sleep;

/// Puts letters into a queue of this run's own, has a worker work until all of them have ended, says what Redis keeps of them, and
/// takes it away.
pub async fn work(url: &str, jobs: u64, layers: &Layers) -> Result<[Counts; 2], Box<dyn Error>> {
    let connection = apalis_redis::connect(url).await?;
    let name = format!("instrument-task-example-{}", process::id());
    let config = Config::default()
        .queue(&*name)
        .batch_size(100)
        .heartbeat_interval(Duration::from_secs(1));
    let mut queue = RedisStorage::<Letter>::new(connection.clone()).with_config(config);
    for number in 0..jobs {
        let mut letter = Letter::new(number);
        if letter.fate == Fate::Hopeless {
            // Redis has it wait longer each time, and tries 25 times.
            letter.fate = Fate::NoAddress;
        }
        queue.push_task(TaskBuilder::new(letter).build()).await?;
    }
    let worker = worker!("redis", queue, layers, send_letter);
    let (mut looking, meta) = (connection.clone(), format!("{name}:meta:*"));
    let end = async move {
        let failed = |error: Box<dyn Error + Send + Sync>| WorkerError::BackendError(error);
        while !rows(&mut looking, &meta)
            .await
            .map_err(failed)?
            .iter()
            .all(Row::has_ended)
        {
            // Redis tells of ends, but not of the last one.
            sleep(Duration::from_millis(100)).await;
        }
        Ok::<_, WorkerError>(())
    };
    layers.jobs.watch(worker.run_until(end)).await?;

    let mut connection = connection;
    let rows = rows(&mut connection, &format!("{name}:meta:*"))
        .await
        .map_err(|error| error.to_string())?;
    let left = connection.keys(format!("{name}:*")).await?;
    if !left.is_empty() {
        connection.del(left).await?;
    }
    store::counts(&rows)
}

/// What Redis keeps of the jobs.
async fn rows(
    connection: &mut ConnectionManager,
    meta: &str,
) -> Result<Vec<Row>, Box<dyn Error + Send + Sync>> {
    let keys = connection.keys(meta).await?;
    let mut rows = Vec::new();
    for key in keys {
        let mut of: HashMap<String, String> = connection.hgetall(key).await?;
        let mut take = |field: &str| of.remove(field).unwrap_or_default();
        rows.push(Row {
            status: take("status"),
            attempts: take("attempts").parse().unwrap_or_default(),
            max_attempts: take("max_attempts").parse().unwrap_or_default(),
            result: take("result"),
        });
    }
    Ok(rows)
}
