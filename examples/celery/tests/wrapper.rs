//! Tasks in their wrapper, tried by a worker on a real Redis: every outcome that celery has.

// What the macro `celery::task` writes.
#![allow(non_local_definitions)]

use std::{sync::Arc, time::Duration};

use celery::{
    Celery,
    error::{CeleryError, TaskError},
    prelude::Task,
    task::TaskResult,
};
use instrument_task::{celery::Measured, testing::Receiver, worker::Metrics};
use instrument_task_examples::{panics, servers::Redis, wait::until};
use instrument_task_tests::{example, receiving};
use serde::{Deserialize, Serialize};
use tokio::{runtime::Runtime, select, time::sleep};

const DEADLINE: Duration = Duration::from_secs(30);
const QUEUE: &str = "wrapper";

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Wish {
    Succeed,
    /// Asks to be tried again, so many times.
    Retry(u32),
    /// Returns an error that celery expects, each time.
    Expected,
    /// Returns one that it does not.
    Unexpected,
    /// Takes too long the first time.
    Dawdle,
    Panic,
}

/// Tried twice more at most, without a pause.
#[celery::task(
    bind = true,
    max_retries = 2,
    max_retry_delay = 0,
    time_limit = 1,
    retry_for_unexpected = false
)]
async fn sync_account(task: &Self, number: u64, wish: Wish) -> TaskResult<u64> {
    let retries = task.request().retries;
    match wish {
        Wish::Retry(times) if retries < times => task.retry_with_countdown(0),
        Wish::Expected => Err(TaskError::ExpectedError("no network".into())),
        Wish::Unexpected => Err(TaskError::UnexpectedError("no account".into())),
        Wish::Dawdle if retries == 0 => {
            sleep(Duration::from_secs(3_600)).await;
            Ok(number)
        }
        Wish::Panic => panic!("corrupt account {number}"),
        _ => Ok(number),
    }
}

/// The same name with other parameters: a producer of another version.
#[celery::task(name = "sync_account")]
fn sync_of_old(account: String) -> TaskResult<()> {
    let _ = account;
    Ok(())
}

/// A callback is the task's own.
#[celery::task(on_failure = note_failure, on_success = note_success, retry_for_unexpected = false)]
fn with_callbacks(fails: bool) -> TaskResult<()> {
    if fails {
        return Err(TaskError::UnexpectedError("as it was told to".into()));
    }
    Ok(())
}

static NOTED: std::sync::Mutex<Vec<&str>> = std::sync::Mutex::new(Vec::new());

async fn note_failure<T: Task>(_: &T, _: &TaskError) {
    note("failure").await;
}

async fn note_success<T: Task>(_: &T, (): &()) {
    note("success").await;
}

async fn note(what: &'static str) {
    // What a callback does takes a while.
    tokio::task::yield_now().await;
    NOTED.lock().unwrap().push(what);
}

async fn app(url: &str) -> Result<Arc<Celery>, CeleryError> {
    celery::app!(
        broker = RedisBroker { url },
        tasks = [Measured<sync_account>, Measured<with_callbacks>],
        task_routes = ["*" => QUEUE],
    )
    .await
}

async fn produce(app: &Celery) -> Result<(), CeleryError> {
    let plan = [
        (20, Wish::Succeed),
        (3, Wish::Retry(1)),
        (2, Wish::Retry(9)),
        (1, Wish::Expected),
        (4, Wish::Unexpected),
        (2, Wish::Dawdle),
        (3, Wish::Panic),
    ];
    for (jobs, wish) in plan {
        for number in 0..jobs {
            app.send_task(sync_account::new(number, wish)).await?;
        }
    }
    for number in 0..5 {
        let later = sync_account::new(number, Wish::Succeed).with_countdown(1);
        app.send_task(later).await?;
    }
    for _ in 0..2 {
        app.send_task(sync_of_old::new("of old".into())).await?;
    }
    for fails in [false, true] {
        app.send_task(with_callbacks::new(fails)).await?;
    }
    Ok(())
}

#[test]
fn every_outcome_is_told_apart_and_the_task_stays_as_it_is() {
    let Some(redis) = example::or_skip(Redis::start()) else {
        return;
    };
    panics::hide("corrupt ");
    let receiver = Receiver::start().unwrap();
    let metrics = receiving::builder(&receiver).install().unwrap();
    Measured::<sync_account>::report_to(
        Metrics::new("accounts.sync")
            .queue("slow")
            .instance("test.1")
            .concurrency(8),
    );

    let count = |what: &str| receiver.counter(&format!("tasks.status.accounts.sync.{what}.queue.slow"));
    // The plan in attempts: 20 + 3 × 2 + 2 × 3 + 3 + 4 + 2 × 2 + 3 + 5.
    let all = 51;
    let outcomes = ["success", "exceptions", "cancelled", "retries"];
    let done = || {
        outcomes.iter().map(|outcome| count(outcome)).sum::<u64>() == all
            && count("payload_failures") == 2
            && NOTED.lock().unwrap().len() == 2
    };
    let runtime = Runtime::new().unwrap();
    let finished = runtime.block_on(async {
        let app = app(&redis.url()).await.unwrap();
        produce(&app).await.unwrap();
        let queues = [QUEUE];
        select! {
            ended = app.consume_from(&queues) => panic!("the worker ended: {ended:?}"),
            () = until(done) => true,
            () = sleep(DEADLINE) => false,
        }
    });
    drop(runtime);
    receiving::finish(metrics, &receiver);
    let counters = receiver.counters();
    assert!(finished, "{counters:?}");

    assert_eq!(count("started"), all);
    assert_eq!(count("success"), 20 + 3 + 2 + 5);
    // Two jobs and one were tried as often as they may; four failed for good at once, and three panicked.
    assert_eq!(count("exceptions"), 2 + 1 + 4 + 3);
    assert_eq!(count("exhausted"), 2 + 1);
    assert_eq!(count("retries"), 3 + 2 * 2 + 2);
    assert_eq!((count("cancelled"), count("timeouts")), (2, 2));
    assert_eq!((count("panics"), count("payload_failures")), (3, 2));
    for (kind, times) in [("retry", 2), ("expected", 1), ("unexpected", 4)] {
        let name = format!("tasks.status.accounts.sync.exceptions.{kind}.queue.slow");
        assert_eq!(receiver.counter(&name), times, "{kind}: {counters:?}");
    }
    for (kind, times) in [("retry", 3 + 2 * 2), ("expected", 2), ("unexpected", 0)] {
        let name = format!("tasks.status.accounts.sync.retries.{kind}.queue.slow");
        assert_eq!(receiver.counter(&name), times, "{kind}: {counters:?}");
    }
    let waited = receiver.timer("tasks.duration.accounts.sync.queue_latency.queue.slow");
    assert_eq!(
        waited.expect("of jobs with an eta").values.len(),
        5,
        "those alone, and no retries"
    );

    let task = |what: &str| receiver.counter(&format!("tasks.status.with_callbacks.{what}"));
    assert_eq!((task("started"), task("success"), task("exceptions")), (2, 1, 1));
    let mut noted = NOTED.lock().unwrap().clone();
    noted.sort_unstable();
    assert_eq!(noted, ["failure", "success"]);
}
