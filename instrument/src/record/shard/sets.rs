//! The cells of tag sets in one shard.
//!
//! What a thread pays for is what it touches: a set's cells are at an *index* that the shard gives it, in chunks that are never
//! moved. What follows:
//! - cells **only grow**, here too. An index that a set gives up goes on with what its cells hold when another set gets it; the
//!   flusher sends differences, and knows whose they are because it is told of every index that is opened and closed;
//! - only the **holder of the shard closes** an index, and only if nothing was counted in it since the flusher's *verdict*: what all
//!   shards held together when every call of the set had ended. Each holder judges by his own cells, which he cannot see late; so whatever
//!   the flusher did not see yet keeps the index open that it was counted in;
//! - an index that is closed **comes back** only after the flusher has taken note: all that was counted there, and all that is
//!   on the ring, it has seen by then;
//! - after a count the holder adds one to the **moves** of the chunk and of the shard, so that the flusher reads nothing where nothing
//!   moved. It does so before the call goes on, so an end that is seen brings the moves of its start along.

use std::{
    cell::RefCell,
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    sync::Arc,
};

use super::{
    super::{busy::Busy, registry::Options, slot, tag_set::TagSet},
    block::{Block, bump},
};
use crate::sync::{AtomicUsize, Mutex, Ordering, lock, try_lock};

/// Sets in a chunk: 2 KiB of cells.
#[cfg(not(any(loom, shuttle)))]
pub(crate) const CHUNK: usize = 32;
#[cfg(any(loom, shuttle))]
pub(crate) const CHUNK: usize = 2;

/// Where no index is.
const NONE: u32 = u32::MAX;
/// The most sets that a shard has cells for; the keys of the ring have no more room.
const MOST: usize = slot::MAX_SERIES;

/// The cells of some sets.
#[derive(Debug)]
pub(crate) struct Chunk {
    blocks: [Block; CHUNK],
    /// Changes with every count. Only the holder writes it.
    moves: AtomicUsize,
    /// By set: one more than the sum of its cells when every call of it had ended; 0 before. Only the flusher writes them.
    verdicts: [AtomicUsize; CHUNK],
}

impl Chunk {
    fn new(first: usize) -> Self {
        Self {
            blocks: std::array::from_fn(|at| Block::of_tag_set(first + at)),
            moves: AtomicUsize::new(0),
            verdicts: std::array::from_fn(|_| AtomicUsize::new(0)),
        }
    }

    pub(crate) fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// A number that is another after every count. Acquire: who sees it sees the counts.
    pub(crate) fn moves(&self) -> usize {
        self.moves.load(Ordering::Acquire)
    }

    /// Says that every call of the set at `at` had ended when its cells had this sum. Flusher only.
    pub(crate) fn judge(&self, at: usize, sum: usize) {
        self.verdicts[at].store(sum.wrapping_add(1), Ordering::Relaxed);
    }

    /// Takes back what was said. Flusher only.
    pub(crate) fn reset(&self, at: usize) {
        self.verdicts[at].store(0, Ordering::Relaxed);
    }
}

/// What the flusher is told.
#[derive(Debug)]
pub(crate) enum Note {
    /// There are more indices.
    More(Arc<Chunk>),
    /// An index belongs to this set from now on.
    Opened { index: usize, set: Arc<TagSet> },
}

#[derive(Debug, Default)]
struct Mail {
    notes: Vec<Note>,
    /// Indices that were closed. There is always room for all of them.
    closed: Vec<u32>,
    /// Closed ones that the flusher has taken note of.
    free: Vec<u32>,
}

/// An index that is open.
#[derive(Debug)]
struct Held {
    set: Arc<TagSet>,
    /// What is to be added to the futures that wait.
    waiting: isize,
}

/// What only the holder touches.
#[derive(Debug, Default)]
struct Own {
    by_slot: HashMap<usize, u32, BuildHasherDefault<Mix>>,
    chunks: Vec<Arc<Chunk>>,
    /// By index.
    held: Vec<Option<Held>>,
    /// The index that the sweep looked at last, and how many are still to look at. One that is not done when the next begins goes
    /// on from where it is.
    hand: usize,
    left: usize,
}

/// The tag sets that one thread counts.
#[derive(Debug)]
pub(crate) struct Sets {
    /// As that of the chunks, for the whole shard.
    moves: AtomicUsize,
    own: RefCell<Own>,
    mail: Mutex<Mail>,
}

// SAFETY: only the thread that holds the shard touches `own`, and it changes hands through a lock.
unsafe impl Sync for Sets {}

/// Spreads slots, which are consecutive numbers.
#[derive(Debug, Default)]
struct Mix(u64);

impl Hasher for Mix {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_usize(usize::from(*byte));
        }
    }

    fn write_usize(&mut self, number: usize) {
        self.0 = (self.0 ^ number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

impl Sets {
    pub(super) fn new() -> Self {
        Self {
            moves: AtomicUsize::new(0),
            own: RefCell::default(),
            mail: Mutex::default(),
        }
    }

    /// Calls `count` with the cells of the set at `slot`; `None` if it has none here. Holder only.
    #[inline]
    pub(super) fn with<R>(&self, slot: usize, count: impl FnOnce(&Block) -> R) -> Option<R> {
        // An instrumented allocator may come here while a set is opened.
        let own = self.own.try_borrow().ok()?;
        let index = *own.by_slot.get(&slot)? as usize;
        let chunk = &own.chunks[index / CHUNK];
        let result = count(&chunk.blocks[index % CHUNK]);
        bump(&chunk.moves, Ordering::Release);
        bump(&self.moves, Ordering::Release);
        Some(result)
    }

    /// What the site of the set at `index` asks for. Holder only.
    pub(super) fn options(&self, index: usize) -> Options {
        let own = self.own.try_borrow().ok();
        let held = own.as_ref().and_then(|own| own.held.get(index)?.as_ref());
        held.map(|held| held.set.description().options)
            .unwrap_or_default()
    }

    /// Whether the set at `slot` has cells here. Holder only.
    pub(crate) fn has(&self, slot: usize) -> bool {
        self.own
            .try_borrow()
            .is_ok_and(|own| own.by_slot.contains_key(&slot))
    }

    /// Notes a future that waits, or by a negative number one that does not any more; false if the set has no cells
    /// here. Holder only.
    pub(crate) fn note(&self, slot: usize, waiting: isize) -> bool {
        let Ok(mut own) = self.own.try_borrow_mut() else {
            return false;
        };
        let Own { by_slot, held, .. } = &mut *own;
        let held = by_slot
            .get(&slot)
            .and_then(|index| held[*index as usize].as_mut());
        held.map(|held| held.waiting += waiting).is_some()
    }

    /// Gives `set` cells; false if there is no room for more. `is_read` is whether there is a flusher to tell. Holder only.
    pub(crate) fn open(&self, set: &Arc<TagSet>, is_read: bool) -> bool {
        let _busy = Busy::locked();
        let Ok(mut own) = self.own.try_borrow_mut() else {
            return false;
        };
        let own = &mut *own;
        if own.by_slot.contains_key(&set.slot()) {
            return true;
        }
        // In the child of a fork a thread that does not exist may hold the lock for ever.
        let mut mail = is_read.then(|| lock(&self.mail));
        let index = match mail.as_mut().and_then(|mail| mail.free.pop()) {
            Some(index) => index as usize,
            None => own.held.len(),
        };
        if index >= MOST {
            return false;
        }
        if index == own.held.len() {
            own.held.push(None);
        }
        if index == own.chunks.len() * CHUNK {
            let chunk = Arc::new(Chunk::new(index));
            own.chunks.push(Arc::clone(&chunk));
            if let Some(mail) = &mut mail {
                mail.notes.push(Note::More(chunk));
                let room = own.chunks.len() * CHUNK - mail.closed.len();
                mail.closed.reserve(room);
            }
        }
        own.chunks[index / CHUNK].blocks[index % CHUNK].start_anew();
        own.by_slot
            .insert(set.slot(), u32::try_from(index).unwrap_or(NONE));
        own.held[index] = Some(Held {
            set: Arc::clone(set),
            waiting: 0,
        });
        if let Some(mail) = &mut mail {
            mail.notes.push(Note::Opened {
                index,
                set: Arc::clone(set),
            });
        }
        true
    }

    /// Begins to look for sets to close.
    pub(crate) fn begin_sweep(&self) {
        if let Ok(mut own) = self.own.try_borrow_mut() {
            own.left = own.held.len();
        }
    }

    /// Closes what may be closed of the next `most` sets; false if all were looked at. Neither waits nor allocates. Holder
    /// only.
    pub(crate) fn sweep(&self, most: usize) -> bool {
        let Ok(mut own) = self.own.try_borrow_mut() else {
            return false;
        };
        if own.left == 0 {
            return false;
        }
        // What is let go of is freed, and who frees may be instrumented.
        let _busy = Busy::locked();
        let own = &mut *own;
        for _ in 0..most.min(own.left) {
            let index = (own.hand + 1) % own.held.len();
            let place = &mut own.held[index];
            let chunk = &own.chunks[index / CHUNK];
            let verdict = chunk.verdicts[index % CHUNK].load(Ordering::Relaxed);
            let sum = chunk.blocks[index % CHUNK].own_sum();
            if place.is_some() && verdict == sum.wrapping_add(1) {
                let Some(mut mail) = try_lock(&self.mail) else {
                    return true;
                };
                if let Some(Held { set, waiting }) = place.take() {
                    own.by_slot.remove(&set.slot());
                    set.note(waiting);
                }
                mail.closed.push(u32::try_from(index).unwrap_or(NONE));
            }
            own.hand = index;
            own.left -= 1;
        }
        own.left > 0
    }

    /// As that of the chunks, for the whole shard.
    pub(crate) fn moves(&self) -> usize {
        self.moves.load(Ordering::Acquire)
    }

    /// Takes what the holder wrote since the last time. Flusher only.
    pub(crate) fn take_notes(&self, into: &mut Vec<Note>) {
        let _busy = Busy::locked();
        into.append(&mut lock(&self.mail).notes);
    }

    /// Takes the indices that were closed since the last time. Flusher only.
    pub(crate) fn take_closed(&self, into: &mut Vec<u32>) {
        let _busy = Busy::locked();
        into.append(&mut lock(&self.mail).closed);
    }

    /// Gives back indices that were closed. Flusher only.
    pub(crate) fn give_back(&self, closed: &[u32]) {
        let _busy = Busy::locked();
        lock(&self.mail).free.extend_from_slice(closed);
    }
}

impl Drop for Sets {
    fn drop(&mut self) {
        for Held { set, waiting } in self.own.get_mut().held.drain(..).flatten() {
            set.note(waiting);
        }
    }
}
