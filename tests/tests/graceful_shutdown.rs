//! The example of a worker that is told to end, as an orchestrator does it.

#![cfg(unix)]

use std::{
    path::Path,
    process::{Command, Stdio},
};

use instrument_task::testing::Receiver;
use instrument_task_tests::{
    children,
    dialog::Dialog,
    wait::{BOUND, until},
};

const NAMES: [&str; 3] = ["started", "success", "exceptions"];

/// Sends SIGTERM to the process with this id.
fn terminate(id: u32) {
    let kill = Command::new("kill")
        .args(["-TERM", &id.to_string()])
        .stdout(Stdio::null())
        .status();
    assert!(kill.is_ok_and(|status| status.success()));
}

#[test]
fn a_worker_that_is_terminated_finishes_its_jobs_and_sends_every_count() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let built = children::cargo(
        workspace,
        &[
            "build",
            "--quiet",
            "--example",
            "graceful_shutdown",
            "--message-format",
            "json",
        ],
        &[],
    );
    assert!(built.status.success(), "{built:?}");
    let path = built.output.lines().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        (message["target"]["name"] == "graceful_shutdown")
            .then(|| message["executable"].as_str().map(str::to_owned))?
    });

    let receiver = Receiver::start().unwrap();
    let mut worker = Command::new(path.expect("cargo says where it is"));
    children::without_configuration(&mut worker);
    let worker = Dialog::start(worker.env("STATSD_ADDR", receiver.address().to_string()));
    assert!(worker.hear().unwrap().starts_with("working"));
    let counts = || NAMES.map(|what| receiver.counter(&format!("tasks.status.deliver.{what}")));
    until("it has sent something by itself", || {
        (counts()[0] > 500).then_some(())
    });

    terminate(worker.id());
    let drained = worker.hear().unwrap();
    assert!(drained.ends_with("all done: true"), "{drained}");
    assert!(!drained.starts_with("0 "), "it had jobs under way: {drained}");
    let taken: u64 = worker
        .hear()
        .unwrap()
        .strip_suffix(" jobs taken")
        .unwrap()
        .parse()
        .unwrap();
    let report = worker.hear().unwrap();
    assert!(report.ends_with("pending 0, dropped 0"), "{report}");
    assert!(worker.hear().unwrap().starts_with("ledger: Ledger"));
    assert!(worker.end().success());

    // Of ten jobs in a row one fails.
    let failed = taken / 10 + u64::from(taken % 10 > 3);
    let expected = [taken, taken - failed, failed];
    receiver.wait_until(BOUND, |_| counts() == expected);
    assert_eq!(counts(), expected);
    assert!(receiver.bad_lines().is_empty(), "{:?}", receiver.bad_lines());
}
