//! Examples of `instrument-task`, and what they share: plain counts to compare the metrics with, how they are shown, and servers
//! for those that need one.
//!
//! | run | shows |
//! |---|---|
//! | `cargo run --example quickstart` | a small worker, from the attribute to the numbers on the wire |
//! | `cargo run --example graceful_shutdown` | a worker that is told to end by SIGTERM, and loses nothing |
//! | `cargo run -p instrument-task-example-apalis` | a worker of apalis with its layer, and `SQLite` in memory or a Redis server |
//! | `cargo run -p instrument-task-example-celery` | Celery tasks and a Redis server |
//! | `cargo run -p instrument-task-example-graphile-worker` | handlers of `graphile_worker` and a `PostgreSQL` server |
//! | `cargo run -p instrument-task-example-sidekiq` | `#[async_trait]` workers of Sidekiq and a Redis server |
//!
//! The last four have packages of their own, since the queues that they use take long to build.

pub mod command;
pub mod metrics;
pub mod panics;
#[cfg(unix)]
pub mod servers;
pub mod summary;
pub mod tally;
pub mod throughput;
pub mod wait;
