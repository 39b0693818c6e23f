//! A job under way.

use std::{
    fmt,
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use apalis_core::error::BoxDynError;
use pin_project_lite::pin_project;

use super::job::Job;
use crate::worker::Attempt;

pin_project! {
    /// A job under way in a [`MetricsService`](super::MetricsService). It starts with its first poll.
    #[must_use = "futures do nothing unless polled"]
    pub struct MetricsFuture<F> {
        state: State,
        #[pin]
        inner: F,
    }

    impl<F> PinnedDrop for MetricsFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            // Said here, since the thread may unwind because of another job.
            if let State::Running(_, attempt) = this.project().state.take() {
                attempt.cancel();
            }
        }
    }
}

impl<F> MetricsFuture<F> {
    pub(super) fn new(job: Job, inner: F) -> Self {
        Self {
            state: State::New(job),
            inner,
        }
    }
}

enum State {
    New(Job),
    Running(Job, Attempt),
    Done,
}

impl State {
    fn take(&mut self) -> Self {
        mem::replace(self, Self::Done)
    }
}

/// On the stack of a poll: counts a panic that unwinds out of it.
struct Polling<'a>(&'a mut State);

impl Drop for Polling<'_> {
    fn drop(&mut self) {
        if let State::Running(_, attempt) = self.0.take() {
            attempt.panic();
        }
    }
}

impl<F, T> Future for MetricsFuture<F>
where
    F: Future<Output = Result<T, BoxDynError>>,
{
    type Output = Result<T, BoxDynError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        *this.state = match this.state.take() {
            State::New(job) => {
                let attempt = job.start();
                State::Running(job, attempt)
            }
            other => other,
        };
        let polling = Polling(this.state);
        let polled = this.inner.poll(context);
        mem::forget(polling);
        let result = ready!(polled);
        if let State::Running(job, attempt) = this.state.take() {
            job.end(attempt, result.as_ref().err());
        }
        Poll::Ready(result)
    }
}

impl<F> fmt::Debug for MetricsFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::New(_) => "not polled",
            State::Running(..) => "running",
            State::Done => "done",
        };
        f.debug_struct("MetricsFuture")
            .field("state", &state)
            .finish_non_exhaustive()
    }
}
