//! A layer for workers of apalis: one line a worker.
//!
//! ```no_run
//! use apalis::prelude::*;
//! use instrument_task::apalis::{MetricsExt, MetricsLayer};
//!
//! async fn send_email(to: String) -> Result<(), BoxDynError> {
//!     println!("to {to}");
//!     Ok(())
//! }
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let _metrics = instrument_task::init()?;
//! let worker = WorkerBuilder::new("mailer")
//!     .backend(MemoryStorage::<String>::new())
//!     .metrics(MetricsLayer::new("send_email"))
//!     .build(send_email);
//! worker.run().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Jobs or attempts
//!
//! The first layer of a worker is the outermost, so where the metrics stand decides what they see:
//!
//! - **before `retry()`**: jobs, [`MetricsLayer::new`]. One that succeeds at the third attempt is one start and one success, and its duration
//!   has the attempts and the waits between them in it.
//! - **after `retry()`**: attempts, [`MetricsLayer::attempts`], which is told how often the policy tries again: only then can it tell a retry
//!   from a failure. The same job is three starts, two retries and a success.
//! - **before `timeout()`**: a time limit is an error to be seen, and counts as a timeout. **After** it, all there is to see is that the
//!   job was dropped: cancelled.
//! - **before `catch_panic()`** or after it, a panic counts as one. (With a panic handler of one's own that returns another error, only
//!   after it.)
//!
//! Both may be had: two layers, of two names. Most workers want the order metrics, `retry()`, `timeout()`, `catch_panic()`, which is
//! jobs.
//!
//! # Stores
//!
//! A store that has a failed job run again hands it out anew, outside of every layer: that is a retry as well, until the job has had the
//! `max_attempts` that the store says. The store in memory never does so, whatever a job says, and [`MetricsExt::metrics`] knows it. Of any
//! other that goes by another number tell the layer ([`MetricsLayer::max_attempts`]).
//!
//! A job is *exhausted* if it fails and the store has no attempt left for it, or if `retry()` inside of the layer tried it more than once and gave
//! it up.
//!
//! # What it cannot see
//!
//! A payload that cannot be decoded reaches no layer and ends the worker; [`MetricsLayer::watch`] sees it. A `Monitor` runs its workers by itself:
//! its `should_restart` is given the error, and is the place to call [`payload_failed`](Metrics::payload_failed) of [`MetricsLayer::metrics`].
//! What waits in the queue only the store knows. A store without heartbeats, such as the one in memory, has none here.
//!
//! apalis ends a job for good at a panic or a time limit, unless a `retry()` outside of that tries again: such a job is lost, and not among
//! the exhausted. (The `SQLite` store takes up whatever a worker left that has died, once more and as a further attempt, so that a job that was
//! put in and never begun has no queue latency then.) `RetryAfterError` is a retry if the job has attempts left; the `SQLite` store (1.0) never
//! takes such a job up again.
//!
//! [The guide](crate::guide::workers) lists every metric.

mod future;
mod job;
mod ulid;

use std::{
    any, fmt,
    future::Future,
    sync::Arc,
    task::{Context, Poll},
};

use apalis_core::{
    backend::{Backend, dequeue::VecDequeBackend, memory::MemoryStorage},
    error::{BoxDynError, WorkerError},
    layers::{Layer, Service, Stack},
    task::Task,
    worker::{
        builder::WorkerBuilder,
        event::Event,
        ext::event_listener::{EventListenerExt, EventListenerLayer},
    },
};

pub use self::future::MetricsFuture;
use self::job::Job;
use crate::worker::{Metrics, Moment};

/// Tells one kind of errors from others.
type ErrorKind = fn(&BoxDynError) -> &'static str;

/// Counts and times what a worker does. See the [module](self) for where to put it.
///
/// A layer, and its clones, may be given to any number of workers: each of them is one of its own, and what they say of one task is added up.
#[derive(Clone)]
pub struct MetricsLayer {
    metrics: Metrics,
    /// What the policy outside of the layer does, if there is one.
    retries: Option<usize>,
    /// What the store does, if that is not what its jobs say.
    max_attempts: Option<usize>,
    error_kind: Option<ErrorKind>,
    /// Of a layer that was given to a worker.
    #[expect(dead_code, reason = "its end tells of the worker's")]
    stops: Option<Arc<Stops>>,
}

impl MetricsLayer {
    /// Metrics about the jobs of this name, `tasks.status.<task>.started` and so on, for a layer before `retry()`, or without one. Defaults
    /// as [`Metrics`] has them.
    #[must_use]
    pub fn new(task: impl Into<String>) -> Self {
        Self {
            metrics: Metrics::new(task),
            retries: None,
            max_attempts: None,
            error_kind: None,
            stops: None,
        }
    }

    /// Metrics about the attempts at them, for a layer after `retry()`, whose policy tries `retries` times more, as given to
    /// `RetryPolicy::retries`.
    ///
    /// A policy that asks about the error (`retry_if`) or takes its number from each job (`from_task_config`) is not known: put
    /// [another layer](Self::new) before `retry()` then.
    ///
    /// ```
    /// use instrument_task::apalis::MetricsLayer;
    ///
    /// // .metrics(jobs).retry(RetryPolicy::retries(2)).metrics(attempts)
    /// let jobs = MetricsLayer::new("send_email");
    /// let attempts = MetricsLayer::attempts("send_email.attempt", 2);
    /// ```
    #[must_use]
    pub fn attempts(task: impl Into<String>, retries: usize) -> Self {
        Self {
            retries: Some(retries),
            ..Self::new(task)
        }
    }

    /// Tags all of them with the queue; see [`Metrics::queue`]. Defaults to no tag.
    #[must_use]
    pub fn queue(mut self, queue: impl Into<String>) -> Self {
        self.metrics = self.metrics.queue(queue);
        self
    }

    /// What tells the gauges of this worker from others'; see [`Metrics::instance`]. Defaults to the client's.
    #[must_use]
    pub fn instance(mut self, instance: impl Into<String>) -> Self {
        self.metrics = self.metrics.instance(instance);
        self
    }

    /// Tags counters and timers with the number of the attempt; see [`Metrics::tag_attempts`]. Defaults to no tag. A layer before `retry()`
    /// sees the number of a job's first attempt of each time that the store hands it out.
    #[must_use]
    pub fn tag_attempts(mut self) -> Self {
        self.metrics = self.metrics.tag_attempts();
        self
    }

    /// How many jobs the worker does at a time at most: what is given to `concurrency()`. Defaults to 0, which is unknown: no
    /// saturation is sent.
    #[must_use]
    pub fn concurrency(mut self, slots: usize) -> Self {
        self.metrics = self.metrics.concurrency(slots);
        self
    }

    /// How many attempts the store lets a job have at most, those of a policy among them, whatever the job says. Defaults to the job's own
    /// `max_attempts`, and to 1 for the store in memory, which never has a job run again.
    ///
    /// The Redis store (1.0) makes 25 attempts even at a job that asks for fewer: give 25 there, or leave the jobs' `max_attempts` alone.
    #[must_use]
    pub fn max_attempts(mut self, attempts: usize) -> Self {
        self.max_attempts = Some(attempts);
        self
    }

    /// Counts exceptions and retries by their kind as well: `tasks.status.<task>.exceptions.<kind>`, `….retries.<kind>`. A task has 64
    /// kinds of each at most; the rest are `_other`. Defaults to the totals alone.
    ///
    /// ```
    /// use instrument_task::apalis::MetricsLayer;
    ///
    /// let layer = MetricsLayer::new("send_email").error_kind(|error| {
    ///     if error.is::<std::io::Error>() { "io" } else { "_other" }
    /// });
    /// ```
    #[must_use]
    pub fn error_kind(mut self, kind: ErrorKind) -> Self {
        self.error_kind = Some(kind);
        self
    }

    /// What the layer reports to, for what it cannot see. The workers that it is given to are others, and what is in flight is theirs.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The layer of a worker on a store of this type.
    fn of_a_worker<B>(self) -> Self {
        let metrics = self.metrics.another();
        Self {
            max_attempts: self.max_attempts.or_else(handed_out::<B>),
            stops: Some(Arc::new(Stops(metrics.clone()))),
            metrics,
            ..self
        }
    }

    /// Runs a worker, and counts a payload that ends it because it cannot be decoded. Gives back what it returns.
    ///
    /// ```no_run
    /// # use apalis::prelude::*;
    /// # use instrument_task::apalis::{MetricsExt, MetricsLayer};
    /// # async fn send_email(to: String) {}
    /// # async fn run(backend: MemoryStorage<String>) -> Result<(), WorkerError> {
    /// let metrics = MetricsLayer::new("send_email");
    /// let worker = WorkerBuilder::new("mailer")
    ///     .backend(backend)
    ///     .metrics(metrics.clone())
    ///     .build(send_email);
    /// metrics.watch(worker.run()).await
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of `run`.
    pub async fn watch(&self, run: impl Future<Output = Result<(), WorkerError>>) -> Result<(), WorkerError> {
        let result = run.await;
        if result.as_ref().is_err_and(is_payload_failure) {
            self.metrics.payload_failed();
        }
        result
    }
}

/// What a worker's events say about its life.
fn listen(metrics: &Metrics, event: &Event) {
    match event {
        // No sign of life: a store without heartbeats would never send another one.
        Event::Start => metrics.runs_since(Moment::now()),
        Event::HeartBeat => metrics.heartbeat(),
        Event::Exit => metrics.stop_worker(),
        _ => {}
    }
}

/// Says that the worker has stopped when the last of its services is gone, however it ended.
struct Stops(Metrics);

impl Drop for Stops {
    fn drop(&mut self) {
        self.0.stop_worker();
    }
}

/// How often a store hands a job out, where its type tells: one in memory does so once, whatever it keeps.
fn handed_out<B>() -> Option<usize> {
    // Types that may hold borrows have no identity, but a name. It is compared with what it is called in this very build.
    let is = |other: &str| any::type_name::<B>().split('<').next() == other.split('<').next();
    let is_in_memory =
        is(any::type_name::<MemoryStorage<()>>()) || is(any::type_name::<VecDequeBackend<()>>());
    is_in_memory.then_some(1)
}

/// Whether a worker ended because it could not decode a payload. The error's type has the backend's in it and so no name here;
/// its text is apalis' own.
fn is_payload_failure(error: &WorkerError) -> bool {
    matches!(error, WorkerError::BackendError(error) if error.to_string().starts_with("Task decoding error: "))
}

impl fmt::Debug for MetricsLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricsLayer")
            .field("metrics", &self.metrics)
            .field("retries", &self.retries)
            .field("max_attempts", &self.max_attempts)
            .finish_non_exhaustive()
    }
}

/// The worker's builder with its metrics on.
type Measured<Args, B, M> = WorkerBuilder<Args, B, Stack<MetricsLayer, Stack<EventListenerLayer, M>>>;

/// Puts metrics on a worker.
pub trait MetricsExt<Args, B, M> {
    /// Adds the layer, and has it listen to the worker's events: its heartbeat and uptime come from those, and a layer that is added
    /// by `layer()` goes without.
    #[must_use]
    fn metrics(self, layer: MetricsLayer) -> Measured<Args, B, M>;
}

impl<Args, B: Backend, M> MetricsExt<Args, B, M> for WorkerBuilder<Args, B, M> {
    fn metrics(self, layer: MetricsLayer) -> Measured<Args, B, M> {
        let layer = layer.of_a_worker::<B>();
        let metrics = layer.metrics.clone();
        self.on_event(move |_, event| listen(&metrics, event))
            .layer(layer)
    }
}

impl<S> Layer<S> for MetricsLayer {
    type Service = MetricsService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        MetricsService {
            inner,
            layer: self.clone(),
        }
    }
}

/// A service whose jobs are counted and timed; made by [`MetricsLayer`].
#[derive(Clone, Debug)]
pub struct MetricsService<S> {
    inner: S,
    layer: MetricsLayer,
}

impl<S, Args> Service<Task<Args>> for MetricsService<S>
where
    S: Service<Task<Args>, Error = BoxDynError>,
{
    type Response = S::Response;
    type Error = BoxDynError;
    type Future = MetricsFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxDynError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, task: Task<Args>) -> Self::Future {
        let job = Job::new(&task, &self.layer);
        MetricsFuture::new(job, self.inner.call(task))
    }
}
