//! The example as a user runs it, against a real `PostgreSQL` and the real Etsy statsd.

use instrument_task_examples::servers::Postgres;
use instrument_task_tests::{
    children::{Ended, Running},
    etsy::Etsy,
    example::{self, Said},
    wait::until,
};

const TASKS: [&str; 2] = ["resize_image", "send_email"];

/// Both servers, unless this machine has not got them.
fn servers() -> Option<(Postgres, Etsy)> {
    Some((example::or_skip(Postgres::start())?, Etsy::start_or_skip()?))
}

fn start(postgres: &Postgres, etsy: &Etsy, jobs: &str) -> Running {
    let program = env!("CARGO_BIN_EXE_instrument-task-example-graphile-worker");
    let url = postgres.url();
    example::start(program, &["--jobs", jobs], &[("DATABASE_URL", &url)], etsy)
}

/// What the table of jobs says: rows of jobs that have not been tried, and of those that failed for good.
fn untried_and_failed(postgres: &Postgres, ended: &Ended) -> (u64, u64) {
    let (_, schema) = ended
        .output
        .split_once("wait in the schema ")
        .expect("its schema");
    let schema = schema.split_once(".\n").expect("a line").0;
    let count = |rows| {
        let query = format!("select count(*) from {schema}._private_jobs where {rows}");
        let answer = postgres.query(&query).expect("an answer");
        answer.trim().parse().expect("a number")
    };
    (
        count("attempts = 0"),
        count("attempts = max_attempts and last_error is not null"),
    )
}

#[test]
fn every_attempt_of_a_handler_is_counted_as_the_queue_counts_it() {
    let Some((postgres, etsy)) = servers() else { return };
    let ended = start(&postgres, &etsy, "2000").end();
    let said = Said::by(&ended, &TASKS);
    let planned = |count| said.sum("planned", count);
    assert_eq!(planned("started"), 2_000 + 20, "each retried job takes two");
    assert_eq!((planned("exceptions"), planned("panics")), (200 + 20 + 10, 10));
    assert_eq!(planned("success"), 2_000 - 200 - 10);
    assert_eq!(
        untried_and_failed(&postgres, &ended),
        (0, 200 + 10),
        "so says the store"
    );

    etsy.wait_for_packets(said.number(&["ledger", "packets"]));
    assert_eq!(etsy.counters(), said.counters("planned"));
    assert_eq!(etsy.bad_lines_seen(), 0);

    let received = etsy.stop();
    let timer = received.timer("celery.tasks.duration.send_email.success");
    assert_eq!(timer.values.len(), 900);
    assert!(timer.values[0] >= 5.0, "{} ms", timer.values[0]);
}

#[test]
fn a_worker_that_is_told_to_stop_counts_what_it_did_and_ends() {
    const JOBS: u64 = 6_000;
    let Some((postgres, etsy)) = servers() else { return };
    let mut worker = start(&postgres, &etsy, &JOBS.to_string());
    until("some jobs are done", || {
        assert!(!worker.has_ended(), "before it was told to stop");
        let done = etsy.counters().get("celery.tasks.status.send_email.exceptions") > Some(&0);
        done.then_some(())
    });
    worker.signal("TERM");
    let ended = worker.end();
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
    let (untried, _) = untried_and_failed(&postgres, &ended);
    assert!(untried > 0, "it was stopped on the way");
    // A retried job has two attempts, and one row.
    let tried = JOBS - untried;
    let retried = said.number(&["tasks", "send_email", "exceptions"]);
    assert!(
        tried <= count("started") && count("started") <= tried + retried,
        "{} attempts at {tried} jobs, so says the store",
        count("started")
    );
}
