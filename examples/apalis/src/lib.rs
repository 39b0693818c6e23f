//! A worker of apalis with its metrics on: the jobs, the worker and what its store says, shared by the example, its tests and the
//! comparison of throughput.

pub mod jobs;
pub mod metrics;
pub mod sqlite;
pub mod store;
pub mod throughput;
pub mod worker;
