//! What a returned value says about its call.
//!
//! The outcome goes by the value's type, not by how the signature spells it, so that an alias such as
//! `io::Result` counts as what it is. An expansion asks [`Probe`] by method call and lets the compiler pick, in
//! this order: the inherent method for `Result` (and for the `Poll` of one), the trait method for a type with [`ToOutcome`], and, one
//! reference further away, the method for everything else. None of the three needs a bound on the user's types.

#![allow(
    clippy::inline_always,
    reason = "the cost of a call is counted in instructions"
)]

use std::{convert::Infallible, marker::PhantomData, ops::ControlFlow, task::Poll};

use crate::task::site::End;

/// How a call that returned counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// The task did its work.
    Success,
    /// The task failed.
    Exception,
    /// The task was given up before it was done.
    Cancelled,
}

/// Lets a return type of your own say how its call counts.
///
/// Without an implementation, `Result::Err` counts as an exception, as it does inside a `Poll` (`Poll<Result<T, E>>`,
/// `Poll<Option<Result<T, E>>>`), and every other value as a success: `None`, `ControlFlow::Break`, and any
/// `ExitCode`, which cannot be compared. A `Result` is always judged that way, whatever it holds.
///
/// ```
/// use instrument_task::{Outcome, ToOutcome};
///
/// enum Job {
///     Done,
///     Rejected,
/// }
///
/// impl ToOutcome for Job {
///     fn to_outcome(&self) -> Outcome {
///         match self {
///             Job::Done => Outcome::Success,
///             Job::Rejected => Outcome::Exception,
///         }
///     }
/// }
/// # assert_eq!(Job::Rejected.to_outcome(), Outcome::Exception);
/// # assert_eq!(Job::Done.to_outcome(), Outcome::Success);
/// ```
pub trait ToOutcome {
    /// The outcome that this value stands for.
    ///
    /// It runs at the end of every call, on the caller's thread, so it should be as cheap as a match. A panic in
    /// it leaves through the annotated function and counts as that function's own.
    fn to_outcome(&self) -> Outcome;
}

impl From<Outcome> for End {
    #[inline(always)]
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Success => Self::Success,
            Outcome::Exception => Self::Exception,
            Outcome::Cancelled => Self::Cancelled,
        }
    }
}

/// A returned value, about to be judged.
#[derive(Debug)]
pub struct Probe<'a, T>(pub &'a T);

// The methods' names are this long because every trait in the user's scope competes for them. Each is inherent once: of several, the
// compiler would not know which one is meant for a type that is itself an error.
impl<R: MayFail> Probe<'_, R> {
    #[doc(hidden)]
    #[inline(always)]
    #[must_use]
    pub fn instrument_task_end(&self) -> End {
        if self.0.error().is_some() {
            End::Exception
        } else {
            End::Success
        }
    }

    #[doc(hidden)]
    #[inline(always)]
    pub fn instrument_task_kind(&self, kind: impl FnOnce(&R::Error) -> &'static str) -> Option<&'static str> {
        error_kind(self.0, kind)
    }
}

/// What may be an error by its shape: a `Result`, and the poll of one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` holds no error to tell the kind of",
    label = "gets a reference to the error of a `Result`",
    note = "`error_kind` is for functions that return a `Result`, or a `Poll` of one"
)]
pub trait MayFail {
    /// What it fails with.
    type Error;

    /// The error that it is, if it is one.
    fn error(&self) -> Option<&Self::Error>;
}

impl<T, E> MayFail for Result<T, E> {
    type Error = E;

    #[inline(always)]
    fn error(&self) -> Option<&E> {
        self.as_ref().err()
    }
}

impl<T, E> MayFail for Poll<Result<T, E>> {
    type Error = E;

    #[inline(always)]
    fn error(&self) -> Option<&E> {
        match self {
            Poll::Ready(Err(error)) => Some(error),
            _ => None,
        }
    }
}

impl<T, E> MayFail for Poll<Option<Result<T, E>>> {
    type Error = E;

    #[inline(always)]
    fn error(&self) -> Option<&E> {
        match self {
            Poll::Ready(Some(Err(error))) => Some(error),
            _ => None,
        }
    }
}

/// What `?` can be put to.
pub trait Leaves: Sized {
    /// What it leaves the function with.
    type Residual;

    /// Whether it leaves the function.
    fn leaves(&self) -> bool;

    /// What it leaves with, if it does.
    fn residual(self) -> Option<Self::Residual>;
}

/// What a function may return that is left with an `R`: the standard library's own trait for it is not stable.
pub trait FromResidual<R> {
    /// The value that is returned. Whoever asks for the caller's place gets that of who called this.
    fn from_residual(residual: R) -> Self;
}

impl<T, E> Leaves for Result<T, E> {
    type Residual = Result<Infallible, E>;

    #[inline(always)]
    fn leaves(&self) -> bool {
        self.is_err()
    }

    #[inline(always)]
    fn residual(self) -> Option<Self::Residual> {
        self.err().map(Err)
    }
}

impl<T> Leaves for Option<T> {
    type Residual = Option<Infallible>;

    #[inline(always)]
    fn leaves(&self) -> bool {
        self.is_none()
    }

    #[inline(always)]
    fn residual(self) -> Option<Self::Residual> {
        Some(None)
    }
}

impl<B, C> Leaves for ControlFlow<B, C> {
    type Residual = ControlFlow<B, Infallible>;

    #[inline(always)]
    fn leaves(&self) -> bool {
        self.is_break()
    }

    #[inline(always)]
    fn residual(self) -> Option<Self::Residual> {
        self.break_value().map(ControlFlow::Break)
    }
}

impl<T, E> Leaves for Poll<Result<T, E>> {
    type Residual = Result<Infallible, E>;

    #[inline(always)]
    fn leaves(&self) -> bool {
        self.error().is_some()
    }

    #[inline(always)]
    fn residual(self) -> Option<Self::Residual> {
        match self {
            Poll::Ready(Err(error)) => Some(Err(error)),
            _ => None,
        }
    }
}

impl<T, E> Leaves for Poll<Option<Result<T, E>>> {
    type Residual = Result<Infallible, E>;

    #[inline(always)]
    fn leaves(&self) -> bool {
        self.error().is_some()
    }

    #[inline(always)]
    fn residual(self) -> Option<Self::Residual> {
        match self {
            Poll::Ready(Some(Err(error))) => Some(Err(error)),
            _ => None,
        }
    }
}

impl<T, E, F: From<E>> FromResidual<Result<Infallible, E>> for Result<T, F> {
    #[inline(always)]
    #[track_caller]
    fn from_residual(residual: Result<Infallible, E>) -> Self {
        match residual {
            Err(error) => Err(From::from(error)),
        }
    }
}

impl<T, E, F: From<E>> FromResidual<Result<Infallible, E>> for Poll<Result<T, F>> {
    #[inline(always)]
    #[track_caller]
    fn from_residual(residual: Result<Infallible, E>) -> Self {
        Poll::Ready(FromResidual::from_residual(residual))
    }
}

impl<T, E, F: From<E>> FromResidual<Result<Infallible, E>> for Poll<Option<Result<T, F>>> {
    #[inline(always)]
    #[track_caller]
    fn from_residual(residual: Result<Infallible, E>) -> Self {
        Poll::Ready(Some(FromResidual::from_residual(residual)))
    }
}

impl<T> FromResidual<Option<Infallible>> for Option<T> {
    #[inline(always)]
    fn from_residual(_: Option<Infallible>) -> Self {
        None
    }
}

impl<B, C> FromResidual<ControlFlow<B, Infallible>> for ControlFlow<B, C> {
    #[inline(always)]
    fn from_residual(residual: ControlFlow<B, Infallible>) -> Self {
        match residual {
            ControlFlow::Break(value) => ControlFlow::Break(value),
        }
    }
}

impl<T: Leaves> Probe<'_, T> {
    #[doc(hidden)]
    #[inline(always)]
    #[must_use]
    pub fn instrument_task_leaves(&self) -> bool {
        self.0.leaves()
    }
}

/// The operand of a `?` that leaves a function which returns an `O`.
#[derive(Debug)]
pub struct Leaving<T, O> {
    operand: T,
    returned: PhantomData<O>,
}

impl<T, O> Leaving<T, O> {
    #[doc(hidden)]
    #[inline(always)]
    pub const fn new(operand: T) -> Self {
        Self {
            operand,
            returned: PhantomData,
        }
    }
}

impl<T: Leaves, O: FromResidual<T::Residual>> Leaving<T, O> {
    #[doc(hidden)]
    #[inline(always)]
    #[track_caller]
    pub fn instrument_task_leave(self) -> O {
        match self.operand.residual() {
            Some(residual) => O::from_residual(residual),
            None => never_left(),
        }
    }
}

/// For what the compiler will refuse anyway.
pub trait NeverLeaves<O = ()>: Sized {
    #[doc(hidden)]
    #[inline(always)]
    fn instrument_task_leaves(&self) -> bool {
        false
    }

    #[doc(hidden)]
    fn instrument_task_leave(self) -> O {
        never_left()
    }
}

impl<T> NeverLeaves for &Probe<'_, T> {}

impl<T, O> NeverLeaves<O> for &Leaving<T, O> {}

#[cold]
fn never_left() -> ! {
    unreachable!("only an operand that leaves is left with")
}

/// The kind of the error that `value` is, if it is one, as `kind` says.
#[inline(always)]
pub fn error_kind<R: MayFail>(
    value: &R,
    kind: impl FnOnce(&R::Error) -> &'static str,
) -> Option<&'static str> {
    value.error().map(kind)
}

/// Judges by [`ToOutcome`].
pub trait ByTrait {
    #[doc(hidden)]
    fn instrument_task_end(&self) -> End;
}

impl<T: ToOutcome> ByTrait for Probe<'_, T> {
    #[inline(always)]
    fn instrument_task_end(&self) -> End {
        self.0.to_outcome().into()
    }
}

/// Judges a value that says nothing: it was returned, so the call succeeded.
pub trait Otherwise {
    #[doc(hidden)]
    fn instrument_task_end(&self) -> End;

    #[doc(hidden)]
    #[inline(always)]
    fn instrument_task_kind<K>(&self, _kind: K) -> Option<&'static str> {
        None
    }
}

impl<T> Otherwise for &Probe<'_, T> {
    #[inline(always)]
    fn instrument_task_end(&self) -> End {
        End::Success
    }
}

/// Judges by a predicate that is true of a success.
#[inline(always)]
pub fn ok_if<R>(value: &R, predicate: impl FnOnce(&R) -> bool) -> End {
    if predicate(value) {
        End::Success
    } else {
        End::Exception
    }
}

/// Judges by a predicate that is true of an exception.
#[inline(always)]
pub fn error_if<R>(value: &R, predicate: impl FnOnce(&R) -> bool) -> End {
    if predicate(value) {
        End::Exception
    } else {
        End::Success
    }
}
