//! Exact task metrics for statsd, at the price of reading the clock.
//!
//! Put [`#[instrument_task]`](instrument_task) on a function. From then on every call counts as *started*, and as exactly
//! one of *success*, *exceptions* or *cancelled*, and its duration is timed. One background thread sends the
//! numbers to statsd (and so to Graphite), to a Datadog agent, or to anything else that speaks statsd.
//!
//! ```no_run
//! use instrument_task::instrument_task;
//!
//! #[instrument_task]
//! fn send_email(to: &str) -> Result<(), std::io::Error> {
//!     println!("to {to}");
//!     Ok(())
//! }
//!
//! fn main() -> Result<(), instrument_task::Error> {
//!     // STATSD_HOST, STATSD_PORT, … say where to; 127.0.0.1:8125 if they do not. Flushes when dropped.
//!     let _metrics = instrument_task::init()?;
//!     let _ = send_email("someone@example.org");
//!     Ok(())
//! }
//! ```
//!
//! # What is sent
//!
//! | name, behind the prefix | type | moves when |
//! |---|---|---|
//! | `tasks.status.<task>.started` | counter | a call begins |
//! | `tasks.status.<task>.success` | counter | it returns something that is not an error |
//! | `tasks.status.<task>.exceptions` | counter | it returns `Err`, or panics |
//! | `tasks.status.<task>.panics` | counter | it panics |
//! | `tasks.status.<task>.cancelled` | counter | its future is dropped before it is done |
//! | `tasks.duration.<task>.success` | timer, ms | it succeeds |
//! | `tasks.status.<task>.exceptions.<kind>` | counter | an exception is of that kind (argument `error_kind`) |
//! | `tasks.status.<task>.in_flight` | gauge | with the argument `in_flight`, while calls are under way; with [the instance](ClientBuilder::instance) behind it |
//!
//! A counter appears once it is not zero. With the prefix `celery` these are the names of the Python decorator that this
//! library mirrors, so an existing dashboard keeps working. [`ClientBuilder::time_every_outcome`] times failed and cancelled
//! calls as well, each outcome under its own name. The arguments of a single task are listed at
//! [`instrument_task`](macro@instrument_task).
//!
//! What the worker of a job queue can say beyond that (retries, queue latency, saturation, heartbeat) is in
//! [the guide for workers](guide::workers). [`metric`] has counters and timers of your own.
//!
//! # What it promises
//!
//! **The caller never pays.** After a thread's first call of a task there is no lock, no allocation, no system call and no
//! atomic read-modify-write, whatever the network does. Nothing here panics or blocks. The function's result, panics and drop order
//! stay as they were.
//!
//! **Counters are exact.** They are never sampled, and nothing is lost inside the process short of a shutdown that runs
//! into its deadline. A datagram that the kernel refused, because the server is down say, leaves what it carried pending; it
//! goes out when the server is back. Over UDP that can be known of a server on this host; from another host a refusal comes a
//! round trip later, may be about any datagram, and is counted ([`Ledger::refused_late`]) instead of sent again. What a server
//! took in and did not read before it died is beyond what any client can see.
//!
//! **Timers are honest.** Up to a budget (1 000 durations a second for one task by default) every duration is sent. Past it they
//! are sampled at random, and the sample rate on the wire is what was sent over the calls that it stands for, counted for
//! each flush. A duration below a millisecond survives (`0.083|ms`).
//!
//! **The books balance.** What was recorded was handed to the kernel, is pending, or was dropped for a named cause:
//! [`Client::ledger`] says so at any time, and every [`FlushReport`] does.
//!
//! **Off is free.** Without a client a call costs a load, a store and two branches that are always the same.
//!
//! # Which client a call belongs to
//!
//! The one that is current when it starts, wherever it ends. [`init`] installs one for the process; calls before that are not
//! counted. [`with_client`] and [`Client::scope`] make another one current for a closure or a future, and
//! [`testing::capture`] stands on them:
//!
//! ```
//! use instrument_task::{instrument_task, testing::capture};
//!
//! #[instrument_task]
//! fn divide(a: u32, b: u32) -> Result<u32, &'static str> {
//!     a.checked_div(b).ok_or("division by zero")
//! }
//!
//! let seen = capture(|| (divide(4, 2), divide(1, 0)));
//! seen.assert_succeeded("divide", 1);
//! seen.assert_failed("divide", 1);
//! ```
//!
//! # When a process ends
//!
//! Keep the [`Guard`] until the end of `main`. Its drop flushes within a deadline, also when `main` panics (with
//! `panic = "unwind"`). `std::process::exit` runs no destructors: a hook of the C runtime flushes then, as well as it can. A signal that
//! kills the process leaves nobody to flush: let your program handle it and return from `main`, as the example
//! `graceful_shutdown` does for SIGTERM.
//!
//! # Configuration
//!
//! The code goes before the environment: what [`Client::builder`] sets counts, then come `STATSD_URL`, `STATSD_SOCKET_PATH`, `STATSD_ADDR`,
//! `STATSD_HOST` with `STATSD_PORT`, and the variables of Datadog's agent, then `127.0.0.1:8125`. `STATSD_PREFIX`, `STATSD_INSTANCE`,
//! `STATSD_SAMPLE_RATE`, `STATSD_DEFAULT_TAGS` and `STATSD_MAX_PACKET_SIZE` are read as well, and `STATSD_DISABLED` switches
//! everything off. A value that makes no sense is an [`Error`] that names its variable.

#![deny(missing_docs)]

#[doc(hidden)]
pub mod __private;
mod batch;
mod client;
mod clock;
mod config;
mod error;
mod flush;
mod fork;
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub mod fuzzing;
mod global;
pub mod guide;
mod integrations;
mod ledger;
pub mod metric;
mod record;
mod scope;
mod sync;
mod sys;
mod task;
pub mod testing;
mod transport;
mod wire;
pub mod worker;

pub use instrument_task_macros::instrument_task;

#[cfg(feature = "apalis")]
pub use crate::integrations::apalis;
#[cfg(feature = "celery")]
pub use crate::integrations::celery;
#[cfg(feature = "graphile_worker")]
pub use crate::integrations::graphile_worker;

pub use crate::{
    client::{Client, Guard},
    config::{ClientBuilder, Framing},
    error::{Error, ErrorKind},
    global::{init, init_or_disabled},
    ledger::{CounterAccount, FlushReport, Ledger, TimerAccount},
    scope::{Scoped, with_client},
    task::outcome::{Outcome, ToOutcome},
    wire::Dialect,
};
