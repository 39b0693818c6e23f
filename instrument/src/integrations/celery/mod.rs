//! Metrics around tasks of celery that are left as they are: one word a task.
//!
//! ```no_run
//! use celery::prelude::*;
//! use instrument_task::celery::Measured;
//!
//! #[celery::task(max_retries = 3)]
//! fn send_email(to: String) -> TaskResult<()> {
//!     println!("to {to}");
//!     Ok(())
//! }
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let _metrics = instrument_task::init()?;
//! let app = celery::app!(
//!     broker = RedisBroker { "redis://127.0.0.1:6379/" },
//!     tasks = [Measured<send_email>],
//!     task_routes = ["*" => "mail"],
//! )
//! .await?;
//! app.consume().await?;
//! # Ok(())
//! # }
//! ```
//!
//! Producers send the task itself, `send_email::new(…)`: to them nothing changes.
//!
//! # What counts as what
//!
//! A worker of celery makes attempts at jobs, and each is counted:
//!
//! - an error that celery has the job tried again for is a **retry**: `TaskError::Retry`, an expected error, and an unexpected one unless
//!   `retry_for_unexpected` is off;
//! - the same error at the last of the task's `max_retries` is an **exception**, and the job is exhausted;
//! - any other error is an exception. Exceptions and retries are counted by their kind as well: `expected`, `unexpected`, `timeout`,
//!   `retry`;
//! - an attempt that runs into the task's **time limit** is a timeout, which is among the cancelled; at the last of the `max_retries` the
//!   job is exhausted as well;
//! - parameters that cannot be decoded are a **payload failure**: no attempt is made.
//!
//! A **panic** is an exception and a panic. It goes on to celery, which does not run the job again (unless it was to be
//! acknowledged late and the broker hands it out anew), and takes it for one that is still
//! under way: a worker that is told to stop then waits for ever. (The example of celery shows a worker that does not.)
//!
//! What celery drops before it makes a task of it is not seen: a message that is no JSON or of another content type, one for a task that
//! is not registered, and a job that has expired.
//!
//! The **queue latency** is known for jobs with an `eta` or a countdown alone: how much later than that they began. Nothing in celery's
//! messages says when a job was put in.
//!
//! celery has no event for the life of a worker, so there is no heartbeat or uptime unless the program calls
//! [`Metrics::start_worker`] and its like by itself. [The guide](crate::guide::workers) lists every metric.

mod attempt;
mod parameters;

use std::{
    any::TypeId,
    collections::HashMap,
    fmt,
    future::{Future, poll_fn},
    panic::{self, AssertUnwindSafe},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use ::celery::{
    error::TaskError,
    task::{Request, Task, TaskOptions, TaskResult},
};
use chrono::{DateTime, Utc};

use self::attempt::Running;
pub use self::parameters::Parameters;
use crate::worker::Metrics;

/// The task `T` with its metrics around it: to be registered in its place. See the [module](self).
///
/// It reports under the name by which celery knows the task, unless [`Measured::report_to`] says otherwise.
pub struct Measured<T: Task + 'static> {
    task: T,
    request: Request<Self>,
    options: TaskOptions,
    metrics: Metrics,
}

/// What tasks report to, by their types.
static METRICS: Mutex<Option<HashMap<TypeId, Metrics>>> = Mutex::new(None);

fn metrics() -> MutexGuard<'static, Option<HashMap<TypeId, Metrics>>> {
    METRICS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T: Task + 'static> Measured<T> {
    /// Has the task report to `metrics`, which may have a name, a queue, an instance and a concurrency of their own. Call it before the
    /// worker starts: an attempt stays with what it began with. Defaults to `Metrics::new(T::NAME)`, which has the attribute's names.
    ///
    /// ```
    /// # use celery::prelude::*;
    /// use instrument_task::{celery::Measured, worker::Metrics};
    ///
    /// #[celery::task]
    /// fn send_email(to: String) -> TaskResult<()> {
    ///     Ok(())
    /// }
    ///
    /// Measured::<send_email>::report_to(Metrics::new("send_email").queue("mail").concurrency(8));
    /// ```
    pub fn report_to(new: Metrics) {
        metrics().get_or_insert_default().insert(TypeId::of::<T>(), new);
    }

    /// What the task reports to.
    #[must_use]
    pub fn metrics() -> Metrics {
        let mut metrics = metrics();
        let metrics = metrics.get_or_insert_default().entry(TypeId::of::<T>());
        metrics.or_insert_with(|| Metrics::new(T::NAME)).clone()
    }
}

/// A future as [`Task`] has them.
type Boxed<'a, R> = Pin<Box<dyn Future<Output = R> + Send + 'a>>;

impl<T: Task + 'static> Task for Measured<T> {
    const NAME: &'static str = T::NAME;
    const ARGS: &'static [&'static str] = T::ARGS;
    const DEFAULTS: TaskOptions = T::DEFAULTS;

    type Params = Parameters<T>;
    type Returns = T::Returns;

    fn from_request(request: Request<Self>, options: TaskOptions) -> Self {
        Self {
            task: T::from_request(inner(&request), options),
            request,
            options,
            metrics: Self::metrics(),
        }
    }

    fn request(&self) -> &Request<Self> {
        &self.request
    }

    fn options(&self) -> &TaskOptions {
        &self.options
    }

    fn name(&self) -> &'static str {
        self.task.name()
    }

    fn run<'life0, 'async_trait>(
        &'life0 self,
        params: Parameters<T>,
    ) -> Boxed<'async_trait, TaskResult<T::Returns>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        // Before celery sets the time limit, so that an attempt that reaches it is seen to have done so.
        let asked = Instant::now();
        Box::pin(async move {
            let mut running = Running::start(&self.metrics, &self.task, asked);
            let mut future = self.task.run(params.0);
            let result = poll_fn(|context| {
                let poll = AssertUnwindSafe(|| future.as_mut().poll(context));
                panic::catch_unwind(poll).unwrap_or_else(|panic| {
                    running.panic();
                    panic::resume_unwind(panic)
                })
            })
            .await;
            running.end(&self.task, result.as_ref().err());
            result
        })
    }

    fn on_failure<'life0, 'life1, 'async_trait>(
        &'life0 self,
        error: &'life1 TaskError,
    ) -> Boxed<'async_trait, ()>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        Self: 'async_trait,
    {
        self.task.on_failure(error)
    }

    fn on_success<'life0, 'life1, 'async_trait>(
        &'life0 self,
        returned: &'life1 T::Returns,
    ) -> Boxed<'async_trait, ()>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        Self: 'async_trait,
    {
        self.task.on_success(returned)
    }

    fn retry_eta(&self) -> Option<DateTime<Utc>> {
        self.task.retry_eta()
    }

    fn retry_for_unexpected(&self) -> bool {
        self.task.retry_for_unexpected()
    }

    fn time_limit(&self) -> Option<u32> {
        self.task.time_limit()
    }

    fn max_retries(&self) -> Option<u32> {
        self.task.max_retries()
    }

    fn min_retry_delay(&self) -> u32 {
        self.task.min_retry_delay()
    }

    fn max_retry_delay(&self) -> u32 {
        self.task.max_retry_delay()
    }

    fn acks_late(&self) -> bool {
        self.task.acks_late()
    }
}

/// The request as the task itself has it.
fn inner<T: Task + 'static>(request: &Request<Measured<T>>) -> Request<T> {
    Request {
        app: Arc::clone(&request.app),
        id: request.id.clone(),
        group: request.group.clone(),
        chord: request.chord.clone(),
        correlation_id: request.correlation_id.clone(),
        params: request.params.0.clone(),
        origin: request.origin.clone(),
        retries: request.retries,
        eta: request.eta,
        expires: request.expires,
        hostname: request.hostname.clone(),
        reply_to: request.reply_to.clone(),
        time_limit: request.time_limit,
    }
}

impl<T: Task + 'static> fmt::Debug for Measured<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Measured")
            .field("task", &T::NAME)
            .field("id", &self.request.id)
            .field("metrics", &self.metrics)
            .finish_non_exhaustive()
    }
}
