//! Where a series' cells stand in every shard.
//!
//! A slot is the distance of a series' block from the start of a shard's table, in bytes: the hot path needs a comparison and
//! an addition, no multiplication. The slot of a series that is not registered yet, [`NONE`], lies behind every table, as does
//! that of one which this thread has not counted in: one branch serves both.
//!
//! A tag set's slot is a number that is never used again, and lies behind every table too. Where its cells stand differs from shard
//! to shard, which knows them by an *index*.

/// Bytes of a block: a cache line, so that no two series share one.
#[cfg(not(any(loom, shuttle)))]
pub(crate) const BLOCK: usize = 64;
#[cfg(any(loom, shuttle))]
pub(crate) const BLOCK: usize = size_of::<super::shard::Block>();
/// The slot of a series that has none yet. From no address is it a way around the end of memory.
pub(crate) const NONE: usize = usize::MAX / 2;
/// The most series a process can have; what would be more shares the last one.
pub(crate) const MAX_SERIES: usize = 1 << 23;

/// Slots from here on are those of tag sets.
const TAG_SETS: usize = NONE + 1;
/// The most tag sets that a process can ever have seen; on a machine of 64 bits it never gets there.
pub(crate) const MAX_TAG_SETS: usize = usize::MAX - TAG_SETS;

/// The slot of the tag set of this number, which is below [`MAX_TAG_SETS`].
pub(crate) const fn of_tag_set(number: usize) -> usize {
    TAG_SETS + number
}

/// Whether this is a tag set's slot.
#[inline(always)]
pub(crate) const fn is_tag_set(slot: usize) -> bool {
    slot >= TAG_SETS
}

/// The slot of series `id`.
pub(crate) const fn from_id(id: usize) -> usize {
    id * BLOCK
}

/// The series id that a slot stands for.
pub(crate) const fn to_id(slot: usize) -> usize {
    slot / BLOCK
}

/// The key under which a value goes on the ring: a slot, and below it the number of an outcome.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "the largest slot has 29 bits")]
pub(crate) const fn key(slot: usize, outcome: u32) -> u32 {
    slot as u32 | outcome
}

/// Set in the key of a value that stands for one call alone. Its stride need not be written.
pub(crate) const ALONE: u32 = 1 << 2;

/// Set in the key of a value of a tag set, whose index in its shard then stands where a series' id does.
pub(crate) const TAGGED: u32 = 1 << 31;

/// Takes apart a key: series id, or a tag set's index, and outcome.
pub(crate) const fn from_key(key: u32) -> (usize, usize) {
    (to_id((key & !TAGGED) as usize), (key % ALONE) as usize)
}

#[cfg(not(any(loom, shuttle)))]
const _: () = assert!(from_id(MAX_SERIES) <= 1 << 29 && NONE > from_id(MAX_SERIES));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_says_which_series_and_which_outcome() {
        for id in [0, 1, 77, MAX_SERIES - 1] {
            for outcome in [0, 1, 2] {
                let key = key(from_id(id), outcome);
                assert_eq!(from_key(key), (id, outcome as usize));
                assert_eq!(from_key(key | ALONE), (id, outcome as usize));
                assert_eq!(from_key(key | ALONE | TAGGED), (id, outcome as usize));
            }
        }
    }
}
