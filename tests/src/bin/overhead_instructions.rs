//! Calls for an instruction counter: `overhead_instructions MODE SHAPE CALLS`.
//!
//! All calls are made by one function, `measured`, and what it and its callees execute is what a call costs. Prints how many
//! calls were counted and how many durations were taken, so that nobody takes one mode for another.

use std::{
    env,
    future::Future,
    hint::black_box,
    pin::Pin,
    process::ExitCode,
    task::{Context, Poll, Waker},
    time::Duration,
};

use instrument_task::{Client, ClientBuilder, Guard};

/// Calls between two drains of the timed mode: few enough that the ring never asks for sampling.
const TIMED_BATCH: u64 = 400;

/// The same functions, once as they stand, once with the attribute, and once with the one that most programs have.
macro_rules! shapes {
    ($($attribute:tt)*) => {
        use super::{Future, Pin, Refused, work};

        #[inline(never)]
        $($attribute)*
        pub(super) fn leaf(n: u64) -> u64 {
            n.rotate_left(7) ^ 0x9E37
        }

        #[inline(never)]
        $($attribute)*
        pub(super) fn fallible(n: u64) -> Result<u64, Refused> {
            let done = work(n);
            if done == u64::MAX { Err(Refused) } else { Ok(done) }
        }

        #[inline(never)]
        $($attribute)*
        pub(super) fn question(n: u64) -> Result<u64, Refused> {
            let done = super::tried(n)?;
            Ok(work(done))
        }

        #[inline(never)]
        #[track_caller]
        $($attribute)*
        pub(super) fn tracked(n: u64) -> Result<u64, Refused> {
            let done = super::tried(n)?;
            Ok(work(done))
        }

        #[inline(never)]
        $($attribute)*
        pub(super) fn guarded(n: u64) {
            if n == u64::MAX {
                return;
            }
            work(n);
        }

        $($attribute)*
        pub(super) fn boxed(n: u64) -> Pin<Box<dyn Future<Output = Result<u64, Refused>>>> {
            Box::pin(async move {
                let done = work(n);
                if done == u64::MAX { Err(Refused) } else { Ok(done) }
            })
        }

        #[must_use]
        $($attribute)*
        #[allow(clippy::double_must_use, clippy::unused_async, reason = "the attribute keeps the word `async` then")]
        pub(super) async fn kept(n: u64) -> Result<u64, Refused> {
            let done = work(n);
            if done == u64::MAX { Err(Refused) } else { Ok(done) }
        }

        $($attribute)*
        #[allow(clippy::unused_async, reason = "what an asynchronous function costs that never waits")]
        pub(super) async fn ready(n: u64) -> Result<u64, Refused> {
            let done = work(n);
            if done == u64::MAX { Err(Refused) } else { Ok(done) }
        }
    };
}

mod bare {
    shapes! {}

    /// What a job queue calls.
    #[inline(never)]
    pub(super) fn attempt(n: u64) -> Result<u64, Refused> {
        let done = work(n);
        if done == u64::MAX { Err(Refused) } else { Ok(done) }
    }
}

mod annotated {
    use std::sync::LazyLock;

    use instrument_task::worker::Metrics;

    shapes! { #[instrument_task::instrument_task] }

    static METRICS: LazyLock<Metrics> = LazyLock::new(|| Metrics::new("attempt"));

    /// The same with a layer of that queue around it.
    #[inline(never)]
    pub(super) fn attempt(n: u64) -> Result<u64, Refused> {
        let attempt = METRICS.start();
        let result = super::bare::attempt(n);
        match result {
            Ok(_) => attempt.succeed(),
            Err(_) => attempt.fail(None),
        }
        result
    }
}

/// Of a program without a subscriber.
mod traced {
    shapes! { #[tracing::instrument(skip_all)] }

    #[inline(never)]
    #[tracing::instrument(skip_all)]
    pub(super) fn attempt(n: u64) -> Result<u64, Refused> {
        let done = work(n);
        if done == u64::MAX { Err(Refused) } else { Ok(done) }
    }
}

#[derive(Debug)]
struct Refused;

/// What a task does: a call of something that the compiler cannot see through, and that may panic.
#[inline(never)]
fn work(n: u64) -> u64 {
    assert_ne!(black_box(n), u64::MAX);
    n.rotate_left(7) ^ 0x9E37
}

#[inline(never)]
fn tried(n: u64) -> Result<u64, Refused> {
    if black_box(n) == u64::MAX {
        return Err(Refused);
    }
    Ok(n)
}

/// Polls once what is ready at once and drops it, as an executor does: in a box, by a pointer to what it does not know.
#[inline(never)]
fn run_to_end(mut future: Pin<Box<dyn Future<Output = Result<u64, Refused>>>>) -> Result<u64, Refused> {
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => Err(Refused),
    }
}

/// The functions of a module as tasks by name, those that make a future with who polls it.
macro_rules! tasks {
    ($module:ident, $shape:expr) => {{
        #[inline(never)]
        fn ready(n: u64) -> Result<u64, Refused> {
            run_to_end(Box::pin($module::ready(n)))
        }

        #[inline(never)]
        fn kept(n: u64) -> Result<u64, Refused> {
            run_to_end(Box::pin($module::kept(n)))
        }

        #[inline(never)]
        fn boxed(n: u64) -> Result<u64, Refused> {
            run_to_end($module::boxed(n))
        }

        Some(match $shape {
            "leaf" => Self::Plain($module::leaf),
            "fallible" => Self::Fallible($module::fallible),
            "question" => Self::Fallible($module::question),
            "tracked" => Self::Fallible($module::tracked),
            "guarded" => Self::Unit($module::guarded),
            "ready" => Self::Fallible(ready),
            "kept" => Self::Fallible(kept),
            "boxed" => Self::Fallible(boxed),
            "attempt" => Self::Fallible($module::attempt),
            _ => return None,
        })
    }};
}

#[derive(Clone, Copy)]
enum Task {
    Unit(fn(u64)),
    Plain(fn(u64) -> u64),
    Fallible(fn(u64) -> Result<u64, Refused>),
}

impl Task {
    fn named(mode: &str, shape: &str) -> Option<Self> {
        match mode {
            "bare" => tasks!(bare, shape),
            "tracing" => tasks!(traced, shape),
            _ => tasks!(annotated, shape),
        }
    }
}

/// The calls whose instructions are counted, by pointers that the compiler cannot follow.
#[inline(never)]
fn measured(task: Task, calls: u64) {
    match black_box(task) {
        Task::Unit(call) => {
            for n in 0..calls {
                call(n);
            }
        }
        Task::Plain(call) => {
            for n in 0..calls {
                black_box(call(n));
            }
        }
        Task::Fallible(call) => {
            for n in 0..calls {
                let _ = black_box(call(n));
            }
        }
    }
}

/// The client of a mode, and the calls between two drains.
fn client(mode: &str, calls: u64) -> Option<(Option<ClientBuilder>, u64)> {
    let builder = Client::builder()
        .ignore_environment()
        .timer_budget(u32::MAX)
        .client_timer_budget(u32::MAX);
    Some(match mode {
        "bare" | "tracing" | "off" => (None, calls),
        "untimed" => (Some(builder.sample_rate(0.0001)), calls),
        "timed" => (Some(builder), TIMED_BATCH),
        _ => return None,
    })
}

fn run(mode: &str, shape: &str, calls: u64) -> Option<()> {
    let (builder, batch) = client(mode, calls)?;
    let task = Task::named(mode, shape)?;
    let guard: Option<Guard> = builder.and_then(|builder| {
        // Nothing leaves while the calls run.
        let hour = Duration::from_secs(3_600);
        builder
            .flush_interval(hour)
            .drain_interval(Duration::from_secs(60))
            .shutdown_deadline(Duration::ZERO)
            .install()
            .ok()
    });
    // The first call of all takes a shard.
    match task {
        Task::Unit(call) => call(0),
        Task::Plain(call) => drop(black_box(call(0))),
        Task::Fallible(call) => drop(black_box(call(0))),
    }
    let mut left = calls;
    while left > 0 {
        let now = left.min(batch);
        measured(task, now);
        left -= now;
        if let Some(client) = &guard {
            // Reading the books drains the rings.
            let _ = client.ledger();
        }
    }
    let ledger = guard.as_deref().map(Client::ledger).unwrap_or_default();
    println!("{} {}", ledger.counters.recorded, ledger.timers.recorded);
    Some(())
}

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    if let [mode, shape, calls] = &arguments[..]
        && let Ok(calls) = calls.parse()
        && run(mode, shape, calls).is_some()
    {
        return ExitCode::SUCCESS;
    }
    eprintln!(
        "usage: overhead_instructions bare|tracing|off|untimed|timed \
         leaf|fallible|question|tracked|guarded|ready|kept|boxed|attempt CALLS"
    );
    ExitCode::FAILURE
}
