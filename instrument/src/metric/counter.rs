//! A counter of its own.

use super::{Tag, series};
use crate::record::{local, registry::Metric, series::Series, tags};

/// Counts something. What was added arrives exactly, as the counts of tasks do: never sampled, and never lost inside the
/// process short of a shutdown that gives up at its deadline.
///
/// ```
/// use instrument_task::metric::Counter;
///
/// static PLACED: Counter = Counter::new("orders.placed");
/// static REFUSED: Counter = Counter::tagged("orders.refused", &[("reason", "stock")]);
///
/// PLACED.increment();
/// REFUSED.add(3);
/// ```
#[derive(Debug)]
pub struct Counter {
    series: Series,
}

impl Counter {
    /// A counter of this name, behind the client's prefix. Counters of equal names and tags are one.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self::tagged(name, &[])
    }

    /// A counter with tags. A dialect without tags has them in the name.
    #[must_use]
    pub const fn tagged(name: &'static str, tags: &'static [Tag]) -> Self {
        Self {
            series: series(Metric::Counter, name, tags),
        }
    }

    /// The counter of a task's attempts that ended as a retry.
    pub(crate) const fn of_retries(name: &'static str, tags: &'static [Tag]) -> Self {
        Self {
            series: series(Metric::Retries, name, tags),
        }
    }

    /// Adds one.
    pub fn increment(&'static self) {
        self.add(1);
    }

    /// Adds `more`. Adding nothing sends nothing.
    pub fn add(&'static self, more: usize) {
        self.add_in(local::current(), more);
    }

    /// Counts one in the recorder with this id, beside the total, as of that kind.
    pub(crate) fn count_kind_in(&'static self, recorder: u32, kind: &str) {
        tags::count_kind(&self.series, recorder, kind);
    }

    /// Adds `more` in the recorder with this id.
    pub(crate) fn add_in(&'static self, recorder: u32, more: usize) {
        local::add(recorder, &self.series, more);
    }
}
