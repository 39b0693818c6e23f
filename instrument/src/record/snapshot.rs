//! What the flusher reads: the sums of all shards, and the durations since the last time.

use std::sync::Arc;

use super::{
    recorder::Recorder,
    registry::{self, Description},
    ring::CAPACITY,
    series,
    shard::{self, Ended, OUTCOMES, STRIDE_ONE, Shard},
    slot,
};

/// All that was ever counted of one series, over all threads that ever lived. Sums wrap, as the cells do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) started: usize,
    pub(crate) ended: Ended,
}

impl Totals {
    fn add_started(&mut self, started: usize) {
        self.started = self.started.wrapping_add(started);
    }

    fn add_ended(&mut self, ended: Ended) {
        for (sum, more) in self.ended.outcomes.iter_mut().zip(ended.outcomes) {
            *sum = sum.wrapping_add(more);
        }
        self.ended.panics = self.ended.panics.wrapping_add(ended.panics);
    }

    /// Adds another series' totals.
    #[cfg(test)]
    pub(crate) fn add(&mut self, other: &Self) {
        self.add_started(other.started);
        self.add_ended(other.ended);
    }
}

/// One duration as it came from a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Measured {
    /// The series' id.
    pub(crate) series: usize,
    /// The outcome's number: success, exceptions, cancelled.
    pub(crate) outcome: usize,
    /// The stride it was picked with, in units of 1/256 of a call.
    pub(crate) stride: u32,
    /// Raw ticks.
    pub(crate) ticks: u64,
}

/// The result of one drain. Reused, so that a drain allocates only for what is new.
#[derive(Debug, Default)]
pub(crate) struct Drained {
    /// All series, by id.
    pub(crate) series: Vec<Arc<Description>>,
    /// The totals of all series, by id.
    pub(crate) totals: Vec<Totals>,
    /// The durations since the last drain.
    pub(crate) values: Vec<Measured>,
    /// The gauges that are read, by series id, as they are now.
    pub(crate) gauges: Vec<(usize, f64)>,
    /// Durations that were ever measured, those included that found their ring full.
    pub(crate) measured: usize,
    /// Durations that ever found their ring full.
    pub(crate) ring_full: usize,
}

/// Reads a recorder. There is one reader to a recorder: it is the consumer of the rings.
#[derive(Debug)]
pub(crate) struct Reader {
    recorder: Arc<Recorder>,
    shards: Vec<Tracked>,
    fresh: Vec<Arc<Shard>>,
}

#[derive(Debug)]
struct Tracked {
    shard: Arc<Shard>,
    /// Values ever taken from the ring.
    taken: usize,
    /// Whether the ring was less than a quarter full at the last drain.
    kept_up: bool,
}

impl Reader {
    pub(crate) fn new(recorder: Arc<Recorder>) -> Self {
        Self {
            recorder,
            shards: Vec::new(),
            fresh: Vec::new(),
        }
    }

    /// Reads everything.
    pub(crate) fn drain(&mut self, into: &mut Drained) {
        self.find_shards();
        into.totals
            .iter_mut()
            .for_each(|totals| *totals = Totals::default());
        // Ended before started, over all shards: an end that is counted then brings its start with it. That may be in a shard that
        // was made meanwhile.
        self.each_late(into, |totals, _, ended| totals.add_ended(ended));
        self.each_block(into, |totals, block| totals.add_ended(block.ended()));
        self.find_shards();
        self.each_block(into, |totals, block| totals.add_started(block.started()));
        self.each_late(into, |totals, started, _| totals.add_started(started));
        self.drain_rings(into);
        self.recorder.gauges().read(&mut into.gauges);
        // Series last: whatever was read above was registered before.
        registry::read(&mut into.series);
        into.totals.resize(into.series.len(), Totals::default());
    }

    fn find_shards(&mut self) {
        self.recorder.read_shards(self.shards.len(), &mut self.fresh);
        self.shards.extend(self.fresh.drain(..).map(|shard| Tracked {
            shard,
            taken: 0,
            kept_up: true,
        }));
    }

    /// The counts that could not reach a shard.
    fn each_late(&self, into: &mut Drained, mut read: impl FnMut(&mut Totals, usize, Ended)) {
        series::read_late(self.recorder.id(), |series, started, ended| {
            read(
                at(&mut into.totals, slot::to_id(series.register())),
                started,
                ended,
            );
        });
    }

    fn each_block(&self, into: &mut Drained, mut read: impl FnMut(&mut Totals, &shard::Block)) {
        for tracked in &self.shards {
            // The newest one each time: an end that was read may have its start in a table that was published since.
            let table = tracked.shard.table();
            if into.totals.len() < table.len() {
                into.totals.resize(table.len(), Totals::default());
            }
            for (totals, block) in into.totals.iter_mut().zip(&*table) {
                read(totals, block);
            }
        }
    }

    fn drain_rings(&mut self, into: &mut Drained) {
        into.values.clear();
        (into.measured, into.ring_full) = (0, 0);
        for Tracked {
            shard,
            taken,
            kept_up,
        } in &mut self.shards
        {
            let count = shard.ring.drain(|value| {
                let (series, outcome) = slot::from_key(value.key);
                let outcome = outcome.min(OUTCOMES - 1);
                into.values.push(Measured {
                    series,
                    outcome,
                    stride: value.stride.max(STRIDE_ONE),
                    // Another core's counter may be behind by some ticks: nothing then, never a huge duration.
                    ticks: if value.ticks > u64::MAX / 2 {
                        0
                    } else {
                        value.ticks
                    },
                });
            });
            *kept_up = count < CAPACITY / 4;
            *taken = taken.wrapping_add(count);
            let dropped = shard.ring.dropped();
            into.ring_full = into.ring_full.wrapping_add(dropped);
            into.measured = into.measured.wrapping_add(*taken).wrapping_add(dropped);
        }
    }

    /// Makes `strides` (by series id, in units of 1/256 of a call) the ones to use.
    pub(crate) fn steer(&self, strides: &[u32]) {
        self.recorder.strides().set(strides);
        for Tracked { shard, kept_up, .. } in &self.shards {
            for (block, stride) in shard.table().iter().zip(strides) {
                block.steer(*stride, *kept_up);
            }
        }
    }
}

/// The totals of series `id`, making room for it.
fn at(totals: &mut Vec<Totals>, id: usize) -> &mut Totals {
    if id >= totals.len() {
        totals.resize(id + 1, Totals::default());
    }
    &mut totals[id]
}
