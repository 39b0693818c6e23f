//! The library's own metrics: what a server adds up of them is what the books say.

use std::{collections::BTreeMap, time::Duration};

use instrument_task::{Client, Guard, Ledger, instrument_task, testing::Receiver, with_client};
use instrument_task_tests::{
    etsy::{Place, Protocol},
    wait::BOUND,
};

/// A client that flushes when it is asked to.
fn client_of(receiver: &Receiver) -> Guard {
    Client::builder()
        .ignore_environment()
        .address(receiver.url())
        .flush_interval(Duration::from_secs(3_600))
        .prefix("worker")
        .timer_budget(1)
        .telemetry(true)
        .instance("here")
        .build()
        .unwrap()
}

/// The books as counters of the telemetry, by name.
fn counters(ledger: &Ledger) -> [(&'static str, u64); 14] {
    let Ledger { counters, timers, .. } = ledger;
    [
        ("counters.recorded", counters.recorded),
        ("counters.sent", counters.sent),
        ("counters.dropped.at_shutdown", counters.dropped),
        ("timers.recorded", timers.recorded),
        ("timers.sent", timers.sent),
        ("timers.dropped.ring_full", timers.dropped_ring_full),
        ("timers.dropped.over_budget", timers.dropped_over_budget),
        ("timers.dropped.at_shutdown", timers.dropped_at_shutdown),
        ("packets_sent", ledger.packets),
        ("bytes_sent", ledger.bytes),
        ("refused_late", ledger.refused_late),
        ("flusher_panics", ledger.flusher_panics),
        ("folded", ledger.folded),
        ("folded_calls", ledger.folded_calls),
    ]
}

/// Waits until all that was sent has arrived, and checks the sums of what came `earlier` and what came now against the books.
#[track_caller]
fn check(earlier: &BTreeMap<String, u64>, now: &Receiver, books: &Ledger) {
    let name = |what: &str| format!("worker.instrument_task.{what}");
    let sum = |what: &str| earlier.get(&name(what)).unwrap_or(&0) + now.counter(&name(what));
    now.wait_until(BOUND, |_| sum("packets_sent") == books.packets);
    for (what, expected) in counters(books) {
        assert_eq!(sum(what), expected, "{what}");
    }
    let gauge = |what: &str| now.gauge(&(name(what) + ".instance.here"));
    assert_eq!(gauge("counters.pending"), Some(books.counters.pending as f64));
    assert_eq!(gauge("timers.pending"), Some(books.timers.pending as f64));
    assert!(books.is_balanced());
}

#[instrument_task]
fn measured() {}

#[test]
fn what_a_server_adds_up_is_what_the_books_say() {
    let address = Place::fresh(Protocol::Udp).address();
    let receiver = Receiver::start_at(address).unwrap();
    let client = client_of(&receiver);
    let calls = || with_client(&client, || (0..10_000).for_each(|_| measured()));

    calls();
    assert_eq!(client.flush(BOUND).pending, 0);
    let books = client.ledger();
    assert!(books.timers.dropped() > 0, "{books:?}");
    // The packet that carries the books shows in the next one.
    client.flush(BOUND);
    check(&BTreeMap::new(), &receiver, &books);

    // What was refused meanwhile shows when the server is back.
    let earlier = receiver.counters();
    drop(receiver);
    for _ in 0..2 {
        calls();
        assert_ne!(client.flush(BOUND).pending, 0);
    }
    let receiver = Receiver::start_at(address).unwrap();
    assert_eq!(client.flush(BOUND).pending, 0);
    let books = client.ledger();
    client.flush(BOUND);
    check(&earlier, &receiver, &books);
    assert_eq!(books.counters.recorded, 2 * 30_000);
}
