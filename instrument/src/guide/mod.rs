//! Guides, to be read from beginning to end.

#[doc = include_str!("workers.md")]
pub mod workers {}
