//! What an operator says by environment variables, to a process of its own.

use std::process::Command;

use instrument_task::testing::Receiver;
use instrument_task_tests::{children, wait::BOUND};

/// What a worker prints that starts as `how` says in an environment of these variables.
fn worker(how: &str, variables: &[(&str, &str)]) -> String {
    let mut process = Command::new(env!("CARGO_BIN_EXE_configured"));
    let process = children::run(process.arg(how).envs(variables.iter().copied()));
    assert!(process.status.success(), "{process:?}");
    process.output
}

#[test]
fn host_and_port_name_the_server_and_one_line_says_so() {
    let receiver = Receiver::start().unwrap();
    let port = receiver.address().port().to_string();
    let output = worker(
        "init",
        &[
            ("STATSD_HOST", "127.0.0.1"),
            ("STATSD_PORT", &port),
            ("STATSD_PREFIX", "celery"),
        ],
    );
    assert!(output.ends_with("enabled: true, recorded: 200\n"), "{output}");
    let [line, ..] = output.lines().collect::<Vec<_>>()[..] else {
        panic!("nothing was said")
    };
    for part in [
        "INFO instrument_task ",
        &receiver.address().to_string(),
        "STATSD_HOST and STATSD_PORT",
    ] {
        assert!(line.contains(part), "{part} in {line}");
    }
    assert!(receiver.wait_until(
        BOUND,
        |receiver| receiver.counter("celery.tasks.status.step.success") == 100
    ));
}

#[test]
fn a_variable_switches_everything_off() {
    let receiver = Receiver::start().unwrap();
    let address = receiver.address().to_string();
    let output = worker("init", &[("STATSD_ADDR", &address), ("STATSD_DISABLED", "true")]);
    assert!(
        output.contains("STATSD_DISABLED") && output.ends_with("enabled: false, recorded: 0\n"),
        "{output}"
    );
    assert_eq!(receiver.packets_seen(), 0);
}

#[test]
fn a_malformed_variable_is_an_error_that_names_it() {
    for (variable, value) in [
        ("STATSD_PORT", "81x25"),
        ("STATSD_SAMPLE_RATE", "2"),
        ("STATSD_ADDR", "http://host:1"),
    ] {
        let output = worker("init", &[(variable, value)]);
        let error = output.lines().last().unwrap();
        assert!(
            error.starts_with("error: ") && error.contains(variable) && error.contains(value),
            "{output}"
        );
    }
}

#[test]
fn a_worker_that_must_start_does_so_with_one_warning() {
    let output = worker("or_disabled", &[("STATSD_PORT", "81x25")]);
    assert!(output.ends_with("enabled: false, recorded: 0\n"), "{output}");
    let warnings: Vec<_> = output
        .lines()
        .filter(|line| line.starts_with("WARN instrument_task "))
        .collect();
    let [warning] = warnings[..] else {
        panic!("not one warning: {output}")
    };
    assert!(
        warning.contains("STATSD_PORT") && warning.contains("81x25"),
        "{warning}"
    );
}
