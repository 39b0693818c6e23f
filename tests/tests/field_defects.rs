//! Defects of statsd clients in use. Each test is named after one, and shows that it is not here.
//!
//! Some have their test elsewhere: values that are not finite or have an exponent (`wire/number.rs`, a property test), resolving
//! a name for every metric or waiting for it (`transport/resolve.rs`, `transport/udp/tests.rs`), locks and costs on the
//! caller (`overhead_*.rs`, the benches), forks (`fork.rs`), and restarts of a real server (`transport_outages.rs`).

use std::{
    thread,
    time::{Duration, Instant},
};

use instrument_task::{
    Client, ClientBuilder, Dialect, FlushReport, Guard, instrument_task, testing::Receiver, with_client,
};
use instrument_task_tests::wait::{BOUND, until};

/// Longer than any test.
const NEVER: Duration = Duration::from_secs(3_600);
const STARTED: &str = "tasks.status.work.started";
const SUCCESS: &str = "tasks.status.work.success";
const DURATION: &str = "tasks.duration.work.success";

#[instrument_task]
fn work(number: u64) -> u64 {
    std::hint::black_box(number)
}

#[instrument_task(name = "work")]
fn work_for(duration: Duration) {
    let start = Instant::now();
    while start.elapsed() < duration {
        std::hint::spin_loop();
    }
}

fn to(receiver: &Receiver) -> ClientBuilder {
    Client::builder().ignore_environment().address(receiver.url())
}

fn receiver() -> Receiver {
    Receiver::start().unwrap()
}

fn calls(client: &Client, calls: u64) {
    with_client(client, || {
        (0..calls).for_each(|number| assert_eq!(work(number), number));
    });
}

/// Waits until durations that stand for so many calls have arrived; returns how many they are.
#[track_caller]
fn arrives_timed(receiver: &Receiver, calls: u64) -> usize {
    let timer = || receiver.timer(DURATION).unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let misses = || (timer().count - calls as f64).abs();
    receiver.wait_until(BOUND, |_| misses() < 0.5);
    assert!(misses() < 0.5, "{} of {calls}", timer().count);
    timer().values.len()
}

/// Waits until both counters have arrived, and looks that they are no more and all lines are clean.
#[track_caller]
fn arrives(receiver: &Receiver, calls: u64) {
    receiver.wait_until(BOUND, |receiver| receiver.counter(SUCCESS) >= calls);
    assert_eq!([STARTED, SUCCESS].map(|name| receiver.counter(name)), [calls; 2]);
    assert!(receiver.bad_lines().is_empty(), "{:?}", receiver.bad_lines());
}

#[track_caller]
fn delivered(report: &FlushReport) {
    assert_eq!(
        (report.pending, report.ledger.counters.dropped),
        (0, 0),
        "{report:?}"
    );
    assert!(report.ledger.is_balanced(), "{report:?}");
}

#[test]
fn cadence_a_dropped_clone_kills_the_worker() {
    let receiver = receiver();
    let client = to(&receiver)
        .flush_interval(Duration::from_millis(10))
        .build()
        .unwrap();
    for round in 1..=20 {
        let clone = client.client();
        drop(clone.clone());
        calls(&clone, 10);
        drop(clone);
        arrives(&receiver, 10 * round);
    }
}

#[test]
fn cadence_flush_returns_with_metrics_queued() {
    let receiver = receiver();
    let client = to(&receiver).flush_interval(NEVER).build().unwrap();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| calls(&client, 125_000));
        }
    });
    delivered(&client.flush(BOUND));
    arrives(&receiver, 500_000);
}

#[test]
fn cadence_drop_does_not_wait_and_leaks_its_thread() {
    let receiver = receiver();
    let client = to(&receiver).flush_interval(NEVER).build().unwrap();
    calls(&client, 10_000);
    drop(client);
    arrives(&receiver, 10_000);

    // Nobody listens, and much is pending: it ends by its deadline all the same.
    let address = receiver.url();
    drop(receiver);
    let client = Client::builder()
        .ignore_environment()
        .address(address)
        .flush_interval(NEVER)
        .shutdown_deadline(Duration::from_millis(200))
        .build()
        .unwrap();
    calls(&client, 10_000);
    let (start, handle) = (Instant::now(), client.client());
    drop(client);
    assert!(start.elapsed() < BOUND);
    let ledger = handle.ledger();
    assert!(ledger.is_balanced() && ledger.counters.pending == 0, "{ledger:?}");
}

#[test]
fn cadence_timers_truncate_to_whole_milliseconds() {
    let receiver = receiver();
    let client = to(&receiver).build().unwrap();
    let durations = [1_500, 800, 83].map(Duration::from_micros);
    with_client(&client, || durations.into_iter().for_each(work_for));
    delivered(&client.shutdown(BOUND));
    arrives(&receiver, 3);
    let values = receiver.timer(DURATION).unwrap().values;
    assert_eq!(values.len(), durations.len());
    for (value, duration) in values.iter().zip(durations) {
        // A busy machine may make it longer, never shorter; the clock's own error is far below 1 %.
        assert!(*value > duration.as_secs_f64() * 990.0, "{values:?}");
    }
    assert!(values.iter().any(|value| value.fract() != 0.0), "{values:?}");
}

#[test]
fn cadence_a_sampling_rate_is_written_and_not_applied() {
    let receiver = receiver();
    let client = to(&receiver)
        .sample_rate(0.01)
        .flush_interval(NEVER)
        .build()
        .unwrap();
    calls(&client, 100_000);
    delivered(&client.shutdown(BOUND));
    arrives(&receiver, 100_000);
    // A budget may lower it further, nothing raises it.
    let values = arrives_timed(&receiver, 100_000);
    assert!(values < 1_300, "{values}");
}

#[instrument_task(name = "work", tags(path = path))]
fn tagged(path: &str) {
    std::hint::black_box(path);
}

#[test]
fn cadence_a_tag_value_forges_a_metric() {
    for dialect in [Dialect::Statsd, Dialect::DogStatsd] {
        let receiver = receiver();
        let client = to(&receiver)
            .dialect(dialect)
            .tags_in_names(true)
            .tag("team", "a\nadmin.logins:999|c")
            .prefix("app\nadmin.logins:999|c\n")
            .build()
            .unwrap();
        with_client(&client, || {
            for hostile in [
                "/a\nadmin.logins:999|c",
                "a|c\nadmin.logins:999|c|#",
                "#a:b|@0.1,c",
                "\0",
            ] {
                tagged(hostile);
            }
        });
        let report = client.shutdown(BOUND);
        delivered(&report);
        assert!(receiver.wait_until(BOUND, |receiver| receiver.packets_seen() == report.ledger.packets));
        assert!(receiver.bad_lines().is_empty(), "{:?}", receiver.bad_lines());
        let counters = receiver.counters();
        assert!(!counters.contains_key("admin.logins"), "{counters:?}");
        assert_eq!(counters.values().sum::<u64>(), 8, "{counters:?}");
    }
}

#[test]
fn exporter_dogstatsd_sends_nothing_if_the_process_ends_before_the_interval() {
    let receiver = receiver();
    let client = to(&receiver)
        .dialect(Dialect::DogStatsd)
        .flush_interval(NEVER)
        .build()
        .unwrap();
    calls(&client, 7);
    drop(client);
    arrives(&receiver, 7);
}

#[test]
fn exporter_dogstatsd_never_reaches_an_ipv6_target() {
    let Ok(receiver) = Receiver::start_at("[::1]:0".parse().unwrap()) else {
        // A machine without IPv6 has no such target.
        return;
    };
    let client = to(&receiver).build().unwrap();
    calls(&client, 7);
    delivered(&client.flush(BOUND));
    arrives(&receiver, 7);
}

#[test]
fn exporter_dogstatsd_sends_durations_as_seconds() {
    let receiver = receiver();
    let client = to(&receiver).dialect(Dialect::DogStatsd).build().unwrap();
    with_client(&client, || work_for(Duration::from_millis(20)));
    delivered(&client.flush(BOUND));
    arrives(&receiver, 1);
    let values = receiver.timer(DURATION).unwrap().values;
    assert!((19.8..20_000.0).contains(&values[0]), "{values:?}");
}

#[instrument_task(name = "work", in_flight)]
fn counted_in_flight() {}

#[test]
fn exporter_dogstatsd_sends_gauges_for_ever() {
    let receiver = receiver();
    let client = to(&receiver).flush_interval(NEVER).build().unwrap();
    with_client(&client, counted_in_flight);
    delivered(&client.flush(BOUND));
    let sent = client.ledger().packets;
    for _ in 0..20 {
        client.flush(BOUND);
    }
    assert_eq!(
        client.ledger().packets,
        sent,
        "nothing happened, and nothing is said"
    );
    arrives(&receiver, 1);
}

#[test]
fn exporter_dogstatsd_grows_between_flushes() {
    let receiver = receiver();
    let client = to(&receiver)
        .timer_budget(500)
        .flush_interval(NEVER)
        .build()
        .unwrap();
    let mut most = 0;
    for _ in 0..50 {
        calls(&client, 20_000);
        let ledger = client.ledger();
        assert!(ledger.is_balanced(), "{ledger:?}");
        most = most.max(ledger.timers.pending);
    }
    // What an hour's budget would hold, and never all that was measured.
    assert!(most <= 2 * 500 * NEVER.as_secs(), "{most}");
    delivered(&client.flush(BOUND));
    arrives(&receiver, 1_000_000);
}

#[test]
fn micrometer_an_unbounded_queue_fills_the_memory() {
    // Nobody there, a short interval, and far more durations than fit: what waits has a bound, and no count is lost.
    let receiver = receiver();
    let address = receiver.address();
    let url = receiver.url();
    drop(receiver);
    let client = Client::builder()
        .ignore_environment()
        .address(url)
        .timer_budget(100)
        .flush_interval(Duration::from_millis(10))
        .build()
        .unwrap();
    for _ in 0..50 {
        calls(&client, 10_000);
        let ledger = client.ledger();
        assert!(ledger.timers.pending <= 2 * 100, "{ledger:?}");
        assert!(ledger.is_balanced() && ledger.counters.dropped == 0, "{ledger:?}");
    }
    let Ok(receiver) = Receiver::start_at(address) else {
        // Somebody else took the port.
        return;
    };
    until("the server is found again", || {
        (client.flush(BOUND).pending == 0).then_some(())
    });
    arrives(&receiver, 500_000);
}

#[instrument_task(name = "work", tags(number = number))]
fn numbered(number: u64) -> u64 {
    std::hint::black_box(number)
}

#[test]
fn dipstick_loses_the_metric_that_triggers_a_roll_of_the_buffer() {
    let receiver = receiver();
    let client = to(&receiver)
        .dialect(Dialect::DogStatsd)
        .packet_size(512)
        .flush_interval(NEVER)
        .build()
        .unwrap();
    with_client(&client, || {
        (0..1_000).for_each(|number| assert_eq!(numbered(number), number));
    });
    let report = client.shutdown(BOUND);
    delivered(&report);
    assert!(report.ledger.packets > 100, "{report:?}");
    arrives(&receiver, 1_000);
    let counters = receiver.counters();
    assert_eq!(counters.len(), 2_000);
    assert!(counters.values().all(|count| *count == 1));
}

#[test]
fn exporter_statsd_delivers_a_part_of_a_burst() {
    let receiver = receiver();
    let client = to(&receiver).build().unwrap();
    calls(&client, 200_000);
    delivered(&client.shutdown(BOUND));
    arrives(&receiver, 200_000);
}

#[test]
fn dogstatsd_drop_returns_with_data_unsent() {
    let receiver = receiver();
    let client = to(&receiver)
        .dialect(Dialect::DogStatsd)
        .flush_interval(NEVER)
        .shutdown_deadline(BOUND)
        .build()
        .unwrap();
    // More than one burst of packets, and not more than a receive buffer of Linux's default size holds.
    with_client(&client, || {
        (0..1_500).for_each(|number| assert_eq!(numbered(number), number));
    });
    let handle = client.client();
    drop(client);
    assert_eq!(handle.ledger().counters.sent, 3_000);
    arrives(&receiver, 1_500);
}

#[test]
fn cadence_low_traffic_never_leaves() {
    let receiver = receiver();
    let client = to(&receiver).build().unwrap();
    calls(&client, 1);
    // By itself, within the interval that is the default.
    arrives(&receiver, 1);
    drop(client);
}

#[cfg(unix)]
fn path(name: &str) -> std::path::PathBuf {
    std::env::temp_dir().join(format!("instrument-task-{}-{name}.sock", std::process::id()))
}

#[cfg(unix)]
#[test]
fn hot_shots_a_socket_never_heals_after_a_restart_of_the_agent() {
    let path = path("heals");
    let receiver = Receiver::start_unixgram(&path).unwrap();
    let client = to(&receiver)
        .flush_interval(Duration::from_millis(10))
        .build()
        .unwrap();
    let mut receiver = Some(receiver);
    for _ in 0..5 {
        let running = receiver
            .take()
            .unwrap_or_else(|| Receiver::start_unixgram(&path).unwrap());
        calls(&client, 10);
        // Without a flush by hand: it finds the new socket by itself.
        arrives(&running, 10);
    }
}

#[test]
fn datadog_go_close_deadlocks_with_the_ticker() {
    let receiver = receiver();
    for round in 1..=50 {
        let client = to(&receiver)
            .flush_interval(Duration::from_millis(10))
            .drain_interval(Duration::from_millis(1))
            .build()
            .unwrap();
        thread::scope(|scope| {
            for _ in 0..2 {
                let handle = client.client();
                scope.spawn(move || handle.flush(BOUND));
            }
            calls(&client, 20);
            delivered(&client.shutdown(BOUND));
        });
        arrives(&receiver, 20 * round);
    }
}

#[cfg(unix)]
#[test]
fn datadogpy_a_full_buffer_starts_a_storm_of_connections() {
    use std::os::unix::net::UnixListener;
    let path = path("storm");
    let listener = UnixListener::bind(&path).unwrap();
    listener.set_nonblocking(true).unwrap();
    let client = Client::builder()
        .ignore_environment()
        .address(format!("unixstream://{}", path.display()))
        .send_buffer(4 * 1024)
        .timer_budget(1_000_000)
        .client_timer_budget(1_000_000)
        .flush_interval(Duration::from_millis(10))
        .build()
        .unwrap();
    until("the connection is full", || {
        calls(&client, 20_000);
        let report = client.flush(Duration::from_millis(200));
        (report.pending > 0 && report.sent == 0).then_some(())
    });
    for _ in 0..20 {
        calls(&client, 100);
        client.flush(Duration::from_millis(10));
        assert!(client.ledger().counters.pending > 0);
    }
    let connections: Vec<_> = std::iter::from_fn(|| listener.accept().ok()).collect();
    assert_eq!(connections.len(), 1, "the one that is full");
    let report = client.shutdown(Duration::from_millis(100));
    assert!(report.ledger.is_balanced(), "{report:?}");
    std::fs::remove_file(path).unwrap();
}

/// A queue of Linux's default length holds ten datagrams, and a flush is many: they go out one by one as the agent reads.
#[cfg(unix)]
#[test]
fn datadog_go_a_dump_of_the_buffer_overflows_the_agents_socket() {
    let receiver = Receiver::start_unixgram(path("overflows")).unwrap();
    let client = to(&receiver)
        .dialect(Dialect::DogStatsd)
        .packet_size(512)
        .flush_interval(NEVER)
        .build()
        .unwrap();
    with_client(&client, || {
        (0..3_000).for_each(|number| assert_eq!(numbered(number), number));
    });
    let report = client.flush(BOUND);
    delivered(&report);
    assert!(report.ledger.packets > 300, "{report:?}");
    arrives(&receiver, 3_000);
}

#[test]
fn statsd_instrument_samples_twice() {
    let receiver = receiver();
    // Both a rate and a budget ask for sampling, in many flushes.
    let client: Guard = to(&receiver)
        .sample_rate(0.5)
        .timer_budget(100)
        .flush_interval(Duration::from_millis(20))
        .build()
        .unwrap();
    for _ in 0..20 {
        calls(&client, 10_000);
        // Takes in what was measured, and leaves the flush to the interval.
        assert!(client.ledger().is_balanced());
    }
    delivered(&client.shutdown(BOUND));
    arrives(&receiver, 200_000);
    let values = arrives_timed(&receiver, 200_000);
    assert!(values < 100_000, "{values}");
}
