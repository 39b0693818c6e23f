//! An asynchronous call, from its first poll to its end.
//!
//! One future owns the user's. It counts the start at the first poll, the end at the poll that is ready, a panic
//! as it unwinds out of a poll (so that one which is caught counts even if the future is kept or leaked), and a
//! cancellation when it is dropped in between. A future that is never polled counts nothing, and neither does
//! a poll after the end.

#![allow(
    clippy::inline_always,
    reason = "the cost of a call is counted in instructions"
)]

use std::{
    fmt,
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use crate::task::{
    place::{Place, Verdict},
    site::{End, Token},
};

/// Wraps `future` so that it counts as a call of the task at `place`, with `judge` to say how its output counts.
#[inline(always)]
pub fn future<R, F, P, J, V>(place: P, future: F, judge: J) -> TaskFuture<F, P, J>
where
    F: Future<Output = R>,
    P: Place,
    J: Fn(&R) -> V,
    V: Verdict,
{
    TaskFuture {
        call: Call {
            state: State::Fresh,
            place,
        },
        judge,
        future,
    }
}

/// The future of an annotated function.
///
/// Its auto traits are those of the future inside. `P` and `J` have no state, unless the call has tags or a client of its
/// own, so it costs the 24 bytes of its own state.
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct TaskFuture<F, P: Place, J> {
    // Dropped, and so counted, before the future is: what its destructors do is not part of the call.
    call: Call<P>,
    judge: J,
    future: F,
}

/// How far a call has come. Its drop counts a cancellation.
struct Call<P: Place> {
    state: State,
    place: P,
}

#[derive(Clone, Copy)]
enum State {
    Fresh,
    Running(Token),
    Done,
}

impl<P: Place> Call<P> {
    /// The token of the call that is running, which starts here if it has not yet.
    #[cfg_attr(debug_assertions, inline(never))]
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn resume(&mut self) -> Option<Token> {
        match self.state {
            State::Running(token) => Some(token),
            State::Fresh => {
                let token = self.place.start();
                self.state = State::Running(token);
                Some(token)
            }
            State::Done => None,
        }
    }

    #[cfg_attr(debug_assertions, inline(never))]
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn end(&mut self, token: Token, verdict: impl Verdict) {
        self.state = State::Done;
        verdict.count(&self.place, token);
    }
}

impl<P: Place> Drop for Call<P> {
    #[inline(always)]
    fn drop(&mut self) {
        if let State::Running(token) = self.state {
            self.place.end(token, End::Cancelled);
        }
    }
}

/// On the stack of a poll: counts a panic that unwinds out of it.
struct Polling<'a, P: Place> {
    call: &'a mut Call<P>,
    token: Option<Token>,
}

impl<P: Place> Drop for Polling<'_, P> {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(token) = self.token {
            self.call.state = State::Done;
            unwound(&self.call.place, token);
        }
    }
}

/// Counts the end of a call by a panic.
#[cold]
#[inline(never)]
fn unwound(place: &impl Place, token: Token) {
    place.end(token, End::Panic);
}

impl<F, P, J, V> Future for TaskFuture<F, P, J>
where
    F: Future,
    P: Place,
    J: Fn(&F::Output) -> V,
    V: Verdict,
{
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: the reference is used to reach the fields and never to move out of them.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: `future` is pinned as long as `self` is: nothing hands out a plain `&mut` to it, the type has no
        // `Drop` of its own that could move it, and it is `Unpin` only where `F` is. The other fields are not pinned.
        let future = unsafe { Pin::new_unchecked(&mut this.future) };

        let token = this.call.resume();
        let polling = Polling {
            call: &mut this.call,
            token,
        };
        let polled = future.poll(context);
        match &polled {
            Poll::Pending => mem::forget(polling),
            Poll::Ready(value) => {
                let verdict = (this.judge)(value);
                mem::forget(polling);
                if let Some(token) = token {
                    this.call.end(token, verdict);
                }
            }
        }
        polled
    }
}

impl<F, P: Place, J> fmt::Debug for TaskFuture<F, P, J> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.call.state {
            State::Fresh => "not polled",
            State::Running(_) => "running",
            State::Done => "done",
        };
        formatter
            .debug_struct("TaskFuture")
            .field("state", &state)
            .finish_non_exhaustive()
    }
}
