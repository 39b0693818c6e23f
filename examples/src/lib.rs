//! Examples of `instrument-task`, and what they share: plain counts to compare the metrics with, and how they are shown.
//!
//! | run | shows |
//! |---|---|
//! | `cargo run --example quickstart` | a small worker, from the attribute to the numbers on the wire |
//! | `cargo run -p instrument-task-example-celery` | Celery tasks and a Redis server |
//! | `cargo run -p instrument-task-example-graphile-worker` | a handler of `graphile_worker` and a `PostgreSQL` server |
//! | `cargo run -p instrument-task-example-sidekiq` | an `#[async_trait]` worker of Sidekiq and a Redis server |
//!
//! The last three have packages of their own, since the queues that they use take long to build.

pub mod metrics;
pub mod summary;
pub mod tally;
