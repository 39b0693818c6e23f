//! The installed client: at most one at a time.

use std::{
    error::Error as _,
    sync::{Mutex, MutexGuard, Once, PoisonError},
};

use crate::{
    client::{Client, Guard},
    error::Error,
    sys,
};

static INSTALLED: Mutex<Option<Client>> = Mutex::new(None);

/// The lock of the installed client, held.
pub(crate) type Lock = MutexGuard<'static, Option<Client>>;

pub(crate) fn lock() -> Lock {
    INSTALLED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a client from the environment and installs it: from now on every annotated call counts.
///
/// Short for [`Client::builder()`](Client::builder)[`.install()`](crate::ClientBuilder::install). Keep the [`Guard`] until the
/// end of `main`.
///
/// ```no_run
/// fn main() -> Result<(), instrument_task::Error> {
///     let _metrics = instrument_task::init()?;
///     // …
///     Ok(())
/// }
/// ```
///
/// # Errors
/// Malformed configuration, named with its variable and value; a client that is installed already; a socket or a thread
/// that the system would not give.
pub fn init() -> Result<Guard, Error> {
    Client::builder().install()
}

/// [`init`] for a worker that must start in any case: what would be an error is one warning through `tracing`, and nothing is
/// counted.
///
/// ```
/// let _metrics = instrument_task::init_or_disabled();
/// ```
pub fn init_or_disabled() -> Guard {
    init().unwrap_or_else(|error| {
        let cause = error
            .source()
            .map(|source| format!(": {source}"))
            .unwrap_or_default();
        tracing::warn!(target: "instrument_task", "no metrics: {error}{cause}");
        Guard::disabled()
    })
}

/// Installs the client that `start` makes.
pub(crate) fn install(start: impl FnOnce() -> Result<Guard, Error>) -> Result<Guard, Error> {
    static AT_EXIT: Once = Once::new();
    let mut slot = lock();
    if slot.is_some() {
        return Err(Error::already_installed());
    }
    let guard = start()?;
    if guard.is_enabled() {
        AT_EXIT.call_once(|| {
            sys::at_exit(flush_at_exit);
        });
        *slot = Some(guard.client());
    }
    Ok(guard)
}

/// Has the installed client start again, in the child of a fork.
pub(crate) fn revive() {
    let client = lock().clone();
    if let Some(client) = client {
        client.revive();
    }
}

/// Makes room for another client, once this one's flusher has ended.
pub(crate) fn forget(client: &Client) {
    let gone = {
        let mut slot = lock();
        if slot.as_ref() == Some(client) {
            slot.take()
        } else {
            None
        }
    };
    drop(gone);
}

/// Serves `std::process::exit`, which runs no destructors. Best effort: other threads still run, and what they count from now
/// on is lost.
extern "C" fn flush_at_exit() {
    // Never wait for a lock here: the exit may have been called under it.
    let client = match INSTALLED.try_lock() {
        Ok(slot) => slot.clone(),
        Err(_) => return,
    };
    if let Some(client) = client {
        client.flush(client.shutdown_deadline());
    }
}
