//! The contenders, a file for each library.

pub mod autometrics;
pub mod cadence;
pub mod dogstatsd;
pub mod fastrace;
pub mod limits;
pub mod merni;
pub mod metrics;
pub mod ours;
pub mod socket;
pub mod statsd;
pub mod tracing;

use crate::Contender;

/// All of them, in the order of the tables.
#[must_use]
pub fn all() -> Vec<Contender> {
    [
        limits::CONTENDERS,
        ours::CONTENDERS,
        tracing::CONTENDERS,
        fastrace::CONTENDERS,
        metrics::CONTENDERS,
        merni::CONTENDERS,
        autometrics::CONTENDERS,
        cadence::CONTENDERS,
        dogstatsd::CONTENDERS,
        statsd::CONTENDERS,
        socket::CONTENDERS,
    ]
    .concat()
}

/// The contender of this name.
#[must_use]
pub fn named(name: &str) -> Option<Contender> {
    all().into_iter().find(|contender| contender.name == name)
}
