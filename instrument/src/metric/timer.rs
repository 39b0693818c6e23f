//! A timer of its own.

use std::time::Duration;

use super::{Tag, series};
use crate::record::{local, registry::Metric, series::Series, shard::Token};

/// Records durations that were measured elsewhere, in milliseconds on the wire. Up to the timer budget all of them are sent; past
/// it they are thinned evenly, and the rate on the wire says so.
///
/// ```
/// use instrument_task::metric::Timer;
/// use std::time::Duration;
///
/// static LAG: Timer = Timer::new("replication.lag");
///
/// LAG.record(Duration::from_millis(12));
/// ```
#[derive(Debug)]
pub struct Timer {
    series: Series,
}

impl Timer {
    /// A timer of this name, behind the client's prefix. Timers of equal names and tags are one.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self::tagged(name, &[])
    }

    /// A timer with tags. A dialect without tags has them in the name.
    #[must_use]
    pub const fn tagged(name: &'static str, tags: &'static [Tag]) -> Self {
        Self {
            series: series(Metric::Timer, name, tags),
        }
    }

    /// The timer of attempts at a task that end in none of its outcomes.
    pub(crate) const fn of_attempts(name: &'static str, tags: &'static [Tag]) -> Self {
        Self {
            series: series(Metric::Duration, name, tags),
        }
    }

    /// Ends the call that `token` stands for, and records how long it took if every outcome is timed, as often as the calls of its
    /// task are.
    pub(crate) fn end(&'static self, token: &mut Token) {
        local::end_beside(&self.series, token);
    }

    /// Records one duration.
    pub fn record(&'static self, duration: Duration) {
        self.record_in(local::current(), duration);
    }

    /// Records one duration in the recorder with this id.
    pub(crate) fn record_in(&'static self, recorder: u32, duration: Duration) {
        // More than half of all that fits counts as a clock that jumped back.
        let nanos = u64::try_from(duration.as_nanos()).map_or(u64::MAX / 2, |nanos| nanos.min(u64::MAX / 2));
        local::record(recorder, &self.series, nanos);
    }
}
