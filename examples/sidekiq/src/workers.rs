//! The workers. `#[async_trait]` makes each method one that returns a boxed future at once; `#[instrument_task]` on the method
//! times that future from its first poll to its end, and looks at what it gives.

use std::time::Duration;

use async_trait::async_trait;
use instrument_task::instrument_task;
use instrument_task_examples::tally::Tally;
use serde::{Deserialize, Serialize};
use sidekiq::{Error, Result, Worker};
use tokio::time::sleep;

/// The tasks, by the names that they report under.
pub const NAMES: [&str; 2] = ["resize_image", "send_email"];

/// What the workers did, counted by themselves.
pub static TALLY: Tally<{ NAMES.len() }> = Tally::new(NAMES);

/// What a job is told. Its producer decides what is to become of it, so that it knows what the metrics must say.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Job {
    /// What to work on.
    pub number: u64,
    /// Whether that is to fail.
    pub fail: bool,
}

impl Job {
    fn result(self) -> Result<()> {
        if self.fail {
            return Err(Error::Message("as it was told to".to_owned()));
        }
        Ok(())
    }
}

/// Works with the processor only.
pub struct ResizeImage;

#[async_trait]
impl Worker<Job> for ResizeImage {
    #[instrument_task(name = "resize_image")]
    async fn perform(&self, job: Job) -> Result<()> {
        let call = TALLY.call("resize_image");
        let pixel = (0..500).fold(job.number, |pixel: u64, row| pixel.rotate_left(7) ^ row);
        call.end(if pixel == 0 { Ok(()) } else { job.result() })
    }
}

/// Waits for others. Its failures are timed too.
pub struct SendEmail;

/// How long it waits.
pub const WAIT: Duration = Duration::from_millis(20);

#[async_trait]
impl Worker<Job> for SendEmail {
    #[instrument_task(name = "send_email", time = always)]
    async fn perform(&self, job: Job) -> Result<()> {
        let call = TALLY.call("send_email");
        sleep(WAIT).await;
        call.end(job.result())
    }
}
