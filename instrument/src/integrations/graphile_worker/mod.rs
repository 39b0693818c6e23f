//! A plugin for workers of `graphile_worker`: one line a worker, for all of its tasks.
//!
//! ```
//! use graphile_worker_lifecycle_hooks::HookRegistry;
//! use instrument_task::graphile_worker::MetricsPlugin;
//!
//! // A worker takes it by `WorkerOptions::default().add_plugin(MetricsPlugin::new())`, behind other plugins.
//! let hooks = HookRegistry::new().with_plugin(MetricsPlugin::new());
//! # assert!(!hooks.is_empty());
//! ```
//!
//! # What counts as what
//!
//! The plugin sees attempts at jobs, each under the identifier of its task:
//!
//! - an error, while the job has attempts left, is a **retry**: the queue runs it again;
//! - an error at the last of the job's `max_attempts` is an **exception**, and the job is exhausted. So is a payload that the handler
//!   cannot decode: the queue does not tell the two apart;
//! - a **panic** is an exception and a panic, whether the job is run again or not; at the last attempt the job is exhausted as well;
//! - what is given up at the end of the grace period of a shutdown is **cancelled**. So is what is under way when the worker is dropped.
//!
//! The **queue latency** is how much later than its `run_at` a job began its first attempt: the first of all, not the one after an
//! interruption, which has the number 1 as well. The clocks are the database's and this machine's.
//!
//! A job of a task that the worker has no handler for is not fetched, and so not seen: it waits in the store for another worker. If the queue
//! itself finds no handler for one that it did fetch, that is an error of the kind `unknown_task`.
//!
//! Saturation is what one task has of the worker's concurrency; the sum over its tasks is the worker's. Uptime counts from the start of
//! the worker (`run()`, not `run_once()`), and shows from a task's first job on. There is no heartbeat: nothing in the queue stands for one.
//!
//! Put it **behind** other plugins. One that returns `Skip` or `Fail` from `AfterJobRun` changes what the queue stores, and keeps that
//! event from those behind it: the attempt then ends when its job is released, as the queue stored it. In front, this plugin would see
//! what the handler returned. A job that fails in `BeforeJobRun` counts as an attempt that failed at once; one that is
//! skipped there is not seen.
//!
//! [The guide](crate::guide::workers) lists every metric.

mod attempts;
mod ended;

use std::sync::Arc;

use graphile_worker_lifecycle_hooks::{
    AfterJobRun, HookRegistry, HookResult, JobComplete, JobFail, JobInterrupted, JobPermanentlyFail,
    JobStart, Plugin, WorkerShutdown, WorkerStart,
};

use self::attempts::{Attempts, Setup};

/// Tells one kind of errors from others, by their text.
type ErrorKind = fn(&str) -> &'static str;

/// Counts and times what a worker does. See the [module](self).
#[derive(Clone, Debug, Default)]
pub struct MetricsPlugin {
    setup: Setup,
}

impl MetricsPlugin {
    /// Metrics under the names of the tasks: `tasks.status.<identifier>.started` and so on.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Goes before the name of each task, with a dot between them. Defaults to nothing, so that the names are those of the
    /// attribute; a worker whose handlers have the attribute as well needs one, or both would count under one name.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.setup.prefix = Some(prefix.into());
        self
    }

    /// Tags all of them with the queue; see [`Metrics::queue`](crate::worker::Metrics::queue). Defaults to no tag.
    #[must_use]
    pub fn queue(mut self, queue: impl Into<String>) -> Self {
        self.setup.queue = Some(queue.into());
        self
    }

    /// What tells the gauges of this worker from others'; see [`Metrics::instance`](crate::worker::Metrics::instance). Defaults to the
    /// client's.
    #[must_use]
    pub fn instance(mut self, instance: impl Into<String>) -> Self {
        self.setup.instance = Some(instance.into());
        self
    }

    /// Tags counters and timers with the number of the attempt; see [`Metrics::tag_attempts`](crate::worker::Metrics::tag_attempts).
    /// Defaults to no tag.
    #[must_use]
    pub fn tag_attempts(mut self) -> Self {
        self.setup.tags_attempts = true;
        self
    }

    /// How many jobs the worker does at a time at most, of all tasks together: what is given to `concurrency()`. Defaults to 0, which is
    /// unknown: no saturation is sent.
    #[must_use]
    pub fn concurrency(mut self, slots: usize) -> Self {
        self.setup.concurrency = slots;
        self
    }

    /// Counts exceptions and retries by their kind as well: `tasks.status.<task>.exceptions.<kind>`, `….retries.<kind>`. It is given the
    /// text that the queue keeps of the error, with the name of its own around it: `TaskError("no such street")`. So look for a part of it. A
    /// task has 64 kinds of each at most; the rest are `_other`. Defaults to the totals alone.
    #[must_use]
    pub fn error_kind(mut self, kind: ErrorKind) -> Self {
        self.setup.error_kind = Some(kind);
        self
    }
}

impl Plugin for MetricsPlugin {
    fn register(self, hooks: &mut HookRegistry) {
        let attempts = Arc::new(Attempts::new(self.setup));

        // What only looks on.
        macro_rules! on {
            ($event:expr, |$attempts:ident, $context:ident| $body:expr) => {
                let attempts = Arc::clone(&attempts);
                hooks.on($event, move |$context| {
                    let $attempts = Arc::clone(&attempts);
                    async move { $body }
                });
            };
        }
        on!(WorkerStart, |attempts, _context| attempts.start_worker());
        on!(WorkerShutdown, |attempts, _context| attempts.stop_worker());
        on!(JobStart, |attempts, context| attempts.start(&context.job));
        on!(AfterJobRun, |attempts, context| {
            attempts.end(&context.job, context.result.as_ref().err().map(String::as_str));
            HookResult::Continue
        });
        on!(JobComplete, |attempts, context| attempts
            .release(&context.job, None));
        on!(JobFail, |attempts, context| attempts
            .release(&context.job, Some(&context.error)));
        on!(JobPermanentlyFail, |attempts, context| attempts
            .release(&context.job, Some(&context.error)));
        on!(JobInterrupted, |attempts, context| attempts.cancel(&context.job));
    }
}
