//! A synchronous call, from its start to its end.
//!
//! Everything here is inlined into the annotated function, where the site is a constant and a token that says
//! "no client" folds both halves away. What runs only on the way out of the ordinary stays out of line, and takes
//! its arguments by value: a guard whose address is taken would have to be written to memory on every call.
//!
//! Without optimisation nothing is inlined, because the stack that the two halves need would then be the annotated
//! function's own while its body runs, and a deep recursion that fits the stack would not fit any more.

#![allow(
    clippy::inline_always,
    reason = "the cost of a call is counted in instructions"
)]

use std::{mem, thread};

use crate::task::site::{End, Site, Token};

/// A call that ends by hand. If it is dropped before that, it ends in a panic.
#[derive(Debug)]
#[must_use = "a call that is dropped counts as a panic"]
pub struct Call {
    site: &'static Site,
    token: Token,
}

impl Call {
    /// Counts the start.
    #[cfg_attr(debug_assertions, inline(never))]
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn start(site: &'static Site) -> Self {
        Self {
            site,
            token: site.start(),
        }
    }

    /// Counts the end, as `judge` says of the `value` that was returned. A value that nobody counts is not judged.
    #[cfg_attr(debug_assertions, inline(never))]
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn end<R>(self, value: &R, judge: impl FnOnce(&R) -> End) {
        let Self { site, token } = self;
        if token.is_on() {
            let end = judge(value);
            site.end(token, end);
        }
        mem::forget(self);
    }

    /// Counts a success.
    #[cfg_attr(debug_assertions, inline(never))]
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn succeed(self) {
        self.site.end(self.token, End::Success);
        mem::forget(self);
    }
}

impl Drop for Call {
    #[inline(always)]
    fn drop(&mut self) {
        unwound(self.site, self.token);
    }
}

/// Counts a call that succeeds wherever its body returns, and so may be dropped on an early return.
///
/// A call that was entered while its thread was already unwinding counts as a success then, because nothing tells
/// such a call's return from a panic of its own.
#[derive(Debug)]
#[must_use = "the call ends when the guard is dropped"]
pub struct CallGuard {
    site: &'static Site,
    token: Token,
    unwinding: bool,
}

impl CallGuard {
    /// Counts the start.
    #[cfg_attr(debug_assertions, inline(never))]
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn enter(site: &'static Site) -> Self {
        let token = site.start();
        Self {
            site,
            token,
            unwinding: token.is_on() && thread::panicking(),
        }
    }

    /// Counts the end at the end of the body, which is a success without any question.
    #[cfg_attr(debug_assertions, inline(never))]
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn succeed(self) {
        self.site.end(self.token, End::Success);
        mem::forget(self);
    }
}

impl Drop for CallGuard {
    #[inline(always)]
    fn drop(&mut self) {
        if self.token.is_on() {
            left(self.site, self.token, self.unwinding);
        }
    }
}

/// Runs `body` and counts the call, with `judge` to say how the value that it returned counts.
///
/// Both are closures of one call expression in the tail position of the annotated function, because only so
/// does the function's return type still guide the types inside `body`.
#[inline(always)]
pub fn call<R>(site: &'static Site, body: impl FnOnce() -> R, judge: impl FnOnce(&R) -> End) -> R {
    let call = Call::start(site);
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

/// Counts the end of a call by a panic.
#[cold]
#[inline(never)]
pub(super) fn unwound(site: &'static Site, token: Token) {
    site.end(token, End::Panic);
}

/// Counts the end of a call that was left before the end of its body.
#[inline(never)]
fn left(site: &'static Site, token: Token, unwinding: bool) {
    let end = if thread::panicking() && !unwinding {
        End::Panic
    } else {
        End::Success
    };
    site.end(token, end);
}
