//! What a fork without exec must not break.
//!
//! The child has one thread, the one that forked, and a copy of everything: shards of threads that are gone, a flusher that
//! is not there, counts that the parent will send. So in the child every client starts afresh, with new shards and a
//! flusher of its own, when it is first used; what it had is left where it is. A call in flight at the fork belongs to the
//! parent.
//!
//! The locks that a child can meet are few and static. The thread that forks takes them all before, and both sides
//! let go of them after, so that none is held by a thread that does not exist.

use std::{
    cell::RefCell,
    sync::{Mutex, MutexGuard, Once, PoisonError},
    thread,
};

use crate::{
    global,
    record::{forks, local},
    sys, worker,
};

/// Held around every use of a client's state that takes a lock of its own.
static GATE: Mutex<()> = Mutex::new(());

/// Keeps a fork from happening on another thread meanwhile.
pub(crate) fn gate() -> MutexGuard<'static, ()> {
    GATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The static locks that come before those of counting, in the order in which they may be taken.
struct Held {
    _installed: global::Lock,
    _gate: MutexGuard<'static, ()>,
    _worker: worker::Lock,
}

thread_local! {
    static HELD: RefCell<Option<Held>> = const { RefCell::new(None) };
}

/// Has forks watched, from the first client on.
pub(crate) fn watch() {
    static WATCH: Once = Once::new();
    WATCH.call_once(|| {
        local::revive_by(global::revive);
        // Who is registered first is called last before a fork, and first after it.
        // Another thread's first call may be at it, and in a child of a fork in between nobody is: so not for ever.
        let mut patience = 1_000;
        while !forks::watch() && patience > 0 {
            patience -= 1;
            thread::yield_now();
        }
        sys::at_fork(before, after, after);
    });
}

extern "C" fn before() {
    // A thread whose locals are gone forks unwatched: it has nowhere to keep the locks.
    let _ = HELD.try_with(|held| {
        if let Ok(mut held) = held.try_borrow_mut() {
            *held = Some(Held {
                _installed: global::lock(),
                _gate: gate(),
                _worker: worker::lock(),
            });
        }
    });
}

extern "C" fn after() {
    let _ = HELD.try_with(|held| held.try_borrow_mut().map(|mut held| held.take()));
}
