//! What annotated calls did, without a server, a thread or a socket: for the tests of a program that uses this library.

use std::{collections::BTreeMap, fmt, future::Future, sync::Arc, time::Duration};

use crate::{
    clock::Scale,
    record::{
        local,
        recorder::Recorder,
        registry::{Identity, Metric},
        snapshot::{Drained, Reader},
    },
    scope::Scoped,
};

/// Calls `f` and tells what the annotated calls in it did. Captures do not see each other: tests may run in
/// parallel.
///
/// Calls on threads and tasks that `f` spawns are not seen; make a [`Client`](crate::Client) and give them its scope for
/// that. A panic of `f` goes through.
///
/// ```
/// use instrument_task::{instrument_task, testing::capture};
///
/// #[instrument_task]
/// fn parse(text: &str) -> Result<u32, std::num::ParseIntError> {
///     text.parse()
/// }
///
/// let seen = capture(|| (parse("7"), parse("seven")));
/// assert_eq!(seen.value.0, Ok(7));
/// assert_eq!(seen.task("parse").started, 2);
/// seen.assert_succeeded("parse", 1);
/// seen.assert_failed("parse", 1);
/// ```
pub fn capture<R>(f: impl FnOnce() -> R) -> Captured<R> {
    let session = Session::new();
    let value = local::within(&session.recorder, f);
    session.finish(value)
}

/// [`capture`] for a future: sees the calls that start while it is polled.
///
/// ```
/// # async fn run() {
/// use instrument_task::{instrument_task, testing::capture_async};
///
/// #[instrument_task]
/// async fn fetch() -> Result<(), std::io::Error> {
///     Ok(())
/// }
///
/// let seen = capture_async(fetch()).await;
/// seen.assert_succeeded("fetch", 1);
/// # }
/// ```
pub async fn capture_async<F: Future>(future: F) -> Captured<F::Output> {
    let session = Session::new();
    let value = Scoped::new(&session.recorder, future).await;
    session.finish(value)
}

struct Session {
    recorder: Arc<Recorder>,
    scale: Scale,
}

impl Session {
    fn new() -> Self {
        Self {
            recorder: local::scoped(),
            scale: Scale::new(),
        }
    }

    fn finish<R>(mut self, value: R) -> Captured<R> {
        let mut drained = Drained::default();
        Reader::new(Arc::clone(&self.recorder)).drain(&mut drained);
        self.scale.refresh();
        let (mut tasks, mut counters) = (BTreeMap::new(), BTreeMap::new());
        let mut values: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (series, totals) in drained.series.iter().zip(&drained.totals) {
            let Identity {
                task, kind, metric, ..
            } = &series.identity;
            let [success, exceptions, cancelled] = totals.ended.outcomes.map(|count| count as u64);
            let panics = totals.ended.panics as u64;
            let counts = TaskCounts {
                started: totals.started as u64,
                success,
                exceptions,
                cancelled,
                panics,
                retries: 0,
            };
            if counts == TaskCounts::default() {
                continue;
            }
            if *metric != Metric::Task {
                let (name, count) = match kind {
                    None => {
                        if let Some(task) = (*metric == Metric::Retries).then(|| retried(task)).flatten() {
                            let task: &mut Task = tasks.entry(task.into()).or_default();
                            task.counts.retries += counts.started;
                        }
                        (String::from(&**task), counts.started)
                    }
                    Some(kind) => (format!("{task}.{kind}"), exceptions),
                };
                *counters.entry(name).or_default() += count;
                continue;
            }
            let task: &mut Task = tasks.entry(String::from(&**task)).or_default();
            match kind {
                None => task.counts.add(counts),
                Some(kind) => *task.kinds.entry(String::from(&**kind)).or_default() += exceptions,
            }
        }
        for measured in &drained.values {
            let Identity {
                task: name, metric, ..
            } = &drained.series[measured.series].identity;
            if *metric == Metric::Timer {
                let value = Duration::from_nanos(measured.ticks);
                values.entry(String::from(&**name)).or_default().push(value);
            } else if let Some(task) = tasks.get_mut(&**name) {
                task.durations
                    .push(Duration::from_nanos(self.scale.nanos(measured.ticks)));
            }
        }
        Captured {
            value,
            tasks,
            counters,
            values,
        }
    }
}

/// The task that a counter of retries is about.
fn retried(counter: &str) -> Option<&str> {
    counter.strip_prefix("tasks.status.")?.strip_suffix(".retries")
}

impl Drop for Session {
    fn drop(&mut self) {
        local::dismiss(self.recorder.id());
    }
}

#[derive(Clone, Debug, Default)]
struct Task {
    counts: TaskCounts,
    kinds: BTreeMap<String, u64>,
    durations: Vec<Duration>,
}

/// How often a task started, and how its calls ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskCounts {
    /// Calls that began.
    pub started: u64,
    /// Calls that returned something that is not an error.
    pub success: u64,
    /// Calls that returned an error or panicked.
    pub exceptions: u64,
    /// Futures dropped before they were done.
    pub cancelled: u64,
    /// Calls that panicked; they are among the exceptions.
    pub panics: u64,
    /// Attempts that failed and will be made again, as [`worker::Metrics`](crate::worker::Metrics) tells them from exceptions.
    pub retries: u64,
}

impl TaskCounts {
    fn add(&mut self, other: Self) {
        self.started += other.started;
        self.success += other.success;
        self.exceptions += other.exceptions;
        self.cancelled += other.cancelled;
        self.panics += other.panics;
        self.retries += other.retries;
    }

    /// Calls that began and have not ended.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.started
            .saturating_sub(self.success + self.exceptions + self.cancelled + self.retries)
    }
}

impl fmt::Display for TaskCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            started,
            success,
            exceptions,
            cancelled,
            panics,
            retries,
        } = self;
        write!(
            f,
            "{started} started, {success} succeeded, {exceptions} failed ({panics} panicked), {cancelled} cancelled"
        )?;
        if *retries > 0 {
            write!(f, ", {retries} to be tried again")?;
        }
        Ok(())
    }
}

/// What a capture saw.
#[derive(Clone, Debug)]
pub struct Captured<R = ()> {
    /// What the captured closure or future returned.
    pub value: R,
    tasks: BTreeMap<String, Task>,
    counters: BTreeMap<String, u64>,
    values: BTreeMap<String, Vec<Duration>>,
}

impl<R> Captured<R> {
    /// The counts of the task called `name`; all zero if it was not called.
    #[must_use]
    pub fn task(&self, name: &str) -> TaskCounts {
        self.tasks.get(name).map(|task| task.counts).unwrap_or_default()
    }

    /// How many exceptions of the task were of `kind`, as its `error_kind` says.
    #[must_use]
    pub fn kind(&self, name: &str, kind: &str) -> u64 {
        self.tasks
            .get(name)
            .and_then(|task| task.kinds.get(kind))
            .copied()
            .unwrap_or_default()
    }

    /// What was added to the [counter](crate::metric::Counter) called `name`, whatever its tags. One that is counted by kinds as well
    /// has them behind its name: `tasks.status.send_email.retries.timeout`.
    #[must_use]
    pub fn counter(&self, name: &str) -> u64 {
        self.counters.get(name).copied().unwrap_or_default()
    }

    /// What the [timer](crate::metric::Timer) called `name` recorded, whatever its tags, in the order in which it did on each
    /// thread.
    #[must_use]
    pub fn values(&self, name: &str) -> &[Duration] {
        self.values.get(name).map_or(&[], |values| values)
    }

    /// All tasks that were called, by name. Calls with different tags are added up.
    pub fn tasks(&self) -> impl Iterator<Item = (&str, TaskCounts)> + '_ {
        self.tasks.iter().map(|(name, task)| (&**name, task.counts))
    }

    /// How long the successful calls of the task called `name` took, in the order of their ends on each thread. All of them up to
    /// the first thousand; beyond that the longer a capture is, the more they are sampled.
    #[must_use]
    pub fn durations(&self, name: &str) -> &[Duration] {
        self.tasks.get(name).map_or(&[], |task| &task.durations)
    }

    /// Asserts that exactly `count` calls of the task succeeded.
    ///
    /// # Panics
    /// If it was another number; the message lists what was seen. So do the other assertions.
    #[track_caller]
    pub fn assert_succeeded(&self, name: &str, count: u64) {
        self.check(name, "succeed", count, self.task(name).success);
    }

    /// Asserts that exactly `count` calls of the task failed: returned an error or panicked.
    #[track_caller]
    pub fn assert_failed(&self, name: &str, count: u64) {
        self.check(name, "fail", count, self.task(name).exceptions);
    }

    /// Asserts that exactly `count` calls of the task panicked.
    #[track_caller]
    pub fn assert_panicked(&self, name: &str, count: u64) {
        self.check(name, "panic", count, self.task(name).panics);
    }

    /// Asserts that exactly `count` calls of the task were cancelled.
    #[track_caller]
    pub fn assert_cancelled(&self, name: &str, count: u64) {
        self.check(name, "be cancelled", count, self.task(name).cancelled);
    }

    /// Asserts that the task was not called.
    #[track_caller]
    pub fn assert_not_called(&self, name: &str) {
        self.check(name, "start", 0, self.task(name).started);
    }

    #[track_caller]
    fn check(&self, name: &str, verb: &str, expected: u64, found: u64) {
        assert!(
            expected == found,
            "expected {expected} calls of `{name}` to {verb}, but {found} did; seen: {}",
            self.tasks()
                .map(|(name, counts)| format!("\n  {name}: {counts}"))
                .collect::<Vec<_>>()
                .concat()
        );
    }
}
