//! The worker: consumes until the jobs are done, or until it is told to stop.

use std::{sync::Arc, time::Duration};

use celery::{Celery, error::CeleryError};
use tokio::{
    runtime::Handle,
    select,
    signal::unix::{SignalKind, signal},
    time::{Instant, interval},
};

use crate::tasks::TALLY;

/// How long a worker that is told to stop waits for the jobs under way.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a worker stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// All jobs are done.
    Done,
    /// Somebody told it to.
    Told,
}

/// Consumes from a queue until `calls` calls of tasks have ended, or a signal comes. Then it waits for the jobs under way.
///
/// Celery waits for them too, but it takes a task that panicked for one that is still under way, and never comes back. So its
/// consumer is dropped, and what is waited for are the tasks of the runtime, which a panic ends as well.
pub async fn work(app: &Arc<Celery>, queue: &str, calls: u64) -> Result<Stopped, CeleryError> {
    let idle = tasks();
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let queues = [queue];
    let stopped = select! {
        consumed = app.consume_from(&queues) => consumed.map(|()| Stopped::Told)?,
        _ = terminate.recv() => Stopped::Told,
        _ = interrupt.recv() => Stopped::Told,
        () = until(|| TALLY.ended() >= calls) => Stopped::Done,
    };
    let deadline = Instant::now() + PATIENCE;
    until(|| tasks() <= idle || Instant::now() > deadline).await;
    Ok(stopped)
}

/// The tasks of the runtime.
fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

/// Looks again and again: neither celery nor the runtime would call.
async fn until(reached: impl Fn() -> bool) {
    let mut ticks = interval(Duration::from_millis(5));
    while !reached() {
        ticks.tick().await;
    }
}
