//! Exact task metrics for statsd (skeleton).
#![deny(missing_docs)]
pub use instrument_task_macros::instrument_task;
#[doc(hidden)]
pub mod __private;
mod batch;
mod config;
mod clock;
mod error;
mod record;
mod sync;
mod task;
pub mod testing;
mod transport;
mod wire;
