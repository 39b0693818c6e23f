//! When to try again to reach a server that is not there.

use std::{
    hash::{BuildHasher, RandomState},
    time::{Duration, Instant},
};

/// The first pause at most: a restart is often over in that time.
const FIRST: Duration = Duration::from_millis(100);

/// The longest pause: a server that is back is found within this and a flush interval.
const LONGEST: Duration = Duration::from_secs(10);

/// Pauses that double from failure to failure, each cut by up to a half at random, so that the clients of one
/// server do not all come back in the same moment.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
    until: Option<Instant>,
}

impl Backoff {
    /// Whether it is too early for another try.
    pub(super) fn holds(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    /// A try failed: the next one has to wait.
    pub(super) fn failed(&mut self, now: Instant) {
        let longest = FIRST.saturating_mul(1 << self.failures.min(16)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        // A new state is seeded anew, by the system at first.
        let share = RandomState::new().hash_one(self.failures) >> 32;
        let jitter = share as f64 / (1_u64 << 32) as f64;
        self.until = Some(now + longest.mul_f64(1.0 - jitter / 2.0));
    }

    /// The server is there.
    pub(super) fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// Somebody waits: the next try may come at once.
    pub(super) fn lift(&mut self) {
        self.until = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_cap_and_differ() {
        let (mut backoff, now) = (Backoff::default(), Instant::now());
        assert!(!backoff.holds(now));
        let pause = |backoff: &Backoff| backoff.until.unwrap() - now;
        for round in 0..40 {
            backoff.failed(now);
            let longest = FIRST.saturating_mul(1 << round.min(10)).min(LONGEST);
            assert!(backoff.holds(now) && !backoff.holds(now + longest));
            assert!(pause(&backoff) >= longest / 2, "{:?}", pause(&backoff));
        }
        let pauses: Vec<_> = (0..8)
            .map(|_| {
                backoff.failed(now);
                pause(&backoff)
            })
            .collect();
        assert!(pauses.iter().any(|pause| *pause != pauses[0]));
        backoff.lift();
        assert!(!backoff.holds(now));
        backoff.succeeded();
        backoff.failed(now);
        assert!(pause(&backoff) <= FIRST);
    }
}
