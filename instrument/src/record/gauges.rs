//! Gauges that are read at each drain, instead of being told of every change: what is sent is what is true on the tick, and a
//! lost or late change cannot leave a wrong value behind.

use std::fmt;

use super::{busy::Busy, slot};
use crate::sync::{Mutex, lock};

/// Reads a gauge; `None` once what it is about is gone.
pub(crate) type Read = Box<dyn Fn() -> Option<f64> + Send + Sync>;

/// The gauges of a recorder.
#[derive(Default)]
pub(crate) struct Gauges(Mutex<Vec<(usize, Read)>>);

impl Gauges {
    /// Reads one more, or the one of the same series in another way.
    pub(crate) fn observe(&self, slot: usize, read: Read) {
        let _busy = Busy::locked();
        let mut gauges = lock(&self.0);
        let known = gauges.iter().position(|(known, _)| *known == slot);
        let old = known.map(|at| gauges.swap_remove(at));
        gauges.push((slot, read));
        drop(gauges);
        // What it holds may run anything when it goes.
        drop(old);
    }

    /// Reads all, by series id, and forgets those that are gone.
    pub(crate) fn read(&self, into: &mut Vec<(usize, f64)>) {
        let _busy = Busy::locked();
        into.clear();
        lock(&self.0).retain(|(slot, read)| {
            let now = read();
            into.extend(now.map(|now| (slot::to_id(*slot), now)));
            now.is_some()
        });
    }
}

impl fmt::Debug for Gauges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gauges").finish_non_exhaustive()
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn a_series_has_one_gauge_and_one_that_is_gone_is_forgotten() {
        let gauges = Gauges::default();
        let mut read = vec![(7, 7.0)];
        gauges.read(&mut read);
        assert_eq!(read, []);
        gauges.observe(slot::from_id(3), Box::new(|| Some(1.0)));
        gauges.observe(slot::from_id(3), Box::new(|| Some(2.0)));
        gauges.observe(slot::from_id(4), Box::new(|| None));
        gauges.read(&mut read);
        assert_eq!(read, [(3, 2.0)]);
        assert_eq!(lock(&gauges.0).len(), 1);
    }
}
