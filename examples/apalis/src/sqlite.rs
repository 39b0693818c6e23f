//! The queue in `SQLite`, in memory: no server at all.

use std::{error::Error, ops::Deref, time::Duration};

use apalis::prelude::{TaskBuilder, TaskSink, WorkerError};
use apalis_sqlite::{
    Config, SqliteConnectOptions, SqliteConnection, SqlitePool, SqlitePoolOptions, SqliteStorage,
};
use sqlx::ConnectOptions;
use tokio::time::sleep;

use crate::{
    jobs::{Letter, MAX_ATTEMPTS, send_letter},
    store::Row,
    worker::Layers,
};

/// The name of the queue.
pub const QUEUE: &str = "letters";

/// A database in memory.
pub struct Database {
    pool: SqlitePool,
    /// It is there for as long as anybody has a connection, and the pool may have none for a moment.
    _keeper: SqliteConnection,
}

impl Deref for Database {
    type Target = SqlitePool;

    fn deref(&self) -> &SqlitePool {
        &self.pool
    }
}

/// A database of its own, with the tables of apalis.
///
/// # Errors
/// Those of the database.
pub async fn open() -> Result<Database, Box<dyn Error>> {
    // Parsed once: each time is another database.
    let options: SqliteConnectOptions = "sqlite::memory:".parse()?;
    let keeper = options.connect().await?;
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .connect_with(options)
        .await?;
    SqliteStorage::setup(&pool).await?;
    Ok(Database {
        pool,
        _keeper: keeper,
    })
}

/// The queue in it, of jobs of whatever type.
#[must_use]
pub fn queue<T>(pool: &SqlitePool, name: &str) -> SqliteStorage<T> {
    let config = Config::default()
        .queue(name)
        .batch_size(100)
        .heartbeat_interval(Duration::from_secs(1));
    SqliteStorage::new(pool).with_config(config)
}

/// Puts letters into the queue.
///
/// # Errors
/// Those of the database.
pub async fn push(pool: &SqlitePool, letters: impl Iterator<Item = Letter>) -> Result<(), Box<dyn Error>> {
    let mut queue = queue(pool, QUEUE);
    for letter in letters {
        let task = TaskBuilder::new(letter).max_attempts(MAX_ATTEMPTS).build();
        queue.push_task(task).await?;
    }
    Ok(())
}

/// Has a worker work until all that is in the queue has ended.
///
/// # Errors
/// Those of the worker.
pub async fn work(pool: &SqlitePool, layers: &Layers) -> Result<(), WorkerError> {
    let worker = crate::worker!("sqlite", queue::<Letter>(pool, QUEUE), layers, send_letter);
    let pool = pool.clone();
    let end = async move {
        let failed = |error: sqlx::Error| WorkerError::BackendError(error.into());
        while !all_ended(&pool).await.map_err(failed)? {
            // The store notifies of nothing.
            sleep(Duration::from_millis(100)).await;
        }
        Ok::<_, WorkerError>(())
    };
    layers.jobs.watch(worker.run_until(end)).await
}

/// Whether all rows are such that they have [ended](Row::has_ended).
async fn all_ended(pool: &SqlitePool) -> Result<bool, sqlx::Error> {
    let left: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM Jobs
         WHERE status IN ('Pending', 'Queued')
            OR (status = 'Failed' AND attempts < max_attempts)
            OR (status = 'Running'
                AND coalesce(last_result NOT LIKE '%PanicError%' AND last_result NOT LIKE '%timed out%', TRUE))",
    )
    .fetch_one(pool)
    .await?;
    Ok(left == 0)
}

/// The rows of all jobs.
///
/// # Errors
/// Those of the database; a row that makes no sense.
pub async fn rows(pool: &SqlitePool) -> Result<Vec<Row>, sqlx::Error> {
    let rows: Vec<(String, u32, u32, Option<String>)> =
        sqlx::query_as("SELECT status, attempts, max_attempts, last_result FROM Jobs")
            .fetch_all(pool)
            .await?;
    let rows = rows
        .into_iter()
        .map(|(status, attempts, max_attempts, result)| Row {
            status,
            attempts: attempts.into(),
            max_attempts: max_attempts.into(),
            result: result.unwrap_or_default(),
        });
    Ok(rows.collect())
}

/// How long the jobs waited that were done at the first attempt, in milliseconds: the time at which they began to be done, which is
/// what they return, less the time in their ids.
///
/// # Errors
/// Those of the database; a row that makes no sense.
pub async fn queue_latencies(pool: &SqlitePool) -> Result<Vec<u64>, Box<dyn Error>> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT id, last_result FROM Jobs WHERE status = 'Done' AND attempts = 1")
            .fetch_all(pool)
            .await?;
    rows.iter()
        .map(|(id, result)| {
            let digits: String = result.chars().filter(char::is_ascii_digit).collect();
            let put = ulid::Ulid::from_string(id)?.timestamp_ms();
            Ok(digits.parse::<u64>()?.saturating_sub(put))
        })
        .collect()
}
