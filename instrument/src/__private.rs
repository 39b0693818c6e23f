//! Everything that an expansion of the attribute may name. Not part of the public interface.

pub use std::boxed::Box;

pub use crate::client::Client;

pub use crate::task::{
    future::{TaskFuture, declared, declared_future, future},
    guard::{Call, CallGuard, GuardToken, call, construct},
    outcome::{ByTrait, Leaving, NeverLeaves, Otherwise, Probe, error_if, error_kind, ok_if},
    place::{At, Kinded, Place, Tagged, Verdict, Within, tagged, within},
    site::{End, Setup, Site, Timing, Token},
};

/// Checks a sample rate that is not a literal, while the program is compiled.
///
/// # Panics
///
/// In the compiler, if it is no such share.
#[must_use]
pub const fn sample_rate(rate: f64) -> f64 {
    assert!(
        rate > 0.0 && rate <= 1.0,
        "a sample rate is above 0 and at most 1"
    );
    rate
}

/// Checks the name of a task that is not a literal, while the program is compiled.
///
/// # Panics
///
/// In the compiler, if a server could read the name as something else.
#[must_use]
pub const fn task_name(name: &'static str) -> &'static str {
    let bytes = name.as_bytes();
    assert!(!bytes.is_empty(), "a task name cannot be empty");
    assert!(bytes.len() <= 100, "a task name has at most 100 bytes");
    let mut previous = b'.';
    let mut index = 0;
    while index < bytes.len() {
        let byte = bytes[index];
        assert!(
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'),
            "a task name holds ASCII letters, digits, `_`, `.` and `-`"
        );
        assert!(
            byte != b'.' || previous != b'.',
            "a task name neither starts nor ends with a dot, and has no empty part"
        );
        previous = byte;
        index += 1;
    }
    assert!(
        previous != b'.',
        "a task name neither starts nor ends with a dot, and has no empty part"
    );
    name
}
