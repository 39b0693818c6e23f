//! What a worker did, counted by plain code and without the library: what its numbers are compared with.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    thread,
};

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With a value that is not an error.
    Success,
    /// With an error.
    Exception,
    /// By unwinding: an exception, and a panic besides.
    Panic,
    /// Dropped before it was done.
    Cancelled,
}

impl<T, E> From<Result<T, E>> for End {
    fn from(result: Result<T, E>) -> Self {
        if result.is_ok() {
            Self::Success
        } else {
            Self::Exception
        }
    }
}

/// The calls of one task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as the metrics are")]
pub struct Calls {
    pub started: u64,
    pub success: u64,
    pub exceptions: u64,
    pub cancelled: u64,
    pub panics: u64,
}

impl Calls {
    /// Adds a call that ended so.
    pub fn add(&mut self, end: End) {
        self.started += 1;
        match end {
            End::Success => self.success += 1,
            End::Exception | End::Panic => self.exceptions += 1,
            End::Cancelled => self.cancelled += 1,
        }
        self.panics += u64::from(end == End::Panic);
    }

    /// The calls that have started and not ended.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.started
            .saturating_sub(self.success + self.exceptions + self.cancelled)
    }
}

struct Counts {
    started: AtomicU64,
    success: AtomicU64,
    exceptions: AtomicU64,
    cancelled: AtomicU64,
    panics: AtomicU64,
}

impl Counts {
    const fn new() -> Self {
        Self {
            started: AtomicU64::new(0),
            success: AtomicU64::new(0),
            exceptions: AtomicU64::new(0),
            cancelled: AtomicU64::new(0),
            panics: AtomicU64::new(0),
        }
    }
}

/// The calls of all tasks.
pub struct Tally<const N: usize> {
    tasks: [&'static str; N],
    counts: [Counts; N],
}

impl<const N: usize> Tally<N> {
    /// No calls yet of these tasks, by the names that they report under.
    #[must_use]
    pub const fn new(tasks: [&'static str; N]) -> Self {
        Self {
            tasks,
            counts: [const { Counts::new() }; N],
        }
    }

    /// Counts the start of a call.
    ///
    /// # Panics
    /// If there is no such task.
    pub fn start(&self, task: &str) {
        self.of(task).started.fetch_add(1, Relaxed);
    }

    /// Counts the end of such a call.
    ///
    /// # Panics
    /// If there is no such task.
    pub fn end(&self, task: &str, end: End) {
        let counts = self.of(task);
        match end {
            End::Success => &counts.success,
            End::Exception | End::Panic => &counts.exceptions,
            End::Cancelled => &counts.cancelled,
        }
        .fetch_add(1, Relaxed);
        if end == End::Panic {
            counts.panics.fetch_add(1, Relaxed);
        }
    }

    /// Counts a call for as long as what this returns is there: for code that a queue calls, and nobody of ours.
    ///
    /// # Panics
    /// If there is no such task.
    #[must_use = "the call ends when this is dropped"]
    pub fn call(&'static self, task: &'static str) -> Call<N> {
        self.start(task);
        Call {
            tally: self,
            task,
            end: None,
        }
    }

    /// The calls so far, task by task.
    #[must_use]
    pub fn calls(&self) -> Vec<(&'static str, Calls)> {
        let calls = |counts: &Counts| Calls {
            started: counts.started.load(Relaxed),
            success: counts.success.load(Relaxed),
            exceptions: counts.exceptions.load(Relaxed),
            cancelled: counts.cancelled.load(Relaxed),
            panics: counts.panics.load(Relaxed),
        };
        self.tasks
            .into_iter()
            .zip(self.counts.each_ref().map(calls))
            .collect()
    }

    /// The calls that have ended so far.
    #[must_use]
    pub fn ended(&self) -> u64 {
        let ended = |(_, calls): (_, Calls)| calls.success + calls.exceptions + calls.cancelled;
        self.calls().into_iter().map(ended).sum()
    }

    fn of(&self, task: &str) -> &Counts {
        let index = self.tasks.iter().position(|&name| name == task);
        &self.counts[index.unwrap_or_else(|| panic!("no task {task}"))]
    }
}

/// A call under way. It counts as cancelled if it is dropped before its end, and as a panic if that happens while the thread
/// unwinds.
pub struct Call<const N: usize> {
    tally: &'static Tally<N>,
    task: &'static str,
    end: Option<End>,
}

impl<const N: usize> Call<N> {
    /// Ends the call, and gives back what it returns.
    ///
    /// # Errors
    /// That of `result`.
    pub fn end<T, E>(mut self, result: Result<T, E>) -> Result<T, E> {
        self.end = Some(if result.is_ok() {
            End::Success
        } else {
            End::Exception
        });
        result
    }
}

impl<const N: usize> Drop for Call<N> {
    fn drop(&mut self) {
        let end = match self.end {
            Some(end) => end,
            None if thread::panicking() => End::Panic,
            None => End::Cancelled,
        };
        self.tally.end(self.task, end);
    }
}
