//! Metrics of your own, beside those of tasks: a counter, and a timer for durations that you measured yourself.
//!
//! They are `static`s, and cost no lock and no allocation after a thread's first use. Their names stand behind the client's
//! prefix as they are. What they record belongs to the client that is current then, and to no other.
//!
//! ```
//! use instrument_task::{metric::Counter, testing::capture};
//!
//! static PLACED: Counter = Counter::new("orders.placed");
//!
//! let seen = capture(|| PLACED.increment());
//! assert_eq!(seen.counter("orders.placed"), 1);
//! ```

mod counter;
mod gauge;
mod timer;

pub(crate) use self::gauge::Gauge;
pub use self::{counter::Counter, timer::Timer};
use crate::record::{
    registry::{Metric, Options, Timing},
    series::Series,
};

/// A tag that is the same for all that a metric records: its key and its value.
pub type Tag = (&'static str, &'static str);

const fn series(metric: Metric, name: &'static str, tags: &'static [Tag]) -> Series {
    let options = Options {
        // Nothing here reads the clock.
        timing: Timing::Never,
        stride: 0,
        in_flight: false,
        metric,
    };
    Series::new(name, "", tags, options)
}
