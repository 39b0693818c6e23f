//! One task under each of the ways to have its starts, outcomes and durations measured, set up as its documentation says, so
//! that what they cost can be put side by side.
//!
//! `cargo run --release -p instrument-task-peers --bin overhead-report` compares them.

pub mod contenders;
pub mod many;
pub mod side_by_side;
pub mod sink;
pub mod work;

use std::{error, fmt, net::SocketAddr};

/// What setting up may fail with.
pub type Error = Box<dyn error::Error + Send + Sync>;

/// One way to measure a task.
#[derive(Clone, Copy)]
pub struct Contender {
    /// What it is called in tables.
    pub name: &'static str,
    /// The contender that does the same work without being measured.
    pub base: &'static str,
    /// Has the process send to a server at this address. Once a process, since most of them are global.
    pub set_up: fn(SocketAddr) -> Result<Running, Error>,
}

impl Contender {
    /// A contender that is measured against `base`.
    pub(crate) const fn new(
        name: &'static str,
        base: &'static str,
        set_up: fn(SocketAddr) -> Result<Running, Error>,
    ) -> Self {
        Self { name, base, set_up }
    }
}

impl fmt::Debug for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// A contender at work.
pub struct Running {
    /// Makes that many calls.
    pub batch: fn(u32),
    /// To be called between batches, off the clock: has values leave the caller's buffer that a background thread would have
    /// fetched by and by.
    pub settle: Box<dyn Fn() + Send + Sync>,
    /// Delivers what can be delivered, as at the end of a program.
    pub end: Box<dyn FnOnce() + Send + Sync>,
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").finish_non_exhaustive()
    }
}

impl Running {
    /// One that needs neither settling nor an end.
    #[must_use]
    pub fn plain(batch: fn(u32)) -> Self {
        Self {
            batch,
            settle: Box::new(|| {}),
            end: Box::new(|| {}),
        }
    }

    /// The same, with an end.
    #[must_use]
    pub fn ending(self, end: impl FnOnce() + Send + Sync + 'static) -> Self {
        Self {
            end: Box::new(end),
            ..self
        }
    }
}

/// A function that calls `$task` as often as it is told: the loop stands where the task is known, so that no indirect call
/// is measured.
macro_rules! batch {
    ($task:path) => {
        |calls| {
            for n in 0..u64::from(calls) {
                let _ = std::hint::black_box($task(std::hint::black_box(n)));
            }
        }
    };
}
pub(crate) use batch;
