//! Raw ticks in nanoseconds: the slope between two readings of both clocks, taken anew all the time.
//!
//! What the user is promised: a duration is right to far better than a thousandth, whatever becomes of the clocks while the process
//! runs. What follows:
//! - a slope belongs to the last second, not to the process's life: the *anchor*, its earlier end, moves on. So a counter whose rate
//!   drifts against the system's clock is followed, and a suspend, in which one of the two stands still, is behind the anchor soon;
//! - a reading knows how far apart its two halves may be. One that was torn apart by something else that ran meanwhile is not used;
//! - a slope that differs from the last by more than clocks drift is a jump, and is not used either; but one that comes out the same a
//!   few times in a row is the counter's new rate;
//! - no duration is longer than the time since the first reading.

use std::time::{Duration, Instant};

use super::{is_raw, nanos, ticks};

/// How long the first slope takes: its ends are good to 50 ns, so it is to 100 ppm.
const SETTLE: u64 = 1_000_000;
/// How far the anchor lies back: the slope is then good to 0.1 ppm.
const MOVE: u64 = 1_000_000_000;
/// How much a slope may differ from the last: the system slews its clock by 0.05 % at most.
const DRIFT: f64 = 0.001;
/// How much a slope may be off by the blur of its two readings to be used.
const BLUR: f64 = 0.000_1;
/// Slopes in a row that have to agree to be believed against the one in use.
const AGREE: u32 = 3;
/// A reading that took less is as good as they get; another is tried a few times.
const SHARP: u64 = 1_000;

/// Both clocks at one moment.
#[derive(Clone, Copy, Debug)]
struct Reading {
    /// Nanoseconds since the start.
    nanos: u64,
    ticks: u64,
    /// How many nanoseconds the two may be apart.
    blur: u64,
}

/// What one tick is in nanoseconds, from readings alone.
#[derive(Debug)]
struct Slope {
    anchor: Reading,
    nanos_per_tick: f64,
    /// The part of it that it may be off by; `None` before the first one.
    error: Option<f64>,
    /// A slope that differs, and how often in a row it came out.
    doubt: Option<(f64, u32)>,
}

impl Slope {
    fn new(anchor: Reading) -> Self {
        Self {
            anchor,
            nanos_per_tick: 1.0,
            error: None,
            doubt: None,
        }
    }

    fn take(&mut self, now: Reading) {
        let passed = now.nanos.saturating_sub(self.anchor.nanos);
        let ticks = now.ticks.wrapping_sub(self.anchor.ticks);
        if passed < SETTLE {
            return;
        }
        if ticks == 0 || ticks > u64::MAX / 2 {
            // It stood still or jumped back.
            self.anchor = now;
            return;
        }
        let slope = passed as f64 / ticks as f64;
        let error = (self.anchor.blur + now.blur) as f64 / passed as f64;
        let Some(known) = self.error else {
            (self.nanos_per_tick, self.error) = (slope, Some(error));
            return;
        };
        if error > BLUR.max(known) {
            return;
        }
        let differs = |from: f64| (slope / from - 1.0).abs() > DRIFT + error + known;
        if differs(self.nanos_per_tick) {
            self.anchor = now;
            let times = match self.doubt {
                Some((doubted, times)) if !differs(doubted) => times + 1,
                _ => 1,
            };
            self.doubt = Some((slope, times));
            if times < AGREE {
                return;
            }
        } else if passed < MOVE && error >= known {
            return;
        }
        (self.nanos_per_tick, self.error, self.doubt) = (slope, Some(error), None);
        if passed >= MOVE {
            self.anchor = now;
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float cast saturates"
    )]
    fn nanos(&self, ticks: u64) -> u64 {
        (ticks as f64 * self.nanos_per_tick).round() as u64
    }
}

/// Converts ticks to nanoseconds.
#[derive(Debug)]
pub(crate) struct Scale {
    start: Instant,
    /// None where ticks are nanoseconds.
    slope: Option<Slope>,
    /// Nanoseconds from the start to the last reading.
    longest: u64,
}

impl Scale {
    pub(crate) fn new() -> Self {
        let start = Instant::now();
        Self {
            start,
            slope: is_raw().then(|| Slope::new(read(start))),
            longest: u64::MAX,
        }
    }

    /// Whether there is a slope to convert with.
    pub(crate) fn is_settled(&self) -> bool {
        self.slope.as_ref().is_none_or(|slope| slope.error.is_some())
    }

    /// Takes the slope anew. Waits out the first millisecond, so that no duration is ever converted with a guess.
    pub(crate) fn refresh(&mut self) {
        let Some(slope) = &mut self.slope else { return };
        loop {
            slope.take(read(self.start));
            self.longest = nanos(self.start.elapsed());
            if slope.error.is_some() {
                return;
            }
            std::hint::spin_loop();
        }
    }

    /// `ticks` in nanoseconds; never more than had passed at the last [`refresh`](Self::refresh).
    pub(crate) fn nanos(&self, ticks: u64) -> u64 {
        match &self.slope {
            Some(slope) => slope.nanos(ticks).min(self.longest),
            None => ticks,
        }
    }
}

/// Reads both clocks, a few times if something else ran in between.
fn read(start: Instant) -> Reading {
    let once = || {
        let (before, ticks, after) = (start.elapsed(), ticks(true), start.elapsed());
        let blur = nanos(after.saturating_sub(before));
        Reading {
            nanos: nanos(before + Duration::from_nanos(blur / 2)),
            ticks,
            blur,
        }
    };
    let mut best = once();
    for _ in 0..3 {
        if best.blur <= SHARP {
            break;
        }
        let again = once();
        if again.blur < best.blur {
            best = again;
        }
    }
    best
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests;
