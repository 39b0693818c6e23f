//! Tags whose values come with the data, request ids say: sets come and go by the hundred thousand, every count arrives under its own
//! tag, and memory stays what it was.

use std::{
    collections::BTreeMap,
    future::Future,
    net::UdpSocket,
    pin::Pin,
    sync::{
        Barrier, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};

use instrument_task::{Client, ClientBuilder, Dialect, instrument_task, testing::Receiver};
use instrument_task_tests::{
    etsy::{Place, Protocol},
    process::Figures,
    wait::{BOUND, turn, until},
};

#[instrument_task(tags(id = id), time = never)]
fn handle(id: u64) -> Result<u64, u64> {
    if id.is_multiple_of(3) { Err(id) } else { Ok(id) }
}

/// Waits once, so that it is in flight until it is polled again.
#[instrument_task(tags(id = id), time = never)]
async fn serve(id: u64) -> u64 {
    let mut waited = false;
    std::future::poll_fn(|_| {
        if std::mem::replace(&mut waited, true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    id
}

/// Its tags are looked at when it is called, long before it may be polled.
#[instrument_task(tags(id = id), time = never)]
fn offer(id: u64) -> impl Future<Output = u64> + Send {
    async move { id }
}

type Boxed = Pin<Box<dyn Future<Output = u64> + Send>>;

fn poll(future: &mut Boxed) -> Poll<u64> {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

const EXPIRY: Duration = Duration::from_millis(40);

fn builder(address: String) -> ClientBuilder {
    Client::builder()
        .ignore_environment()
        .address(address)
        .dialect(Dialect::DogStatsd)
        .packet_size(60_000)
        .cardinality_cap(100_000)
        .drain_interval(Duration::from_millis(5))
        .flush_interval(Duration::from_millis(20))
        .idle_expiry(EXPIRY)
}

/// Waits until what was counted so far has arrived: datagrams as large as these are many for a receive buffer.
fn settle_at(receiver: &Receiver, client: &Client) {
    settle(client);
    let sent = client.ledger().packets;
    assert!(receiver.wait_until(BOUND, |receiver| receiver.packets_seen() >= sent));
}

/// Waits until what was counted so far is sent.
fn settle(client: &Client) {
    until("all is sent", || {
        (client.flush(Duration::from_secs(10)).pending == 0).then_some(())
    });
}

const BATCHES: u64 = 40;
const THREADS: u64 = 4;
const IDS: u64 = 500;

/// The id that is called by many in this batch, and comes back after a while.
fn returning(batch: u64) -> u64 {
    (batch % 10) * 1_000_003
}

/// Polls what was made and what is running to the end, but for some that are dropped.
fn finish(made: Vec<(u64, u64, Boxed)>, running: Vec<(u64, u64, Boxed)>) {
    let rests = |futures: Vec<(u64, u64, Boxed)>, dropped: u64| {
        for (_, id, mut future) in futures {
            if !id.is_multiple_of(dropped) {
                assert_eq!(poll(&mut future), Poll::Ready(id));
            }
        }
    };
    rests(made, 7);
    rests(running, 5);
}

/// What all calls make.
fn expected() -> BTreeMap<String, u64> {
    let mut expected = BTreeMap::<String, u64>::new();
    let mut count = |name: &str, outcome: &str, id: u64| {
        for counter in ["started", outcome] {
            *expected
                .entry(format!("tasks.status.{name}.{counter}{{id:{id}}}"))
                .or_default() += 1;
        }
    };
    let either = |holds: bool, outcome| if holds { outcome } else { "success" };
    for batch in 0..BATCHES {
        for nth in 0..THREADS * IDS {
            let id = batch * THREADS * IDS + nth;
            for id in [id, 7, returning(batch)] {
                count("handle", either(id.is_multiple_of(3), "exceptions"), id);
            }
            if (nth % IDS).is_multiple_of(50) {
                if !id.is_multiple_of(7) {
                    count("offer", "success", id);
                }
                count("serve", either(id.is_multiple_of(5), "cancelled"), id);
            }
        }
    }
    expected
}

#[test]
fn every_count_arrives_under_its_own_tag() {
    let _turn = turn();
    let receiver = Receiver::start().unwrap();
    let client = builder(receiver.address().to_string()).install().unwrap();
    // Made, and not polled for several expiries; in flight for as long; and these again after they went to another thread.
    let made = Mutex::new(Vec::<(u64, u64, Boxed)>::new());
    let running = Mutex::new(Vec::<(u64, u64, Boxed)>::new());
    for batch in 0..BATCHES {
        thread::scope(|scope| {
            for number in 0..THREADS {
                let (made, running) = (&made, &running);
                scope.spawn(move || {
                    for n in 0..IDS {
                        let id = (batch * THREADS + number) * IDS + n;
                        let _ = handle(id);
                        // One that every thread calls, and one that comes back after a while.
                        let _ = handle(7);
                        let _ = handle(returning(batch));
                        if n % 50 == 0 {
                            made.lock().unwrap().push((batch, id, Box::pin(offer(id))));
                            let mut future: Boxed = Box::pin(serve(id));
                            assert!(poll(&mut future).is_pending());
                            running.lock().unwrap().push((batch, id, future));
                        }
                    }
                    let is_ripe = |then: &mut (u64, u64, Boxed)| then.0 + 8 < batch;
                    let ripe: Vec<_> = made.lock().unwrap().extract_if(.., is_ripe).collect();
                    let ripe_too: Vec<_> = running.lock().unwrap().extract_if(.., is_ripe).collect();
                    finish(ripe, ripe_too);
                });
            }
        });
        settle_at(&receiver, &client);
    }
    finish(made.into_inner().unwrap(), running.into_inner().unwrap());
    let expected = expected();
    settle(&client);
    let ledger = client.ledger();
    assert!(ledger.is_balanced(), "{ledger:?}");
    assert_eq!(ledger.counters.recorded, ledger.counters.sent);
    assert!(receiver.wait_until(BOUND, |receiver| {
        receiver.counters().values().sum::<u64>() == ledger.counters.sent
    }));
    let arrived = receiver.counters();
    let differs = |name: &&String| arrived.get(*name) != expected.get(*name);
    let wrong: Vec<_> = arrived.keys().chain(expected.keys()).filter(differs).collect();
    assert!(
        wrong.is_empty(),
        "{} wrong, as {:?}",
        wrong.len(),
        &wrong[..wrong.len().min(10)]
    );
    assert_eq!(receiver.bad_lines(), Vec::<String>::new());
}

/// The memory of this process that is really there, in KiB; none where the system does not tell.
fn resident() -> Option<u64> {
    Figures::of(std::process::id()).map(|figures| figures.resident)
}

#[test]
fn a_quarter_of_a_million_sets_take_the_memory_of_those_that_are_alive() {
    const BATCHES: u64 = 50;
    const IDS: u64 = 5_000;
    let _turn = turn();
    // More at first than are alive at once ever after: how long they live beyond their expiry is up to the scheduler, and what the
    // process took for them it keeps.
    let ids = |batch| if batch == 0 { 4 * IDS } else { IDS };
    // Nobody reads what it gets.
    let address = Place::fresh(Protocol::Udp).address();
    let deaf = UdpSocket::bind(address).unwrap();
    let client = builder(address.to_string()).install().unwrap();
    let (next, turn) = (AtomicU64::new(0), Barrier::new(3));
    let mut after_some = None;
    thread::scope(|scope| {
        // Threads that live through it all.
        for _ in 0..2 {
            scope.spawn(|| {
                for batch in 0..BATCHES {
                    turn.wait();
                    for _ in 0..ids(batch) / 2 {
                        let _ = handle(next.fetch_add(1, Ordering::Relaxed));
                    }
                    turn.wait();
                }
            });
        }
        for batch in 0..BATCHES {
            turn.wait();
            turn.wait();
            settle(&client);
            if batch == BATCHES / 2 {
                after_some = resident();
            }
        }
    });
    let ledger = client.ledger();
    assert_eq!(ledger.counters.recorded, 2 * next.into_inner());
    // There is room for another one, under its own tag.
    drop(deaf);
    let receiver = Receiver::start_at(address).unwrap();
    let _ = handle(u64::MAX);
    settle(&client);
    let name = format!("tasks.status.handle.started{{id:{}}}", u64::MAX);
    assert!(receiver.wait_until(BOUND, |receiver| receiver.counter(&name) == 1));
    assert_eq!(ledger.folded, 0);
    if let (Some(before), Some(after)) = (after_some, resident()) {
        println!("{before} KiB after half of the sets, {after} KiB after all");
        assert!(after < before + before / 5, "{before} KiB, {after} KiB");
    }
}
