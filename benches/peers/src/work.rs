//! The work of the task that all contenders measure.

use std::{
    future::poll_fn,
    hint::black_box,
    pin::pin,
    task::{Context, Poll, Waker},
};

pub use instrument_task_benches::Refused;

/// Next to nothing, so that what is around it shows.
///
/// # Errors
/// For one number in 2⁶⁴.
#[inline(always)]
pub fn body(n: u64) -> Result<u64, Refused> {
    if n == u64::MAX {
        return Err(Refused);
    }
    Ok(n.rotate_left(7))
}

/// Is ready when it is polled for the second time, as a future that waited for something once.
pub async fn once() {
    let mut polled = false;
    poll_fn(|_| {
        if std::mem::replace(&mut polled, true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

/// Polls until ready, the least that an executor does.
#[inline(always)]
pub fn run<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = black_box(future.as_mut().poll(&mut context)) {
            return value;
        }
    }
}

/// How many calls stand on one another in a recursion. A batch is so many of them and none left over.
pub const DEPTH: u32 = 64;

const _: () = assert!(instrument_task_benches::BATCH.is_multiple_of(DEPTH));
