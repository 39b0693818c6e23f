//! Exact task metrics for statsd (skeleton).
#![deny(missing_docs)]
pub use instrument_task_macros::instrument_task;
#[doc(hidden)]
pub mod __private;
mod batch;
mod clock;
mod config;
mod error;
mod flush;
mod ledger;
mod record;
mod sync;
mod task;
pub mod testing;
mod transport;
mod wire;
