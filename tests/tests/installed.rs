//! The client of the whole process: one at a time, from its installation to its shutdown.

use std::{
    cell::Cell,
    future::{Future, poll_fn},
    pin::pin,
    sync::{
        Barrier, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
    thread,
};

use instrument_task::{Client, ErrorKind, Guard, instrument_task, testing::Receiver, worker::Metrics};
use instrument_task_tests::wait::BOUND;

/// There is one such client in a process, so its tests take turns.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn install(receiver: &Receiver) -> Guard {
    Client::builder()
        .ignore_environment()
        .address(receiver.address().to_string())
        .install()
        .unwrap()
}

/// Shuts a client down and waits for a task's counts to arrive: started, success, cancelled.
#[track_caller]
fn arrives(metrics: Guard, receiver: &Receiver, task: &str, expected: [u64; 3]) {
    let handle = metrics.client();
    assert_eq!(metrics.shutdown(BOUND).pending, 0);
    let ledger = handle.ledger();
    assert!(ledger.is_balanced() && ledger.counters.dropped == 0, "{ledger:?}");
    assert_eq!(ledger.counters.sent, expected.iter().sum::<u64>(), "{ledger:?}");
    let counts = || {
        ["started", "success", "cancelled"]
            .map(|what| receiver.counter(&format!("tasks.status.{task}.{what}")))
    };
    receiver.wait_until(BOUND, |_| counts() == expected);
    assert_eq!(counts(), expected, "{task}");
}

#[instrument_task]
fn step() {}

#[test]
fn a_second_installation_is_an_error_until_the_first_is_shut_down() {
    let _alone = alone();
    let receiver = Receiver::start().unwrap();
    step();
    let metrics = install(&receiver);
    step();
    for _ in 0..2 {
        let error = Client::builder().ignore_environment().install().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyInstalled);
    }
    assert_eq!(
        instrument_task::init().unwrap_err().kind(),
        ErrorKind::AlreadyInstalled
    );
    assert!(
        !instrument_task::init_or_disabled().is_enabled(),
        "it does not stand in the first one's place"
    );
    step();
    arrives(metrics, &receiver, "step", [2, 2, 0]);

    // Nobody is there; then everything starts afresh, and so do the counts.
    step();
    let again = Receiver::start().unwrap();
    let metrics = install(&again);
    (0..5).for_each(|_| step());
    arrives(metrics, &again, "step", [5, 5, 0]);
    assert_eq!(receiver.counter("tasks.status.step.started"), 2);
}

#[test]
fn handles_do_nothing_after_the_shutdown() {
    let _alone = alone();
    let receiver = Receiver::start().unwrap();
    let metrics = install(&receiver);
    let handle = metrics.client();
    step();
    drop(handle.clone());
    step();
    arrives(metrics, &receiver, "step", [2, 2, 0]);
    step();
    let report = handle.flush(BOUND);
    assert_eq!((report.sent, report.pending, report.dropped), (0, 0, 0));
    assert_eq!(handle.ledger().counters.recorded, 4);
}

/// Is pending the first time it is polled.
async fn pause() {
    let mut paused = false;
    poll_fn(|_| {
        if std::mem::replace(&mut paused, true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

#[instrument_task]
async fn long() {
    pause().await;
}

fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_call_in_flight_across_a_shutdown_counts_in_no_other_client() {
    let _alone = alone();
    let first = Receiver::start().unwrap();
    let metrics = install(&first);
    let mut finished = pin!(long());
    let mut dropped = Box::pin(long());
    assert!(poll(finished.as_mut()).is_pending() && poll(dropped.as_mut()).is_pending());
    arrives(metrics, &first, "long", [2, 0, 0]);

    let second = Receiver::start().unwrap();
    let metrics = install(&second);
    assert!(poll(finished.as_mut()).is_ready());
    drop(dropped);
    let mut own = pin!(long());
    while poll(own.as_mut()).is_pending() {}
    arrives(metrics, &second, "long", [1, 1, 0]);
    assert_eq!(first.counters().len(), 1, "{:?}", first.counters());
}

#[instrument_task]
fn farewell() {}

/// Makes a call when its thread ends.
struct Last(Cell<bool>);

impl Drop for Last {
    fn drop(&mut self) {
        if self.0.get() {
            farewell();
        }
    }
}

thread_local! {
    static BEFORE: Last = const { Last(Cell::new(false)) };
    static AFTER: Last = const { Last(Cell::new(false)) };
}

#[test]
fn calls_from_thread_local_destructors_are_counted() {
    let _alone = alone();
    let receiver = Receiver::start().unwrap();
    let metrics = install(&receiver);
    for round in 0..100 {
        thread::spawn(move || {
            BEFORE.with(|last| last.0.set(true));
            // On every second thread no call comes before that of the destructor.
            if round % 2 == 0 {
                farewell();
            }
            AFTER.with(|last| last.0.set(true));
        })
        .join()
        .unwrap();
    }
    arrives(metrics, &receiver, "farewell", [250, 250, 0]);
}

#[instrument_task]
fn unwound(number: u32) {
    assert!(number != 7, "seven");
    step();
}

/// Makes a call while its thread unwinds.
struct Cleanup;

impl Drop for Cleanup {
    fn drop(&mut self) {
        step();
    }
}

#[test]
fn calls_from_a_drop_during_unwinding_are_counted() {
    let _alone = alone();
    let receiver = Receiver::start().unwrap();
    let metrics = install(&receiver);
    let thread = thread::spawn(|| {
        let _cleanup = Cleanup;
        unwound(7);
    });
    assert!(thread.join().is_err());
    assert_eq!(metrics.flush(BOUND).pending, 0);
    let counts = |task| {
        ["started", "success", "exceptions", "panics"]
            .map(|what| receiver.counter(&format!("tasks.status.{task}.{what}")))
    };
    assert!(receiver.wait_until(BOUND, |_| counts("step") == [1, 1, 0, 0]));
    assert_eq!(counts("unwound"), [1, 0, 1, 1]);
}

/// A task is told of a client that comes after its first call, and of one that comes during it.
#[test]
fn a_task_that_was_called_too_early_counts_later() {
    const ROUNDS: usize = 200;
    const THREADS: usize = 2;
    let _alone = alone();
    let receiver = Receiver::start().unwrap();
    for round in 0..ROUNDS {
        // One that nobody has called yet.
        let task = Metrics::new(format!("too_early_{round}"));
        let (start, installed) = (Barrier::new(THREADS + 1), AtomicBool::new(false));
        let recorded = thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        while !installed.load(Ordering::Acquire) {
                            task.start().succeed();
                        }
                        task.start().succeed();
                    })
                })
                .collect();
            start.wait();
            let metrics = install(&receiver);
            installed.store(true, Ordering::Release);
            for thread in threads {
                thread.join().unwrap();
            }
            metrics.ledger().counters.recorded
        });
        assert!(recorded >= 2 * THREADS as u64, "{recorded} in round {round}");
        task.start().succeed();
    }
}

/// Threads that go on from client to client, with and without one: each counts what was called under it, and nothing else.
#[test]
fn clients_that_come_and_go_count_what_is_called_under_them() {
    #[instrument_task]
    fn may_leave(early: bool) {
        if early {
            return;
        }
        step();
    }
    const ROUNDS: usize = 50;
    const THREADS: usize = 4;
    const CALLS: u64 = 100;
    let _alone = alone();
    let receiver = Receiver::start().unwrap();
    let turn = Barrier::new(THREADS + 1);
    let mut ledgers = Vec::new();
    let call = || (0..CALLS).for_each(|number| may_leave(number % 2 == 0));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..ROUNDS {
                    // Without a client, and with one.
                    for _ in 0..2 {
                        turn.wait();
                        call();
                        turn.wait();
                    }
                }
            });
        }
        for _ in 0..ROUNDS {
            turn.wait();
            turn.wait();
            let metrics = install(&receiver);
            turn.wait();
            turn.wait();
            let handle = metrics.client();
            drop(metrics);
            ledgers.push(handle.ledger());
        }
    });
    for (round, ledger) in ledgers.iter().enumerate() {
        // Two increments for each call, and for the half of them that make another one, four.
        assert_eq!(ledger.counters.recorded, 3 * THREADS as u64 * CALLS, "{round}");
        assert!(ledger.is_balanced(), "{ledger:?}");
    }
}
