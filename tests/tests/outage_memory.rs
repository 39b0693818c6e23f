//! No server at all, and calls at full speed: memory stays what it was after a second, and every count arrives once the
//! server comes up. `cargo run --release -p instrument-task-tests --bin outage` looks for longer.

#![cfg(unix)]

use std::process::Command;

use instrument_task_tests::children;

/// Long enough for a thousand durations a second to take more than they may.
const LONG: &str = "12";
/// Long enough for a transport to have tried often; what is kept meanwhile is the same over all.
const SHORT: &str = "4";

#[track_caller]
fn holds_without_a_server(way: &str, seconds: &str) {
    let mut outage = Command::new(env!("CARGO_BIN_EXE_outage"));
    let ended = children::run(outage.args(["--seconds", seconds, "--way", way]));
    println!("{}", ended.output);
    assert!(ended.status.success(), "{ended:?}");
}

#[test]
fn memory_is_bounded_and_counts_arrive_over_udp() {
    holds_without_a_server("udp", LONG);
}

#[test]
fn memory_is_bounded_and_counts_arrive_over_tcp() {
    holds_without_a_server("tcp", SHORT);
}

#[test]
fn memory_is_bounded_and_counts_arrive_over_unix_datagrams() {
    holds_without_a_server("unixgram", SHORT);
}

#[test]
fn memory_is_bounded_and_counts_arrive_over_a_unix_stream() {
    holds_without_a_server("unixstream", SHORT);
}
