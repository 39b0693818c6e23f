//! Waiting for what does not call.

use std::time::Duration;

use tokio::time::interval;

/// Looks again and again, until it is so.
pub async fn until(reached: impl Fn() -> bool) {
    let mut ticks = interval(Duration::from_millis(5));
    while !reached() {
        ticks.tick().await;
    }
}
