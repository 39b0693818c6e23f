//! A child that was forked without exec: it counts its own calls, and its parent's stay the parent's.
#![cfg(unix)]

use std::{
    fs, process,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::Duration,
};

use instrument_task::{Client, instrument_task, testing::Receiver, worker::Metrics};
use instrument_task_tests::{forked::wait_for, wait::BOUND};

const CHILDS_CALLS: u64 = 1_000;

#[instrument_task]
fn parents() {}

#[instrument_task]
fn childs() {}

/// Forks in the middle of a call; tells in which process it is.
#[instrument_task]
fn forks() -> libc::pid_t {
    // SAFETY: the child calls what any program may call after a fork of a process with threads on this system, and
    // leaves by `_exit`.
    unsafe { libc::fork() }
}

/// The child's whole life; its exit status is 0 if all is well. The worker's metrics are the parent's, whose threads were busy with them.
fn child(client: &Client, worker: &Metrics) -> i32 {
    (0..CHILDS_CALLS).for_each(|_| childs());
    worker.heartbeat();
    worker.stop_worker();
    let report = client.flush(BOUND);
    let counted = report.ledger.counters.recorded == 2 * CHILDS_CALLS;
    i32::from(!(counted && report.pending == 0 && report.ledger.is_balanced()))
}

#[test]
fn a_child_counts_its_own_and_nothing_of_its_parents() {
    let receiver = Receiver::start().expect("a loopback socket");
    let client = Client::builder()
        .ignore_environment()
        .address(receiver.address().to_string())
        .flush_interval(Duration::from_millis(20))
        .drain_interval(Duration::from_millis(5))
        .telemetry(true)
        .install()
        .expect("no other client is installed in this process");
    let worker = Metrics::new("worker").instance("parent");
    let (stop, calls) = (AtomicBool::new(false), AtomicU64::new(0));
    let rounds = 20;
    let mut pids = vec![process::id()];
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    parents();
                    worker.start_worker();
                    calls.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for _ in 0..rounds {
            let pid = forks();
            if pid == 0 {
                let status = child(&client, &worker);
                // SAFETY: ends this process without running what belongs to the parent.
                unsafe { libc::_exit(status) };
            }
            pids.push(pid.try_into().expect("a fork that did not fail"));
            let status = wait_for(pid);
            if status != Ok(0) {
                stop.store(true, Ordering::Relaxed);
            }
            assert_eq!(status, Ok(0));
        }
        stop.store(true, Ordering::Relaxed);
    });
    let report = client.shutdown(BOUND);
    assert_eq!(
        (report.pending, report.dropped, report.ledger.is_balanced()),
        (0, 0, true)
    );
    let calls = calls.into_inner();
    let expected = [
        ("tasks.status.parents.started", calls),
        ("tasks.status.parents.success", calls),
        ("tasks.status.childs.started", rounds * CHILDS_CALLS),
        ("tasks.status.childs.success", rounds * CHILDS_CALLS),
        ("tasks.status.forks.started", rounds),
        ("tasks.status.forks.success", rounds),
    ];
    receiver.wait_until(BOUND, |receiver| {
        expected
            .iter()
            .all(|(name, count)| receiver.counter(name) == *count)
    });
    for (name, count) in expected {
        assert_eq!(receiver.counter(name), count, "{name}");
    }
    // Each process's gauges are its own.
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_else(|_| "localhost".into());
    let host = host
        .trim()
        .replace(|c: char| !(c.is_ascii_alphanumeric() || c == '-'), "_");
    for pid in pids {
        let gauge = format!("instrument_task.counters.pending.instance.{host}_{pid}");
        assert!(receiver.gauge(&gauge).is_some(), "{gauge}");
    }
}
