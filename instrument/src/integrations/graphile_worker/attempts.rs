//! What is under way in a worker.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use graphile_worker_job::Job;

use super::{ErrorKind, ended::Ended};
use crate::worker::{Attempt, Metrics, Moment};

/// What the worker's user asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Setup {
    pub(super) prefix: Option<String>,
    pub(super) queue: Option<String>,
    pub(super) instance: Option<String>,
    pub(super) concurrency: usize,
    pub(super) tags_attempts: bool,
    pub(super) error_kind: Option<ErrorKind>,
}

/// A job's id and the number of the attempt: an end may be told of when the next attempt is under way.
pub(super) type Key = (i64, i16);

/// The kind of error of a job that was fetched and whose handler is not there.
const UNKNOWN_TASK: &str = "unknown_task";

fn key(job: &Job) -> Key {
    (*job.id(), *job.attempts())
}

/// The attempts of one worker.
#[derive(Debug)]
pub(super) struct Attempts {
    setup: Setup,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    tasks: HashMap<String, Metrics>,
    running: HashMap<Key, Attempt>,
    ended: Ended,
    /// When the worker started, while it runs.
    since: Option<Moment>,
}

impl Attempts {
    pub(super) fn new(setup: Setup) -> Self {
        Self {
            setup,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn start_worker(&self) {
        let now = Moment::now();
        let mut state = self.state();
        state.since = Some(now);
        for metrics in state.tasks.values() {
            metrics.runs_since(now);
        }
    }

    /// Whatever did not end by now will not.
    pub(super) fn stop_worker(&self) {
        let mut state = self.state();
        state.since = None;
        for metrics in state.tasks.values() {
            metrics.stop_worker();
        }
        state.ended = Ended::default();
        for (_, attempt) in state.running.drain() {
            attempt.cancel();
        }
    }

    pub(super) fn start(&self, job: &Job) {
        let metrics = self.metrics(job.task_identifier());
        let attempt = metrics.start_attempt(number(job));
        // An attempt that was interrupted does not count to the queue, and leaves its mark here.
        if *job.attempts() <= 1 && job.last_error().is_none() {
            attempt.waited(waited(job));
        }
        let key = key(job);
        let mut state = self.state();
        state.ended.take(key);
        // Another attempt of that number is one whose end nobody told of: it is dropped, and so cancelled.
        state.running.insert(key, attempt);
    }

    /// Ends an attempt that has run, whatever becomes of its job.
    pub(super) fn end(&self, job: &Job, error: Option<&str>) {
        if let Some(attempt) = self.take(job) {
            self.state().ended.add(key(job));
            self.count(attempt, job, error);
        }
    }

    /// The job of an attempt is released. The attempt has ended before, unless another plugin kept its end back, or kept it from
    /// beginning: then it is one that failed at once.
    pub(super) fn release(&self, job: &Job, error: Option<&str>) {
        if let Some(attempt) = self.take(job) {
            self.count(attempt, job, error);
        } else if !self.state().ended.take(key(job)) && error.is_some() {
            let attempt = self.metrics(job.task_identifier()).start_attempt(number(job));
            self.count(attempt, job, error);
        }
    }

    /// The attempt at the job that is under way, if any.
    fn take(&self, job: &Job) -> Option<Attempt> {
        self.state().running.remove(&key(job))
    }

    fn count(&self, mut attempt: Attempt, job: &Job, error: Option<&str>) {
        let Some(error) = error else {
            return attempt.succeed();
        };
        attempt.set_last(job.attempts() >= job.max_attempts());
        // The name of the queue's own error is the first word of the text.
        if error.starts_with("TaskPanic") {
            attempt.panic();
        } else if error.starts_with("TaskAborted") {
            attempt.cancel();
        } else if error.starts_with("FnNotFound") || error.starts_with("IdentifierNotFound") {
            attempt.retry_unless_last(Some(UNKNOWN_TASK));
        } else {
            attempt.retry_unless_last(self.setup.error_kind.map(|kind| kind(error)));
        }
    }

    pub(super) fn cancel(&self, job: &Job) {
        if let Some(attempt) = self.take(job) {
            attempt.cancel();
        } else {
            self.state().ended.take(key(job));
        }
    }

    /// The metrics of a task.
    fn metrics(&self, task: &str) -> Metrics {
        let mut state = self.state();
        if let Some(known) = state.tasks.get(task) {
            return known.clone();
        }
        let metrics = self.setup.metrics(task);
        if let Some(since) = state.since {
            metrics.runs_since(since);
        }
        state.tasks.insert(task.into(), metrics.clone());
        metrics
    }
}

impl Setup {
    fn metrics(&self, task: &str) -> Metrics {
        let metrics = match &self.prefix {
            Some(prefix) => Metrics::new(format!("{prefix}.{task}")),
            None => Metrics::new(task),
        };
        let metrics = match &self.queue {
            Some(queue) => metrics.queue(queue),
            None => metrics,
        };
        let metrics = match &self.instance {
            Some(instance) => metrics.instance(instance),
            None => metrics,
        };
        let metrics = if self.tags_attempts {
            metrics.tag_attempts()
        } else {
            metrics
        };
        metrics.concurrency(self.concurrency)
    }
}

/// Which attempt at the job it is, from 1.
fn number(job: &Job) -> usize {
    usize::try_from(*job.attempts()).unwrap_or_default()
}

/// How much later than it was meant to a job began.
fn waited(job: &Job) -> Duration {
    let due = u64::try_from(job.run_at().timestamp_micros()).unwrap_or_default();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.saturating_sub(Duration::from_micros(due))
}
