//! A worker of apalis on `SQLite`: what its metrics say is what its store says.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use apalis::{
    layers::WorkerBuilderExt,
    prelude::{Attempt, BoxDynError, TaskContext, TaskSink, WorkerBuilder, WorkerError},
};
use instrument_task::{
    Guard,
    apalis::{MetricsExt, MetricsLayer},
    testing::Receiver,
};
use instrument_task_example_apalis::{
    jobs::{CONCURRENCY, Letter},
    metrics::Counts,
    sqlite, store,
    worker::{ATTEMPTS, JOBS, Layers},
};
use instrument_task_examples::panics;
use instrument_task_tests::receiving::{self, finish};
use tokio::sync::Semaphore;

const DEADLINE: Duration = Duration::from_secs(10);

/// A client of this test's own, and what it sends to.
fn client() -> (Guard, Receiver) {
    let receiver = Receiver::start().unwrap();
    let client = receiving::builder(&receiver)
        // Every latency, so that medians differ by their rounding alone.
        .timer_budget(1_000_000)
        .client_timer_budget(1_000_000)
        .build()
        .unwrap();
    (client, receiver)
}

fn median(mut values: Vec<u64>) -> f64 {
    values.sort_unstable();
    values[values.len() / 2] as f64
}

/// The values of a gauge in the datagrams that a receiver keeps, which are the first.
fn first_values(receiver: &Receiver, name: &str) -> Vec<f64> {
    let start = format!("{name}:");
    let packets = receiver.packets();
    let lines = packets
        .iter()
        .flat_map(|packet| packet.split(|byte| *byte == b'\n'));
    lines
        .filter_map(|line| {
            str::from_utf8(line)
                .ok()?
                .strip_prefix(&start)?
                .strip_suffix("|g")
        })
        .map(|value| value.parse().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_and_attempts_are_those_of_the_rows() {
    panics::hide("corrupt ");
    let (client, receiver) = client();
    let pool = sqlite::open().await.unwrap();
    sqlite::push(&pool, (0..5_000).map(Letter::new)).await.unwrap();
    // Nothing but what is meant to runs into a limit as long as this.
    let mut layers = Layers::new(Duration::from_secs(3));
    layers.jobs = layers.jobs.instance("test.1");
    client.scope(sqlite::work(&pool, &layers)).await.unwrap();
    drop(layers);
    finish(client, &receiver);

    let rows = sqlite::rows(&pool).await.unwrap();
    assert_eq!(rows.len(), 5_000);
    let stored = store::counts(&rows).unwrap();
    let arrived = [JOBS, ATTEMPTS].map(|task| Counts::arrived(&receiver, task));
    println!("{}", Counts::head());
    println!("{}\n{}", stored[0].line("jobs"), stored[1].line("attempts"));
    assert_eq!(arrived, stored);
    let [jobs, attempts] = stored;
    assert_eq!((jobs.in_flight(), attempts.in_flight()), (0, 0));
    // What was planned did happen, every kind of it.
    assert_eq!((jobs.panics, jobs.timeouts, jobs.exhausted), (100, 10, 50));
    assert_eq!((attempts.panics, attempts.timeouts), (300, 30));
    assert_eq!(jobs.retries, 2 * 50, "by the store, after the worker's own");
    assert_eq!(attempts.retries, 150 + 4 * 50);
    let kind = |kind: &str| receiver.counter(&format!("tasks.status.{JOBS}.exceptions.{kind}"));
    assert_eq!((kind("busy"), kind("no_address")), (50, 100));

    // A job waits once, however often it is tried.
    for task in [JOBS, ATTEMPTS] {
        let timer = receiver
            .timer(&format!("tasks.duration.{task}.queue_latency"))
            .unwrap();
        assert_eq!(timer.values.len(), 5_000, "{task}");
        let of_the_rows = median(sqlite::queue_latencies(&pool).await.unwrap());
        let seen = timer.quantile(0.5);
        println!("{task}: queue latency's median {seen:.1} ms, {of_the_rows:.1} ms by the rows");
        assert!(
            (seen / of_the_rows - 1.0).abs() < 0.05,
            "{task}: {seen} {of_the_rows}"
        );
    }

    // Gauges say whose they are, never are more than there can be, and end at zero.
    for (what, most) in [("in_flight", CONCURRENCY as f64), ("saturation", 1.0)] {
        let name = format!("tasks.status.{JOBS}.{what}.instance.test_1");
        let values = first_values(&receiver, &name);
        assert!(values.iter().any(|value| *value > 0.0), "{what}: {values:?}");
        assert!(values.iter().all(|value| *value <= most), "{what}: {values:?}");
        assert_eq!(receiver.gauge(&name), Some(0.0), "{what}");
    }
    // Without one of its own, the process is the instance.
    let process = format!("_{}", std::process::id());
    let packets = receiver.packets().concat();
    let text = String::from_utf8(packets).unwrap();
    let own = format!("tasks.status.{ATTEMPTS}.in_flight.instance.");
    let line = text.lines().find_map(|line| line.strip_prefix(&own)).unwrap();
    assert!(line.split_once(':').unwrap().0.ends_with(&process), "{line}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_tells_that_it_is_there_and_that_it_has_gone() {
    static GATE: Semaphore = Semaphore::const_new(0);
    async fn wait(_: u64) {
        GATE.acquire().await.unwrap().forget();
    }
    let (client, receiver) = client();
    let pool = sqlite::open().await.unwrap();
    let mut queue = sqlite::queue::<u64>(&pool, "waiting");
    for job in 0..3 {
        queue.push(job).await.unwrap();
    }
    let layer = MetricsLayer::new("wait").queue("q").instance("w").concurrency(4);
    let worker = WorkerBuilder::new("waiter")
        .backend(queue)
        .metrics(layer.clone())
        .build(wait);
    let began = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs_f64();
    let receiver = Arc::new(receiver);
    let seen = Arc::clone(&receiver);
    let end = async move {
        let all_there = tokio::task::spawn_blocking(move || {
            let gauge = |what: &str| seen.gauge(&format!("tasks.status.wait.{what}.instance.w.queue.q"));
            seen.wait_until(DEADLINE, |_| {
                gauge("in_flight") == Some(3.0)
                    && gauge("saturation") == Some(0.75)
                    && gauge("uptime").is_some_and(|seconds| seconds >= 1.0)
                    && gauge("heartbeat").is_some_and(|at| at >= began.floor())
            })
        });
        assert!(all_there.await.unwrap(), "not all gauges");
        GATE.add_permits(3);
        Ok::<_, WorkerError>(())
    };
    client.scope(layer.watch(worker.run_until(end))).await.unwrap();
    finish(client, &receiver);
    for what in ["in_flight", "saturation", "uptime", "heartbeat"] {
        let name = format!("tasks.status.wait.{what}.instance.w.queue.q");
        assert_eq!(receiver.gauge(&name), Some(0.0), "{what}");
    }
    assert_eq!(receiver.counter("tasks.status.wait.success.queue.q"), 3);
}

#[tokio::test]
async fn a_payload_that_makes_no_sense_is_counted() {
    async fn never(_: u64) {}
    let (client, receiver) = client();
    let pool = sqlite::open().await.unwrap();
    sqlite::queue::<String>(&pool, "odd")
        .push("text".into())
        .await
        .unwrap();
    let layer = MetricsLayer::new("never");
    let worker = WorkerBuilder::new("reader")
        .backend(sqlite::queue::<u64>(&pool, "odd"))
        .metrics(layer.clone())
        .build(never);
    let ended = client.scope(layer.watch(worker.run())).await;
    let error = ended.unwrap_err();
    assert!(matches!(error, WorkerError::BackendError(_)), "{error}");
    finish(client, &receiver);
    assert_eq!(receiver.counter("tasks.status.never.payload_failures"), 1);
    assert_eq!(receiver.counter("tasks.status.never.started"), 0);
}

#[tokio::test]
async fn jobs_whose_worker_is_dropped_are_cancelled_and_a_drop_inside_a_time_limit_is_too() {
    static STARTED: Semaphore = Semaphore::const_new(0);
    async fn hang(job: u64) {
        STARTED.add_permits(1);
        if job > 0 {
            std::future::pending::<()>().await;
        }
    }
    let (client, receiver) = client();
    let pool = sqlite::open().await.unwrap();
    let mut queue = sqlite::queue::<u64>(&pool, "hanging");
    for job in 0..4 {
        queue.push(job).await.unwrap();
    }
    let worker = WorkerBuilder::new("hanger")
        .backend(queue)
        .metrics(MetricsLayer::new("outer"))
        .timeout(Duration::from_secs(3_600))
        .metrics(MetricsLayer::new("inner"))
        .build(hang);
    let all_hang = async {
        let _ = STARTED.acquire_many(4).await.unwrap();
    };
    client
        .scope(async {
            tokio::select! {
                ended = worker.run() => panic!("{ended:?}"),
                () = all_hang => {}
            }
        })
        .await;
    finish(client, &receiver);
    for task in ["outer", "inner"] {
        let counts = Counts::arrived(&receiver, task);
        let ended = (counts.started, counts.success, counts.cancelled, counts.timeouts);
        assert_eq!(ended, (4, 1, 3, 0), "{task}");
    }
}

#[tokio::test]
async fn a_job_that_is_taken_back_is_cancelled_and_attempts_are_told_apart() {
    static ENDED: Semaphore = Semaphore::const_new(0);
    async fn give_up(job: u64, context: TaskContext, attempt: Attempt) -> Result<(), BoxDynError> {
        ENDED.add_permits(1);
        match job {
            // Seen at the next poll, and in the last one.
            1 => {
                context.cancel()?;
                tokio::task::yield_now().await;
            }
            2 => context.cancel()?,
            3 if attempt.current() == 1 => return Err("the server is busy".into()),
            _ => {}
        }
        Ok(())
    }
    let (client, receiver) = client();
    let pool = sqlite::open().await.unwrap();
    let mut queue = sqlite::queue::<u64>(&pool, "taken_back");
    for job in 0..4 {
        queue.push(job).await.unwrap();
    }
    let layer = MetricsLayer::new("give_up").tag_attempts().error_kind(|_| "busy");
    let worker = WorkerBuilder::new("taker")
        .backend(queue)
        .metrics(layer)
        .build(give_up);
    let end = async {
        let _ = ENDED.acquire_many(5).await.unwrap();
        Ok::<_, WorkerError>(())
    };
    client.scope(worker.run_until(end)).await.unwrap();
    finish(client, &receiver);
    let count =
        |what: &str, attempt: u8| receiver.counter(&format!("tasks.status.give_up.{what}.attempt.{attempt}"));
    assert_eq!((count("started", 1), count("started", 2)), (4, 1));
    assert_eq!((count("success", 1), count("success", 2)), (1, 1));
    assert_eq!((count("cancelled", 1), count("exceptions", 1)), (2, 0));
    assert_eq!((count("retries", 1), count("retries.busy", 1)), (1, 1));
}
