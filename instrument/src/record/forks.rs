//! The part of a fork that concerns counting: the locks to hold over it, and what the child must not touch.

use std::sync::{
    MutexGuard,
    atomic::{AtomicU32, Ordering},
};

use super::{busy::Busy, local, registry, series};

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
pub(crate) struct Held {
    clients: MutexGuard<'static, local::Clients>,
    _registry: MutexGuard<'static, registry::Registry>,
    _late: series::LateLock,
}

/// Takes the locks.
pub(crate) fn hold() -> Held {
    let _busy = Busy::new();
    Held {
        clients: local::lock(),
        _registry: registry::lock(),
        _late: series::lock(),
    }
}

/// In the child: nothing that counts here is the parent's any more.
pub(crate) fn in_child(mut held: Held) {
    FORKS.store(count().wrapping_add(1), Ordering::Relaxed);
    local::forked(&mut held.clients);
}
