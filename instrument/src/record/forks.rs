//! The part of a fork that concerns counting: the locks to hold over it, and what the child must not touch.

use std::{
    cell::RefCell,
    sync::{
        MutexGuard,
        atomic::{AtomicU8, AtomicU32, Ordering},
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

/// The static locks of counting, held, and a mark on the thread that it holds them: the handlers of others run meanwhile, and may call what
/// counts.
struct Held {
    clients: MutexGuard<'static, local::Clients>,
    _registry: MutexGuard<'static, registry::Registry>,
    _late: series::LateLock,
    _busy: Busy,
}

thread_local! {
    static HELD: RefCell<Option<Held>> = const { RefCell::new(None) };
}

/// Has forks watched, from the first call on: it takes one of the locks, whether there is a client or not. False while another thread is about
/// to do so: forks are not watched yet.
pub(crate) fn watch() -> bool {
    // Not a `Once`: who waited for one would wait for ever in the child of a fork that came in between.
    static WATCHES: AtomicU8 = AtomicU8::new(UNWATCHED);
    const UNWATCHED: u8 = 0;
    const BEGUN: u8 = 1;
    const WATCHED: u8 = 2;

    // Acquire, of the Release below: the handlers are there.
    if WATCHES.load(Ordering::Acquire) == WATCHED {
        return true;
    }
    let begins = WATCHES.compare_exchange(UNWATCHED, BEGUN, Ordering::Relaxed, Ordering::Relaxed);
    if begins.is_ok() {
        let _busy = Busy::new();
        sys::at_fork(before, in_parent, in_child);
        WATCHES.store(WATCHED, Ordering::Release);
    }
    begins.is_ok()
}

extern "C" fn before() {
    // A thread whose locals are gone forks unwatched: it has nowhere to keep the locks.
    let _ = HELD.try_with(|held| {
        if let Ok(mut held) = held.try_borrow_mut() {
            let busy = Busy::forking();
            *held = Some(Held {
                clients: local::lock(),
                _registry: registry::lock(),
                _late: series::lock(),
                _busy: busy,
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
