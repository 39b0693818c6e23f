//! What only the C runtime offers.

/// Has `hook` called when the process exits by `std::process::exit` or by a return from `main`; false if it cannot be.
#[cfg(any(unix, windows))]
pub(crate) fn at_exit(hook: extern "C" fn()) -> bool {
    use std::ffi::c_int;

    unsafe extern "C" {
        // SAFETY: declared as the C standard does, which every runtime that Rust's std stands on follows.
        safe fn atexit(hook: extern "C" fn()) -> c_int;
    }
    atexit(hook) == 0
}

/// There is no such hook here; the guard's drop still flushes.
#[cfg(not(any(unix, windows)))]
pub(crate) fn at_exit(_hook: extern "C" fn()) -> bool {
    false
}
