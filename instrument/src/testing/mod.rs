//! Tools for tests: see what an instrumented program reports.

mod parse;
mod receiver;
mod tally;

pub use receiver::Receiver;
pub use tally::TimerSummary;
