//! The child of a fork, from its parent's side.

use std::{thread, time::Instant};

use crate::wait::BOUND;

/// Waits until `child` has ended, and gives its status.
///
/// # Errors
/// If it hangs; it is ended then.
pub fn wait_for(child: libc::pid_t) -> Result<i32, &'static str> {
    let start = Instant::now();
    loop {
        let mut status = 0;
        // SAFETY: `status` is a valid place, and the child is this process's own.
        if unsafe { libc::waitpid(child, &raw mut status, libc::WNOHANG) } == child {
            return Ok(status);
        }
        if start.elapsed() > BOUND {
            // SAFETY: the child is this process's own, and was not waited for.
            unsafe { libc::kill(child, libc::SIGKILL) };
            return Err("the child hangs");
        }
        thread::yield_now();
    }
}
