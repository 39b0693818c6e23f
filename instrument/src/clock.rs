//! The clock of the hot path: raw ticks now, nanoseconds later.
//!
//! A timed call needs two readings of something monotonic and nothing else, so it takes the processor's counter where
//! that counter can be trusted and leaves the conversion to the flusher. Trusted means both: the processor says the counter is invariant
//! (constant rate, running in deep sleep), and the kernel itself keeps time by it (it checks the cores against each
//! other and gives the counter up when they disagree). Anywhere else a reading is [`Instant`], in nanoseconds since the first use.

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use once_cell::race::OnceBool;

/// Whether [`raw`] readings are used. Decided once; a race decides twice the same and blocks nobody.
pub(crate) fn is_raw() -> bool {
    static TRUSTED: OnceBool = OnceBool::new();
    TRUSTED.get_or_init(arch::trusted)
}

/// Reads the raw counter; only where [`is_raw`], which the caller keeps at hand.
#[inline(always)]
pub(crate) fn raw() -> u64 {
    arch::raw()
}

/// Nanoseconds since the first such reading in this process.
pub(crate) fn instant() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    nanos(START.get_or_init(Instant::now).elapsed())
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod arch {
    use std::arch::x86_64::{__cpuid, _rdtsc};

    const SOURCE: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";

    #[inline(always)]
    pub(super) fn raw() -> u64 {
        // SAFETY: RDTSC is part of every x86-64 processor and touches no memory. (A process can have it trapped by
        // PR_SET_TSC; the kernel then raises SIGSEGV, and the same setting breaks the vDSO clock and `Instant`.)
        unsafe { _rdtsc() }
    }

    pub(super) fn trusted() -> bool {
        invariant() && std::fs::read_to_string(SOURCE).is_ok_and(|name| name.trim() == "tsc")
    }

    fn invariant() -> bool {
        const POWER_LEAF: u32 = 0x8000_0007;
        __cpuid(0x8000_0000).eax >= POWER_LEAF && __cpuid(POWER_LEAF).edx & (1 << 8) != 0
    }
}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
mod arch {
    #[inline(always)]
    pub(super) fn raw() -> u64 {
        super::instant()
    }

    pub(super) fn trusted() -> bool {
        false
    }
}

fn ticks(is_raw: bool) -> u64 {
    if is_raw { raw() } else { instant() }
}

/// Converts ticks to nanoseconds: the slope between an anchor taken at the start and now.
///
/// Both ends are read within some 50 ns of each other, so the slope is good to 50 ppm after the first millisecond and to
/// 0.05 ppm after a second; it is taken anew at every drain.
#[derive(Debug)]
pub(crate) struct Scale {
    is_raw: bool,
    anchor: (Instant, u64),
    nanos_per_tick: f64,
}

impl Scale {
    /// How far the anchor must lie back before the slope is used.
    const SETTLE: Duration = Duration::from_millis(1);

    pub(crate) fn new() -> Self {
        let is_raw = is_raw();
        Self {
            is_raw,
            anchor: (Instant::now(), ticks(is_raw)),
            nanos_per_tick: 1.0,
        }
    }

    /// Takes the slope anew. Waits out the first millisecond after the anchor, so that no duration is ever converted
    /// with a guess.
    pub(crate) fn refresh(&mut self) {
        if !self.is_raw {
            return;
        }
        let (instant, anchor) = self.anchor;
        loop {
            let (elapsed, now) = (instant.elapsed(), ticks(true));
            let passed = now.wrapping_sub(anchor);
            if elapsed >= Self::SETTLE {
                if passed > 0 && passed < u64::MAX / 2 {
                    self.nanos_per_tick = elapsed.as_nanos() as f64 / passed as f64;
                }
                return;
            }
            std::hint::spin_loop();
        }
    }

    /// `ticks` in nanoseconds.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float cast saturates"
    )]
    pub(crate) fn nanos(&self, ticks: u64) -> u64 {
        if self.is_raw {
            (ticks as f64 * self.nanos_per_tick).round() as u64
        } else {
            ticks
        }
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn a_scale_agrees_with_instant_within_one_percent() {
        let mut scale = Scale::new();
        let (began, first) = (Instant::now(), ticks(is_raw()));
        while began.elapsed() < Duration::from_millis(20) {
            std::hint::spin_loop();
        }
        let (truth, last) = (nanos(began.elapsed()), ticks(is_raw()));
        scale.refresh();
        let measured = scale.nanos(last - first);
        assert!(measured.abs_diff(truth) * 100 < truth, "{measured} for {truth}");
    }
}
