//! What the worker of a job queue reports beyond the calls of a function: retries, how long jobs waited, how busy it is, and
//! whether it is there at all.
//!
//! [`#[instrument_task]`](macro@crate::instrument_task) on a job's function sees calls. Only the queue knows that an error is to be tried
//! again, when a job was put in, or that a payload made no sense. apalis, celery and `graphile_worker` have a layer, each behind
//! the feature of its name; for any other queue its author or user calls [`Metrics`] where the queue has a place for it: a middleware,
//! a plugin, a wrapper around the task. [The guide](crate::guide::workers) lists every metric.
//!
//! ```
//! use instrument_task::worker::Metrics;
//! use std::time::Duration;
//! # fn fetch() -> Option<(u32, Duration)> { None }
//! # fn work(job: u32) -> Result<(), std::io::Error> { Ok(()) }
//! # fn is_final(error: &std::io::Error) -> bool { true }
//!
//! let metrics = Metrics::new("send_email").queue("mail").concurrency(8);
//! metrics.start_worker();
//! while let Some((job, waited)) = fetch() {
//!     let attempt = metrics.start();
//!     attempt.waited(waited);
//!     match work(job) {
//!         Ok(()) => attempt.succeed(),
//!         Err(error) if is_final(&error) => attempt.fail(None),
//!         Err(_) => attempt.retry(None),
//!     }
//! }
//! metrics.stop_worker();
//! ```

mod attempt;
mod moment;
mod series;
mod workers;

use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

pub use self::attempt::Attempt;
use self::series::{Counters, Gauges};
pub(crate) use self::{
    moment::Moment,
    series::{Lock, lock},
};
use crate::record::local;

/// What a worker reports about one task. Clones stand for the same worker: what is in flight in any of them is in flight in all.
///
/// A name stays known for as long as the process runs, so make these for tasks, never for jobs. A child of a fork makes its own: those of the
/// parent go on to count, with what was in flight in the parent.
#[derive(Clone)]
pub struct Metrics {
    inner: Arc<Inner>,
}

#[derive(Clone, Debug)]
struct Setup {
    task: String,
    queue: Option<String>,
    /// The client's, if there is none.
    instance: Option<String>,
    concurrency: usize,
    tags_attempts: bool,
}

/// What is said of an attempt's number; of the first, which is no number, nothing. Few, for each is a series in the server.
const NUMBERS: [&str; 11] = ["", "1", "2", "3", "4", "5", "6", "7", "8", "9", "more"];

struct Inner {
    setup: Setup,
    /// By the number of the attempt, if they are told apart; else the first alone.
    counters: [OnceLock<&'static Counters>; NUMBERS.len()],
    gauges: OnceLock<&'static Gauges>,
    in_flight: AtomicUsize,
    /// The recorder that reads what is in flight.
    read_by: AtomicU32,
    /// When the worker started, while it runs.
    since: moment::Cell,
    /// The last sign of life in seconds of the Unix epoch, while it runs.
    heartbeat: AtomicU64,
    /// The recorder that reads these two.
    alive_read_by: AtomicU32,
}

impl Metrics {
    /// Metrics about the task of this name, by which it appears as one with the attribute does: `tasks.status.<task>.started`.
    /// What a server could misread in it becomes `_`.
    #[must_use]
    pub fn new(task: impl Into<String>) -> Self {
        Self::with(Setup {
            task: task.into(),
            queue: None,
            instance: None,
            concurrency: 0,
            tags_attempts: false,
        })
    }

    fn with(setup: Setup) -> Self {
        Self {
            inner: Arc::new(Inner {
                setup,
                counters: [const { OnceLock::new() }; NUMBERS.len()],
                gauges: OnceLock::new(),
                in_flight: AtomicUsize::new(0),
                read_by: AtomicU32::new(0),
                since: moment::Cell::default(),
                heartbeat: AtomicU64::new(0),
                alive_read_by: AtomicU32::new(0),
            }),
        }
    }

    fn change(&self, change: impl FnOnce(&mut Setup)) -> Self {
        let mut setup = self.inner.setup.clone();
        change(&mut setup);
        Self::with(setup)
    }

    /// A worker of its own with the same set-up.
    #[cfg(feature = "apalis")]
    pub(crate) fn another(&self) -> Self {
        self.change(|_| ())
    }

    /// Tags all of them with the queue: `queue:mail`, or in a dialect without tags `….queue.mail` behind each name. Defaults to no
    /// tag, so that the names are those of the attribute.
    ///
    /// Call it, and the others like it, before any clone: what it returns is a worker of its own.
    #[must_use]
    pub fn queue(self, queue: impl Into<String>) -> Self {
        self.change(|setup| setup.queue = Some(queue.into()))
    }

    /// What tells this process's gauges from those of others, which would overwrite each other: the tag or node `instance`.
    /// Counters carry none: they are to be summed. Defaults to [that of the client](crate::ClientBuilder::instance), which is
    /// `host.pid` unless it was given another. Workers of one task and instance in a process are told of together: what is in flight is
    /// added up, and so is what there may be.
    #[must_use]
    pub fn instance(self, instance: impl Into<String>) -> Self {
        self.change(|setup| setup.instance = Some(instance.into()))
    }

    /// How many jobs the worker does at a time at most, all clones together: what the saturation is a share of. Defaults to
    /// 0, which is unknown: no saturation is sent.
    #[must_use]
    pub fn concurrency(self, slots: usize) -> Self {
        self.change(|setup| setup.concurrency = slots)
    }

    /// Tags counters and timers with the number of the attempt: `attempt:1` to `attempt:9`, and `attempt:more` beyond. It tells how
    /// many attempts jobs need, and at which they fail. Defaults to no tag, so that the names are those of the attribute; with it, a task has
    /// up to ten times the series.
    ///
    /// The numbers are those given to [`start_attempt`](Self::start_attempt); what has none carries no such tag.
    #[must_use]
    pub fn tag_attempts(self) -> Self {
        self.change(|setup| setup.tags_attempts = true)
    }

    /// Counts the start of an attempt at a job.
    pub fn start(&self) -> Attempt {
        self.start_attempt(0)
    }

    /// Counts the start of the `number`th attempt at a job, from 1; 0 is one without a number. It matters to
    /// [`tag_attempts`](Self::tag_attempts) alone.
    ///
    /// ```
    /// use instrument_task::worker::Metrics;
    ///
    /// let metrics = Metrics::new("send_email").tag_attempts();
    /// metrics.start_attempt(1).retry(Some("refused"));
    /// metrics.start_attempt(2).succeed();
    /// ```
    pub fn start_attempt(&self, number: usize) -> Attempt {
        Attempt::new(self.clone(), number)
    }

    /// Counts a job whose payload could not be read, so that no attempt was made.
    pub fn payload_failed(&self) {
        self.inner
            .counters(0)
            .payload_failures
            .add_in(local::current(), 1);
    }

    /// Says that the worker has started: its uptime counts from now, which is a sign of life as well.
    pub fn start_worker(&self) {
        self.inner.since.set(Some(Moment::now()));
        self.heartbeat();
    }

    /// Says that the worker is alive.
    pub fn heartbeat(&self) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.inner.heartbeat.store(now.as_secs(), Ordering::Relaxed);
        // A worker that lives has started, whether that was told or not.
        self.inner.since.set_first(Moment::now());
        self.watch_life();
    }

    /// Says that the worker has been running since then, and gives no sign of life by that.
    #[cfg(any(feature = "apalis", feature = "graphile_worker"))]
    pub(crate) fn runs_since(&self, start: Moment) {
        self.inner.since.set(Some(start));
        self.watch_life();
    }

    /// Has the current recorder read heartbeat and uptime.
    fn watch_life(&self) {
        let (gauges, recorder) = (self.gauges(), local::current());
        if recorder != 0 && self.inner.alive_read_by.swap(recorder, Ordering::Relaxed) != recorder {
            gauges
                .heartbeat
                .observe_in(recorder, gauges.read(workers::heartbeat));
            gauges.uptime.observe_in(recorder, gauges.read(workers::uptime));
        }
    }

    /// Says that the worker has stopped: heartbeat and uptime go to 0, unless another one of the same name and instance lives.
    pub fn stop_worker(&self) {
        self.inner.since.set(None);
        self.inner.heartbeat.store(0, Ordering::Relaxed);
    }

    /// The jobs that are under way.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.inner.in_flight.load(Ordering::Relaxed)
    }

    /// Has `recorder` read what is in flight.
    fn watch(&self, recorder: u32) {
        // A start that sees another's swap late registers once more, which changes nothing.
        if recorder == 0 || self.inner.read_by.load(Ordering::Relaxed) == recorder {
            return;
        }
        self.inner.read_by.store(recorder, Ordering::Relaxed);
        let gauges = self.gauges();
        gauges
            .in_flight
            .observe_in(recorder, gauges.read(workers::in_flight));
        if self.inner.setup.concurrency > 0 {
            gauges
                .saturation
                .observe_in(recorder, gauges.read(workers::saturation));
        }
    }

    fn gauges(&self) -> &'static Gauges {
        let Setup {
            task,
            queue,
            instance,
            ..
        } = &self.inner.setup;
        self.inner.gauges.get_or_init(|| {
            let gauges = series::gauges(task, queue.as_deref(), instance.as_deref());
            gauges.join(&self.inner);
            gauges
        })
    }
}

impl Inner {
    /// The counters of the `number`th attempts.
    fn counters(&self, number: usize) -> &'static Counters {
        let Setup {
            task,
            queue,
            tags_attempts,
            ..
        } = &self.setup;
        let number = if *tags_attempts {
            number.min(NUMBERS.len() - 1)
        } else {
            0
        };
        self.counters[number].get_or_init(|| {
            let attempt = (number != 0).then(|| NUMBERS[number]);
            series::counters(task, queue.as_deref(), attempt)
        })
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics")
            .field("setup", &self.inner.setup)
            .field("in_flight", &self.in_flight())
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests;
