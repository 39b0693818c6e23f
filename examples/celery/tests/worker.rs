//! The example as a user runs it, against a real Redis and the real Etsy statsd.

use instrument_task_examples::servers::Redis;
use instrument_task_tests::{
    children::{Ended, Running},
    etsy::Etsy,
    example::{self, Said},
};

const TASKS: [&str; 4] = ["resize_image", "send_email", "fetch_report", "purge_cache"];

/// Both servers, unless this machine has not got them.
fn servers() -> Option<(Redis, Etsy)> {
    Some((example::or_skip(Redis::start())?, Etsy::start_or_skip()?))
}

fn start(redis: &Redis, etsy: &Etsy, arguments: &[&str]) -> Running {
    let program = env!("CARGO_BIN_EXE_instrument-task-example-celery");
    example::start(program, arguments, &[("REDIS_URL", &redis.url())], etsy)
}

/// The jobs that are left in the queue, as the broker says.
fn left(redis: &Redis, ended: &Ended) -> u64 {
    let (_, queue) = ended.output.split_once("wait in the queue ").expect("its queue");
    redis.length(queue.split_once(".\n").expect("a line").0).unwrap()
}

#[test]
fn what_the_producer_asked_for_is_in_the_servers_sums() {
    let Some((redis, etsy)) = servers() else { return };
    let ended = start(&redis, &etsy, &["--jobs", "2000"]).end();
    let said = Said::by(&ended, &TASKS);
    // The producer's own arithmetic, checked: a tenth fails, a hundredth is retried, some panic or are stopped at their limit.
    let planned = |count| said.sum("planned", count);
    assert_eq!(planned("started"), 2_000 + 20);
    assert_eq!((planned("panics"), planned("cancelled")), (10, 10));
    assert_eq!(planned("exceptions"), 200 + 20 + 10);
    assert_eq!(planned("success"), 2_000 - 200 - 10 - 10);

    etsy.wait_for_packets(said.number(&["ledger", "packets"]));
    let mut counters = etsy.counters();
    // The task in a wrapper also tells its exceptions apart: 50 errors, and 5 panics that have no kind of their own.
    let kinds = "celery.tasks.status.purge_cache.exceptions.";
    assert_eq!(counters.remove(&format!("{kinds}unexpected")), Some(50));
    assert_eq!(counters, said.counters("planned"));
    assert_eq!(etsy.bad_lines_seen(), 0);
    assert_eq!(left(&redis, &ended), 0);

    // Timed from the first poll to the end, within the budget every one of them.
    let received = etsy.stop();
    for (task, least) in [("send_email", 1.0), ("fetch_report", 3.0)] {
        let timer = received.timer(&format!("celery.tasks.duration.{task}.success"));
        assert_eq!(
            timer.values.len() as u64,
            said.number(&["planned", task, "success"])
        );
        assert!(timer.values[0] >= least, "{task}: {} ms", timer.values[0]);
    }
}

#[test]
fn a_worker_that_is_told_to_stop_counts_what_it_did_and_ends() {
    let Some((redis, etsy)) = servers() else { return };
    let worker = start(&redis, &etsy, &["--jobs", "20000"]);
    let counter = "celery.tasks.status.resize_image.panics";
    let (ended, said) = example::told_to_stop(worker, counter, &TASKS, &etsy);
    assert!(ended.output.contains("Told to stop."), "{}", ended.output);

    let mut counters = etsy.counters();
    counters.remove("celery.tasks.status.purge_cache.exceptions.unexpected");
    assert_eq!(
        counters,
        said.counters("tasks"),
        "nothing twice, and nothing left out"
    );
    let count = |count| said.sum("tasks", count);
    assert_eq!(
        count("started"),
        count("success") + count("exceptions") + count("cancelled")
    );
    // What was under way was waited for: only tasks at their time limit were cancelled.
    assert_eq!(
        count("cancelled"),
        said.number(&["tasks", "fetch_report", "cancelled"])
    );

    // What the broker says: every job that left the queue was started, but for one that celery's consumer may have had in its
    // hands. Retried ones went back.
    let left = left(&redis, &ended);
    assert!(left > 0, "it was stopped on the way");
    let (taken, started) = (20_000 - left, count("started"));
    let retried = said.number(&["tasks", "send_email", "exceptions"]);
    assert!(
        taken <= started + 1 && started <= taken + retried,
        "{started} started of {taken}, {retried} retried or failed"
    );
}
