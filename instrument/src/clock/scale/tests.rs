#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "made-up clocks are floats"
)]

use super::*;

/// A counter of 2 GHz and a clock, both made up: time passes in both, or in one of them.
struct Clocks {
    nanos: f64,
    ticks: f64,
    /// Ticks per nanosecond.
    rate: f64,
}

const RATE: f64 = 2.0;
/// The interval of the flusher's drains.
const DRAIN: f64 = 0.1;

impl Clocks {
    fn new() -> (Self, Slope) {
        let clocks = Self {
            nanos: 0.0,
            ticks: 77e9,
            rate: RATE,
        };
        let slope = Slope::new(clocks.reading());
        (clocks, slope)
    }

    fn reading(&self) -> Reading {
        Reading {
            nanos: self.nanos as u64,
            ticks: self.ticks as u64,
            blur: 60,
        }
    }

    fn pass(&mut self, seconds: f64) {
        self.nanos += seconds * 1e9;
        self.ticks += seconds * 1e9 * self.rate;
    }

    /// So many seconds of drains.
    fn run(&mut self, slope: &mut Slope, seconds: f64) {
        let end = self.nanos + seconds * 1e9;
        while self.nanos < end {
            self.pass(DRAIN);
            slope.take(self.reading());
        }
    }
}

/// By how much the slope is off, in parts of a million.
fn off(slope: &Slope, rate: f64) -> f64 {
    (slope.nanos_per_tick * rate - 1.0).abs() * 1e6
}

#[test]
fn the_first_slope_comes_after_a_millisecond_and_gets_better() {
    let (mut clocks, mut slope) = Clocks::new();
    clocks.pass(0.000_5);
    slope.take(clocks.reading());
    assert!(slope.error.is_none());
    // Torn apart: all there is, until there is a better one.
    clocks.pass(0.001);
    slope.take(Reading {
        ticks: clocks.reading().ticks + 1_000_000,
        blur: 500_000,
        ..clocks.reading()
    });
    assert!(slope.error.is_some() && off(&slope, RATE) > 100_000.0);
    clocks.pass(0.001);
    slope.take(clocks.reading());
    assert!(off(&slope, RATE) < 100.0, "{}", off(&slope, RATE));
    clocks.run(&mut slope, 1.0);
    assert!(off(&slope, RATE) < 1.0, "{}", off(&slope, RATE));
}

#[test]
fn a_drift_is_followed() {
    let (mut clocks, mut slope) = Clocks::new();
    clocks.run(&mut slope, 10_000.0);
    clocks.rate = RATE * 1.000_2;
    clocks.run(&mut slope, 2.1);
    assert!(off(&slope, clocks.rate) < 1.0, "{}", off(&slope, clocks.rate));
    // And one that goes on.
    for _ in 0..100 {
        clocks.rate *= 1.000_01;
        clocks.run(&mut slope, 1.0);
        assert!(off(&slope, clocks.rate) < 25.0, "{}", off(&slope, clocks.rate));
    }
}

#[test]
fn a_suspend_leaves_the_slope_alone_whichever_clock_stands_still() {
    for asleep in [0.01, 3.0, 3_600.0] {
        for ticks_on in [false, true] {
            let (mut clocks, mut slope) = Clocks::new();
            clocks.run(&mut slope, 60.0);
            if ticks_on {
                clocks.ticks += asleep * 1e9 * RATE;
            } else {
                clocks.nanos += asleep * 1e9;
            }
            for _ in 0..50 {
                clocks.run(&mut slope, DRAIN);
                assert!(
                    off(&slope, RATE) < 1.0,
                    "{asleep} {ticks_on}: {}",
                    off(&slope, RATE)
                );
            }
        }
    }
}

#[test]
fn a_counter_that_starts_afresh_leaves_the_slope_alone() {
    for before in [0.0, 60.0] {
        let (mut clocks, mut slope) = Clocks::new();
        clocks.run(&mut slope, before);
        clocks.ticks = 0.0;
        for _ in 0..50 {
            clocks.run(&mut slope, DRAIN);
            assert!(
                slope.error.is_none() || off(&slope, RATE) < 10.0,
                "{}",
                off(&slope, RATE)
            );
        }
        assert!(slope.error.is_some());
    }
}

#[test]
fn a_reading_that_was_torn_apart_is_not_used() {
    for (apart, blur) in [(4e6, 2_000_000), (4e6, 60), (-4e6, 60), (4e8, 60)] {
        // At each place between two moves of the anchor.
        for drains in 0..12 {
            let (mut clocks, mut slope) = Clocks::new();
            clocks.run(&mut slope, 60.0 + f64::from(drains) * DRAIN);
            clocks.pass(DRAIN);
            slope.take(Reading {
                ticks: (clocks.ticks + apart) as u64,
                blur,
                ..clocks.reading()
            });
            for _ in 0..30 {
                assert!(off(&slope, RATE) < 1.0, "{apart} {blur}: {}", off(&slope, RATE));
                clocks.run(&mut slope, DRAIN);
            }
        }
    }
}

#[test]
fn another_rate_is_believed_when_it_stays() {
    let (mut clocks, mut slope) = Clocks::new();
    clocks.run(&mut slope, 60.0);
    clocks.rate = RATE * 1.25;
    clocks.run(&mut slope, 0.5);
    assert!(off(&slope, clocks.rate) < 10.0, "{}", off(&slope, clocks.rate));
}

#[test]
fn no_duration_is_longer_than_the_time_there_was() {
    let mut scale = Scale::new();
    scale.refresh();
    assert!(scale.is_settled());
    if scale.slope.is_some() {
        let longest = scale.nanos(u64::MAX / 2);
        assert!(longest <= nanos(scale.start.elapsed()), "{longest}");
    }
}

#[test]
fn a_scale_agrees_with_instant_within_one_percent() {
    let mut scale = Scale::new();
    // One clock is read around the other: the thread may stand still between any two readings.
    let outer = Instant::now();
    let first = ticks(is_raw());
    let inner = Instant::now();
    while inner.elapsed() < Duration::from_millis(20) {
        std::hint::spin_loop();
    }
    let at_least = nanos(inner.elapsed());
    let last = ticks(is_raw());
    let at_most = nanos(outer.elapsed());
    scale.refresh();
    let measured = scale.nanos(last - first);
    assert!(
        measured * 100 > at_least * 99 && measured * 100 < at_most * 101,
        "{measured}, and it was from {at_least} to {at_most}"
    );
}
