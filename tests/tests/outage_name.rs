//! A server that is known by a name, some of whose addresses answer and some do not. That a name is looked up anew is tested where
//! look-ups can be scripted: beside the transports.

use std::{
    net::{ToSocketAddrs, UdpSocket},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use instrument_task::{Client, instrument_task, testing::Receiver, with_client};
use instrument_task_tests::wait::{BOUND, until};

#[instrument_task]
fn work(number: u64) -> u64 {
    std::hint::black_box(number)
}

/// Lets the caller go when the test fails.
struct LetGo<'a>(&'a AtomicBool);

impl Drop for LetGo<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_name_whose_live_address_is_the_last_is_found_while_calls_go_on() {
    // Every address of the name is dead at first; where this host has several, the last one comes to life.
    let addresses: Vec<_> = ("localhost", 0).to_socket_addrs().unwrap().collect();
    let live = addresses.last().expect("the system knows this host");
    let live = UdpSocket::bind(live)
        .and_then(|socket| socket.local_addr())
        .unwrap();
    let client = Client::builder()
        .ignore_environment()
        .address(format!("udp://localhost:{}", live.port()))
        .flush_interval(Duration::from_millis(20))
        .build()
        .unwrap();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let caller = scope.spawn(|| {
            let mut calls = 0;
            while !stop.load(Ordering::Relaxed) {
                with_client(&client, || work(calls));
                calls += 1;
            }
            calls
        });
        let let_go = LetGo(&stop);
        until("the name is looked up, and its addresses refuse", || {
            let report = client.flush(Duration::from_millis(50));
            assert_eq!(report.ledger.counters.sent, 0, "{report:?}");
            (report.pending > 1_000).then_some(())
        });
        let receiver = Receiver::start_at(live).unwrap();
        let counts =
            || ["started", "success"].map(|what| receiver.counter(&format!("tasks.status.work.{what}")));
        assert!(receiver.wait_until(BOUND, |_| counts()[1] > 0), "found");
        drop(let_go);
        let calls = caller.join().unwrap();
        let report = client.flush(BOUND);
        assert_eq!(
            (report.pending, report.ledger.counters.dropped),
            (0, 0),
            "{report:?}"
        );
        assert_eq!(report.ledger.counters.sent, 2 * calls);
        receiver.wait_until(BOUND, |_| counts() == [calls, calls]);
        assert_eq!(counts(), [calls, calls]);
    });
}
