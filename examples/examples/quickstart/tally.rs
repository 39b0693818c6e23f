//! What the worker did, counted by plain code and without the library: what its numbers are compared with.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The tasks of the worker, by the names that they report under.
pub const TASKS: [&str; 4] = ["resize_image", "send_email", "fetch_report", "cleaner.run"];

/// How a call ended.
#[derive(Clone, Copy)]
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

#[derive(Default)]
struct Counts {
    started: AtomicU64,
    success: AtomicU64,
    exceptions: AtomicU64,
    cancelled: AtomicU64,
    panics: AtomicU64,
}

/// The calls of all tasks.
#[derive(Default)]
pub struct Tally([Counts; TASKS.len()]);

impl Tally {
    /// Counts the start of a call of the task at `index` of [`TASKS`].
    pub fn start(&self, index: usize) {
        self.0[index].started.fetch_add(1, Relaxed);
    }

    /// Counts the end of such a call.
    pub fn end(&self, index: usize, end: End) {
        let counts = &self.0[index];
        match end {
            End::Success => &counts.success,
            End::Exception | End::Panic => &counts.exceptions,
            End::Cancelled => &counts.cancelled,
        }
        .fetch_add(1, Relaxed);
        if let End::Panic = end {
            counts.panics.fetch_add(1, Relaxed);
        }
    }

    /// The calls so far, in the order of [`TASKS`].
    pub fn calls(&self) -> [Calls; TASKS.len()] {
        self.0.each_ref().map(|counts| Calls {
            started: counts.started.load(Relaxed),
            success: counts.success.load(Relaxed),
            exceptions: counts.exceptions.load(Relaxed),
            cancelled: counts.cancelled.load(Relaxed),
            panics: counts.panics.load(Relaxed),
        })
    }
}
