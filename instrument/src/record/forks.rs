//! The part of a fork that concerns counting: the locks to hold over it, and what the child must not touch.

use std::{
    cell::RefCell,
    sync::{
        MutexGuard,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use super::{busy::Busy, local, registry, series};
use crate::sys;

/// How many forks lie between this process and the one that was executed.
static FORKS: AtomicU32 = AtomicU32::new(0);

/// How many forks lie between this process and the one that was executed. What was made under another number is a
/// parent's.
///
/// Relaxed: it changes only in a new process, before anything else runs there.
pub(crate) fn count() -> u32 {
    FORKS.load(Ordering::Relaxed)
}

/// The static locks of counting, held.
struct Held {
    clients: MutexGuard<'static, local::Clients>,
    _registry: MutexGuard<'static, registry::Registry>,
    _late: series::LateLock,
}

thread_local! {
    static HELD: RefCell<Option<Held>> = const { RefCell::new(None) };
}

/// Has forks watched, from the first call on: it takes one of the locks, whether there is a client or not.
pub(crate) fn watch() {
    // Not a `Once`, which a fork could leave half done for ever.
    static WATCHES: AtomicBool = AtomicBool::new(false);
    if !WATCHES.swap(true, Ordering::Relaxed) {
        let _busy = Busy::new();
        sys::at_fork(before, in_parent, in_child);
    }
}

extern "C" fn before() {
    let _busy = Busy::new();
    // A thread whose locals are gone forks unwatched: it has nowhere to keep the locks.
    let _ = HELD.try_with(|held| {
        if let Ok(mut held) = held.try_borrow_mut() {
            *held = Some(Held {
                clients: local::lock(),
                _registry: registry::lock(),
                _late: series::lock(),
            });
        }
    });
}

/// What this thread holds, if it does.
fn held() -> Option<Held> {
    HELD.try_with(|held| held.try_borrow_mut().ok()?.take()).ok()?
}

extern "C" fn in_parent() {
    drop(held());
}

/// Nothing that counts here is the parent's any more.
extern "C" fn in_child() {
    if let Some(mut held) = held() {
        FORKS.store(count().wrapping_add(1), Ordering::Relaxed);
        local::forked(&mut held.clients);
    }
}
