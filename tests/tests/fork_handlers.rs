//! Annotated functions that are called from the program's own handlers of a fork, while this library holds its locks: with a client and
//! without one, nobody waits for ever.
#![cfg(unix)]

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use instrument_task::{Client, instrument_task};
use instrument_task_tests::forked::wait_for;

static CALLS: AtomicU32 = AtomicU32::new(0);

/// Called by handlers alone, so that its first call may be in the middle of a fork.
#[instrument_task]
fn reconnects() {
    CALLS.fetch_add(1, Ordering::Relaxed);
}

/// The same, with tags of the call.
#[instrument_task(tags(of = of))]
fn reconnects_one(of: u32) {
    CALLS.fetch_add(of, Ordering::Relaxed);
}

#[instrument_task]
fn works() {}

extern "C" fn handler() {
    reconnects();
    reconnects_one(1);
}

/// Forks; the child works, and ends with 0 if its handlers ran.
fn forks_and_waits() -> Result<i32, &'static str> {
    CALLS.store(0, Ordering::Relaxed);
    // SAFETY: the child calls what any program may call after a fork of a process with threads on this system, and leaves by `_exit`.
    let child = unsafe { libc::fork() };
    if child == 0 {
        works();
        let ran = CALLS.load(Ordering::Relaxed) == 4;
        // SAFETY: ends this process without running what belongs to the parent.
        unsafe { libc::_exit(i32::from(!ran)) };
    }
    wait_for(child)
}

#[test]
fn handlers_of_the_program_may_call_what_is_counted() {
    // Before the library's own, whose first call or client registers them: so these run while it holds its locks.
    // SAFETY: the handler is a function that may be called at any time.
    let registered = unsafe { libc::pthread_atfork(Some(handler), Some(handler), Some(handler)) };
    assert_eq!(registered, 0);

    works();
    assert_eq!(forks_and_waits(), Ok(0));
    assert_eq!(CALLS.load(Ordering::Relaxed), 4);

    let client = Client::builder()
        .ignore_environment()
        .address("127.0.0.1:9")
        .shutdown_deadline(Duration::ZERO)
        .install()
        .expect("no other client is installed in this process");
    for _ in 0..10 {
        works();
        assert_eq!(forks_and_waits(), Ok(0));
    }
    // What a handler could not count is not half counted.
    assert!(client.ledger().is_balanced());
    assert_eq!(client.ledger().counters.recorded % 2, 0);
}
