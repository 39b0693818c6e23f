//! A server that is stopped and started again while four threads work: the sums over all its lives are the calls.
//!
//! A server is stopped after it has read what was sent to it: what it took in and did not read is the one loss that no
//! sender can see.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Duration,
};

use instrument_task::{Client, instrument_task, with_client};
use instrument_task_tests::{
    etsy::{Etsy, Protocol},
    wait::until,
};

const THREADS: u64 = 4;
const CALLS: u64 = 400_000;
/// Times that the server is stopped and started again.
const OUTAGES: u64 = 3;
const STARTED: &str = "tasks.status.work.started";
const SUCCESS: &str = "tasks.status.work.success";

#[instrument_task]
fn work(number: u64) -> u64 {
    std::hint::black_box(number)
}

/// One life of a server.
trait Server {
    /// Both counters' sums so far in this life.
    fn sums(&self) -> [u64; 2];

    /// Ends it, and tells the sums of its life.
    fn stop(self) -> [u64; 2];
}

impl Server for Etsy {
    fn sums(&self) -> [u64; 2] {
        let counters = self.counters();
        [STARTED, SUCCESS].map(|name| counters.get(name).copied().unwrap_or(0))
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "sums of whole numbers"
    )]
    fn stop(self) -> [u64; 2] {
        assert_eq!(self.bad_lines_seen(), 0);
        let received = Self::stop(self);
        [STARTED, SUCCESS].map(|name| received.counter(name) as u64)
    }
}

#[cfg(unix)]
impl Server for instrument_task::testing::Receiver {
    fn sums(&self) -> [u64; 2] {
        [STARTED, SUCCESS].map(|name| self.counter(name))
    }

    fn stop(self) -> [u64; 2] {
        assert!(self.bad_lines().is_empty(), "{:?}", self.bad_lines());
        self.sums()
    }
}

/// Lets the threads go when a test fails.
struct LetGo<'a>(&'a AtomicU64);

impl Drop for LetGo<'_> {
    fn drop(&mut self) {
        self.0.store(u64::MAX, Ordering::Relaxed);
    }
}

/// Works, with `first` and what `again` gives as the server's lives.
fn outlives<S: Server>(url: String, first: S, again: impl Fn() -> S) {
    let client = Client::builder()
        .ignore_environment()
        .address(url)
        // Each flush is this test's own, so that none is under way when the server stops.
        .flush_interval(Duration::from_secs(3_600))
        .build()
        .unwrap();
    let done = AtomicU64::new(0);
    // How many calls may have been made; each stage of the outages lets some more through.
    let allowed = AtomicU64::new(0);
    let mut over_all_lives = [0; 2];
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                with_client(&client, || {
                    for number in 0..CALLS / THREADS {
                        while done.load(Ordering::Relaxed) >= allowed.load(Ordering::Relaxed) {
                            thread::yield_now();
                        }
                        work(number);
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                });
            });
        }
        let _let_go = LetGo(&allowed);
        let stages = 2 * OUTAGES + 1;
        let work_on = |stage: u64| {
            allowed.store(CALLS * (stage + 1) / stages + THREADS, Ordering::Relaxed);
            until("the threads have worked", || {
                (done.load(Ordering::Relaxed) >= CALLS * (stage + 1) / stages).then_some(())
            });
        };
        let mut server = first;
        let mut sent_before = 0;
        for outage in 0..OUTAGES {
            work_on(2 * outage);
            let report = client.flush(Duration::from_secs(10));
            assert!(report.sent > 0 && report.pending == 0, "{report:?}");
            let sent = client.ledger().counters.sent;
            until("the server has read what was sent", || {
                (server.sums().iter().sum::<u64>() == sent - sent_before).then_some(())
            });
            sent_before = sent;
            add(&mut over_all_lives, server.stop());

            work_on(2 * outage + 1);
            for _ in 0..3 {
                let report = client.flush(Duration::from_millis(200));
                assert_eq!(report.sent, 0, "{report:?}");
                assert!(report.pending > 0 && report.ledger.is_balanced(), "{report:?}");
            }
            assert_eq!(client.ledger().counters.sent, sent);
            server = again();
        }
        work_on(2 * OUTAGES);
        until("the threads are done", || {
            (done.load(Ordering::Relaxed) == CALLS).then_some(())
        });
        let handle = client.client();
        let report = client.flush(Duration::from_secs(30));
        assert_eq!(report.pending, 0, "{report:?}");
        let ledger = handle.ledger();
        assert!(ledger.is_balanced(), "{ledger:?}");
        assert_eq!((ledger.counters.sent, ledger.counters.dropped), (2 * CALLS, 0));
        assert_eq!(ledger.refused_late, 0);
        until("the server has read the rest", || {
            (server.sums().iter().sum::<u64>() == 2 * CALLS - sent_before).then_some(())
        });
        add(&mut over_all_lives, server.stop());
    });
    assert_eq!(over_all_lives, [CALLS, CALLS]);
}

fn add(sums: &mut [u64; 2], more: [u64; 2]) {
    for (sum, more) in sums.iter_mut().zip(more) {
        *sum += more;
    }
}

#[test]
fn counts_outlive_a_statsd_over_udp() {
    if let Some(server) = Etsy::start_by_or_skip(Protocol::Udp) {
        let place = server.place();
        outlives(place.url(), server, || Etsy::start_again(place));
    }
}

#[test]
fn counts_outlive_a_statsd_over_tcp() {
    if let Some(server) = Etsy::start_by_or_skip(Protocol::Tcp) {
        let place = server.place();
        outlives(place.url(), server, || Etsy::start_again(place));
    }
}

#[cfg(unix)]
#[test]
fn counts_outlive_a_receiver_of_unix_datagrams() {
    use instrument_task::testing::Receiver;
    let path = std::env::temp_dir().join(format!("instrument-task-{}-outage.sock", std::process::id()));
    let start = || Receiver::start_unixgram(&path).unwrap();
    outlives(format!("unixgram://{}", path.display()), start(), start);
}

#[cfg(unix)]
#[test]
fn counts_outlive_a_receiver_of_a_unix_stream() {
    use instrument_task::{Framing, testing::Receiver};
    let path = std::env::temp_dir().join(format!("instrument-task-{}-stream.sock", std::process::id()));
    let start = || Receiver::start_unixstream(&path, Framing::Length).unwrap();
    outlives(format!("unixstream://{}", path.display()), start(), start);
}
