//! Where a series' cells stand in every shard.
//!
//! Chunk `k` (from 1) holds `4 << k` blocks, so a thread that touches few series owns little and twenty pointers reach four
//! million series. A slot is the chunk's number in the low five bits and the block's index above them: the hot path
//! needs a mask and a shift, no division. Chunk 0 never exists, so the slot of a series that is not registered yet (0) finds the
//! same missing chunk as one that this thread has not allocated: one branch serves both.

/// Low bits of a slot that hold the chunk's number.
const CHUNK_BITS: u32 = 5;
/// Chunk pointers in a shard: as many as the bits can name, so that no index needs a check.
pub(crate) const CHUNKS: usize = 1 << CHUNK_BITS;
/// The last chunk in use.
const LAST: usize = 20;

const FIRST: usize = 8;

/// The chunks that can exist.
pub(crate) const fn all_chunks() -> std::ops::RangeInclusive<usize> {
    1..=LAST
}

/// The number of blocks in a chunk.
pub(crate) const fn chunk_len(chunk: usize) -> usize {
    FIRST << (chunk - 1)
}

/// The id of a chunk's first block.
pub(crate) const fn chunk_base(chunk: usize) -> usize {
    FIRST * ((1 << (chunk - 1)) - 1)
}

/// The most series a process can have; ids at or past it share the last one.
pub(crate) const MAX_SERIES: usize = chunk_base(LAST + 1);

/// The slot of series `id`.
pub(crate) const fn from_id(id: usize) -> usize {
    let chunk = (id / FIRST + 1).ilog2() as usize + 1;
    ((id - chunk_base(chunk)) << CHUNK_BITS) | chunk
}

/// The chunk that a slot lies in.
#[inline(always)]
pub(crate) const fn chunk(slot: usize) -> usize {
    slot & (CHUNKS - 1)
}

/// The index of a slot's block in its chunk.
#[inline(always)]
pub(crate) const fn index(slot: usize) -> usize {
    slot >> CHUNK_BITS
}

/// The series id that a slot stands for.
pub(crate) const fn to_id(slot: usize) -> usize {
    chunk_base(chunk(slot)) + index(slot)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_and_ids_are_the_same_thing() {
        let ends = [MAX_SERIES - 2, MAX_SERIES - 1];
        for id in (0..100_000).chain(ends) {
            let slot = from_id(id);
            assert_eq!(to_id(slot), id);
            assert!(
                (1..=LAST).contains(&chunk(slot)) && index(slot) < chunk_len(chunk(slot)),
                "{id}"
            );
            assert!(slot < 1 << 29, "a ring entry has 30 bits for it");
        }
    }
}
