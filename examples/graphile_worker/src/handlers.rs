//! The handlers, with the attribute on `run`. A plugin keeps the queue's own account of them beside it.

use std::time::Duration;

use graphile_worker::{IntoTaskHandlerResult, TaskHandler, WorkerContext};
use instrument_task::instrument_task;
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

/// The tasks, by the names that they report under.
pub const NAMES: [&str; 2] = ["resize_image", "send_email"];

/// What is to become of a job. Its producer decides that, so that it knows what the metrics must say.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Wish {
    /// It succeeds.
    Succeed,
    /// It returns an error.
    Fail,
    /// It returns an error at first, and succeeds when it is tried again.
    Retry,
    /// It panics.
    Panic,
}

/// Works with the processor only.
#[derive(Serialize, Deserialize)]
pub struct ResizeImage {
    /// What to work on.
    pub image: u64,
    /// What is to become of it.
    pub wish: Wish,
}

impl TaskHandler for ResizeImage {
    const IDENTIFIER: &'static str = "resize_image";

    #[instrument_task(name = "resize_image")]
    async fn run(self, _: WorkerContext) -> impl IntoTaskHandlerResult {
        let pixel = (0..500).fold(self.image, |pixel, row| pixel.rotate_left(7) ^ row);
        match self.wish {
            Wish::Panic => panic!("corrupt image {pixel}"),
            Wish::Fail => Err("as it was told to"),
            _ => Ok(()),
        }
    }
}

/// Waits for others.
#[derive(Serialize, Deserialize)]
pub struct SendEmail {
    /// Whom it is for.
    pub user: u64,
    /// What is to become of it.
    pub wish: Wish,
}

/// How long it waits.
pub const WAIT: Duration = Duration::from_millis(5);

impl TaskHandler for SendEmail {
    const IDENTIFIER: &'static str = "send_email";

    #[instrument_task(name = "send_email")]
    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        sleep(WAIT).await;
        match self.wish {
            Wish::Fail => Err(format!("no mailbox for user {}", self.user)),
            Wish::Retry if *context.job().attempts() == 1 => Err("later".to_owned()),
            _ => Ok(()),
        }
    }
}
