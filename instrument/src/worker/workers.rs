//! The workers of one task and instance in this process, and what their gauges say of all of them.

use std::sync::{Arc, Weak, atomic::Ordering};

use super::{
    Inner,
    series::{self, Gauges},
};
use crate::record::gauges::Read;

impl Gauges {
    /// One more worker that they are about.
    pub(super) fn join(&self, worker: &Arc<Inner>) {
        let mut made = series::lock();
        let workers = &mut made.get_or_insert_default().workers[self.workers];
        workers.retain(|worker| worker.strong_count() > 0);
        workers.push(Arc::downgrade(worker));
    }

    /// Whoever is still there.
    fn workers(&self) -> Vec<Arc<Inner>> {
        let made = series::lock();
        let workers = made.as_ref().map(|made| &made.workers[self.workers]);
        workers.into_iter().flatten().filter_map(Weak::upgrade).collect()
    }

    /// Reads a gauge for as long as there is a worker who could change it.
    pub(super) fn read(&'static self, read: fn(&[Arc<Inner>]) -> f64) -> Read {
        Box::new(move || {
            let workers = self.workers();
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
    let since = workers.iter().filter_map(|worker| worker.since.get()).min();
    since.map_or(0.0, |since| since.elapsed().as_secs() as f64)
}
