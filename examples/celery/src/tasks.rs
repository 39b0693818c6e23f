//! The tasks of the worker. `#[instrument_task]` stands **above** `#[celery::task]`: below it, celery's macro would drop it
//! without a word, as it drops every attribute there.

use std::time::Duration;

use celery::{error::TaskError, prelude::Task, task::TaskResult};
use instrument_task::instrument_task;
use instrument_task_examples::tally::Tally;
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

/// The tasks, by the names that they report under.
pub const NAMES: [&str; 4] = ["resize_image", "send_email", "fetch_report", "purge_cache"];

/// What the tasks did, counted by themselves.
pub static TALLY: Tally<{ NAMES.len() }> = Tally::new(NAMES);

/// What is to become of a job. Its producer decides that, so that it knows what the metrics must say.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Wish {
    /// It succeeds.
    Succeed,
    /// It returns an error.
    Fail,
    /// At first it asks to be tried again, and then it succeeds.
    Retry,
    /// It takes longer than its time limit.
    Dawdle,
    /// It panics.
    Panic,
}

fn failed<T>() -> TaskResult<T> {
    Err(TaskError::UnexpectedError("as it was told to".to_owned()))
}

/// A plain function. An `Err` counts as an exception, and so does a panic.
#[instrument_task]
#[celery::task]
pub fn resize_image(image: u64, wish: Wish) -> TaskResult<u64> {
    let call = TALLY.call("resize_image");
    let pixel = match wish {
        Wish::Panic => panic!("corrupt image {image}"),
        Wish::Fail => failed(),
        // Some work for the processor.
        _ => Ok((0..500).fold(image, |pixel, row| pixel.rotate_left(7) ^ row)),
    };
    call.end(pixel)
}

/// A bound async function. To the attribute a retry is an exception, as it was to the decorator in Python.
#[instrument_task]
#[celery::task(bind = true, max_retries = 3)]
pub async fn send_email(task: &Self, user: u64, wish: Wish) -> TaskResult<()> {
    let call = TALLY.call("send_email");
    sleep(Duration::from_millis(1 + user % 4)).await;
    call.end(match wish {
        Wish::Retry if task.request().retries == 0 => task.retry_with_countdown(0),
        Wish::Fail => failed(),
        _ => Ok(()),
    })
}

/// A task with a time limit in seconds. Celery drops what takes longer, which counts as cancelled.
#[instrument_task]
#[celery::task(time_limit = 1, max_retries = 0)]
pub async fn fetch_report(number: u64, wish: Wish) -> TaskResult<u64> {
    let call = TALLY.call("fetch_report");
    let time = match wish {
        Wish::Dawdle => Duration::from_secs(3_600),
        _ => Duration::from_millis(3),
    };
    sleep(time).await;
    call.end(match wish {
        Wish::Fail => failed(),
        _ => Ok(number % 100),
    })
}

/// Tasks of somebody else, which nobody puts an attribute on. The worker registers `Measured<purge_cache>` in their place.
pub mod vendor {
    use super::{TALLY, TaskResult, Wish, failed};

    /// A task without the attribute.
    #[celery::task]
    pub fn purge_cache(key: u64, wish: Wish) -> TaskResult<u64> {
        let call = TALLY.call("purge_cache");
        let purged = match wish {
            Wish::Panic => panic!("corrupt cache {key}"),
            Wish::Fail => failed(),
            _ => Ok(key),
        };
        call.end(purged)
    }
}
