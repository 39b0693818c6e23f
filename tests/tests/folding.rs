//! Past the limits of a process nothing is lost: what has no room of its own is counted together, with one warning and a count.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use instrument_task::{Client, Guard, Ledger, instrument_task, testing::Receiver, with_client};
use instrument_task_tests::{
    log::{Lines, Log},
    wait::{BOUND, until},
};
use tracing::Level;

static LINES: Lines = Lines::new();
/// The log and the room for tag sets are the process's.
static ALONE: Mutex<()> = Mutex::new(());

fn client_of(receiver: &Receiver) -> Guard {
    // The first of them sets it.
    let _ = tracing::subscriber::set_global_default(Log(|line| LINES.push(line)));
    Client::builder()
        .ignore_environment()
        .address(receiver.url())
        .flush_interval(Duration::from_secs(3_600))
        .cardinality_cap(1_000_000)
        .build()
        .unwrap()
}

/// The warnings that were logged since there were `before`.
fn warnings(before: usize) -> Vec<String> {
    let is_ours = |line: &&_| {
        let line: &instrument_task_tests::log::Line = line;
        line.level == Level::WARN && line.target == "instrument_task" && line.text.contains("NoRoom")
    };
    LINES.all()[before..]
        .iter()
        .filter(is_ours)
        .map(|line| line.text.clone())
        .collect()
}

/// Waits until the books have it all.
fn books(client: &Client, calls: u64) -> Ledger {
    until("all calls are in the books", || {
        Some(client.ledger()).filter(|ledger| ledger.counters.recorded == calls)
    })
}

struct Failure(&'static str);

impl Failure {
    fn kind(&self) -> &'static str {
        self.0
    }
}

#[instrument_task(error_kind = Failure::kind)]
fn fails(kind: &'static str) -> Result<(), Failure> {
    Err(Failure(kind))
}

#[test]
fn kinds_of_exceptions_past_the_limit_are_told_once_and_counted() {
    const KINDS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-+*/&%$";
    let _alone = ALONE.lock().unwrap();
    let (receiver, before) = (Receiver::start().unwrap(), LINES.all().len());
    let client = client_of(&receiver);
    let past = KINDS.len() as u64 - 64;
    for round in 1..=3 {
        with_client(&client, || {
            for at in 0..KINDS.len() {
                let _ = fails(&KINDS[at..=at]);
            }
        });
        let ledger = books(&client, 3 * round * KINDS.len() as u64);
        assert_eq!((ledger.folded, ledger.folded_calls), (0, round * past));
        assert!(ledger.is_balanced());
    }
    assert_eq!(warnings(before).len(), 1, "{:?}", warnings(before));
    assert_eq!(client.flush(BOUND).pending, 0);
    let other = "tasks.status.fails.exceptions._other";
    assert!(receiver.wait_until(BOUND, |receiver| receiver.counter(other) == 3 * past));
}

static NUMBER: AtomicUsize = AtomicUsize::new(0);

#[instrument_task(tags(number = NUMBER.fetch_add(1, Ordering::Relaxed)), time = never)]
fn numbered() {}

#[test]
fn tag_sets_past_the_limit_are_told_once_and_counted() {
    const ROOM: u64 = 100_000;
    let _alone = ALONE.lock().unwrap();
    let (receiver, before) = (Receiver::start().unwrap(), LINES.all().len());
    let client = client_of(&receiver);
    with_client(&client, || (0..ROOM + 500).for_each(|_| numbered()));
    let ledger = books(&client, 2 * (ROOM + 500));
    assert_eq!((ledger.folded, ledger.folded_calls), (0, 500));
    assert_eq!(warnings(before).len(), 1, "{:?}", warnings(before));
    assert_eq!(client.shutdown(Duration::ZERO).ledger.folded_calls, 500);
}
