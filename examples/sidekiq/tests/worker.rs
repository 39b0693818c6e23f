//! The example as a user runs it, against a real Redis and the real Etsy statsd.

use instrument_task_examples::servers::Redis;
use instrument_task_tests::{
    children::{Ended, Running},
    etsy::Etsy,
    example::{self, Said},
    wait::until,
};

const TASKS: [&str; 2] = ["resize_image", "send_email"];

/// Both servers, unless this machine has not got them.
fn servers() -> Option<(Redis, Etsy)> {
    Some((example::or_skip(Redis::start())?, Etsy::start_or_skip()?))
}

fn start(redis: &Redis, etsy: &Etsy, jobs: &str) -> Running {
    let program = env!("CARGO_BIN_EXE_instrument-task-example-sidekiq");
    example::start(program, &["--jobs", jobs], &[("REDIS_URL", &redis.url())], etsy)
}

/// What the example's namespace in the store holds: the jobs that wait, and those that failed for good.
fn waiting_and_dead(redis: &Redis, ended: &Ended) -> (u64, u64) {
    let (_, namespace) = ended
        .output
        .split_once("wait in the namespace ")
        .expect("its namespace");
    let namespace = namespace.split_once(".\n").expect("a line").0;
    let dead = redis.command(&["ZCARD", &format!("{namespace}:dead")]).unwrap();
    let dead = dead.trim().strip_prefix(':').expect("a number").parse().unwrap();
    (redis.length(&format!("{namespace}:queue:default")).unwrap(), dead)
}

#[test]
fn an_async_trait_job_is_counted_as_what_it_gave_and_timed_to_its_end() {
    let Some((redis, etsy)) = servers() else { return };
    let ended = start(&redis, &etsy, "2000").end();
    let said = Said::by(&ended, &TASKS);
    let planned = |count| said.sum("planned", count);
    assert_eq!(
        (planned("started"), planned("success"), planned("exceptions")),
        (2_000, 1_800, 200)
    );
    assert_eq!(waiting_and_dead(&redis, &ended), (0, 200), "so says the store");

    etsy.wait_for_packets(said.number(&["ledger", "packets"]));
    assert_eq!(etsy.counters(), said.counters("planned"));
    assert_eq!(etsy.bad_lines_seen(), 0);

    // A job that waits 20 ms takes 20 ms, also one that fails in the end.
    let received = etsy.stop();
    for (outcome, calls) in [("success", 900), ("exceptions", 100)] {
        let timer = received.timer(&format!("celery.tasks.duration.send_email.{outcome}"));
        assert_eq!(timer.values.len(), calls);
        assert!(timer.values[0] >= 20.0, "{outcome}: {} ms", timer.values[0]);
    }
}

#[test]
fn a_processor_that_is_told_to_stop_counts_what_it_did_and_ends() {
    let Some((redis, etsy)) = servers() else { return };
    let mut processor = start(&redis, &etsy, "20000");
    until("some jobs are done", || {
        assert!(!processor.has_ended(), "before it was told to stop");
        let done = etsy.counters().get("celery.tasks.status.send_email.exceptions") > Some(&0);
        done.then_some(())
    });
    processor.signal("TERM");
    let ended = processor.end();
    let said = Said::by(&ended, &TASKS);

    etsy.wait_for_packets(said.number(&["ledger", "packets"]));
    assert_eq!(
        etsy.counters(),
        said.counters("tasks"),
        "nothing twice, and nothing left out"
    );
    let count = |count| said.sum("tasks", count);
    assert_eq!(
        count("started"),
        count("success") + count("exceptions"),
        "all were ended"
    );
    let (waiting, dead) = waiting_and_dead(&redis, &ended);
    assert!(waiting > 0, "it was stopped on the way");
    assert_eq!(
        (count("started"), count("exceptions")),
        (20_000 - waiting, dead),
        "so says the store"
    );
}
