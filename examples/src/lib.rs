//! Examples of `instrument-task`. Each is a program of its own under `examples/`:
//!
//! | run | shows |
//! |---|---|
//! | `cargo run --example quickstart` | a small worker, from the attribute to the numbers on the wire |
//! | `cargo run --example graceful_shutdown` | a worker that is told to end by SIGTERM, and loses nothing |
