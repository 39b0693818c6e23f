//! What a call allocates: nothing, once its thread has called that task.
//!
//! Counted per thread, because the flusher may allocate while the callers run.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    future::Future,
    hint::black_box,
    pin::{Pin, pin},
    sync::{LazyLock, OnceLock},
    task::{Context, Poll, Waker},
    thread::{self, ScopedJoinHandle},
    time::Duration,
};

use instrument_task::{Client, Guard, instrument_task, testing::capture, worker::Metrics};
use instrument_task_tests::{attempts, bounds};

const CALLS: u32 = 1_000_000;

/// The system's allocator, which also counts for each thread how often it is asked for memory.
struct Counting;

thread_local! {
    // Without a destructor and without lazy set-up, so that counting never allocates itself.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    ALLOCATIONS.set(ALLOCATIONS.get() + 1);
}

// SAFETY: every call is passed on as it came to `System`, which keeps the contract; counting touches one thread-local
// number and neither allocates nor unwinds.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often this thread allocated while `f` ran.
fn allocations(f: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.get();
    f();
    ALLOCATIONS.get() - before
}

/// The client that all tests of this process count in; the first that needs it installs it.
///
/// Nobody reads at its address, so it also meets the refusals of a server that is down.
fn client() -> &'static Client {
    static CLIENT: OnceLock<Guard> = OnceLock::new();
    CLIENT.get_or_init(|| {
        Client::builder()
            .ignore_environment()
            .address("127.0.0.1:9")
            .flush_interval(Duration::from_millis(50))
            .drain_interval(Duration::from_millis(5))
            .install()
            .expect("nothing else installs one")
    })
}

#[instrument_task]
fn plain(n: u32) -> u32 {
    n.rotate_left(3)
}

#[instrument_task]
fn fallible(n: u32) -> Result<u32, u32> {
    if n.is_multiple_of(3) {
        return Err(n);
    }
    Ok(n)
}

#[instrument_task]
fn generic<T: Clone>(value: &T) -> Option<T> {
    Some(value.clone())
}

/// One call of each plain task.
fn call_plain(n: u32) {
    black_box(plain(black_box(n)));
    let _ = black_box(fallible(black_box(n)));
    black_box(generic(black_box(&n)));
}

#[instrument_task]
async fn ready(n: u32) -> Result<u32, u32> {
    if n.is_multiple_of(3) {
        return Err(n);
    }
    Ok(n)
}

#[instrument_task]
async fn pausing(n: u32) -> u32 {
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

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// One call of each asynchronous task: one that is ready at once, one that is resumed, one that is dropped in between.
fn call_async(n: u32) {
    let _ = black_box(poll(pin!(ready(n))));
    let mut resumed = pin!(pausing(n));
    while black_box(poll(resumed.as_mut())).is_pending() {}
    let _ = black_box(poll(pin!(pausing(n))));
}

/// One attempt at a job of each end.
fn make_attempts(_: u32) {
    static METRICS: LazyLock<Metrics> = LazyLock::new(|| Metrics::new("attempts"));

    attempts::of_each_end(&METRICS);
}

/// Rounds of three calls each that make a million calls and more.
const ROUNDS: u32 = CALLS.div_ceil(3);

/// Runs a million calls and says how often that allocated.
fn million(call: fn(u32)) -> u64 {
    call(0);
    allocations(|| (0..ROUNDS).for_each(call))
}

/// Runs `f` and checks that `calls` calls or more were counted meanwhile: other tests add to the same books.
#[track_caller]
fn assert_counted<R>(calls: u32, f: impl FnOnce() -> R) -> R {
    let recorded = || client().ledger().counters.recorded;
    let before = recorded();
    let value = f();
    // A start and an end each.
    assert!(recorded() - before >= u64::from(calls) * 2);
    value
}

#[test]
fn the_allocator_counts() {
    let boxed = allocations(|| {
        black_box(Box::new(black_box(1)));
    });
    assert_eq!(boxed, 1);
}

#[test]
fn a_million_plain_calls_allocate_nothing() {
    assert_eq!(assert_counted(CALLS, || million(call_plain)), bounds::ALLOCATIONS);
}

#[test]
fn a_million_asynchronous_calls_allocate_nothing() {
    assert_eq!(assert_counted(CALLS, || million(call_async)), bounds::ALLOCATIONS);
}

#[test]
fn attempts_allocate_nothing() {
    const ROUNDS: u32 = CALLS / attempts::ATTEMPTS;
    let allocated = || {
        make_attempts(0);
        allocations(|| (0..ROUNDS).for_each(make_attempts))
    };
    assert_eq!(
        assert_counted(attempts::ATTEMPTS * ROUNDS, allocated),
        bounds::ALLOCATIONS
    );
}

#[test]
fn threads_side_by_side_allocate_nothing() {
    let on_each = || {
        thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| million(call_plain) + million(call_async)))
                .collect();
            let joined = threads.into_iter().map(ScopedJoinHandle::join);
            joined
                .map(|allocated| allocated.expect("it does not panic"))
                .collect()
        })
    };
    let allocated: Vec<_> = assert_counted(8 * CALLS, on_each);
    assert_eq!(allocated, [bounds::ALLOCATIONS; 4]);
}

#[test]
fn calls_that_end_on_another_thread_allocate_nothing() {
    const TRAVELLERS: u32 = 10_000;
    client();
    call_async(0);
    let mut calls: Vec<_> = (0..TRAVELLERS).map(|n| Box::pin(pausing(n))).collect();
    let mut poll_all = || {
        allocations(|| {
            for call in &mut calls {
                black_box(poll(call.as_mut()).is_pending());
            }
        })
    };
    let allocated = assert_counted(TRAVELLERS, || {
        let started = poll_all();
        let ended = thread::scope(|scope| {
            let other = scope.spawn(|| {
                call_async(0);
                poll_all()
            });
            other.join().expect("it does not panic")
        });
        (started, ended)
    });
    assert_eq!(allocated, (bounds::ALLOCATIONS, bounds::ALLOCATIONS));
}

#[test]
fn a_million_calls_in_a_scope_allocate_nothing() {
    let seen = capture(|| million(call_plain) + million(call_async));
    assert_eq!(seen.value, bounds::ALLOCATIONS);
    assert_eq!(seen.task("plain").started, u64::from(ROUNDS) + 1);
    assert_eq!(seen.task("pausing").started, 2 * (u64::from(ROUNDS) + 1));
}
