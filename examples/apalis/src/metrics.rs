//! What was counted: by the metrics as they arrived, and by the store.

use std::fmt;

use instrument_task::testing::Receiver;

/// How often something began, and how it ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as the metrics are")]
pub struct Counts {
    pub started: u64,
    pub success: u64,
    pub exceptions: u64,
    pub retries: u64,
    pub cancelled: u64,
    pub panics: u64,
    pub exhausted: u64,
    pub timeouts: u64,
}

impl Counts {
    /// What a receiver has got of the task called `task`.
    #[must_use]
    pub fn arrived(receiver: &Receiver, task: &str) -> Self {
        let count = |what| receiver.counter(&format!("tasks.status.{task}.{what}"));
        Self {
            started: count("started"),
            success: count("success"),
            exceptions: count("exceptions"),
            retries: count("retries"),
            cancelled: count("cancelled"),
            panics: count("panics"),
            exhausted: count("exhausted"),
            timeouts: count("timeouts"),
        }
    }

    /// Adds so many panics, which are exceptions.
    pub fn add_panics(&mut self, more: u64) {
        self.exceptions += more;
        self.panics += more;
    }

    /// Adds so many that were given up at the time limit.
    pub fn add_timeouts(&mut self, more: u64) {
        self.cancelled += more;
        self.timeouts += more;
    }

    /// What has begun and not ended, which is negative if more ended than began.
    #[must_use]
    pub fn in_flight(&self) -> i128 {
        let ended = [self.success, self.exceptions, self.retries, self.cancelled];
        i128::from(self.started) - ended.into_iter().map(i128::from).sum::<i128>()
    }

    /// The head of a table of them.
    #[must_use]
    pub fn head() -> String {
        format!(
            "  {:30}{:>9}{:>9}{:>12}{:>9}{:>11}{:>8}{:>11}{:>10}",
            "", "started", "success", "exceptions", "retries", "cancelled", "panics", "exhausted", "timeouts"
        )
    }

    /// One line of it.
    #[must_use]
    pub fn line(&self, title: impl fmt::Display) -> String {
        let Self {
            started,
            success,
            exceptions,
            retries,
            cancelled,
            panics,
            exhausted,
            timeouts,
        } = self;
        format!(
            "  {title:30}{started:>9}{success:>9}{exceptions:>12}{retries:>9}{cancelled:>11}{panics:>8}{exhausted:>11}{timeouts:>10}"
        )
    }
}
