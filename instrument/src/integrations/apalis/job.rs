//! A job, and what its end means.

use std::{
    error::Error,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use ::apalis::layers::catch_panic::PanicError;
use apalis_core::{
    error::{AbortError, BoxDynError, DeferredError, RetryAfterError},
    task::{
        ExecutionContext, Task,
        attempt::Attempt as Attempts,
        status::{AtomicStatus, Status},
    },
    worker::{context::WorkerContext, lifecycle::TaskLifecycleError},
};
use tower::timeout::error::Elapsed;

use super::{ErrorKind, MetricsLayer, ulid};
use crate::worker::{Attempt, Metrics};

/// What is known of a job.
pub(super) struct Job {
    metrics: Metrics,
    error_kind: Option<ErrorKind>,
    // Parts of the context, and not the whole: who holds that makes each layer inside copy it.
    attempt: Attempts,
    status: AtomicStatus,
    /// How many were made before.
    before: usize,
    /// How many the store makes.
    max_attempts: Option<usize>,
    /// When it could have run first.
    due: Option<Duration>,
    /// The worker's own policy, if the layer is told of one.
    policy: Option<Policy>,
}

struct Policy {
    retries: usize,
    worker: Option<WorkerContext>,
}

/// How an attempt ended that returned an error.
enum Failure {
    Timeout,
    Panic,
    Cancelled,
    Retry,
    Exhausted,
    Other,
}

impl Job {
    pub(super) fn new<Args>(task: &Task<Args>, layer: &MetricsLayer) -> Self {
        let before = task.attempt();
        Self {
            metrics: layer.metrics.clone(),
            error_kind: layer.error_kind,
            attempt: task.raw_attempt().clone(),
            status: task.raw_status().clone(),
            before,
            max_attempts: layer.max_attempts.or(task.max_attempts()),
            due: (before == 0).then(|| due(task.ctx())).flatten(),
            policy: layer.retries.map(|retries| Policy {
                retries,
                worker: task.data().get::<WorkerContext>().cloned(),
            }),
        }
    }

    pub(super) fn start(&self) -> Attempt {
        let attempt = self.metrics.start_attempt(self.before + 1);
        if let Some(due) = self.due {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            attempt.waited(now.saturating_sub(due));
        }
        attempt
    }

    pub(super) fn end(&self, attempt: Attempt, error: Option<&BoxDynError>) {
        let Some(error) = error else {
            return attempt.succeed();
        };
        let kind = || self.error_kind.map(|kind| kind(error));
        match self.failure(error) {
            Failure::Timeout => attempt.time_out(),
            Failure::Panic => attempt.panic(),
            Failure::Retry => attempt.retry(kind()),
            Failure::Cancelled => attempt.cancel(),
            Failure::Exhausted => attempt.exhaust(kind()),
            Failure::Other => attempt.fail(kind()),
        }
    }

    fn failure(&self, error: &BoxDynError) -> Failure {
        if error.is::<Elapsed>() {
            return Failure::Timeout;
        }
        if is_panic(error) {
            return Failure::Panic;
        }
        if is_cancelled(error) {
            return Failure::Cancelled;
        }
        let (status, attempts) = (self.status.load(), self.attempt.current());
        if status == Status::Killed {
            return Failure::Other;
        }
        // As `RetryPolicy` decides it.
        let by_policy = self.policy.as_ref().is_some_and(|Policy { retries, worker }| {
            let ends = worker.as_ref().is_none_or(WorkerContext::is_shutting_down);
            *retries > 0 && attempts <= *retries && !ends
        });
        // A store has what failed run again for as long as it has attempts left.
        let fails = status == Status::Failed || error.is::<RetryAfterError>() || error.is::<DeferredError>();
        let by_store = fails && self.max_attempts.is_some_and(|max| attempts < max);
        if by_policy || by_store {
            return Failure::Retry;
        }
        let spent_by_store = self.max_attempts.is_some_and(|max| attempts >= max);
        let spent_by_policy = match &self.policy {
            Some(policy) => attempts > policy.retries,
            // One inside made them all.
            None => attempts > self.before + 1,
        };
        if spent_by_store || spent_by_policy {
            Failure::Exhausted
        } else {
            Failure::Other
        }
    }
}

/// Whether an error is what `catch_panic` makes of a panic.
fn is_panic(error: &BoxDynError) -> bool {
    error.is::<PanicError>() || is_abort_of::<PanicError>(error)
}

/// Whether an error says that the job's context was cancelled: before a poll, or during the last one. The type of the latter is behind
/// a feature of apalis that its user has and this crate has not; its text is apalis' own.
fn is_cancelled(error: &BoxDynError) -> bool {
    is_abort_of::<TaskLifecycleError>(error)
        || error.to_string() == "task cannot be completed: already cancelled"
}

fn is_abort_of<E: Error + 'static>(error: &BoxDynError) -> bool {
    let source = error.downcast_ref::<AbortError>().and_then(Error::source);
    source.is_some_and(<dyn Error>::is::<E>)
}

/// When a job could have run first, since the Unix epoch: when it was put into the queue, which its id says if it is a ULID, or when it
/// was meant to run, whichever is later. The latter is known to the second only.
fn due(context: &ExecutionContext) -> Option<Duration> {
    let put = context.task_id().and_then(ulid::time);
    let meant = context.run_at().map(Duration::from_secs);
    put.max(meant)
}
