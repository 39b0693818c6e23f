//! Other crates, each behind a feature of its name.

#[cfg(feature = "apalis")]
pub mod apalis;
#[cfg(feature = "celery")]
pub mod celery;
#[cfg(feature = "graphile_worker")]
pub mod graphile_worker;
