//! Waiting for something to become true, never for time to pass.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// The longest that anything may take on a busy machine.
pub const BOUND: Duration = Duration::from_secs(60);

/// Asks again and again until `ready` has an answer.
///
/// # Panics
/// If there is none within [`BOUND`]; `what` says what was waited for.
#[track_caller]
pub fn until<T>(what: &str, ready: impl FnMut() -> Option<T>) -> T {
    until_within(BOUND, what, ready)
}

/// [`until`] with another bound, for what takes long by its nature.
///
/// # Panics
/// If there is no answer within `bound`.
#[track_caller]
pub fn until_within<T>(bound: Duration, what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ready() {
            return answer;
        }
        assert!(start.elapsed() < bound, "not within {bound:?}: {what}");
        // Between two questions to something that cannot notify us: another process.
        thread::sleep(Duration::from_millis(5));
    }
}

/// Waits for a turn: of the tests of one program that ask for it, one has it at a time. For what is the process's own, such as the
/// installed client, or its memory and processor time.
pub fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}
