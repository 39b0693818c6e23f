//! Other crates, each behind a feature of its name.

#[cfg(feature = "apalis")]
pub mod apalis;
