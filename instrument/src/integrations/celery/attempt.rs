//! An attempt at a job, and what its end means.

use std::time::{Duration, Instant};

use ::celery::{error::TaskError, task::Task};
use chrono::Utc;

use crate::worker::{Attempt, Metrics};

/// An attempt that is under way. Dropped, it ran into its time limit or was given up.
pub(super) struct Running {
    attempt: Option<Attempt>,
    asked: Instant,
    time_limit: Option<Duration>,
}

impl Running {
    /// Counts the start of an attempt that was asked for at `asked`.
    pub(super) fn start<T: Task>(metrics: &Metrics, task: &T, asked: Instant) -> Self {
        let request = task.request();
        let mut attempt = metrics.start_attempt(request.retries as usize + 1);
        attempt.set_last(task.max_retries().is_some_and(|most| request.retries >= most));
        if let Some(eta) = request.eta.filter(|_| request.retries == 0) {
            // In the producer's clock: it may be ahead of this one.
            attempt.waited((Utc::now() - eta).to_std().unwrap_or_default());
        }
        Self {
            attempt: Some(attempt),
            asked,
            time_limit: task
                .time_limit()
                .map(|seconds| Duration::from_secs(seconds.into())),
        }
    }

    /// Counts its end. What becomes of an error is for celery to decide; this says the same beforehand.
    pub(super) fn end<T: Task>(mut self, task: &T, error: Option<&TaskError>) {
        let Some(attempt) = self.attempt.take() else {
            return;
        };
        let Some(error) = error else {
            return attempt.succeed();
        };
        let again = match error {
            TaskError::UnexpectedError(_) => task.retry_for_unexpected(),
            TaskError::ExpectedError(_) | TaskError::TimeoutError | TaskError::Retry(_) => true,
        };
        if again {
            attempt.retry_unless_last(Some(kind(error)));
        } else {
            attempt.fail(Some(kind(error)));
        }
    }

    /// Counts a panic.
    pub(super) fn panic(&mut self) {
        if let Some(attempt) = self.attempt.take() {
            attempt.panic();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Some(attempt) = self.attempt.take() else {
            return;
        };
        if self.time_limit.is_some_and(|limit| self.asked.elapsed() >= limit) {
            attempt.time_out();
        } else {
            attempt.cancel();
        }
    }
}

/// What kind of exception an error is.
fn kind(error: &TaskError) -> &'static str {
    match error {
        TaskError::ExpectedError(_) => "expected",
        TaskError::UnexpectedError(_) => "unexpected",
        TaskError::TimeoutError => "timeout",
        TaskError::Retry(_) => "retry",
    }
}
