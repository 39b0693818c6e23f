//! Threads that come and go: their counts stay, their memory is used again.

use std::process::Command;

use instrument_task::testing::Receiver;
use instrument_task_tests::{children, wait::BOUND};

/// What the memory may grow by in KiB from the 100th thread to the 1 000th, for the allocator's own sake. What one thread
/// counts in takes 16 KiB and more: memory of its own for each would be 15 000 KiB, for only sixteen of them more than this.
const GROWTH: u64 = 256;

#[test]
fn a_thousand_threads_are_counted_exactly_in_the_memory_of_a_few() {
    let receiver = Receiver::start().unwrap();
    let mut process = Command::new(env!("CARGO_BIN_EXE_many_threads"));
    let process = children::run(process.env("STATSD_ADDR", receiver.address().to_string()));
    assert!(process.status.success(), "{process:?}");

    let counts = || {
        ["started", "success", "exceptions"]
            .map(|what| receiver.counter(&format!("tasks.status.step.{what}")))
    };
    receiver.wait_until(BOUND, |_| counts() == [1_000_000, 900_000, 100_000]);
    assert_eq!(counts(), [1_000_000, 900_000, 100_000]);

    let held: Vec<u64> = process.output.lines().map(|kib| kib.parse().unwrap()).collect();
    println!("KiB of heap and stacks after each 100 threads: {held:?}");
    if let [first, .., last] = held[..] {
        assert!(last <= first + GROWTH, "{held:?}");
    }
}
