//! Clients of one's own: side by side, nested, in futures, and without a server.

use std::{
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::{Context, Poll, Waker},
    thread,
};

use instrument_task::{
    Client, Guard, instrument_task,
    testing::{Receiver, capture},
    with_client,
};
use instrument_task_tests::{
    etsy::{Place, Protocol},
    wait::{BOUND, until},
};

fn client_of(receiver: &Receiver) -> Guard {
    Client::builder()
        .ignore_environment()
        .address(receiver.address().to_string())
        .build()
        .unwrap()
}

/// Waits for a task's counts to arrive.
#[track_caller]
fn arrives(receiver: &Receiver, task: &str, expected: [u64; 2]) {
    let counts =
        || ["started", "success"].map(|what| receiver.counter(&format!("tasks.status.{task}.{what}")));
    receiver.wait_until(BOUND, |_| counts() == expected);
    assert_eq!(counts(), expected, "{task}");
}

/// Waits until durations that stand for all successful calls of a task have arrived.
#[track_caller]
fn arrives_timed(receiver: &Receiver, task: &str, expected: f64) {
    let name = format!("tasks.duration.{task}.success");
    let calls = || receiver.timer(&name).map_or(0.0, |timer| timer.count);
    receiver.wait_until(BOUND, |_| (calls() - expected).abs() < 0.501);
    assert!((calls() - expected).abs() < 0.501, "{} of {expected}", calls());
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

fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[instrument_task]
fn step() {}

#[test]
fn clients_side_by_side_count_only_their_own() {
    thread::scope(|scope| {
        for number in 1..=6 {
            scope.spawn(move || {
                let receiver = Receiver::start().unwrap();
                let client = client_of(&receiver);
                thread::scope(|scope| {
                    for _ in 0..2 {
                        scope.spawn(|| with_client(&client, || (0..number * 1_000).for_each(|_| step())));
                    }
                });
                assert_eq!(client.flush(BOUND).pending, 0);
                arrives(&receiver, "step", [number * 2_000; 2]);
            });
        }
    });
}

#[test]
fn the_innermost_scope_counts() {
    let [outer, inner] = [(); 2].map(|()| Client::builder().ignore_environment().build().unwrap());
    let seen = capture(|| {
        step();
        with_client(&outer, || {
            step();
            with_client(&inner, || (0..3).for_each(|_| step()));
            with_client(&outer, step);
            step();
        });
        step();
    });
    seen.assert_succeeded("step", 2);
    assert_eq!(outer.ledger().counters.recorded, 2 * 3);
    assert_eq!(inner.ledger().counters.recorded, 2 * 3);
}

#[test]
fn a_scope_ends_with_a_panic() {
    let client = Client::builder().ignore_environment().build().unwrap();
    let seen = capture(|| {
        let caught = catch_unwind(AssertUnwindSafe(|| with_client(&client, || panic!("in scope"))));
        assert!(caught.is_err());
        step();
    });
    seen.assert_succeeded("step", 1);
    assert_eq!(client.ledger().counters.recorded, 0);
}

#[instrument_task]
async fn twofold() {
    pause().await;
}

#[test]
fn futures_that_take_turns_on_a_thread_count_in_their_own_clients() {
    let receivers = [(); 2].map(|()| Receiver::start().unwrap());
    let clients = receivers.each_ref().map(client_of);
    {
        let [mut one, mut other] = [1, 2].map(|calls| {
            Box::pin(clients[calls - 1].scope(async move {
                for _ in 0..calls {
                    twofold().await;
                }
            }))
        });
        let mut done = [false; 2];
        while done != [true; 2] {
            done[0] = done[0] || poll(one.as_mut()).is_ready();
            done[1] = done[1] || poll(other.as_mut()).is_ready();
        }
    }
    for (calls, (client, receiver)) in (1..).zip(clients.iter().zip(&receivers)) {
        assert_eq!(client.flush(BOUND).pending, 0);
        arrives(receiver, "twofold", [calls; 2]);
    }
}

#[test]
fn a_call_ends_in_the_client_it_started_in() {
    let [first, second] = [(); 2].map(|()| Client::builder().ignore_environment().build().unwrap());
    let mut call = pin!(twofold());
    with_client(&first, || assert!(poll(call.as_mut()).is_pending()));
    thread::scope(|scope| {
        // On another thread and in another scope.
        scope.spawn(|| with_client(&second, || assert!(poll(call.as_mut()).is_ready())));
    });
    assert_eq!(first.ledger().counters.recorded, 2);
    assert_eq!(second.ledger().counters.recorded, 0);
}

mod reports {
    #[super::instrument_task]
    pub(super) fn render() {}
}

mod pages {
    #[super::instrument_task]
    pub(super) fn render() {}

    #[super::instrument_task(name = "render")]
    pub(super) fn show() {}
}

#[test]
fn tasks_of_one_name_share_a_series() {
    let receiver = Receiver::start().unwrap();
    let client = client_of(&receiver);
    with_client(&client, || {
        reports::render();
        pages::render();
        pages::show();
    });
    assert_eq!(client.flush(BOUND).pending, 0);
    arrives(&receiver, "render", [3; 2]);
    assert_eq!(receiver.counters().len(), 2);
    arrives_timed(&receiver, "render", 3.0);
}

#[test]
fn what_a_dead_server_refused_arrives_once_it_is_up() {
    let address = Place::fresh(Protocol::Udp).address();
    let client = Client::builder()
        .ignore_environment()
        .address(address.to_string())
        .build()
        .unwrap();
    for _ in 0..3 {
        with_client(&client, || (0..1_000).for_each(|_| step()));
        let report = client.flush(BOUND);
        assert_eq!(
            (report.sent, report.ledger.counters.sent),
            (0, 0),
            "nobody was there"
        );
        assert_eq!(report.ledger.counters.pending, report.ledger.counters.recorded);
        assert!(report.ledger.is_balanced());
    }
    assert_eq!(client.ledger().counters.pending, 6_000);

    let receiver = Receiver::start_at(address).unwrap();
    let report = until("the server is noticed", || {
        Some(client.flush(BOUND)).filter(|report| report.pending == 0)
    });
    assert_eq!(report.ledger.counters.sent, 6_000);
    assert!(report.ledger.is_balanced());
    arrives(&receiver, "step", [3_000; 2]);
    arrives_timed(&receiver, "step", 3_000.0);
}
