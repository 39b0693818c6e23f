//! The task by itself, in each of its forms, and what nothing that measures it can do without.

use std::{
    hint::black_box,
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
};

use instrument_task_benches::{two_instants, two_raw_reads};

use crate::{
    Contender, Error, Running, batch,
    work::{DEPTH, Refused, body, once, run},
};

/// The bare function.
pub const BARE: &str = "bare call";
/// The bare future, ready at once.
pub const FUTURE: &str = "bare future";
/// The bare future that waits once.
pub const AWAIT: &str = "bare future that waits";
/// The bare recursion.
pub const RECURSION: &str = "bare recursion, 64 deep";
/// The least that timing a call costs.
pub const RAW_READS: &str = "two raw clock reads";
/// What timing by the standard library costs.
pub const INSTANTS: &str = "two Instant::now()";
/// What counting in one shared place costs.
pub const FETCH_ADD: &str = "one fetch_add";

/// The limits.
pub const CONTENDERS: &[Contender] = &[
    limit(BARE, |_| Ok(Running::plain(batch!(task)))),
    limit(FETCH_ADD, |_| Ok(Running::plain(batch!(add)))),
    limit(RAW_READS, |_| Ok(Running::plain(batch!(two_raw_reads)))),
    limit(INSTANTS, |_| Ok(Running::plain(batch!(two_instants)))),
    limit(FUTURE, |_| Ok(Running::plain(batch!(future)))),
    limit(AWAIT, |_| Ok(Running::plain(batch!(waiting)))),
    limit(RECURSION, |_| Ok(Running::plain(recursion))),
];

const fn limit(name: &'static str, set_up: fn(SocketAddr) -> Result<Running, Error>) -> Contender {
    Contender::new(name, name, set_up)
}

#[inline(never)]
fn task(n: u64) -> Result<u64, Refused> {
    body(n)
}

#[inline(never)]
fn add(n: u64) -> Result<u64, Refused> {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    CALLS.fetch_add(1, Ordering::Relaxed);
    body(n)
}

#[expect(
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

async fn waits(n: u64) -> Result<u64, Refused> {
    once().await;
    body(n)
}

#[inline(never)]
fn waiting(n: u64) -> Result<u64, Refused> {
    run(waits(n))
}

#[inline(never)]
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
