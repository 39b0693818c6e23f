//! Ten thousand series in a flush, into the real statsd with the receive buffer that it has by default: none is lost.

use std::{
    fs,
    time::{Duration, Instant},
};

use instrument_task::{Client, Ledger, instrument_task, with_client};
use instrument_task_tests::{etsy::Etsy, wait::until};

const SERIES: u32 = 10_000;
const FLUSHES: u64 = 4;
/// A flush is spread over it. The server's buffer holds a tenth of one: within it the server has to get a processor, which at the
/// default of a second a busy machine may not give it in time.
const INTERVAL: Duration = Duration::from_secs(4);
/// Calls that are measured whole, however long nobody takes in what a thread measured.
const AT_ONCE: u32 = 500;

#[instrument_task(tags(n = number))]
fn work(number: u32) -> u32 {
    std::hint::black_box(number)
}

/// The processor time that the flusher has used, in seconds; none where the system does not tell.
fn flusher_seconds() -> Option<f64> {
    let mut ticks = 0_u32;
    for task in fs::read_dir("/proc/self/task").ok()? {
        let stat = fs::read_to_string(task.ok()?.path().join("stat")).ok()?;
        let Some((_, fields)) = stat.split_once("(instrument-task) ") else {
            continue;
        };
        let mut fields = fields.split(' ').skip(11);
        for _ in 0..2 {
            ticks += fields.next()?.parse::<u32>().ok()?;
        }
    }
    // A hundred a second, whatever the kernel's own clock does.
    Some(f64::from(ticks) / 100.0)
}

#[test]
fn none_of_ten_thousand_series_is_lost() {
    let Some(server) = Etsy::start_or_skip() else {
        return;
    };
    let client = Client::builder()
        .ignore_environment()
        .address(server.address())
        .tags_in_names(true)
        .cardinality_cap(SERIES as usize)
        .flush_interval(INTERVAL)
        // Every duration, since a series has one a flush.
        .client_timer_budget(1_000_000)
        .build()
        .unwrap();
    let start = Instant::now();
    for flush in 1..=FLUSHES {
        for first in (0..SERIES).step_by(AT_ONCE as usize) {
            let some = first..first + AT_ONCE;
            with_client(&client, || {
                some.for_each(|number| assert_eq!(work(number), number));
            });
            // Reading the books takes in what the thread measured.
            assert!(client.ledger().is_balanced());
        }
        let mut asked = Instant::now();
        until("the flush is through", || {
            // The books of so many series take a while to sum: asking all the time would be what the flusher does.
            if asked.elapsed() < Duration::from_millis(100) {
                return None;
            }
            asked = Instant::now();
            let Ledger { counters, timers, .. } = client.ledger();
            // Durations, too: the shutdown would send them faster.
            (counters.sent == flush * 2 * u64::from(SERIES) && timers.pending == 0).then_some(())
        });
    }
    let seconds = start.elapsed().as_secs_f64();
    let used = flusher_seconds().unwrap_or(f64::NAN);
    let handle = client.client();
    let report = client.shutdown(Duration::from_secs(30));
    let ledger = handle.ledger();
    assert_eq!((report.pending, ledger.folded), (0, 0));
    println!(
        "{} datagrams in {seconds:.1} s; the flusher used {:.1} % of a core",
        ledger.packets,
        100.0 * used / seconds
    );
    server.wait_for_packets(ledger.packets);
    let counters = server.counters();
    assert_eq!(counters.len(), 2 * SERIES as usize);
    let lost: Vec<_> = counters.iter().filter(|(_, sum)| **sum != FLUSHES).collect();
    assert!(lost.is_empty(), "{lost:?}");
    assert_eq!(server.bad_lines_seen(), 0);
    let received = server.stop();
    assert_eq!(received.timers.len(), SERIES as usize);
    assert!(received.timers.values().all(|timer| {
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let calls = FLUSHES as f64;
        (timer.count - calls).abs() < 1e-6
    }));
}
