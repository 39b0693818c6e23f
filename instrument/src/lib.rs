//! Exact task metrics for statsd (skeleton).
#![deny(missing_docs)]

#[doc(hidden)]
pub mod __private;
mod batch;
mod client;
mod clock;
mod config;
mod error;
mod flush;
mod global;
mod ledger;
mod record;
mod scope;
mod sync;
mod sys;
mod task;
pub mod testing;
mod transport;
mod wire;

pub use instrument_task_macros::instrument_task;

pub use crate::{
    client::{Client, Guard},
    config::ClientBuilder,
    error::{Error, ErrorKind},
    global::{init, init_or_disabled},
    ledger::{CounterAccount, FlushReport, Ledger, TimerAccount},
    scope::{Scoped, with_client},
    task::outcome::{Outcome, ToOutcome},
    wire::Dialect,
};
