//! Whether this thread is inside the library's cold path.
//!
//! The cold path takes locks and allocates. An instrumented allocator (or anything else that runs under it) would come
//! back in and wait for a lock that its own thread holds; it sees this flag instead and counts where neither is needed.

use std::cell::Cell;

#[cfg(not(loom))]
thread_local! {
    static BUSY: Cell<bool> = const { Cell::new(false) };
}

#[cfg(loom)]
loom::thread_local! {
    static BUSY: Cell<bool> = Cell::new(false);
}

/// Marks the thread as busy until it is dropped. Taken before a lock and let go after it.
#[derive(Debug)]
pub(crate) struct Busy {
    was: bool,
}

impl Busy {
    pub(crate) fn new() -> Self {
        Self {
            was: BUSY.with(|busy| busy.replace(true)),
        }
    }

    /// Whether this thread is busy.
    pub(crate) fn is() -> bool {
        BUSY.with(Cell::get)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        BUSY.with(|busy| busy.set(self.was));
    }
}
