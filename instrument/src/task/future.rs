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
    marker::PhantomData,
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use crate::task::{
    place::{Place, Verdict},
    site::{End, Token},
};

/// Wraps `future` so that it counts as a call of the task at `place`, with `judge` to say how its output counts.
///
/// It goes straight into its place: without optimisation every function that passes it on has it on the stack once more.
#[inline(always)]
pub fn future<R, F, P, J, V>(place: P, future: F, judge: J) -> TaskFuture<fn() -> R, F, P, J>
where
    F: Future<Output = R>,
    P: Place,
    J: Fn(&R) -> V,
    V: Verdict,
{
    TaskFuture {
        call: Call::fresh(place),
        judge,
        declared: PhantomData,
        future,
    }
}

/// The same with an output that `_declared` returns, which is never called. A future that has another one is no error here,
/// but where it is returned; and it may live longer than a borrow that its output may hold.
#[inline(always)]
pub fn declared_future<R, D, F, P, J, V>(
    _declared: D,
    place: P,
    future: F,
    judge: J,
) -> TaskFuture<D, F, P, J>
where
    D: Fn() -> R,
    P: Place,
    J: Fn(&R) -> V,
    V: Verdict,
{
    TaskFuture {
        call: Call::fresh(place),
        judge,
        declared: PhantomData,
        future,
    }
}

/// What no declaration comes to.
#[must_use]
#[cold]
pub fn declared<R>() -> R {
    unreachable!("a declaration is never called")
}

/// The future of an annotated function.
///
/// `D` returns what the future's output is declared to be. The auto traits are those of the future inside. `P` and `J` have no
/// state, unless the call has tags or a client of its own, so it costs the 16 bytes of its token.
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct TaskFuture<D, F, P: Place, J> {
    // Dropped, and so counted, before the future is: what its destructors do is not part of the call.
    call: Call<P>,
    judge: J,
    declared: PhantomData<D>,
    future: F,
}

/// A call, how far it has come. Its drop counts a cancellation.
struct Call<P: Place> {
    /// Fresh until the first poll, on while the call runs.
    token: Token,
    place: P,
}

impl<P: Place> Call<P> {
    /// A call that was not polled yet.
    #[inline(always)]
    fn fresh(place: P) -> Self {
        place.keep();
        Self {
            token: Token::fresh(),
            place,
        }
    }

    /// Counts the start at the first poll.
    #[cfg_attr(debug_assertions, inline(never))]
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn resume(&mut self) {
        if self.token.take_fresh() {
            if self.place.site().listens() {
                self.place.start(&mut self.token);
            }
            self.place.let_go();
        }
    }

    /// Counts the end, as `judge` says. A call that nobody counts is not judged.
    #[cfg_attr(debug_assertions, inline(never))]
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn end<V: Verdict>(&mut self, judge: impl FnOnce() -> V) {
        if self.token.is_on() {
            judge().count(&self.place, &mut self.token);
            self.token = Token::off();
        }
    }
}

impl<P: Place> Call<P> {
    /// Counts an end that is none of the future's own, if the call still runs.
    #[cold]
    #[inline(never)]
    fn end_early(&mut self, end: End) {
        if self.token.is_on() {
            self.place.end(&mut self.token, end);
            self.token = Token::off();
        }
    }
}

impl<P: Place> Drop for Call<P> {
    #[inline(always)]
    fn drop(&mut self) {
        if self.token.is_on() {
            self.end_early(End::Cancelled);
        } else if self.token.is_fresh() {
            self.place.let_go();
        }
    }
}

/// On the stack of a poll: counts a panic that unwinds out of it.
struct Polling<'a, P: Place> {
    call: &'a mut Call<P>,
}

impl<P: Place> Drop for Polling<'_, P> {
    #[inline(always)]
    fn drop(&mut self) {
        self.call.end_early(End::Panic);
    }
}

impl<R, D, F, P, J, V> Future for TaskFuture<D, F, P, J>
where
    D: Fn() -> R,
    F: Future<Output = R>,
    P: Place,
    J: Fn(&R) -> V,
    V: Verdict,
{
    type Output = R;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<R> {
        // SAFETY: the reference is used to reach the fields and never to move out of them.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: `future` is pinned as long as `self` is: nothing hands out a plain `&mut` to it, the type has no
        // `Drop` of its own that could move it, and it is `Unpin` only where `F` is. The other fields are not pinned.
        let future = unsafe { Pin::new_unchecked(&mut this.future) };

        this.call.resume();
        let polling = Polling { call: &mut this.call };
        let polled = future.poll(context);
        if let Poll::Ready(value) = &polled {
            polling.call.end(|| (this.judge)(value));
        }
        mem::forget(polling);
        polled
    }
}

impl<D, F, P: Place, J> fmt::Debug for TaskFuture<D, F, P, J> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.call.token {
            token if token.is_fresh() => "not polled",
            token if token.is_on() => "running",
            _ => "done",
        };
        formatter
            .debug_struct("TaskFuture")
            .field("state", &state)
            .finish_non_exhaustive()
    }
}
