use std::{panic::AssertUnwindSafe, thread, time::Duration};

use super::*;
use crate::{
    Client, Guard,
    testing::{Captured, Receiver, TaskCounts, capture},
};

const BOUND: Duration = Duration::from_secs(20);

/// A client that sends to `receiver`.
fn client_of(receiver: &Receiver) -> Guard {
    Client::builder()
        .ignore_environment()
        .address(receiver.address().to_string())
        .build()
        .unwrap()
}

/// Sends what is left, and waits until it has arrived.
fn finish(client: Guard, receiver: &Receiver) {
    let report = client.shutdown(BOUND);
    assert!(report.ledger.is_balanced(), "{report:?}");
    receiver.wait_until(BOUND, |receiver| receiver.packets_seen() >= report.ledger.packets);
}

fn counter(seen: &Captured, what: &str) -> u64 {
    seen.counter(&format!("tasks.status.{what}"))
}

#[test]
fn a_retry_is_an_outcome_of_its_own() {
    let metrics = Metrics::new("worker_retry");
    let seen = capture(|| {
        for attempt in 0..10 {
            let running = metrics.start();
            match attempt {
                0..3 => running.succeed(),
                3 => running.retry(None),
                4 => running.retry(Some("timeout")),
                5 => running.fail(Some("refused")),
                6 => running.exhaust(None),
                7 => running.time_out(),
                8 => running.cancel(),
                _ => running.panic(),
            }
        }
    });
    let task = seen.task("worker_retry");
    assert_eq!((task.started, task.success, task.exceptions), (10, 3, 3));
    assert_eq!((task.cancelled, task.panics), (2, 1));
    assert_eq!((task.retries, counter(&seen, "worker_retry.retries")), (2, 2));
    assert_eq!(
        task.started,
        task.success + task.exceptions + task.cancelled + task.retries
    );
    assert_eq!(counter(&seen, "worker_retry.retries.timeout"), 1);
    assert_eq!(counter(&seen, "worker_retry.exhausted"), 1);
    assert_eq!(counter(&seen, "worker_retry.timeouts"), 1);
    assert_eq!(seen.kind("worker_retry", "refused"), 1);
    assert_eq!(metrics.in_flight(), 0);
}

#[test]
fn a_retry_is_no_more_in_flight_than_any_other_end() {
    // Of an annotated function: its errors are exceptions, whatever somebody counts beside them.
    static OWN: crate::metric::Counter = crate::metric::Counter::new("tasks.status.worker_own.retries");
    let metrics = Metrics::new("worker_flight").queue("q").tag_attempts();
    let mut running = None;
    let seen = capture(|| {
        metrics.start_attempt(1).retry(None);
        metrics.start_attempt(2).retry(Some("busy"));
        running = Some(metrics.start());
        OWN.increment();
    });
    let task = seen.task("worker_flight");
    assert_eq!((task.started, task.retries, task.in_flight()), (3, 2, 1));
    assert!(task.to_string().ends_with(", 2 to be tried again"), "{task}");
    assert_eq!(seen.task("worker_own"), TaskCounts::default());
    assert_eq!(counter(&seen, "worker_own.retries"), 1);
}

#[test]
fn a_retry_is_timed_where_every_outcome_is() {
    for every in [true, false] {
        let receiver = Receiver::start().unwrap();
        let client = Client::builder()
            .ignore_environment()
            .address(receiver.address().to_string())
            .time_every_outcome(every)
            .build()
            .unwrap();
        let metrics = Metrics::new("worker_retried").queue("q");
        crate::with_client(&client, || {
            for end in 0..30 {
                let running = metrics.start();
                match end % 3 {
                    0 => running.retry(Some("busy")),
                    1 => running.fail(None),
                    _ => running.succeed(),
                }
            }
            // One that ends on another thread.
            let running = metrics.start();
            thread::spawn(move || running.retry(None)).join().unwrap();
        });
        let balanced = client.shutdown(BOUND).ledger;
        assert!(balanced.is_balanced(), "{balanced:?}");
        receiver.wait_until(BOUND, |receiver| receiver.packets_seen() >= balanced.packets);
        let timed = |what: &str| {
            let timer = receiver.timer(&format!("tasks.duration.worker_retried.{what}.queue.q"))?;
            // Ticks would be more than that.
            assert!(timer.values.iter().all(|millis| *millis < 5_000.0), "{timer:?}");
            Some(timer.values.len())
        };
        let count = |what: &str| receiver.counter(&format!("tasks.status.worker_retried.{what}.queue.q"));
        assert_eq!(
            (count("started"), count("retries"), count("success")),
            (31, 11, 10)
        );
        let expected = |values| every.then_some(values);
        assert_eq!(timed("success"), Some(10));
        assert_eq!(timed("exceptions"), expected(10));
        assert_eq!(timed("retries"), expected(11));
    }
}

#[test]
fn a_retry_is_sampled_as_its_task_is() {
    let receiver = Receiver::start().unwrap();
    let client = Client::builder()
        .ignore_environment()
        .address(receiver.address().to_string())
        .time_every_outcome(true)
        .sample_rate(0.1)
        .build()
        .unwrap();
    let metrics = Metrics::new("worker_sampled");
    crate::with_client(&client, || (0..3_000).for_each(|_| metrics.start().retry(None)));
    finish(client, &receiver);
    let timer = receiver.timer("tasks.duration.worker_sampled.retries").unwrap();
    assert!(
        (200..=400).contains(&timer.values.len()),
        "{}",
        timer.values.len()
    );
    assert!((timer.count - 3_000.0).abs() < 1.0, "{}", timer.count);
}

#[test]
fn attempts_are_told_apart_by_their_number_up_to_nine() {
    let receiver = Receiver::start().unwrap();
    let client = client_of(&receiver);
    let metrics = Metrics::new("worker_numbers").queue("q").tag_attempts();
    crate::with_client(&client, || {
        for number in 0..20 {
            metrics.start_attempt(number).retry(Some("busy"));
        }
        metrics.start().succeed();
        Metrics::new("worker_numbers").start_attempt(1).succeed();
    });
    finish(client, &receiver);
    for what in ["started", "retries", "retries.busy"] {
        let count = |tags: &str| receiver.counter(&format!("tasks.status.worker_numbers.{what}{tags}"));
        let of_one = |number: &str| count(&format!(".attempt.{number}.queue.q"));
        for number in 1..10 {
            assert_eq!(of_one(&number.to_string()), 1, "{what} {number}");
        }
        assert_eq!(of_one("more"), 10, "{what}");
        let (numberless, untagged) = if what == "started" { (2, 1) } else { (1, 0) };
        assert_eq!((count(".queue.q"), count("")), (numberless, untagged), "{what}");
    }
}

#[test]
fn an_attempt_that_is_dropped_is_cancelled_and_one_that_unwinds_panicked() {
    let metrics = Metrics::new("worker_dropped");
    let seen = capture(|| {
        drop(metrics.start());
        let _ = std::panic::catch_unwind(AssertUnwindSafe(|| {
            let _running = metrics.start();
            std::panic::resume_unwind(Box::new(()));
        }));
    });
    let task = seen.task("worker_dropped");
    assert_eq!((task.started, task.cancelled, task.panics), (2, 1, 1));
}

#[test]
fn what_is_counted_belongs_to_the_client_at_the_start() {
    let metrics = Metrics::new("worker_elsewhere");
    let (mut running, mut inner) = (None, None);
    let outer = capture(|| {
        running = Some(metrics.start());
        inner = Some(capture(|| running.take().unwrap().retry(None)));
    });
    assert_eq!(counter(&outer, "worker_elsewhere.retries"), 1);
    assert_eq!(counter(&inner.unwrap(), "worker_elsewhere.retries"), 0);
}

#[test]
fn without_a_client_only_what_is_in_flight_is_known() {
    let metrics = Metrics::new("worker_off");
    let running = metrics.start();
    running.waited(Duration::from_secs(1));
    assert_eq!(metrics.in_flight(), 1);
    running.succeed();
    assert_eq!(metrics.in_flight(), 0);
    let seen = capture(|| ());
    assert_eq!(seen.task("worker_off").started, 0);
}

#[test]
fn counts_of_all_threads_add_up() {
    let receiver = Receiver::start().unwrap();
    let client = client_of(&receiver);
    let metrics = Metrics::new("worker_threads")
        .queue("a b")
        .instance("i.1")
        .concurrency(4);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                crate::with_client(&client, || {
                    for _ in 0..1_000 {
                        let running = metrics.start();
                        running.waited(Duration::from_millis(3));
                        running.retry(None);
                    }
                });
            });
        }
    });
    let running = crate::with_client(&client, || metrics.start());
    client.flush(BOUND);
    let tags = "instance.i_1.queue.a_b";
    let gauge = |what: &str| receiver.gauge(&format!("tasks.status.worker_threads.{what}.{tags}"));
    // A flush of the interval's may have told other levels while the threads worked.
    let levels = || (gauge("in_flight"), gauge("saturation"));
    receiver.wait_until(BOUND, |_| levels() == (Some(1.0), Some(0.25)));
    assert_eq!(levels(), (Some(1.0), Some(0.25)));
    drop(running);
    drop(metrics);
    finish(client, &receiver);
    let count = |what: &str| receiver.counter(&format!("tasks.status.worker_threads.{what}.queue.a_b"));
    assert_eq!(
        (count("started"), count("retries"), count("cancelled")),
        (4_001, 4_000, 1)
    );
    let timer = receiver
        .timer("tasks.duration.worker_threads.queue_latency.queue.a_b")
        .unwrap();
    assert!(timer.values.iter().all(|value| (*value - 3.0).abs() < 1e-9));
    assert_eq!(
        gauge("in_flight"),
        Some(0.0),
        "once more, when the worker is gone"
    );
    assert_eq!(receiver.bad_lines(), Vec::<String>::new());
}

#[test]
fn a_worker_without_an_instance_has_the_clients() {
    let receiver = Receiver::start().unwrap();
    let client = Client::builder()
        .ignore_environment()
        .address(receiver.address().to_string())
        .instance("pod.7")
        .build()
        .unwrap();
    let (unnamed, named) = (
        Metrics::new("worker_whose"),
        Metrics::new("worker_whose").instance("own"),
    );
    let running = crate::with_client(&client, || (unnamed.start(), named.start(), named.start()));
    let gauge = |instance: &str| {
        receiver.gauge(&format!(
            "tasks.status.worker_whose.in_flight.instance.{instance}"
        ))
    };
    client.flush(BOUND);
    let levels = || (gauge("pod_7"), gauge("own"));
    receiver.wait_until(BOUND, |_| levels() == (Some(1.0), Some(2.0)));
    assert_eq!(levels(), (Some(1.0), Some(2.0)));
    drop(running);
    finish(client, &receiver);
}

#[test]
fn workers_of_one_task_and_instance_are_added_up() {
    let receiver = Receiver::start().unwrap();
    let guard = client_of(&receiver);
    let gauge = |what: &str| {
        assert_eq!(guard.client().flush(BOUND).pending, 0);
        let packets = guard.client().ledger().packets;
        assert!(receiver.wait_until(BOUND, |receiver| receiver.packets_seen() >= packets));
        receiver.gauge(&format!("tasks.status.worker_many.{what}.instance.i"))
    };
    let worker = || Metrics::new("worker_many").instance("i").concurrency(2);
    let start = |worker: &Metrics| crate::with_client(&guard.client(), || worker.start());
    let (one, other) = (worker(), worker());
    crate::with_client(&guard.client(), || {
        one.start_worker();
        other.start_worker();
    });
    let (first, second, third) = (start(&one), start(&other), start(&other));
    assert_eq!(gauge("in_flight"), Some(3.0));
    assert_eq!(gauge("saturation"), Some(0.75));

    // The one that goes leaves the other's alone.
    one.stop_worker();
    drop((first, one));
    assert_eq!(gauge("in_flight"), Some(2.0));
    assert_eq!(gauge("saturation"), Some(1.0));
    assert!(gauge("heartbeat").is_some_and(|at| at > 0.0));
    drop((second, third));
    other.stop_worker();
    assert_eq!((gauge("in_flight"), gauge("heartbeat")), (Some(0.0), Some(0.0)));
}
