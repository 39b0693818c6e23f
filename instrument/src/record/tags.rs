//! The series of a call's tags: from values, formatted once at the call's start, to a slot.
//!
//! Each thread remembers the tag sets that it has seen, so a set it knows costs the formatting and one look-up: no lock
//! and, once the buffer has grown, no allocation. A new set goes to the registry, unless that has no room: then, again without
//! a lock, it is counted under the task's `overflow` tag.

use std::{
    cell::RefCell,
    collections::HashMap,
    fmt::{self, Display, Write as _},
};

use super::{busy::Busy, local, registry, series::Series, slot};

/// Bytes of a value that are kept; what is longer is told apart by a hash. The wire keeps less.
const VALUE_LIMIT: usize = 512;

thread_local! {
    static SEEN: RefCell<Seen> = const { RefCell::new(Seen { slots: None, text: Vec::new() }) };
}

struct Seen {
    /// By call site and values.
    slots: Option<HashMap<Box<[u8]>, usize>>,
    text: Vec<u8>,
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
        self.text.extend_from_slice(&more.as_bytes()[..kept]);
        for byte in &more.as_bytes()[kept..] {
            self.dropped = (self.dropped ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        Ok(())
    }
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
        // To a vector, which takes everything.
        let _ = std::io::Write::write_fmt(text, format_args!("_{hash:016x}"));
    }
    #[expect(clippy::cast_possible_truncation, reason = "at most the limit and a hash")]
    let length = (text.len() - start) as u32;
    text.extend_from_slice(&length.to_le_bytes());
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
    look_up(series, write, |text| register(series, keys, text))
}

/// The slot of one kind of a task's exceptions; none if nobody counts.
pub(crate) fn kind_slot_of(series: &'static Series, kind: &str) -> usize {
    if local::epoch() == 0 || Busy::is() {
        return slot::NONE;
    }
    let write = |text: &mut Vec<u8>| {
        text.extend_from_slice(kind.as_bytes());
        // No length of a value, so that no list of values looks like a kind.
        text.extend_from_slice(&u32::MAX.to_le_bytes());
    };
    look_up(series, write, |_| {
        registry::kind_slot_of(series.identity(std::iter::empty()), kind)
    })
}

/// The slot that this thread remembers for `series` and the text that `write` writes, or the one that `register` finds.
fn look_up(
    series: &'static Series,
    write: impl FnOnce(&mut Vec<u8>),
    register: impl FnOnce(&[u8]) -> usize,
) -> usize {
    // The buffer is taken out while the user's `Display` runs, which may come back here.
    let mut text = with_seen(|seen| std::mem::take(&mut seen.text)).unwrap_or_default();
    text.clear();
    write(&mut text);
    let length = text.len();
    text.extend_from_slice(&std::ptr::from_ref(series).addr().to_le_bytes());
    let known = with_seen(|seen| seen.slots.as_ref()?.get(&text[..]).copied()).flatten();
    let slot = known.unwrap_or_else(|| {
        let _busy = Busy::new();
        let slot = register(&text[..length]);
        // With no room in the registry there is none here: the sets that are known stay known.
        if !registry::is_full() {
            with_seen(|seen| seen.slots.get_or_insert_default().insert(text[..].into(), slot));
        }
        slot
    });
    with_seen(|seen| seen.text = text);
    slot
}

/// Calls `f` with what this thread remembers, unless the thread is ending or is in here already.
fn with_seen<R>(f: impl FnOnce(&mut Seen) -> R) -> Option<R> {
    SEEN.try_with(|seen| seen.try_borrow_mut().ok().map(|mut seen| f(&mut seen)))
        .ok()?
}

fn register(series: &'static Series, keys: &[&str], values: &[u8]) -> usize {
    let tags = keys
        .iter()
        .zip(split(values))
        .map(|(key, value)| (Box::from(*key), value));
    let identity = series.identity(tags);
    let overflow = identity.overflow();
    let place = if registry::is_full() {
        None
    } else {
        registry::tagged_slot_of(identity, series.options())
    };
    place.unwrap_or_else(|| series.overflow(|| registry::slot_of(overflow, series.options())))
}
