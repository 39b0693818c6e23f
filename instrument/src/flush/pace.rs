//! How fast datagrams go out: no faster than a server reads them, and spread over the flush interval.

use std::time::{Duration, Instant};

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

#[cfg(test)]
mod tests {
    use super::*;

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
