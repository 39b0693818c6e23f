//! Attempts at jobs of each end that there is.

use std::time::Duration;

use instrument_task::worker::Metrics;

/// How many attempts [`of_each_end`] makes.
pub const ATTEMPTS: u32 = 9;

/// What it adds to all counters: a start and an end each, two kinds, and that one is exhausted, one timed out and one panicked.
pub const INCREMENTS: u64 = 2 * ATTEMPTS as u64 + 2 + 3;

/// One attempt of each end, and its wait in the queue.
pub fn of_each_end(metrics: &Metrics) {
    let start = || {
        let attempt = metrics.start_attempt(1);
        attempt.waited(Duration::from_millis(1));
        attempt
    };
    start().succeed();
    start().fail(None);
    start().fail(Some("refused"));
    start().exhaust(None);
    start().retry(None);
    start().retry(Some("refused"));
    start().time_out();
    start().cancel();
    start().panic();
}
