//! What a store keeps of its jobs: that is what the metrics are compared with.

use std::error::Error;

use crate::{jobs::RETRIES, metrics::Counts};

/// What is kept of a job.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// How it stands.
    pub status: String,
    /// How often it was tried.
    pub attempts: u64,
    /// How often it may be.
    pub max_attempts: u64,
    /// What it returned last, as JSON.
    pub result: String,
}

impl Row {
    // What panics or runs into the time limit is over before apalis sets a status: it stays `Running`.

    fn panicked(&self) -> bool {
        self.status == "Running" && self.result.contains("PanicError")
    }

    fn timed_out(&self) -> bool {
        self.status == "Running" && self.result.contains("timed out")
    }

    /// Whether the job has ended for good.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        match &*self.status {
            "Done" | "Killed" => true,
            "Failed" => self.attempts >= self.max_attempts,
            _ => self.panicked() || self.timed_out(),
        }
    }
}

/// What the rows say of the jobs, and of the attempts at them.
///
/// # Errors
/// A job that has not ended.
pub fn counts(rows: &[Row]) -> Result<[Counts; 2], Box<dyn Error>> {
    let (mut jobs, mut attempts) = (Counts::default(), Counts::default());
    for row in rows {
        if !row.has_ended() {
            return Err(format!("a job has not ended: {row:?}").into());
        }
        let made = row.attempts;
        // The worker's own policy has RETRIES + 1 of them in one go; after that the store has the job run once more each time.
        let runs = 1 + made.saturating_sub(RETRIES as u64 + 1);
        for (counts, starts, last_alone) in [(&mut jobs, runs, true), (&mut attempts, made, false)] {
            counts.started += starts;
            if row.panicked() {
                counts.add_panics(if last_alone { 1 } else { starts });
            } else if row.timed_out() {
                counts.add_timeouts(if last_alone { 1 } else { starts });
            } else {
                counts.retries += starts - 1;
                let done = row.status == "Done";
                counts.success += u64::from(done);
                counts.exceptions += u64::from(!done);
                counts.exhausted += u64::from(row.status == "Failed");
            }
        }
    }
    Ok([jobs, attempts])
}
