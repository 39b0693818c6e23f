//! The library's own trouble, told through `tracing`: from the flusher's thread only, and once a minute a cause.

use std::time::{Duration, Instant};

use crate::transport::Cause;

/// How long a cause stays quiet after it was told.
const QUIET: Duration = Duration::from_secs(60);

/// Something an operator should know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    /// The server does not take what is sent.
    Refused(Cause),
    /// Task names past the cardinality cap.
    Folded,
    /// Increments or durations lost at shutdown.
    GaveUp,
}

#[derive(Debug, Default)]
pub(super) struct Trouble(Vec<(Topic, Instant)>);

impl Trouble {
    /// Tells of `topic`, unless that was done less than a minute ago.
    pub(super) fn tell(&mut self, now: Instant, topic: Topic, text: impl FnOnce() -> String) {
        if self.is_due(now, topic) {
            tracing::warn!(target: "instrument_task", cause = ?topic, "{}", text());
        }
    }

    fn is_due(&mut self, now: Instant, topic: Topic) -> bool {
        let Some((_, last)) = self.0.iter_mut().find(|(told, _)| *told == topic) else {
            self.0.push((topic, now));
            return true;
        };
        let due = now.saturating_duration_since(*last) >= QUIET;
        if due {
            *last = now;
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_once_a_minute() {
        let (mut trouble, start) = (Trouble::default(), Instant::now());
        let told: Vec<_> = [0, 1, 59, 60, 61, 120]
            .map(|second| {
                trouble.is_due(
                    start + Duration::from_secs(second),
                    Topic::Refused(Cause::Refused),
                )
            })
            .into();
        assert_eq!(told, [true, false, false, true, false, true]);
        assert!(trouble.is_due(start, Topic::Folded), "causes are told apart");
    }
}
