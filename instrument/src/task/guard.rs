//! A synchronous call, from its start to its end.
//!
//! What is inlined into the annotated function is the look at whether there is a client, and nothing else. The token stays in
//! the function's frame and the two halves of the call get its address, so that a function saves no registers for it; a call
//! without a client then costs one store and one look at it besides.
//!
//! Without optimisation nothing is inlined, because the stack that the two halves need would then be the annotated
//! function's own while its body runs, and a deep recursion that fits the stack would not fit any more.

#![allow(
    clippy::needless_pass_by_value,
    reason = "a place by value stays in registers"
)]

use std::{mem, thread};

use crate::task::{
    place::{Place, Verdict},
    site::{End, Token},
};

/// A call that ends by hand. If it is dropped before that while its thread unwinds, it ends in a panic.
#[derive(Debug)]
#[must_use = "a call that is dropped counts as a panic"]
pub struct Call<'a, P: Place + Copy> {
    place: P,
    token: &'a mut Token,
}

impl<'a, P: Place + Copy> Call<'a, P> {
    /// Counts the start.
    #[cfg_attr(debug_assertions, inline(never))]
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn start(place: P, token: &'a mut Token) -> Self {
        if place.site().listens() {
            place.start(token);
        }
        Self { place, token }
    }

    /// Counts the end, as `judge` says of the `value` that was returned. A value that nobody counts is not judged.
    #[cfg_attr(debug_assertions, inline(never))]
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn end<R, V: Verdict>(self, value: &R, judge: impl FnOnce(&R) -> V) {
        if self.token.is_on() {
            let verdict = judge(value);
            verdict.count(&self.place, self.token);
        }
        mem::forget(self);
    }

    /// Counts a success.
    #[cfg_attr(debug_assertions, inline(never))]
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn succeed(self) {
        if self.token.is_on() {
            self.place.end(self.token, End::Success);
        }
        mem::forget(self);
    }
}

impl<P: Place + Copy> Drop for Call<'_, P> {
    #[inline(always)]
    fn drop(&mut self) {
        unwound(self.place, self.token);
    }
}

/// Counts a call that succeeds wherever its body returns, and so may be dropped on an early return.
///
/// A call that was entered while its thread was already unwinding counts as a success then, because nothing tells
/// such a call's return from a panic of its own.
#[derive(Debug)]
#[must_use = "the call ends when the guard is dropped"]
pub struct CallGuard<'a, P: Place + Copy> {
    place: P,
    token: &'a mut GuardToken,
}

/// What such a call carries. It stands in the function's frame as a whole: a register would have to be saved for the rest of it.
#[derive(Debug)]
pub struct GuardToken {
    token: Token,
    /// Whether the thread was unwinding at the start.
    unwinding: bool,
}

impl GuardToken {
    /// A call that nobody counts.
    #[inline(always)]
    #[must_use]
    pub fn off() -> Self {
        Self {
            token: Token::off(),
            unwinding: false,
        }
    }
}

impl<'a, P: Place + Copy> CallGuard<'a, P> {
    /// Counts the start.
    #[cfg_attr(debug_assertions, inline(never))]
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn enter(place: P, token: &'a mut GuardToken) -> Self {
        if place.site().listens() {
            place.start(&mut token.token);
            if thread::panicking() {
                token.unwinding = true;
            }
        }
        Self { place, token }
    }

    /// Counts the end at the end of the body, which is a success without any question.
    #[cfg_attr(debug_assertions, inline(never))]
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn succeed(self) {
        if self.token.token.is_on() {
            self.place.end(&mut self.token.token, End::Success);
        }
        mem::forget(self);
    }
}

impl<P: Place + Copy> Drop for CallGuard<'_, P> {
    #[inline(always)]
    fn drop(&mut self) {
        if self.token.token.is_on() {
            leave(self.place, self.token);
        }
    }
}

/// Runs `body` and counts the call, with `judge` to say how the value that it returned counts.
///
/// Both are closures of one call expression in the tail position of the annotated function, because only so
/// does the function's return type still guide the types inside `body`.
#[inline(always)]
pub fn call<R, V: Verdict>(
    place: impl Place + Copy,
    body: impl FnOnce() -> R,
    judge: impl FnOnce(&R) -> V,
) -> R {
    let mut token = Token::off();
    let call = Call::start(place, &mut token);
    let value = body();
    call.end(&value, judge);
    value
}

/// Runs `body`, uncounted: the part of a function that makes a future and returns it.
///
/// A closure that is called on the spot would be inferred to borrow what it captures, and then could not return
/// a borrow of its own. The bound makes it own them.
#[inline(always)]
pub fn construct<R>(body: impl FnOnce() -> R) -> R {
    body()
}

/// Counts the end of a call that was dropped: by a panic, unless a macro hid a way out of the body that the attribute did not
/// see.
#[cold]
#[inline(never)]
fn unwound(place: impl Place + Copy, token: &mut Token) {
    if token.is_on() {
        let end = if thread::panicking() {
            End::Panic
        } else {
            End::Success
        };
        place.end(token, end);
    }
}

/// Counts the end of a call that may be left before the end of its body.
#[inline(never)]
fn leave(place: impl Place + Copy, token: &mut GuardToken) {
    let end = if thread::panicking() && !token.unwinding {
        End::Panic
    } else {
        End::Success
    };
    place.end(&mut token.token, end);
}
