//! The workers of one task and instance in this process, and what their gauges say of all of them.

use std::sync::{Arc, Mutex, PoisonError, Weak, atomic::Ordering};

use super::{Inner, series::Gauges};
use crate::record::gauges::Read;

/// Whoever may still be there.
#[derive(Default)]
pub(super) struct Workers(Mutex<Vec<Weak<Inner>>>);

impl std::fmt::Debug for Workers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workers").finish_non_exhaustive()
    }
}

impl Gauges {
    /// One more worker that they are about.
    pub(super) fn join(&self, worker: &Arc<Inner>) {
        let mut workers = self.workers.0.lock().unwrap_or_else(PoisonError::into_inner);
        workers.retain(|worker| worker.strong_count() > 0);
        workers.push(Arc::downgrade(worker));
    }

    /// Reads a gauge for as long as there is a worker who could change it.
    pub(super) fn read(&'static self, read: fn(&[Arc<Inner>]) -> f64) -> Read {
        Box::new(move || {
            let workers = self.workers.0.lock().unwrap_or_else(PoisonError::into_inner);
            let workers: Vec<_> = workers.iter().filter_map(Weak::upgrade).collect();
            (!workers.is_empty()).then(|| read(&workers))
        })
    }
}

fn running(workers: &[Arc<Inner>]) -> usize {
    let each = workers.iter();
    each.map(|worker| worker.in_flight.load(Ordering::Relaxed)).sum()
}

pub(super) fn in_flight(workers: &[Arc<Inner>]) -> f64 {
    running(workers) as f64
}

pub(super) fn saturation(workers: &[Arc<Inner>]) -> f64 {
    let slots: usize = workers.iter().map(|worker| worker.setup.concurrency).sum();
    running(workers) as f64 / slots.max(1) as f64
}

/// The newest sign of life.
pub(super) fn heartbeat(workers: &[Arc<Inner>]) -> f64 {
    let each = workers
        .iter()
        .map(|worker| worker.heartbeat.load(Ordering::Relaxed));
    each.max().unwrap_or_default() as f64
}

/// The oldest one's.
pub(super) fn uptime(workers: &[Arc<Inner>]) -> f64 {
    let since = workers.iter().filter_map(|worker| *worker.since()).min();
    since.map_or(0.0, |since| since.elapsed().as_secs() as f64)
}
