//! Layers on the store in memory, which never has a job run again, and on Redis, which always does; and layers of several workers.

use std::{sync::Arc, time::Duration};

use apalis::{
    layers::WorkerBuilderExt,
    prelude::{
        Attempt, BoxDynError, MemoryStorage, RetryPolicy, TaskBuilder, TaskSink, WorkerBuilder, WorkerError,
    },
};
use apalis_redis::{Config, RedisStorage};
use instrument_task::{
    Guard,
    apalis::{MetricsExt, MetricsLayer},
    testing::Receiver,
};
use instrument_task_example_apalis::metrics::Counts;
use instrument_task_examples::servers::Redis;
use instrument_task_tests::{
    example,
    receiving::{self, finish},
};
use tokio::sync::Semaphore;

const DEADLINE: Duration = Duration::from_secs(20);

fn client() -> (Guard, Receiver) {
    let receiver = Receiver::start().unwrap();
    let client = receiving::builder(&receiver).build().unwrap();
    (client, receiver)
}

/// Waits for so many permits, which jobs give, and has the worker end.
async fn after(ends: &Semaphore, count: u32) -> Result<(), WorkerError> {
    let _ = ends.acquire_many(count).await.unwrap();
    Ok(())
}

#[tokio::test]
async fn a_job_that_the_store_in_memory_loses_is_exhausted() {
    const JOBS: u32 = 5;
    const RETRIES: u32 = 2;
    static ENDED: Semaphore = Semaphore::const_new(0);
    async fn fail(_: u64) -> Result<(), BoxDynError> {
        ENDED.add_permits(1);
        Err("no such address".into())
    }
    let (client, receiver) = client();
    for (retries, name) in [(RETRIES, "tried_again"), (0, "tried_once")] {
        let mut queue = MemoryStorage::new();
        for job in 0..JOBS {
            let task = TaskBuilder::new(u64::from(job)).max_attempts(5).build();
            queue.push_task(task).await.unwrap();
        }
        let attempts = format!("{name}.attempt");
        let worker = WorkerBuilder::new(name)
            .backend(queue)
            .metrics(MetricsLayer::new(name))
            .retry(RetryPolicy::retries(retries as usize))
            .metrics(MetricsLayer::attempts(&*attempts, retries as usize))
            .build(fail);
        let all = JOBS * (retries + 1);
        client.scope(worker.run_until(after(&ENDED, all))).await.unwrap();
        ENDED.forget_permits(all as usize);
    }
    finish(client, &receiver);
    let jobs = u64::from(JOBS);
    for (task, starts, retries) in [
        ("tried_again", jobs, 0),
        ("tried_again.attempt", 3 * jobs, 2 * jobs),
        ("tried_once", jobs, 0),
        ("tried_once.attempt", jobs, 0),
    ] {
        let seen = Counts::arrived(&receiver, task);
        assert_eq!(
            (seen.started, seen.retries, seen.exceptions, seen.exhausted),
            (starts, retries, jobs, jobs),
            "{task}"
        );
    }
}

#[tokio::test]
async fn a_store_that_goes_by_another_number_than_its_jobs_is_told_of() {
    static ENDED: Semaphore = Semaphore::const_new(0);
    async fn fail_once(_: u64, attempt: Attempt) -> Result<(), BoxDynError> {
        ENDED.add_permits(1);
        if attempt.current() == 1 {
            return Err("busy".into());
        }
        Ok(())
    }
    let Some(redis) = example::or_skip(Redis::start()) else {
        return;
    };
    let (client, receiver) = client();
    let connection = apalis_redis::connect(redis.url()).await.unwrap();
    let config = Config::default()
        .queue("told_of")
        // What is to run again is looked for as often.
        .heartbeat_interval(Duration::from_millis(200));
    let mut queue = RedisStorage::<u64>::new(connection).with_config(config);
    let task = TaskBuilder::new(1).max_attempts(1).build();
    queue.push_task(task).await.unwrap();
    let worker = WorkerBuilder::new("told_of")
        .backend(queue)
        .metrics(MetricsLayer::new("told_of").max_attempts(25))
        .build(fail_once);
    client.scope(worker.run_until(after(&ENDED, 2))).await.unwrap();
    finish(client, &receiver);
    let seen = Counts::arrived(&receiver, "told_of");
    assert_eq!(
        (seen.started, seen.success, seen.retries, seen.exhausted),
        (2, 1, 1, 0)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_that_share_a_layer_are_added_up() {
    const SLOTS: u32 = 2;
    static FIRST: Semaphore = Semaphore::const_new(0);
    static SECOND: Semaphore = Semaphore::const_new(0);
    async fn wait(worker: u64) {
        let gate = if worker == 0 { &FIRST } else { &SECOND };
        gate.acquire().await.unwrap().forget();
    }
    let (client, receiver) = client();
    let layer = MetricsLayer::new("shared")
        .instance("i")
        .concurrency(SLOTS as usize);
    let receiver = Arc::new(receiver);
    let gauge = {
        let receiver = Arc::clone(&receiver);
        move |what: &str| receiver.gauge(&format!("tasks.status.shared.{what}.instance.i"))
    };
    let (seen, levels) = (Arc::clone(&receiver), gauge.clone());
    let wait_until = async move |in_flight: f64, saturation: f64| {
        let (seen, levels) = (Arc::clone(&seen), levels.clone());
        let reached = tokio::task::spawn_blocking(move || {
            seen.wait_until(DEADLINE, |_| {
                levels("in_flight") == Some(in_flight)
                    && levels("saturation") == Some(saturation)
                    // It says 0 in its first second.
                    && levels("uptime").is_some_and(|seconds| seconds >= 1.0)
            })
        });
        assert!(reached.await.unwrap(), "{in_flight} {saturation}");
    };
    let mut workers = Vec::new();
    let mut stops = Vec::new();
    for (number, name) in [(0, "first"), (1, "second")] {
        let mut queue = MemoryStorage::new();
        for _ in 0..SLOTS {
            queue.push(number).await.unwrap();
        }
        let worker = WorkerBuilder::new(name)
            .backend(queue)
            .concurrency(SLOTS as usize)
            .metrics(layer.clone())
            .build(wait);
        let stop = Arc::new(Semaphore::new(0));
        stops.push(Arc::clone(&stop));
        let run = worker.run_until(async move { after(&stop, 1).await });
        workers.push(tokio::spawn(client.client().scope(run)));
    }
    wait_until(4.0, 1.0).await;

    // The one that goes takes nothing of the other's.
    FIRST.add_permits(SLOTS as usize);
    stops[0].add_permits(1);
    workers.remove(0).await.unwrap().unwrap();
    wait_until(2.0, 1.0).await;

    // Nobody watches this one, and it does not end in good order.
    workers[0].abort();
    assert!(workers.remove(0).await.unwrap_err().is_cancelled());
    finish(client, &receiver);
    for what in ["in_flight", "saturation", "uptime"] {
        assert_eq!(gauge(what), Some(0.0), "{what}");
    }
    let counts = Counts::arrived(&receiver, "shared");
    assert_eq!((counts.success, counts.cancelled), (2, 2));
}
