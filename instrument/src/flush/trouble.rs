//! The library's own trouble, told through `tracing`: from the flusher's thread only, and once a minute a cause. What stays as it is until the
//! program is changed is told once.

use std::time::{Duration, Instant};

use crate::transport::Cause;

/// How long a cause stays quiet after it was told.
const QUIET: Duration = Duration::from_secs(60);

/// Something an operator should know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    /// The server does not take what is sent.
    Refused(Cause),
    /// Series past the cardinality cap.
    Folded,
    /// Calls with tags or kinds of exceptions past what a process keeps apart.
    NoRoom,
    /// Increments or durations lost at shutdown.
    GaveUp,
}

#[derive(Debug, Default)]
pub(super) struct Trouble(Vec<(Topic, Instant)>);

impl Trouble {
    /// Tells of `topic`, unless that was done less than a minute ago, or at all if once is enough.
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
        let again = !matches!(topic, Topic::Folded | Topic::NoRoom);
        let due = again && now.saturating_duration_since(*last) >= QUIET;
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
        for topic in [Topic::Folded, Topic::NoRoom] {
            assert!(trouble.is_due(start, topic), "causes are told apart");
            assert!(!trouble.is_due(start + 1_000 * QUIET, topic), "once is enough");
        }
    }
}
