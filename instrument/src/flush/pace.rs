//! How fast datagrams go out: no faster than a server reads them, and spread over the flush interval. And how often the rings are
//! looked at: no more often than they fill.

use std::time::{Duration, Instant};

use crate::record::ring::CAPACITY;

/// Datagrams in a burst. A receive buffer of Linux's default size holds about 90 of the default packet size; a third of
/// that leaves room for what other senders do in the meantime.
const BURST: usize = 32;
/// The shortest pause between bursts: 2 000 datagrams a second, which the reference server keeps up with.
pub(super) const PAUSE: Duration = Duration::from_millis(16);
/// The part of the flush interval that a large flush is spread over.
const SPREAD: f64 = 0.8;

/// The pause after a burst that spreads a pass over the interval, going by how far it has come with so many packets.
pub(super) fn pause(interval: Duration, packets: usize, progress: f64) -> Duration {
    let bursts = packets.div_ceil(BURST).max(1) as f64 / progress.max(1e-6);
    PAUSE.max(interval.mul_f64(SPREAD / bursts).min(interval / 4))
}

/// How many datagrams may go out now, whoever asks: flushes that follow each other closely must not add up to more than a
/// server's buffer holds.
#[derive(Debug)]
pub(super) struct Pace {
    left: f64,
    at: Instant,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            left: BURST as f64,
            at: now,
        }
    }

    /// Makes room for what the time since the last look allows; a burst at most.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and a burst"
    )]
    pub(super) fn room(&mut self, now: Instant) -> usize {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = now;
        self.left = (self.left + passed / PAUSE.as_secs_f64() * BURST as f64).min(BURST as f64);
        self.left as usize
    }

    pub(super) fn sent(&mut self) {
        self.left -= 1.0;
    }
}

/// The rings are drained when the fullest could hold so many durations: a quarter, so that a thread whose load doubles at once does
/// not have to take fewer.
const FILL: usize = CAPACITY / 4;
/// How many times the shortest pause the longest is. A quiet moment says nothing of the next: the ring has room for whatever one thread may send
/// within the budgets in so long a pause.
const LONGEST: u32 = 2;

/// When to drain next: as late as the rings allow.
#[derive(Debug)]
pub(super) struct Drains {
    shortest: Duration,
    longest: Duration,
    pause: Duration,
    at: Duration,
}

impl Drains {
    pub(super) fn new(shortest: Duration, flush_interval: Duration) -> Self {
        Self {
            shortest,
            // Every flush drains as well.
            longest: (shortest * LONGEST).min(flush_interval / 2).max(shortest),
            pause: shortest,
            at: Duration::ZERO,
        }
    }

    /// It was drained `now`, and this many durations were in the fullest ring. `hurries` if there is something that goes on
    /// with the next one.
    pub(super) fn drained(&mut self, now: Duration, fullest: usize, hurries: bool) {
        let passed = now.saturating_sub(self.at);
        self.at = now;
        let by_fill = passed.mul_f64(FILL as f64 / fullest.max(1) as f64);
        let longest = if hurries { self.shortest } else { self.longest };
        self.pause = by_fill.clamp(self.shortest, longest);
    }

    pub(super) fn pause(&self) -> Duration {
        self.pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(drains: &mut Drains, fullest: usize) -> u128 {
        let now = drains.at + drains.pause();
        drains.drained(now, fullest, false);
        drains.pause().as_millis()
    }

    #[test]
    fn a_quiet_process_is_drained_less_often() {
        let milliseconds = Duration::from_millis;
        let mut drains = Drains::new(milliseconds(100), milliseconds(1_000));
        assert_eq!(drains.pause(), milliseconds(100));
        assert_eq!([0; 3].map(|none| after(&mut drains, none)), [200; 3]);
        // A third more than would do.
        assert_eq!(after(&mut drains, FILL * 4 / 3), 150);
        assert_eq!(after(&mut drains, CAPACITY), 100);
        // Half as many as would do.
        assert_eq!(after(&mut drains, FILL / 2), 200);
        assert_eq!(after(&mut drains, FILL), 200);
        let now = drains.at + drains.pause();
        drains.drained(now, 0, true);
        assert_eq!(drains.pause(), milliseconds(100));
    }

    #[test]
    fn what_the_budgets_allow_finds_room_after_any_quiet() {
        let milliseconds = Duration::from_millis;
        let mut drains = Drains::new(milliseconds(100), milliseconds(1_000));
        (0..10).for_each(|_| drains.drained(drains.at + drains.pause(), 0, false));
        // Ten series of one thread at their whole default budget.
        let values = drains.pause().as_secs_f64() * 10_000.0;
        assert!(values <= (CAPACITY / 2) as f64, "{values}");
    }

    #[test]
    fn an_interval_that_was_asked_for_is_kept_where_there_is_no_other() {
        let second = Duration::from_secs(1);
        let mut drains = Drains::new(second, second);
        assert_eq!(
            [after(&mut drains, 0), after(&mut drains, CAPACITY)],
            [1_000, 1_000]
        );
    }

    #[test]
    fn flushes_in_a_row_share_one_pace() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        assert_eq!(pace.room(start), BURST);
        (0..BURST).for_each(|_| pace.sent());
        assert_eq!(pace.room(start), 0);
        assert_eq!(pace.room(start + PAUSE / 2), BURST / 2);
        assert_eq!(pace.room(start + 100 * PAUSE), BURST);
    }
}
