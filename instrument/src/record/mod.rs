//! Counting: what an annotated call writes and where the flusher reads it. Nothing here knows of the wire.
//!
//! `series` (a call site's name and slot) → `local` (which shard) → `shard` (cells) and `ring` (durations) → `snapshot` (what
//! the flusher reads). `tags` finds the series of a call's tags, `tag_set` keeps those while anybody uses them, `registry` gives
//! series their ids, `slot` says where an id's cells stand, `recorder` owns the shards of a client.

mod busy;
pub(crate) mod forks;
pub(crate) mod gauges;
pub(crate) mod local;
#[cfg(all(any(loom, shuttle), test))]
mod models;
pub(crate) mod recorder;
pub(crate) mod registry;
pub(crate) mod ring;
pub(crate) mod series;
pub(crate) mod shard;
pub(crate) mod slot;
pub(crate) mod snapshot;
pub(crate) mod tag_set;
#[cfg(all(loom, test))]
mod tag_set_models;
pub(crate) mod tags;
