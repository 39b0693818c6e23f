//! For the tests of a program that uses this library: [`capture`] tells what annotated calls did, without a server, and a
//! [`Receiver`] is a server on loopback that adds up what arrives.

mod capture;
mod parse;
mod receiver;
mod tally;

pub use capture::{Captured, TaskCounts, capture, capture_async};
pub use receiver::Receiver;
pub use tally::TimerSummary;
