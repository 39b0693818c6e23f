//! What the flusher reads: the sums of all shards, and the durations since the last time.

mod mirror;

use std::{collections::HashMap, sync::Arc};

use self::mirror::{Mirror, Reading};
use super::{
    recorder::Recorder,
    registry::{self, Description},
    ring::{CAPACITY, Value},
    series,
    shard::{self, Ended, OUTCOMES, STRIDE_ONE, Shard},
    slot,
    tag_set::{self, TagSet},
    tags,
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

    /// Whether no call is in flight.
    pub(crate) fn is_quiet(&self) -> bool {
        self.ended.outcomes.iter().copied().fold(0, usize::wrapping_add) == self.started
    }
}

/// One duration as it came from a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Measured {
    /// The series' row.
    pub(crate) series: usize,
    /// The outcome's number: success, exceptions, cancelled.
    pub(crate) outcome: usize,
    /// The stride it was picked with, in units of 1/256 of a call.
    pub(crate) stride: u32,
    /// Raw ticks.
    pub(crate) ticks: u64,
}

/// The result of one drain. Reused, so that a drain allocates only for what is new.
///
/// Series stand in *rows*. The row of a tag set that is gone is some other set's later.
#[derive(Debug, Default)]
pub(crate) struct Drained {
    /// All series, by row.
    pub(crate) series: Vec<Arc<Description>>,
    /// The totals of all series, by row. Those of a tag set begin at 0 whenever it gets a row.
    pub(crate) totals: Vec<Totals>,
    /// The rows that changed since the last drain, some of them more than once.
    pub(crate) moved: Vec<usize>,
    /// The rows that have no series any more.
    pub(crate) gone: Vec<usize>,
    /// The durations since the last drain.
    pub(crate) values: Vec<Measured>,
    /// The gauges that are read, by row, as they are now.
    pub(crate) gauges: Vec<(usize, f64)>,
    /// Durations that were ever measured, those included that found their ring full.
    pub(crate) measured: usize,
    /// Durations that ever found their ring full.
    pub(crate) ring_full: usize,
    /// The most durations that were taken from one ring.
    pub(crate) fullest: usize,
}

impl Drained {
    fn add(&mut self, series: Arc<Description>) -> usize {
        self.series.push(series);
        self.totals.push(Totals::default());
        self.series.len() - 1
    }
}

/// Reads a recorder. There is one reader to a recorder: it is the consumer of the rings.
#[derive(Debug)]
pub(crate) struct Reader {
    recorder: Arc<Recorder>,
    shards: Vec<Tracked>,
    fresh: Vec<Arc<Shard>>,
    /// By id: what is called no tag set.
    described: Vec<Arc<Description>>,
    totals: Vec<Totals>,
    /// The rows of those.
    by_id: Vec<usize>,
    sets: Sets,
    values: Vec<Value>,
    closed: Vec<u32>,
    /// Whether the last drain found any.
    let_go: bool,
}

/// The rows of tag sets.
#[derive(Debug, Default)]
struct Sets {
    by_slot: HashMap<usize, usize>,
    /// By row.
    open: HashMap<usize, Open>,
    free: Vec<usize>,
    /// Stands in rows that have no series.
    nobody: Arc<Description>,
    /// Whether there are any verdicts that a holder may not have acted upon.
    judged: bool,
}

/// A tag set with a row.
#[derive(Debug)]
struct Open {
    slot: usize,
    /// Where it has cells: shard and index.
    cells: Vec<(usize, usize)>,
}

#[derive(Debug)]
struct Tracked {
    shard: Arc<Shard>,
    /// Values ever taken from the ring.
    taken: usize,
    /// Whether the ring was less than a quarter full at the last drain.
    kept_up: bool,
    mirror: Mirror,
}

impl Reader {
    pub(crate) fn new(recorder: Arc<Recorder>) -> Self {
        Self {
            recorder,
            shards: Vec::new(),
            fresh: Vec::new(),
            described: Vec::new(),
            totals: Vec::new(),
            by_id: Vec::new(),
            sets: Sets::default(),
            values: Vec::new(),
            closed: Vec::new(),
            let_go: false,
        }
    }

    /// Reads everything.
    pub(crate) fn drain(&mut self, into: &mut Drained) {
        into.moved.clear();
        into.gone.clear();
        self.totals
            .iter_mut()
            .for_each(|totals| *totals = Totals::default());
        // Ended before started, over all shards: an end that is counted then brings its start with it. That may be in a shard, or in
        // cells of a tag set, that were made meanwhile.
        self.find_shards(into);
        self.each_late(|totals, _, ended| totals.add_ended(ended));
        self.each_block(|totals, block| totals.add_ended(block.ended()));
        self.each_mirror(into, Mirror::read_ended);
        self.find_shards(into);
        self.each_block(|totals, block| totals.add_started(block.started()));
        self.each_mirror(into, Mirror::read_started);
        self.each_late(|totals, started, _| totals.add_started(started));
        self.drain_rings(into);
        self.recorder.gauges().read(&mut into.gauges);
        // Series last: whatever was read above was registered before.
        self.find_series(into);
        for (series, _) in &mut into.gauges {
            *series = self.by_id[*series];
        }
        for (totals, row) in self.totals.iter().zip(&self.by_id) {
            if into.totals[*row] != *totals {
                into.totals[*row] = *totals;
                into.moved.push(*row);
            }
        }
        self.close(into);
    }

    /// Finds new shards, and what is new in the ones that are known.
    fn find_shards(&mut self, into: &mut Drained) {
        self.recorder.read_shards(self.shards.len(), &mut self.fresh);
        self.shards.extend(self.fresh.drain(..).map(|shard| Tracked {
            shard,
            taken: 0,
            kept_up: true,
            mirror: Mirror::default(),
        }));
        for (number, tracked) in self.shards.iter_mut().enumerate() {
            tracked.find_sets(number, &mut self.sets, into);
        }
    }

    /// Finds new series.
    fn find_series(&mut self, into: &mut Drained) {
        let known = self.described.len();
        registry::read(&mut self.described);
        let new = self.described[known..].iter().map(Arc::clone);
        self.by_id.extend(new.map(|series| into.add(series)));
        self.totals.resize(self.described.len(), Totals::default());
    }

    /// The counts that could not reach a shard.
    fn each_late(&mut self, mut read: impl FnMut(&mut Totals, usize, Ended)) {
        series::read_late(self.recorder.id(), |series, started, ended| {
            let id = slot::to_id(series.register());
            if id >= self.totals.len() {
                self.totals.resize(id + 1, Totals::default());
            }
            read(&mut self.totals[id], started, ended);
        });
    }

    fn each_block(&mut self, mut read: impl FnMut(&mut Totals, &shard::Block)) {
        for tracked in &self.shards {
            // The newest one each time: an end that was read may have its start in a table that was published since.
            let table = tracked.shard.table();
            if self.totals.len() < table.len() {
                self.totals.resize(table.len(), Totals::default());
            }
            for (totals, block) in self.totals.iter_mut().zip(&*table) {
                read(totals, block);
            }
        }
    }

    fn each_mirror(&mut self, into: &mut Drained, read: fn(&mut Mirror, &Shard, &mut Reading<'_>)) {
        let mut reading = Reading {
            totals: &mut into.totals,
            moved: &mut into.moved,
        };
        for tracked in &mut self.shards {
            read(&mut tracked.mirror, &tracked.shard, &mut reading);
        }
    }

    fn drain_rings(&mut self, into: &mut Drained) {
        into.values.clear();
        (into.measured, into.ring_full, into.fullest) = (0, 0, 0);
        for number in 0..self.shards.len() {
            let Tracked {
                shard,
                taken,
                kept_up,
                ..
            } = &mut self.shards[number];
            let count = shard.ring.drain(|value| self.values.push(value));
            *kept_up = count < CAPACITY / 4;
            into.fullest = into.fullest.max(count);
            *taken = taken.wrapping_add(count);
            let dropped = shard.ring.dropped();
            into.ring_full = into.ring_full.wrapping_add(dropped);
            into.measured = into.measured.wrapping_add(*taken).wrapping_add(dropped);
            let mut values = std::mem::take(&mut self.values);
            for value in values.drain(..) {
                let (_, outcome) = slot::from_key(value.key);
                let series = self.row_of(number, value.key, into);
                into.values.push(Measured {
                    series,
                    outcome: outcome.min(OUTCOMES - 1),
                    stride: value.stride.max(STRIDE_ONE),
                    // Another core's counter may be behind by some ticks: nothing then, never a huge duration.
                    ticks: if value.ticks > u64::MAX / 2 {
                        0
                    } else {
                        value.ticks
                    },
                });
            }
            self.values = values;
        }
    }

    /// The row of a value from the ring of a shard. What is not known yet was made known before the value came.
    fn row_of(&mut self, shard: usize, key: u32, into: &mut Drained) -> usize {
        let (at, _) = slot::from_key(key);
        if key & slot::TAGGED == 0 {
            if at >= self.by_id.len() {
                self.find_series(into);
            }
            return self.by_id[at];
        }
        let tracked = &mut self.shards[shard];
        if tracked.mirror.row(at).is_none() {
            tracked.find_sets(shard, &mut self.sets, into);
        }
        tracked
            .mirror
            .row(at)
            .expect("an index is made known before a value of it comes")
    }

    /// Takes note of what holders closed. All that was counted there was read before: it was judged by that.
    fn close(&mut self, into: &mut Drained) {
        self.let_go = false;
        for (number, Tracked { shard, mirror, .. }) in self.shards.iter_mut().enumerate() {
            if !mirror.may_be_closed() {
                continue;
            }
            self.closed.clear();
            shard.sets.take_closed(&mut self.closed);
            if self.closed.is_empty() {
                continue;
            }
            self.let_go = true;
            for index in &self.closed {
                if let Some(row) = mirror.close(*index as usize) {
                    self.sets.close(row, number, *index as usize, into);
                }
            }
            shard.sets.give_back(&self.closed);
        }
    }

    /// Says that these rows, all of tag sets, are idle: nothing of them is in flight or pending. Who holds their cells may let go of them.
    pub(crate) fn retire(&mut self, rows: &[usize]) {
        for row in rows {
            let cells = self.sets.open.get(row).map(|open| &open.cells[..]);
            for (shard, index) in cells.unwrap_or_default() {
                self.shards[*shard].mirror.judge(*index);
            }
        }
        self.sets.judged |= !rows.is_empty();
        // Whoever holds sets, they need not be this client's.
        if self.sets.judged || tag_set::is_full() {
            self.sets.judged = self.shards.iter().any(|tracked| tracked.mirror.may_be_closed());
            tags::begin_sweep();
            self.recorder.sweep_free();
        }
        tag_set::forget_unheld();
    }

    /// Makes `strides` (by row, in units of 1/256 of a call) the ones to use. True if some are still on their way there: they come down
    /// by half a drain.
    pub(crate) fn steer(&mut self, strides: &[u32]) -> bool {
        let mut goes_on = false;
        let of = |row: usize| strides.get(row).copied().unwrap_or(STRIDE_ONE);
        let by_id: Vec<_> = self.by_id.iter().map(|row| of(*row)).collect();
        self.recorder.strides().set(&by_id);
        let least = self.recorder.strides().base();
        for Tracked {
            shard,
            kept_up,
            mirror,
            ..
        } in &mut self.shards
        {
            for (block, stride) in shard.table().iter().zip(&by_id) {
                goes_on |= block.steer(*stride, *kept_up);
            }
            goes_on |= mirror.steer(strides, least, *kept_up);
        }
        goes_on
    }

    /// Whether the last drain found tag sets that their holders had let go of: they do so a few at a time, so more may follow soon.
    pub(crate) fn let_go(&self) -> bool {
        self.let_go
    }

    /// Tag sets that have a row.
    #[cfg(all(test, not(shuttle)))]
    pub(crate) fn open_sets(&self) -> usize {
        self.sets.open.len()
    }

    /// Tag sets that the shards have cells for, open or not.
    #[cfg(all(test, not(any(loom, shuttle))))]
    pub(crate) fn cells(&self) -> usize {
        self.shards.iter().map(|tracked| tracked.mirror.cells()).sum()
    }
}

impl Tracked {
    fn find_sets(&mut self, number: usize, sets: &mut Sets, into: &mut Drained) {
        self.mirror
            .find(&self.shard, |index, set| sets.open(&set, number, index, into));
    }
}

impl Sets {
    /// The row of a set that has cells at an index of a shard from now on.
    fn open(&mut self, set: &Arc<TagSet>, shard: usize, index: usize, into: &mut Drained) -> usize {
        let row = *self.by_slot.entry(set.slot()).or_insert_with(|| {
            let description = Arc::clone(set.description());
            let Some(row) = self.free.pop() else {
                return into.add(description);
            };
            into.series[row] = description;
            into.totals[row] = Totals::default();
            row
        });
        let open = self.open.entry(row).or_insert_with(|| Open {
            slot: set.slot(),
            cells: Vec::new(),
        });
        open.cells.push((shard, index));
        row
    }

    /// The set of `row` has no cells there any more.
    fn close(&mut self, row: usize, shard: usize, index: usize, into: &mut Drained) {
        let Some(open) = self.open.get_mut(&row) else {
            return;
        };
        open.cells.retain(|at| *at != (shard, index));
        if !open.cells.is_empty() {
            return;
        }
        if let Some(Open { slot, .. }) = self.open.remove(&row) {
            self.by_slot.remove(&slot);
        }
        into.series[row] = Arc::clone(&self.nobody);
        into.gone.push(row);
        self.free.push(row);
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests;
