//! What the benches measure: the same functions with the attribute and without it, and the clocks to compare them with.

pub mod compile;
pub mod figures;
pub mod machine;

use std::{
    future::Future,
    hint::black_box,
    pin::pin,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use instrument_task::{Client, Error, Guard, with_client};

/// Calls between two drains: few enough that a thread's ring never asks for sampling.
pub const BATCH: u32 = 448;

/// Batches that warm up: as many as fill a thread's ring once around, as they do in a worker that goes on.
pub const WARM: u32 = 5;

/// What a task fails with.
#[derive(Clone, Copy, Debug)]
pub struct Refused;

macro_rules! tasks {
    ($($attribute:tt)*) => {
        use super::Refused;

        /// A task that does next to nothing, so that what is around it shows.
        ///
        /// # Errors
        /// For one number in 2⁶⁴.
        #[inline(never)]
        $($attribute)*
        pub fn task(n: u64) -> Result<u64, Refused> {
            if n == u64::MAX {
                return Err(Refused);
            }
            Ok(n.rotate_left(7))
        }

        /// The same as a future that is ready at once.
        ///
        /// # Errors
        /// For one number in 2⁶⁴.
        $($attribute)*
        #[allow(clippy::unused_async, reason = "what an asynchronous function costs that never waits")]
        pub async fn future(n: u64) -> Result<u64, Refused> {
            if n == u64::MAX {
                return Err(Refused);
            }
            Ok(n.rotate_left(7))
        }
    };
}

/// The functions as they stand.
pub mod bare {
    tasks! {}
}

/// The functions with the attribute.
pub mod annotated {
    tasks! { #[instrument_task::instrument_task] }
}

/// Polls once.
#[inline(always)]
#[allow(clippy::inline_always, reason = "the future is to be measured, and not this")]
pub fn poll<T>(future: impl Future<Output = T>) -> Poll<T> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// Polls [`bare::future`], out of line as the plain functions are.
#[inline(never)]
pub fn poll_bare(n: u64) -> Poll<Result<u64, Refused>> {
    poll(bare::future(n))
}

/// Polls [`annotated::future`].
#[inline(never)]
pub fn poll_annotated(n: u64) -> Poll<Result<u64, Refused>> {
    poll(annotated::future(n))
}

/// What every way of timing a call by hand begins and ends with.
#[must_use]
pub fn two_instants(n: u64) -> u64 {
    let start = Instant::now();
    black_box(n);
    u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// Two readings of the processor's counter, the least that timing a call can cost.
#[cfg(target_arch = "x86_64")]
#[must_use]
pub fn two_raw_reads(n: u64) -> u64 {
    use std::arch::x86_64::_rdtsc;

    // SAFETY: RDTSC is part of every x86-64 processor and touches no memory.
    let start = unsafe { _rdtsc() };
    black_box(n);
    // SAFETY: as above.
    unsafe { _rdtsc() }.wrapping_sub(start)
}

/// Elsewhere there is no raw counter to compare with.
#[cfg(not(target_arch = "x86_64"))]
#[must_use]
pub fn two_raw_reads(n: u64) -> u64 {
    two_instants(n)
}

/// Starts a client for its scope that times every call if `sample_rate` is 1. It sends nothing while a bench runs.
///
/// # Errors
/// Those of [`build`](instrument_task::ClientBuilder::build).
pub fn build(sample_rate: f64) -> Result<Guard, Error> {
    Client::builder()
        .ignore_environment()
        .address("127.0.0.1:9")
        .sample_rate(sample_rate)
        .timer_budget(u32::MAX)
        .client_timer_budget(u32::MAX)
        .flush_interval(Duration::from_secs(3_600))
        .drain_interval(Duration::from_secs(60))
        .shutdown_deadline(Duration::ZERO)
        .build()
}

/// The sample rate of a client that leaves all but a few calls untimed.
pub const HARDLY_EVER: f64 = 0.0001;

/// How long a batch of `call` takes, in the scope of the client if there is one. Its rings are drained afterwards.
#[inline(always)]
#[allow(clippy::inline_always, reason = "an indirect call would be measured too")]
pub fn time_batch<T>(client: Option<&Client>, call: impl Fn(u64) -> T) -> Duration {
    let batch = || {
        let start = Instant::now();
        for n in 0..u64::from(BATCH) {
            black_box(call(black_box(n)));
        }
        start.elapsed()
    };
    let Some(client) = client else { return batch() };
    let took = with_client(client, batch);
    // Reading the books drains the rings.
    black_box(client.ledger());
    took
}
