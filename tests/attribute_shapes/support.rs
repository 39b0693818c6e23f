//! What the shapes share.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use instrument_task::testing::capture;

/// A task's name and its counts: started, success, exceptions, cancelled, panics.
pub type Expected<'a> = (&'a str, [u64; 5]);

/// Runs `calls` and checks that they counted as `expected`, and that nothing else did.
pub fn counts(expected: &[Expected<'_>], calls: impl FnOnce()) {
    let seen = capture(calls);
    let seen: Vec<_> = seen
        .tasks()
        .map(|(name, counts)| {
            (
                name,
                [
                    counts.started,
                    counts.success,
                    counts.exceptions,
                    counts.cancelled,
                    counts.panics,
                ],
            )
        })
        .collect();
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    assert_eq!(
        seen, expected,
        "name, [started, success, exceptions, cancelled, panics]"
    );
}

/// `calls` of one task, all of which succeed.
pub const fn succeed(calls: u64) -> [u64; 5] {
    [calls, calls, 0, 0, 0]
}

/// `ok` calls of one task that succeed, and `err` that return an error.
pub const fn mixed(ok: u64, err: u64) -> [u64; 5] {
    [ok + err, ok, err, 0, 0]
}

/// Polls a future to its end. It has to wake nobody.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = poll_once(future.as_mut()) {
            return value;
        }
    }
}

/// Polls a future once.
pub fn poll_once<F: Future + ?Sized>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Is pending once.
pub async fn pause() {
    let mut paused = false;
    std::future::poll_fn(|_| {
        if std::mem::replace(&mut paused, true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

/// Checks at compile time that a value may go to another thread.
pub fn assert_send<T: Send>(value: T) -> T {
    value
}

/// An error.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault;

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("fault")
    }
}

impl std::error::Error for Fault {}

/// Runs `f`, which must panic, and returns the panic's message.
pub fn panics<R>(f: impl FnOnce() -> R) -> String {
    let run = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f));
    let payload = run.err().expect("it has to panic");
    match payload.downcast::<String>() {
        Ok(message) => *message,
        Err(payload) => payload.downcast_ref::<&str>().copied().unwrap_or("?").to_owned(),
    }
}
