//! The series of a call's tags: from values, formatted once at the call's start, to a slot.
//!
//! Each thread remembers the tag sets that it has seen, so a set it knows costs the formatting and one look-up: no lock
//! and, once the buffer has grown, no allocation. A new set goes to the registry, unless that has no room: then, again without
//! a lock, it is counted under the task's `overflow` tag.
//!
//! A thread that looks up sets also lets go, a few at a time, of those that it has not used for long, and of the cells that the flusher
//! has judged idle.

use std::{
    cell::RefCell,
    collections::HashMap,
    fmt::{self, Display, Write as _},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{
    busy::Busy,
    local, registry,
    series::Series,
    shard::{End, Here},
    slot,
    tag_set::{self, TagSet},
};

/// Bytes of a value that are kept; what is longer is told apart by a hash. The wire keeps less.
const VALUE_LIMIT: usize = 512;

/// Entries, of either kind, that one look-up sweeps while a sweep is under way: few enough that nobody notices, and a thread
/// that looks up sets gets through before the next.
const STEP: usize = 4;

/// Changes when threads are to let go of the sets that they have not used since the last time but one.
static SWEEPS: AtomicUsize = AtomicUsize::new(0);

/// Has every thread begin a sweep at its next look-up.
pub(crate) fn begin_sweep() {
    // Relaxed: it is a hint. What may be let go of, everybody judges for himself.
    SWEEPS.fetch_add(1, Ordering::Relaxed);
}

thread_local! {
    static SEEN: RefCell<Seen> = const { RefCell::new(Seen::NONE) };
}

/// What a thread remembers.
struct Seen {
    /// By call site and values: where it stands in `known`.
    places: Option<HashMap<Rc<[u8]>, usize>>,
    known: Vec<Option<Known>>,
    /// Places that are free.
    free: Vec<usize>,
    /// The sweep that is under way or done, the place that it looks at next, and the places still to look at. One that is not done when
    /// the next begins goes on from where it is, so that no place is left out for ever.
    sweep: usize,
    hand: usize,
    left: usize,
    /// The place that was looked up last.
    last: usize,
    text: Vec<u8>,
}

/// One list of values, and where its cells stand.
struct Known {
    text: Rc<[u8]>,
    slot: usize,
    /// Keeps the set; none for what stays anyway.
    set: Option<Arc<TagSet>>,
    /// The sweep in which it was last used.
    used: usize,
    /// What is to be added to the futures that wait.
    waiting: isize,
}

impl Drop for Known {
    fn drop(&mut self) {
        if let Some(set) = &self.set {
            set.note(self.waiting);
        }
    }
}

impl Seen {
    const NONE: Self = Self {
        places: None,
        known: Vec::new(),
        free: Vec::new(),
        sweep: 0,
        hand: 0,
        left: 0,
        last: 0,
        text: Vec::new(),
    };

    fn find(&mut self, text: &[u8]) -> Option<usize> {
        let place = *self.places.as_ref()?.get(text)?;
        let known = self.known[place].as_mut()?;
        known.used = self.sweep;
        self.last = place;
        Some(known.slot)
    }

    fn remember(&mut self, text: &[u8], slot: usize, set: Option<Arc<TagSet>>) {
        let text = Rc::<[u8]>::from(text);
        let place = self.free.pop().unwrap_or(self.known.len());
        if place == self.known.len() {
            self.known.push(None);
            // Letting go must not allocate.
            self.free.reserve(self.known.len() - self.free.len());
        }
        self.known[place] = Some(Known {
            text: Rc::clone(&text),
            slot,
            set,
            used: self.sweep,
            waiting: 0,
        });
        self.places.get_or_insert_default().insert(text, place);
        self.last = place;
    }

    /// Lets go of what was not used for a whole sweep.
    fn sweep(&mut self) {
        for _ in 0..STEP.min(self.left) {
            self.left -= 1;
            self.hand = (self.hand + 1) % self.known.len();
            let place = &mut self.known[self.hand];
            let is_old = |known: &mut Known| known.set.is_some() && self.sweep.wrapping_sub(known.used) > 1;
            if let Some(known) = place.take_if(is_old) {
                if let Some(places) = &mut self.places {
                    places.remove(&known.text);
                }
                self.free.push(self.hand);
            }
        }
    }
}

/// The number of the newest sweep.
pub(super) fn sweeps() -> usize {
    SWEEPS.load(Ordering::Relaxed)
}

/// Goes on with the sweep, if one is under way.
fn sweep() {
    let sweep = sweeps();
    let is_due = with_seen(|seen| {
        if seen.sweep != sweep {
            (seen.sweep, seen.left) = (sweep, seen.known.len());
        }
        seen.left > 0
    });
    let Some(is_due) = is_due else { return };
    if is_due {
        // What is let go of is freed, and who frees may be instrumented.
        let _busy = Busy::new();
        with_seen(Seen::sweep);
    }
    // The shard knows by itself how far it is: a thread that is new looks here before it has one.
    let here = Here;
    here.shard().inspect(|shard| _ = shard.sets.sweep(sweep, STEP));
}

/// Formats values behind each other, each closed by its length, so that no two lists look the same.
struct Values<'a> {
    text: &'a mut Vec<u8>,
    start: usize,
    dropped: u64,
}

impl fmt::Write for Values<'_> {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let room = VALUE_LIMIT.saturating_sub(self.text.len() - self.start);
        let mut kept = room.min(more.len());
        while !more.is_char_boundary(kept) {
            kept -= 1;
        }
        append(self.text, &more.as_bytes()[..kept]);
        for byte in &more.as_bytes()[kept..] {
            self.dropped = (self.dropped ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        Ok(())
    }
}

/// Appends; an instrumented allocator that is asked for room is not to come back here.
fn append(text: &mut Vec<u8>, more: &[u8]) {
    if text.capacity() - text.len() < more.len() {
        let _busy = Busy::new();
        text.reserve(more.len());
    }
    text.extend_from_slice(more);
}

/// Appends the value's text; what `Display` reports as an error ends it there.
fn write(text: &mut Vec<u8>, value: &dyn Display) {
    const NOTHING: u64 = 0xcbf2_9ce4_8422_2325;
    let start = text.len();
    let mut values = Values {
        text,
        start,
        dropped: NOTHING,
    };
    let _ = write!(values, "{value}");
    if values.dropped != NOTHING {
        let hash = values.dropped;
        let mut digits = [b'_'; 17];
        // It has room for all of them.
        let _ = std::io::Write::write_fmt(&mut &mut digits[1..], format_args!("{hash:016x}"));
        append(text, &digits);
    }
    #[expect(clippy::cast_possible_truncation, reason = "at most the limit and a hash")]
    let length = (text.len() - start) as u32;
    append(text, &length.to_le_bytes());
}

/// The values' texts, as [`write`] put them.
fn split(mut text: &[u8]) -> Vec<Box<str>> {
    let mut values = Vec::new();
    while let Some((rest, length)) = text.split_last_chunk() {
        let (before, value) = rest.split_at(rest.len() - u32::from_le_bytes(*length) as usize);
        values.push(String::from_utf8_lossy(value).into());
        text = before;
    }
    values.reverse();
    values
}

/// The slot of `series` with these tags; none if nobody counts, or for the series without them.
pub(crate) fn slot_of(series: &'static Series, keys: &[&str], values: &[&dyn Display]) -> usize {
    if local::epoch() == 0 || Busy::is() {
        return slot::NONE;
    }
    let write = |text: &mut Vec<u8>| values.iter().for_each(|value| write(text, *value));
    sweep();
    look_up(series, write, |text| register(series, keys, text))
}

/// Counts one kind of a task's exceptions, or of what a counter counts, in the recorder with this id.
#[cold]
pub(crate) fn count_kind(series: &'static Series, recorder: u32, kind: &str) {
    if local::epoch() == 0 || Busy::is() {
        return;
    }
    let write = |text: &mut Vec<u8>| {
        text.extend_from_slice(kind.as_bytes());
        // No length of a value, so that no list of values looks like a kind.
        text.extend_from_slice(&u32::MAX.to_le_bytes());
    };
    let slot = look_up(series, write, |_| {
        let slot = registry::kind_slot_of(series.identity(std::iter::empty()), kind);
        (slot, Remember::Always)
    });
    local::count(slot, recorder, End::Exception);
}

/// Whether a thread remembers what it found.
enum Remember {
    No,
    Always,
    While(Arc<TagSet>),
}

/// The slot that this thread remembers for `series` and the text that `write` writes, or the one that `register` finds.
fn look_up(
    series: &'static Series,
    write: impl FnOnce(&mut Vec<u8>),
    register: impl FnOnce(&[u8]) -> (usize, Remember),
) -> usize {
    // The buffer is taken out while the user's `Display` runs, which may come back here.
    let mut text = with_seen(|seen| std::mem::take(&mut seen.text)).unwrap_or_default();
    text.clear();
    write(&mut text);
    let length = text.len();
    append(&mut text, &std::ptr::from_ref(series).addr().to_le_bytes());
    let known = with_seen(|seen| seen.find(&text)).flatten();
    let slot = known.unwrap_or_else(|| {
        let _busy = Busy::new();
        let (slot, remember) = register(&text[..length]);
        let set = match remember {
            // With no room in the registry there is none here: the sets that are known stay known.
            Remember::No => return slot,
            Remember::Always => None,
            Remember::While(set) => Some(set),
        };
        with_seen(|seen| seen.remember(&text, slot, set));
        slot
    });
    let mut text = Some(text);
    with_seen(|seen| {
        text.replace(std::mem::take(&mut seen.text))
            .map(|text| seen.text = text)
    });
    // What is left over is freed, and who frees may be instrumented.
    let _busy = Busy::new();
    drop(text);
    slot
}

/// Notes that a future was made with the set at `slot`, which this thread just looked up: the set stays until the future was
/// [`let_go`].
pub(crate) fn keep(slot: usize) {
    if !slot::is_tag_set(slot) {
        return;
    }
    if !note_last(slot, 1) {
        note(slot, 1);
    }
}

/// Notes futures that wait if this thread looked up their set last.
fn note_last(slot: usize, waiting: isize) -> bool {
    let noted = with_seen(|seen| {
        let last = seen.known.get_mut(seen.last)?.as_mut()?;
        (last.slot == slot).then(|| last.waiting += waiting)
    });
    noted.flatten().is_some()
}

/// Notes that such a future waits no more: it was polled, or dropped.
pub(crate) fn let_go(slot: usize) {
    if !slot::is_tag_set(slot) {
        return;
    }
    let here = Here;
    if !here.shard().is_some_and(|shard| shard.sets.note(slot, -1)) && !note_last(slot, -1) {
        note(slot, -1);
    }
}

/// Notes futures that wait with the set itself.
#[cold]
fn note(slot: usize, waiting: isize) {
    if Busy::holds_lock() {
        // The set stays for ever; such is the price of a future that an allocator polls.
        return;
    }
    let _busy = Busy::new();
    if let Some(set) = tag_set::at(slot) {
        set.note(waiting);
    }
}

/// Calls `f` with what this thread remembers, unless the thread is ending or is in here already.
fn with_seen<R>(f: impl FnOnce(&mut Seen) -> R) -> Option<R> {
    SEEN.try_with(|seen| seen.try_borrow_mut().ok().map(|mut seen| f(&mut seen)))
        .ok()?
}

fn register(series: &'static Series, keys: &[&str], values: &[u8]) -> (usize, Remember) {
    let tags = keys
        .iter()
        .zip(split(values))
        .map(|(key, value)| (Box::from(*key), value));
    let identity = series.identity(tags);
    let set = if tag_set::is_full() {
        None
    } else {
        tag_set::of(identity, series.options())
    };
    match set {
        Some(set) => (set.slot(), Remember::While(set)),
        None => (overflow(series), Remember::No),
    }
}

/// The slot of the series that tag sets without a place share.
pub(super) fn overflow(series: &'static Series) -> usize {
    series.overflow(|| {
        let task = series.identity(std::iter::empty());
        registry::overflow_slot_of(&task, series.options())
    })
}
