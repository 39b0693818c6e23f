//! For tests: what annotated calls did ([`capture`]), and a statsd server to send to (`Receiver`).

mod capture;

pub use capture::{Captured, TaskCounts, capture, capture_async};
