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

/// Has the three called around every fork: before it, and after it in the parent and in the child.
#[cfg(unix)]
pub(crate) fn at_fork(
    before: extern "C" fn(),
    in_parent: extern "C" fn(),
    in_child: extern "C" fn(),
) -> bool {
    use std::ffi::c_int;

    unsafe extern "C" {
        // SAFETY: declared as POSIX does; an `Option` of a function pointer is a pointer that may be null.
        safe fn pthread_atfork(
            before: Option<extern "C" fn()>,
            in_parent: Option<extern "C" fn()>,
            in_child: Option<extern "C" fn()>,
        ) -> c_int;
    }
    pthread_atfork(Some(before), Some(in_parent), Some(in_child)) == 0
}

/// There are no forks here.
#[cfg(not(unix))]
pub(crate) fn at_fork(
    _before: extern "C" fn(),
    _in_parent: extern "C" fn(),
    _in_child: extern "C" fn(),
) -> bool {
    false
}
