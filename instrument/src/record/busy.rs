//! Whether this thread is inside the library's cold path.
//!
//! The cold path takes locks and allocates. An instrumented allocator (or anything else that runs under it) would come
//! back in and wait for a lock that its own thread holds; it sees this flag instead and counts where neither is needed.

use std::cell::Cell;

#[cfg(not(any(loom, shuttle)))]
thread_local! {
    static BUSY: Cell<State> = const { Cell::new(State::Free) };
}

#[cfg(loom)]
loom::thread_local! {
    static BUSY: Cell<State> = Cell::new(State::Free);
}

#[cfg(shuttle)]
shuttle::thread_local! {
    static BUSY: Cell<State> = Cell::new(State::Free);
}

/// What this thread is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Free,
    /// In the cold path.
    Busy,
    /// In it, and holding one of its locks.
    Locked,
    /// In a fork, and holding all of them.
    Forking,
}

/// Marks the thread as busy until it is dropped.
#[derive(Debug)]
pub(crate) struct Busy {
    was: State,
}

impl Busy {
    /// Enters the cold path.
    pub(crate) fn new() -> Self {
        Self {
            was: BUSY.with(|busy| {
                let was = busy.get();
                if was == State::Free {
                    busy.set(State::Busy);
                }
                was
            }),
        }
    }

    /// Enters it and takes a lock there. Made before the lock is taken and dropped after it is let go.
    pub(crate) fn locked() -> Self {
        Self {
            was: BUSY.with(|busy| busy.replace(State::Locked)),
        }
    }

    /// Takes all locks there, for a fork.
    pub(super) fn forking() -> Self {
        Self {
            was: BUSY.with(|busy| busy.replace(State::Forking)),
        }
    }

    /// Whether this thread is about to fork, or has just done so, and holds all locks: it can count nothing meanwhile.
    pub(super) fn forks() -> bool {
        BUSY.with(Cell::get) == State::Forking
    }

    /// Whether this thread is in the cold path.
    pub(crate) fn is() -> bool {
        BUSY.with(Cell::get) != State::Free
    }

    /// Whether this thread holds one of the locks.
    pub(crate) fn holds_lock() -> bool {
        matches!(BUSY.with(Cell::get), State::Locked | State::Forking)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        BUSY.with(|busy| busy.set(self.was));
    }
}
