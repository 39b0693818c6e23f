//! An attempt at a job, from its start to its end.

use std::{fmt, sync::atomic::Ordering, thread, time::Duration};

use super::{Metrics, series::Counters};
use crate::task::{
    place::{Kinded, Place, Verdict},
    site::{End, Token},
};

/// An attempt at a job that is under way. Say how it ends; dropped before that, it counts as cancelled, or as a panic if the thread
/// has begun to unwind since.
///
/// started = success + exceptions + cancelled + retries + in flight. Panics are among the exceptions, timeouts among the
/// cancelled, exhausted jobs among the exceptions or the timeouts.
#[must_use = "an attempt that is dropped counts as cancelled"]
pub struct Attempt {
    metrics: Metrics,
    counters: &'static Counters,
    token: Token,
    recorder: u32,
    was_unwinding: bool,
    is_last: bool,
}

impl Attempt {
    /// The `number`th attempt at a job, from 1; 0 if nobody knows.
    pub(super) fn new(metrics: Metrics, number: usize) -> Self {
        let mut token = Token::off();
        let counters = metrics.inner.counters(number);
        if counters.task.listens() {
            (&counters.task).start(&mut token);
        }
        metrics.inner.in_flight.fetch_add(1, Ordering::Relaxed);
        let recorder = token.recorder();
        metrics.watch(recorder);
        Self {
            metrics,
            counters,
            token,
            recorder,
            was_unwinding: thread::panicking(),
            is_last: false,
        }
    }

    /// Records how long the job waited in the queue. Call it for a job's first attempt alone, and leave out the time that it was meant
    /// to wait.
    pub fn waited(&self, latency: Duration) {
        self.counters.queue_latency.record_in(self.recorder, latency);
    }

    /// The job is done.
    pub fn succeed(mut self) {
        self.end(End::Success, None);
    }

    /// The attempt failed, and it is not known to be tried again. `kind` counts it under a kind of exception as well, of which a task
    /// has 64 at most; the rest are `_other`.
    pub fn fail(mut self, kind: Option<&'static str>) {
        self.end(End::Exception, kind);
    }

    /// The attempt failed, and it was the last that the job has. `kind` as for [`fail`](Self::fail).
    pub fn exhaust(mut self, kind: Option<&'static str>) {
        self.is_last = true;
        self.fail(kind);
    }

    /// Says whether the job has no attempts left after this one: if it fails, panics or runs into its time limit then, the job is
    /// exhausted. Defaults to no.
    pub fn set_last(&mut self, is_last: bool) {
        self.is_last = is_last;
    }

    /// The attempt failed, and the job will be tried again unless this was the [last](Self::set_last). `kind` as for the two.
    pub fn retry_unless_last(self, kind: Option<&'static str>) {
        if self.is_last {
            self.fail(kind);
        } else {
            self.retry(kind);
        }
    }

    /// The attempt failed, and the job will be tried again. `kind` counts it under a kind of retry as well, `….retries.<kind>`, of which a
    /// task has 64 at most; the rest are `_other`.
    pub fn retry(mut self, kind: Option<&'static str>) {
        let retries = &self.counters.retries;
        retries.add_in(self.recorder, 1);
        if let Some(kind) = kind {
            retries.count_kind_in(self.recorder, kind);
        }
        // It ends in these instead of in its own.
        self.counters.retried.end(&mut self.token);
    }

    /// The attempt was given up at its time limit.
    pub fn time_out(mut self) {
        self.counters.timeouts.add_in(self.recorder, 1);
        self.count_if_last();
        self.end(End::Cancelled, None);
    }

    /// The attempt was given up: its worker is shutting down, or somebody took the job back.
    pub fn cancel(mut self) {
        self.end(End::Cancelled, None);
    }

    /// The attempt panicked: an exception, and a panic besides.
    pub fn panic(mut self) {
        self.end(End::Panic, None);
    }

    fn count_if_last(&self) {
        if self.is_last {
            self.counters.exhausted.add_in(self.recorder, 1);
        }
    }

    fn end(&mut self, end: End, kind: Option<&'static str>) {
        if matches!(end, End::Exception | End::Panic) {
            self.count_if_last();
        }
        if self.token.is_on() {
            let place = &self.counters.task;
            Kinded { end, kind }.count(&place, &mut self.token);
            self.token = Token::off();
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if self.token.is_on() {
            let unwinding = thread::panicking() && !self.was_unwinding;
            self.end(if unwinding { End::Panic } else { End::Cancelled }, None);
        }
        self.metrics.inner.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt")
            .field("metrics", &self.metrics)
            .finish_non_exhaustive()
    }
}
