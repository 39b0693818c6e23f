//! Calls between two markers that a system-call trace shows, on several threads at once.
//!
//! A marker is the attempt to look at a file that does not exist: its name stands in the trace. Prints how many
//! calls were counted.

use std::{
    future::Future,
    hint::black_box,
    pin::pin,
    sync::LazyLock,
    task::{Context, Poll, Waker},
    thread,
    time::{Duration, Instant},
};

use instrument_task::{Client, instrument_task, worker::Metrics};
use instrument_task_tests::attempts;

const THREADS: u64 = 4;
const CALLS: u64 = 1_000_000;
/// Rounds of attempts at jobs.
const ROUNDS: u64 = 100_000;

#[instrument_task]
fn plain(n: u64) -> Result<u64, u64> {
    if n.is_multiple_of(3) {
        return Err(n);
    }
    Ok(n)
}

#[instrument_task]
async fn pausing(n: u64) -> u64 {
    let mut paused = false;
    std::future::poll_fn(|_| {
        if std::mem::replace(&mut paused, true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    n
}

fn call_plain(n: u64) {
    let _ = black_box(plain(black_box(n)));
}

/// Ends every second call by dropping it.
fn call_pausing(n: u64) {
    let mut context = Context::from_waker(Waker::noop());
    let mut call = pin!(pausing(n));
    let _ = black_box(call.as_mut().poll(&mut context));
    if n.is_multiple_of(2) {
        let _ = black_box(call.as_mut().poll(&mut context));
    }
}

/// One attempt at a job of each end.
fn make_attempts(_: u64) {
    static METRICS: LazyLock<Metrics> = LazyLock::new(|| Metrics::new("attempts"));

    attempts::of_each_end(&METRICS);
}

/// Leaves `name` in the trace.
fn mark(name: &str) {
    // It does not exist, and nobody asks.
    let _ = std::fs::metadata(name);
}

/// Runs `calls` of `call` between two markers, after a first call.
fn between_markers(name: &str, calls: u64, call: fn(u64)) {
    // The standard library asks the kernel one more thing at its first miss, and formatting may ask for memory.
    let [first, begin, end] = ["first", "begin", "end"].map(|marker| format!("{marker}-{name}"));
    mark(&first);
    call(0);
    mark(&begin);
    (0..calls).for_each(call);
    mark(&end);
}

fn main() -> Result<(), instrument_task::Error> {
    // Where the kernel keeps the clock to itself, reading it is a system call, and nothing can be shown here.
    between_markers("clock", 1_000, |_| {
        black_box(Instant::now());
    });
    between_markers("off", CALLS, |n| {
        call_plain(n);
        call_pausing(n);
    });

    // Nobody reads at this address: the flusher also has refusals to deal with.
    let client = Client::builder()
        .ignore_environment()
        .address("127.0.0.1:9")
        .flush_interval(Duration::from_millis(50))
        .drain_interval(Duration::from_millis(5))
        .shutdown_deadline(Duration::ZERO)
        .install()?;
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                between_markers("plain", CALLS, call_plain);
                between_markers("pausing", CALLS, call_pausing);
                between_markers("attempts", ROUNDS, make_attempts);
            });
        }
    });
    // A start and an end each, of the calls before the markers too.
    let counted = client.ledger().counters.recorded;
    assert_eq!(
        counted,
        THREADS * (2 * (CALLS + 1) * 2 + (ROUNDS + 1) * attempts::INCREMENTS)
    );
    println!("{counted}");
    Ok(())
}
