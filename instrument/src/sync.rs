//! One switch between the standard library's atomics and loom's, so that the lock-free parts can be model checked.
//!
//! Everything that a model exercises imports from here. Call-site statics do not: loom's atomics are not
//! const-constructible, and a static would outlive the model's iterations.

#[cfg(loom)]
pub(crate) use loom::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering},
};
#[cfg(not(loom))]
pub(crate) use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering},
};

/// Takes a lock whether or not an earlier holder panicked: what these locks guard is consistent at every instruction
/// that can unwind, and a panic elsewhere must not stop the counting.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
