//! One switch between the standard library's atomics, loom's and shuttle's, so that the lock-free parts can be model checked.
//!
//! loom tries every interleaving of a few steps, and every value that a weak memory order could show; shuttle tries many
//! random interleavings of many steps. Everything that a model exercises imports from here. Call-site statics do not: loom's
//! atomics are not const-constructible, and a static would outlive the model's iterations.

#[cfg(loom)]
pub(crate) use loom::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering},
};
#[cfg(shuttle)]
pub(crate) use shuttle::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering},
};
#[cfg(not(any(loom, shuttle)))]
pub(crate) use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering},
};

/// Takes a lock whether or not an earlier holder panicked: what these locks guard is consistent at every instruction
/// that can unwind, and a panic elsewhere must not stop the counting.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Takes a lock if nobody holds it.
pub(crate) fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(std::sync::TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(std::sync::TryLockError::WouldBlock) => None,
    }
}

/// Reading a cell that only the reading thread writes.
///
/// It is a relaxed load. The models read it unsynchronised instead, which makes loom check that no other thread
/// writes the cell, and keeps the reading out of the accesses whose orders it explores (it remembers one per atomic, and
/// would take the writer's own reading for the one that matters).
pub(crate) trait Own {
    type Value;

    fn own(&self) -> Self::Value;
}

macro_rules! own {
    ($($atomic:ty => $value:ty),*) => {$(
        impl Own for $atomic {
            type Value = $value;

            #[cfg(not(loom))]
            #[inline(always)]
            fn own(&self) -> $value {
                self.load(Ordering::Relaxed)
            }

            #[cfg(loom)]
            fn own(&self) -> $value {
                // SAFETY: loom panics if this is not the only thread that writes.
                unsafe { self.unsync_load() }
            }
        }
    )*};
}

own!(AtomicU32 => u32, AtomicUsize => usize);
