//! A `tracing` subscriber that is instrumented itself, and that looks at the client while the client tells its troubles.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use instrument_task::{Client, instrument_task, testing::Receiver};
use instrument_task_tests::{
    etsy::{Place, Protocol},
    log::{Line, Lines, Log},
    wait::{BOUND, until},
};
use tracing::Level;

static LINES: Lines = Lines::new();
static WRITTEN: AtomicU64 = AtomicU64::new(0);
static CLIENT: OnceLock<Client> = OnceLock::new();

#[instrument_task]
fn write_log(line: Line) {
    LINES.push(line);
}

fn log(line: Line) {
    if let Some(client) = CLIENT.get() {
        // On the flusher's own thread nobody could answer; then these return at once.
        client.flush(Duration::from_millis(1));
        assert!(client.ledger().is_balanced());
        WRITTEN.fetch_add(1, Ordering::Relaxed);
        write_log(line);
    } else {
        LINES.push(line);
    }
}

#[instrument_task]
fn step() {
    tracing::info!("step");
}

#[test]
fn an_instrumented_subscriber_neither_hangs_nor_loses_a_call() {
    tracing::subscriber::set_global_default(Log(log)).unwrap();
    let address = Place::fresh(Protocol::Udp).address();
    let metrics = Client::builder()
        .ignore_environment()
        .address(address.to_string())
        .flush_interval(Duration::from_millis(20))
        .install()
        .unwrap();
    assert!(CLIENT.set(metrics.client()).is_ok());
    for _ in 0..100 {
        step();
    }
    let refused = || {
        LINES
            .all()
            .iter()
            .filter(|line| line.level == Level::WARN)
            .count()
    };
    until("the flusher has told that nobody is there", || {
        (refused() > 0).then_some(())
    });

    let receiver = Receiver::start_at(address).unwrap();
    until("the server is noticed", || {
        (metrics.flush(BOUND).pending == 0).then_some(())
    });
    let handle = metrics.client();
    assert_eq!(metrics.shutdown(BOUND).dropped, 0);
    assert!(handle.ledger().is_balanced());
    assert!(receiver.wait_until(BOUND, |receiver| receiver.packets_seen()
        >= handle.ledger().packets));
    let started = |task: &str| receiver.counter(&format!("tasks.status.{task}.started"));
    assert_eq!(started("step"), 100);
    assert_eq!(started("write_log"), WRITTEN.load(Ordering::Relaxed));
    assert!(started("write_log") > 100);
    assert_eq!(refused(), 1, "once a minute: {:?}", LINES.all());
    assert!(LINES.all().iter().all(|line| line.level != Level::ERROR));
}
