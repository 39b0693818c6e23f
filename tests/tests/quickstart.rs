//! The quickstart, as a user runs it.

use std::{collections::BTreeMap, path::Path};

use instrument_task_tests::{
    children::{self, Ended},
    etsy::{Etsy, Place, Protocol},
};

const TASKS: [&str; 4] = ["resize_image", "send_email", "fetch_report", "cleaner.run"];
const COUNTS: [&str; 5] = ["started", "success", "exceptions", "cancelled", "panics"];

fn quickstart(arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let command = [&["run", "--quiet", "--example", "quickstart", "--"], arguments].concat();
    children::cargo(workspace, &command, variables)
}

/// The number that follows `path` in the JSON of the last line: names to look for, one after the other.
fn number(output: &str, path: &[&str]) -> u64 {
    let line = output.lines().last().unwrap_or_default();
    let rest = path.iter().try_fold(line, |rest, name| {
        Some(rest.split_once(&format!("\"{name}\":"))?.1)
    });
    let digits = rest.and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next());
    digits
        .and_then(|digits| digits.parse().ok())
        .unwrap_or_else(|| panic!("no {path:?} in {output}"))
}

/// What the worker counted by itself, as the counters of a server that has it all.
fn counted(output: &str, prefix: &str) -> BTreeMap<String, u64> {
    let all = TASKS.iter().flat_map(|task| COUNTS.map(|count| (task, count)));
    let named = |(task, count): (&&str, &str)| {
        (
            format!("{prefix}tasks.status.{task}.{count}"),
            number(output, &["tasks", task, count]),
        )
    };
    all.map(named).filter(|(_, count)| *count > 0).collect()
}

#[test]
fn without_a_server_it_shows_the_whole_way() {
    let run = quickstart(&["--seconds", "1.5", "--rate", "400", "--json"], &[]);
    assert!(run.status.success(), "{run:?}");
    for part in ["p50", "p99", "  1 | tasks.status.", "Every call arrived."] {
        assert!(run.output.contains(part), "{part} in {}", run.output);
    }
    assert!(
        run.errors.contains(" started, "),
        "a line of progress in {}",
        run.errors
    );
    let calls: u64 = TASKS
        .iter()
        .map(|task| number(&run.output, &["tasks", task, "started"]))
        .sum();
    assert_eq!(calls, 600);
    let kinds = counted(&run.output, "");
    assert_eq!(
        kinds.len(),
        4 + 4 + 2 + 1 + 1,
        "every kind of end occurs: {kinds:?}"
    );
    let sent = number(&run.output, &["ledger", "counters", "sent"]);
    assert_eq!(sent, kinds.values().sum::<u64>());
    assert_eq!(number(&run.output, &["ledger", "counters", "recorded"]), sent);
}

#[test]
fn with_a_server_in_the_environment_it_sends_there() {
    let Some(server) = Etsy::start_or_skip() else {
        return;
    };
    let address = server.address();
    let (host, port) = address.split_once(':').unwrap();
    let run = quickstart(
        &["--seconds", "2", "--rate", "2000", "--json"],
        &[
            ("STATSD_HOST", host),
            ("STATSD_PORT", port),
            ("STATSD_PREFIX", "celery"),
        ],
    );
    assert!(run.status.success(), "{run:?}");
    assert!(
        run.output.contains(&format!("STATSD_PORT={port}")),
        "it says so: {}",
        run.output
    );
    server.wait_for_packets(number(&run.output, &["ledger", "packets"]));
    assert_eq!(server.counters(), counted(&run.output, "celery."));
    assert_eq!(server.bad_lines_seen(), 0);
}

#[test]
fn it_fails_if_nobody_is_there_and_if_it_is_told_nonsense() {
    let dead = Place::fresh(Protocol::Udp).address();
    let run = quickstart(&["--seconds", "0.1"], &[("STATSD_ADDR", &dead.to_string())]);
    assert_eq!(run.status.code(), Some(1), "{run:?}");
    let run = quickstart(&["--rate", "fast"], &[]);
    assert_eq!(run.status.code(), Some(2), "{run:?}");
    let run = quickstart(&[], &[("STATSD_PORT", "0x1fbd")]);
    assert_eq!(run.status.code(), Some(2), "{run:?}");
    assert!(run.errors.contains("STATSD_PORT"), "{}", run.errors);
}
