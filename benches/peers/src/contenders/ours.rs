//! This library.

use std::{
    hint::black_box,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use instrument_task::{Client, ClientBuilder, instrument_task};

use super::limits;
use crate::{
    Contender, Error, Running, batch,
    work::{DEPTH, Refused, body, once, run},
};

/// Without a client.
pub const OFF: &str = "instrument-task, no client";
/// With every call timed.
pub const TIMED: &str = "instrument-task, timed";
/// With hardly a call timed.
pub const UNTIMED: &str = "instrument-task, untimed";
/// As it is set up if nothing is said.
pub const DEFAULT: &str = "instrument-task, default budget";
/// A future that is ready at once, without a client.
pub const FUTURE_OFF: &str = "instrument-task, future, no client";
/// The same with hardly a call timed.
pub const FUTURE_UNTIMED: &str = "instrument-task, future, untimed";
/// The same, timed.
pub const FUTURE: &str = "instrument-task, future, timed";

/// This library, in its states.
pub const CONTENDERS: &[Contender] = &[
    Contender::new(OFF, limits::BARE, |_| Ok(Running::plain(batch!(task)))),
    Contender::new(UNTIMED, limits::BARE, |to| start(untimed(to), batch!(task))),
    Contender::new(TIMED, limits::BARE, |to| start(timed(to), batch!(task))),
    Contender::new(DEFAULT, limits::BARE, |to| start(client(to), batch!(task))),
    Contender::new("instrument-task, ring full", limits::BARE, |to| {
        // Nobody takes the values out.
        let idle = timed(to)
            .drain_interval(Duration::from_secs(60))
            .flush_interval(Duration::from_secs(3_600));
        let running = start(idle, batch!(task))?;
        Ok(Running {
            settle: Box::new(|| {}),
            ..running
        })
    }),
    Contender::new("instrument-task, timed, with a tag", limits::BARE, |to| {
        start(timed(to), batch!(tagged))
    }),
    Contender::new(FUTURE_OFF, limits::FUTURE, |_| Ok(Running::plain(batch!(future)))),
    Contender::new(FUTURE_UNTIMED, limits::FUTURE, |to| {
        start(untimed(to), batch!(future))
    }),
    Contender::new(FUTURE, limits::FUTURE, |to| start(timed(to), batch!(future))),
    Contender::new("instrument-task, future that waits, timed", limits::AWAIT, |to| {
        start(timed(to), batch!(waiting))
    }),
    Contender::new("instrument-task, recursion, untimed", limits::RECURSION, |to| {
        start(untimed(to), recursion)
    }),
];

#[inline(never)]
#[instrument_task]
fn task(n: u64) -> Result<u64, Refused> {
    body(n)
}

#[inline(never)]
#[instrument_task(name = "task_by_kind", tags(kind = if n.is_multiple_of(2) { "even" } else { "odd" }))]
fn tagged(n: u64) -> Result<u64, Refused> {
    body(n)
}

#[instrument_task]
#[allow(
    clippy::unused_async,
    reason = "what an asynchronous function costs that never waits"
)]
async fn ready(n: u64) -> Result<u64, Refused> {
    body(n)
}

#[inline(never)]
fn future(n: u64) -> Result<u64, Refused> {
    run(ready(n))
}

#[instrument_task]
async fn waits(n: u64) -> Result<u64, Refused> {
    once().await;
    body(n)
}

#[inline(never)]
fn waiting(n: u64) -> Result<u64, Refused> {
    run(waits(n))
}

#[inline(never)]
#[instrument_task]
fn descend(depth: u64) -> Result<u64, Refused> {
    if depth == 0 {
        return body(depth);
    }
    black_box(descend(depth - 1)).map(|value| value + 1)
}

fn recursion(calls: u32) {
    for _ in 0..calls / DEPTH {
        let _ = black_box(descend(black_box(u64::from(DEPTH) - 1)));
    }
}

fn client(to: SocketAddr) -> ClientBuilder {
    Client::builder().ignore_environment().address(to.to_string())
}

fn timed(to: SocketAddr) -> ClientBuilder {
    client(to)
        .sample_rate(1.0)
        .timer_budget(u32::MAX)
        .client_timer_budget(u32::MAX)
}

fn untimed(to: SocketAddr) -> ClientBuilder {
    timed(to).sample_rate(instrument_task_benches::HARDLY_EVER)
}

/// Installs the client. Its rings are drained between batches, because batches come faster than any worker's calls.
pub(crate) fn start(builder: ClientBuilder, batch: fn(u32)) -> Result<Running, Error> {
    let guard = builder.shutdown_deadline(Duration::from_secs(10)).install()?;
    let client = (*guard).clone();
    let guard = Arc::new(Mutex::new(Some(guard)));
    Ok(Running {
        batch,
        settle: Box::new(move || {
            black_box(client.ledger());
        }),
        end: Box::new(move || drop(guard.lock().unwrap_or_else(PoisonError::into_inner).take())),
    })
}
