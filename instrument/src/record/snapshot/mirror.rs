//! What the flusher knows of one shard's tag sets: whose cells they are, and what it has read there.

use std::sync::Arc;

use super::{
    super::shard::{Block, CHUNK, Chunk, Note, Shard},
    Totals,
};
use crate::record::tag_set::TagSet;

/// Where what was read goes.
pub(super) struct Reading<'a> {
    pub(super) totals: &'a mut [Totals],
    pub(super) moved: &'a mut Vec<usize>,
}

#[derive(Debug, Default)]
pub(super) struct Mirror {
    chunks: Vec<Known>,
    /// The shard's moves, as they were before the ended cells were read at the last drain and at this one.
    seen: usize,
    reads: usize,
    /// As that of the chunks, for all of them.
    again: u32,
    /// Indices that were judged and are not closed yet.
    judged: usize,
    notes: Vec<Note>,
}

/// A chunk, and what was read of it.
#[derive(Debug)]
struct Known {
    chunk: Arc<Chunk>,
    seen: usize,
    reads: usize,
    sets: [Set; CHUNK],
    /// Reads that it still needs whether or not it moved: an index was opened, perhaps after it moved was noted, and between the
    /// two readings of a drain.
    again: u32,
    /// It was read since its strides were set.
    is_new: bool,
    /// A stride in it is not what it would be for a task that is seldom called.
    sampled: bool,
}

/// An index.
#[derive(Clone, Copy, Debug, Default)]
struct Set {
    row: Option<usize>,
    /// What its cells held when they were read last, whichever set that belonged to.
    read: Totals,
    judged: bool,
}

impl Mirror {
    /// Takes note of new indices; `row` gives a set's.
    pub(super) fn find(&mut self, shard: &Shard, mut row: impl FnMut(usize, Arc<TagSet>) -> usize) {
        shard.sets.take_notes(&mut self.notes);
        for note in self.notes.drain(..) {
            match note {
                Note::More(chunk) => self.chunks.push(Known {
                    chunk,
                    seen: 0,
                    reads: 0,
                    sets: [Set::default(); CHUNK],
                    again: 0,
                    is_new: false,
                    sampled: false,
                }),
                Note::Opened { index, set } => {
                    let known = &mut self.chunks[index / CHUNK];
                    known.sets[index % CHUNK].row = Some(row(index, set));
                    (known.again, self.again) = (2, 2);
                }
            }
        }
    }

    pub(super) fn row(&self, index: usize) -> Option<usize> {
        self.chunks.get(index / CHUNK)?.sets[index % CHUNK].row
    }

    /// Reads the ended cells of what moved.
    pub(super) fn read_ended(&mut self, shard: &Shard, into: &mut Reading<'_>) {
        self.reads = shard.sets.moves();
        if self.reads == self.seen && self.again == 0 {
            return;
        }
        for known in &mut self.chunks {
            known.reads = known.chunk.moves();
            if known.reads != known.seen || known.again > 0 {
                known.read(into, |block, read, totals| {
                    let ended = block.ended();
                    totals.add_ended(ended.since(read.ended));
                    let moved = ended != read.ended;
                    read.ended = ended;
                    moved
                });
            }
        }
    }

    /// Reads the started cells of what moved, an end of which may have been read elsewhere.
    pub(super) fn read_started(&mut self, shard: &Shard, into: &mut Reading<'_>) {
        if shard.sets.moves() == self.seen && self.again == 0 {
            return;
        }
        for known in &mut self.chunks {
            if known.chunk.moves() != known.seen || known.again > 0 {
                known.read(into, |block, read, totals| {
                    let started = block.started();
                    totals.add_started(started.wrapping_sub(read.started));
                    let moved = started != read.started;
                    read.started = started;
                    moved
                });
            }
            // What was counted after its ended cells were read is read again at the next drain.
            known.seen = known.reads;
            known.again = known.again.saturating_sub(1);
        }
        self.seen = self.reads;
        self.again = self.again.saturating_sub(1);
    }

    /// Says that all calls of the set at `index` had ended when its cells were read.
    pub(super) fn judge(&mut self, index: usize) {
        let Known { chunk, sets, .. } = &mut self.chunks[index / CHUNK];
        let Set { read, judged, .. } = &mut sets[index % CHUNK];
        chunk.judge(index % CHUNK, read.ended.sum().wrapping_add(read.started));
        self.judged += usize::from(!std::mem::replace(judged, true));
    }

    /// Whether there is anything that the holder may close.
    pub(super) fn may_be_closed(&self) -> bool {
        self.judged > 0
    }

    /// Takes note that the index was closed: the row of the set that it belonged to.
    pub(super) fn close(&mut self, index: usize) -> Option<usize> {
        let Known { chunk, sets, .. } = &mut self.chunks[index / CHUNK];
        let Set { row, judged, .. } = &mut sets[index % CHUNK];
        chunk.reset(index % CHUNK);
        self.judged -= usize::from(std::mem::take(judged));
        row.take()
    }

    /// Moves the strides towards `strides`, by row. What does not move and has the stride `least`, or one that its site asks
    /// for, is left alone. True if any has further to go.
    pub(super) fn steer(&mut self, strides: &[u32], least: u32, kept_up: bool) -> bool {
        let mut goes_on = false;
        for Known {
            chunk,
            sets,
            is_new,
            sampled,
            ..
        } in &mut self.chunks
        {
            if !*is_new && !*sampled {
                continue;
            }
            (*is_new, *sampled) = (false, false);
            for (block, set) in chunk.blocks().iter().zip(sets) {
                let Some(wanted) = set.row.and_then(|row| strides.get(row)) else {
                    continue;
                };
                goes_on |= block.steer(*wanted, kept_up);
                *sampled |= *wanted != least || block.stride() > *wanted;
            }
        }
        goes_on
    }

    #[cfg(all(test, not(any(loom, shuttle))))]
    pub(super) fn cells(&self) -> usize {
        self.chunks.len() * CHUNK
    }
}

impl Known {
    /// Calls `read` with all cells that belong to a set, what was read of them last, and the set's totals.
    fn read(
        &mut self,
        into: &mut Reading<'_>,
        mut read: impl FnMut(&Block, &mut Totals, &mut Totals) -> bool,
    ) {
        self.is_new = true;
        for (block, set) in self.chunk.blocks().iter().zip(&mut self.sets) {
            if let Some(row) = set.row
                && read(block, &mut set.read, &mut into.totals[row])
            {
                into.moved.push(row);
            }
        }
    }
}
