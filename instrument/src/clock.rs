//! The clock of the hot path: raw ticks now, nanoseconds later.
//!
//! A timed call needs two readings of something monotonic and nothing else, so it takes the processor's counter where
//! that counter can be trusted and leaves the conversion to the flusher. Trusted means both: the processor says the counter is invariant
//! (constant rate, running in deep sleep), and the kernel itself keeps time by it (it checks the cores against each
//! other and gives the counter up when they disagree). Anywhere else a reading is [`Instant`], in nanoseconds since the first use.

mod scale;

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use once_cell::race::OnceBool;

pub(crate) use scale::Scale;

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
