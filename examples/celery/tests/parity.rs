//! A task in Rust and the same task in Python under the decorator: the same bytes, the same names, the same counts.

use std::{collections::BTreeMap, env, path::PathBuf, process::Command, time::Duration};

use instrument_task::{Client, instrument_task, testing::Receiver};
use instrument_task_examples::servers::Redis;
use instrument_task_tests::{
    carbon::Carbon,
    children,
    etsy::Etsy,
    example::{self, Said},
    wait::{BOUND, until},
};

/// A Python that has python-statsd, unless this machine has not got it.
fn python() -> Option<PathBuf> {
    let python = env::var_os("PYTHON_WITH_STATSD").map_or_else(
        || {
            [env!("CARGO_MANIFEST_DIR"), "../../target/python/bin/python"]
                .iter()
                .collect()
        },
        PathBuf::from,
    );
    if !python.is_file() {
        println!(
            "skipped: there is no Python with python-statsd in {} (./test installs it)",
            python.display()
        );
        return None;
    }
    Some(python)
}

/// Calls a task under the decorator.
fn decorate(python: &PathBuf, address: &str, task: &str, calls: u64, failures: u64) {
    let (host, port) = address.split_once(':').unwrap();
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/parity/decorator.py");
    let counts = [calls, failures].map(|count| count.to_string());
    let ended = children::run(
        Command::new(python)
            .args([program, host, port, task])
            .args(counts),
    );
    assert!(ended.status.success(), "{ended:?}");
}

#[derive(Debug)]
struct Refused;

/// The first call fails.
#[instrument_task]
fn mytask(number: u64) -> Result<u64, Refused> {
    if number == 0 { Err(Refused) } else { Ok(number) }
}

/// All lines in the order of their arrival; a duration's digits are a `#`.
fn lines(receiver: &Receiver) -> Vec<String> {
    let packets = receiver.packets();
    let packets = packets
        .iter()
        .map(|packet| String::from_utf8(packet.clone()).unwrap());
    let lines = packets.flat_map(|packet| packet.lines().map(str::to_owned).collect::<Vec<_>>());
    let lines = lines.map(
        |line| match line.strip_suffix("|ms").and_then(|line| line.split_once(':')) {
            Some((name, millis)) => {
                assert!(millis.parse::<f64>().is_ok(), "{line}");
                format!("{name}:#|ms")
            }
            None => line,
        },
    );
    lines.collect()
}

#[test]
fn calls_are_the_same_on_the_wire_byte_for_byte() {
    let Some(python) = python() else { return };
    let theirs = Receiver::start().unwrap();
    decorate(&python, &theirs.address().to_string(), "mytask", 2, 1);
    assert!(theirs.wait_until(BOUND, |theirs| theirs.packets_seen() >= 5));

    let ours = Receiver::start().unwrap();
    let metrics = Client::builder()
        .ignore_environment()
        .address(ours.address().to_string())
        .prefix("celery")
        .install()
        .unwrap();
    let client = metrics.client();
    for number in 0..2 {
        let _ = mytask(number);
        // The decorator sends at once; this sends what is new.
        client.flush(BOUND);
    }
    let report = metrics.shutdown(Duration::from_secs(5));
    assert_eq!(report.pending, 0, "{report:?}");
    let packets = client.ledger().packets;
    assert!(ours.wait_until(BOUND, |ours| ours.packets_seen() >= packets));

    // A failed call says two things, a successful one three.
    let (theirs, ours) = (lines(&theirs), lines(&ours));
    assert_eq!(theirs.len(), 5, "{theirs:?}");
    assert_eq!(ours, theirs);
}

/// The counters of a task. How many of its exceptions were panics is more than the decorator told.
fn counters_of(task: &str, etsy: &Etsy) -> BTreeMap<String, u64> {
    let mut counters = etsy.counters();
    counters.retain(|name, _| name.contains(&format!(".{task}.")) && !name.ends_with(".panics"));
    counters
}

#[test]
fn a_worker_in_rust_gives_the_names_and_counts_of_one_in_python() {
    const TASK: &str = "resize_image";
    let Some(python) = python() else { return };
    let Some(redis) = example::or_skip(Redis::start()) else {
        return;
    };
    let (Some(theirs), Some(ours)) = (Etsy::start_or_skip(), Etsy::start_or_skip()) else {
        return;
    };
    let program = env!("CARGO_BIN_EXE_instrument-task-example-celery");
    let variables = [("REDIS_URL", &*redis.url())];
    let ended = example::start(program, &["--jobs", "400"], &variables, &ours).end();
    let said = Said::by(&ended, &[TASK]);
    ours.wait_for_packets(said.number(&["ledger", "packets"]));

    let planned = |count| said.number(&["planned", TASK, count]);
    let (calls, failures) = (planned("started"), planned("exceptions"));
    assert_eq!((calls, failures), (100, 11));
    // One datagram a line, two for each failure and three for each success. Nothing paces the decorator, and all of them at once
    // are more than a receive buffer is sure to hold.
    let (mut calls_left, mut failures_left, mut sent) = (calls, failures, 0);
    while calls_left > 0 {
        let part = calls_left.min(25);
        let failing = failures_left.min(part / 8);
        decorate(&python, &theirs.address(), TASK, part, failing);
        calls_left -= part;
        failures_left -= failing;
        sent += 2 * failing + 3 * (part - failing);
        theirs.wait_for_packets(sent);
    }
    assert_eq!(failures_left, 0);

    let counters = counters_of(TASK, &theirs);
    assert_eq!(counters.len(), 3, "{counters:?}");
    assert_eq!(counters_of(TASK, &ours), counters);
    let timer = format!("celery.tasks.duration.{TASK}.success");
    let [theirs, ours] = [theirs, ours].map(|etsy| etsy.stop().timer(&timer).values.len() as u64);
    assert_eq!((theirs, ours), (calls - failures, calls - failures));
}

/// What Graphite has of a task, sums of the points of each node. How many of its exceptions were panics is more than the decorator
/// told, and rates go by the flush that they fell in.
fn tree(carbon: &Carbon, of: &str) -> BTreeMap<String, f64> {
    let mut tree = carbon.sums(&format!("{of}.celery.tasks"));
    tree.retain(|path, _| path.rsplit('.').next() == Some("count") && !path.contains(".panics."));
    tree
}

#[test]
fn one_graphite_shows_both_in_trees_that_are_alike() {
    const TASK: &str = "resize_image";
    let Some(python) = python() else { return };
    let Some(redis) = example::or_skip(Redis::start()) else {
        return;
    };
    let Some(carbon) = Carbon::start_or_skip() else {
        return;
    };
    let start = |root| Etsy::start_before(carbon.address(), root);
    let (Some(theirs), Some(ours)) = (start("python"), start("rust")) else {
        return;
    };
    let program = env!("CARGO_BIN_EXE_instrument-task-example-celery");
    let variables = [("REDIS_URL", &*redis.url())];
    let ended = example::start(program, &["--jobs", "80"], &variables, &ours).end();
    let said = Said::by(&ended, &[TASK]);
    let planned = |count| said.number(&["planned", TASK, count]);
    let (calls, failures) = (planned("started"), planned("exceptions"));
    // Few enough for any receive buffer.
    decorate(&python, &theirs.address(), TASK, calls, failures);

    let successes = calls - failures;
    let expected = [
        (format!("status.{TASK}.started.count"), calls),
        (format!("status.{TASK}.success.count"), successes),
        (format!("status.{TASK}.exceptions.count"), failures),
    ];
    let expected: BTreeMap<_, _> = expected.map(|(path, sum)| (path, sum as f64)).into();
    for side in ["python", "rust"] {
        until("Graphite has all of it", || {
            let mut seen = tree(&carbon, &format!("{side}.counters"));
            seen.retain(|path, _| path.contains(TASK));
            (seen == expected).then_some(())
        });
        let timers = tree(&carbon, &format!("{side}.timers"));
        let timer = timers.get(&format!("duration.{TASK}.success.count"));
        assert_eq!(timer, Some(&(successes as f64)), "{side}: {timers:?}");
    }
}
