//! Counting in a client of one's own: for a closure, and for a future.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;

use crate::{
    client::Client,
    record::{local, recorder::Recorder},
};

/// Calls `f`; annotated calls that start on this thread meanwhile count in `client` and nowhere else.
///
/// A call belongs to the client that was current when it started, wherever it ends. Scopes nest. Threads and tasks that `f` spawns are
/// outside of it; give them a scope of their own. Annotated calls cost the same in a scope; entering it takes a lock.
///
/// ```
/// use instrument_task::{Client, instrument_task, with_client};
///
/// #[instrument_task]
/// fn work() {}
///
/// # fn main() -> Result<(), instrument_task::Error> {
/// let client = Client::builder().ignore_environment().build()?;
/// with_client(&client, || work());
/// assert_eq!(client.ledger().counters.recorded, 2);
/// # Ok(())
/// # }
/// ```
pub fn with_client<R>(client: &Client, f: impl FnOnce() -> R) -> R {
    local::within(&client.recorder(), f)
}

impl Client {
    /// Wraps a future so that annotated calls that start while it is polled count in this client: [`with_client`] for a task.
    ///
    /// ```
    /// use instrument_task::{Client, instrument_task};
    ///
    /// #[instrument_task]
    /// async fn work() {}
    ///
    /// # async fn run() -> Result<(), instrument_task::Error> {
    /// let client = Client::builder().ignore_environment().build()?;
    /// client.scope(async { work().await }).await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn scope<F: Future>(&self, future: F) -> Scoped<F> {
        Scoped::new(&self.recorder(), future)
    }
}

pin_project! {
    /// A future whose annotated calls count in one client; made by [`Client::scope`].
    #[must_use = "futures do nothing unless polled"]
    pub struct Scoped<F> {
        recorder: Arc<Recorder>,
        #[pin]
        future: F,
    }
}

impl<F> Scoped<F> {
    pub(crate) fn new(recorder: &Arc<Recorder>, future: F) -> Self {
        Self {
            recorder: Arc::clone(recorder),
            future,
        }
    }
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        local::within(this.recorder, || this.future.poll(context))
    }
}

impl<F: fmt::Debug> fmt::Debug for Scoped<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scoped")
            .field("future", &self.future)
            .finish_non_exhaustive()
    }
}
