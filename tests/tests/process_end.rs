//! What arrives of a process that ends right after its last call.

use std::process::Command;

use instrument_task::testing::Receiver;
use instrument_task_tests::{
    children::{self, Ended},
    wait::BOUND,
};

/// Has a process make 2 000 calls on four threads, 200 of them errors, and end as `how` says.
fn ends_by(how: &str) -> (Ended, Receiver) {
    let receiver = Receiver::start().unwrap();
    let mut process = Command::new(env!("CARGO_BIN_EXE_process_end"));
    process
        .arg(how)
        .env("STATSD_HOST", receiver.address().ip().to_string())
        .env("STATSD_PORT", receiver.address().port().to_string())
        .env("STATSD_PREFIX", "celery");
    (children::run(&mut process), receiver)
}

#[track_caller]
fn everything_arrives(receiver: &Receiver) {
    let counts = || {
        ["started", "success", "exceptions"]
            .map(|what| receiver.counter(&format!("celery.tasks.status.step.{what}")))
    };
    receiver.wait_until(BOUND, |_| counts() == [2_000, 1_800, 200]);
    assert_eq!(counts(), [2_000, 1_800, 200]);
    let timer = "celery.tasks.duration.step.success";
    receiver.wait_until(BOUND, |receiver| {
        receiver.timer(timer).is_some_and(|timer| timer.count > 1_799.5)
    });
    let calls = receiver.timer(timer).map_or(0.0, |timer| timer.count);
    assert!((calls - 1_800.0).abs() < 0.5, "timed {calls}");
    assert!(receiver.bad_lines().is_empty());
}

#[test]
fn a_return_from_main_sends_everything() {
    let (process, receiver) = ends_by("return");
    assert!(process.status.success(), "{process:?}");
    everything_arrives(&receiver);
}

#[test]
fn a_panic_in_main_sends_everything() {
    let (process, receiver) = ends_by("panic");
    assert_eq!(process.status.code(), Some(101), "{process:?}");
    assert!(process.errors.contains("the end of main"));
    everything_arrives(&receiver);
}

/// No destructor runs, so it is the hook at the process's exit that flushes: everything that was counted when `exit` was
/// called arrives. What other threads count while the process exits may not.
#[test]
fn an_exit_sends_what_was_counted_by_then() {
    let (process, receiver) = ends_by("exit");
    assert!(process.status.success(), "{process:?}");
    everything_arrives(&receiver);
}
