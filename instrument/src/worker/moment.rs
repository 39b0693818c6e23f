//! When something was, in one word: a lock might be held over a fork, by a thread that the child does not have.

use std::{
    num::NonZeroU64,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// A moment of this process: nanoseconds since the first that was asked for, and one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(NonZeroU64);

impl Moment {
    pub(crate) fn now() -> Self {
        static FIRST: OnceLock<Instant> = OnceLock::new();
        let since = FIRST.get_or_init(Instant::now).elapsed();
        // They last for 584 years.
        let nanos = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
        Self(NonZeroU64::MIN.saturating_add(nanos))
    }

    pub(super) fn elapsed(self) -> Duration {
        Duration::from_nanos(Self::now().0.get() - self.0.get())
    }
}

/// A moment, or none. Relaxed throughout: it says all by itself.
#[derive(Debug, Default)]
pub(super) struct Cell(AtomicU64);

impl Cell {
    pub(super) fn get(&self) -> Option<Moment> {
        NonZeroU64::new(self.0.load(Ordering::Relaxed)).map(Moment)
    }

    pub(super) fn set(&self, moment: Option<Moment>) {
        self.0
            .store(moment.map_or(0, |moment| moment.0.get()), Ordering::Relaxed);
    }

    /// Sets it if it is none.
    pub(super) fn set_first(&self, moment: Moment) {
        // Whoever was first is as good.
        let _ = self
            .0
            .compare_exchange(0, moment.0.get(), Ordering::Relaxed, Ordering::Relaxed);
    }
}
