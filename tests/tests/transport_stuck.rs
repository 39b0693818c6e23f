//! A server that accepts a connection and does not read: it holds up nobody, and costs no count.

use std::{
    io::{BufRead, BufReader, Read},
    net::{Shutdown, TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

use instrument_task::{Client, Guard, instrument_task, with_client};
use instrument_task_tests::wait::{BOUND, until};

/// How long a flush may take beyond its deadline, with room for a busy machine.
const SLACK: Duration = Duration::from_secs(5);

#[instrument_task]
fn work(number: u32) -> u32 {
    std::hint::black_box(number)
}

/// What a server reads of one connection: the sums of what was started and of what succeeded, and whether the last
/// line was whole.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sums {
    started: u64,
    success: u64,
    whole: bool,
}

fn read_to_the_end(stream: impl Read) -> Sums {
    let mut sums = Sums {
        whole: true,
        ..Sums::default()
    };
    let (mut reader, mut line) = (BufReader::new(stream), String::new());
    while reader.read_line(&mut line).is_ok_and(|length| length > 0) {
        sums.whole = line.ends_with('\n');
        // As a strict server does: a line without an end is none.
        if sums.whole {
            let amount = |name: &str| {
                line.strip_prefix(name)
                    .and_then(|rest| rest.strip_suffix("|c\n"))
                    .map_or(0, |amount| amount.parse::<u64>().unwrap())
            };
            sums.started += amount("tasks.status.work.started:");
            sums.success += amount("tasks.status.work.success:");
        }
        line.clear();
    }
    sums
}

/// Flushes of [`fill`] in which nothing goes. The kernel asks a peer without room again after 200 ms, and then at intervals that
/// double; the peer may make some the first times, by packing closer what it holds.
const IN_VAIN: u32 = 10;

/// Works until the server's and our own buffers are full, and stay so; returns the calls that were made.
fn fill(client: &Guard) -> u64 {
    let (mut calls, mut in_vain) = (0, 0);
    until("the connection is full", || {
        with_client(client, || (0..20_000).for_each(|number| _ = work(number)));
        calls += 20_000;
        let before = client.ledger().counters.sent;
        let report = client.flush(Duration::from_millis(200));
        let is_stuck = report.pending > 0 && report.sent == 0 && report.ledger.counters.sent == before;
        in_vain = if is_stuck { in_vain + 1 } else { 0 };
        (in_vain == IN_VAIN).then_some(())
    });
    calls
}

fn client_of(listener: &TcpListener) -> Guard {
    Client::builder()
        .ignore_environment()
        .address(format!("tcp://{}", listener.local_addr().unwrap()))
        .send_buffer(4 * 1024)
        // Counters alone would take days to fill a connection.
        .timer_budget(1_000_000)
        .client_timer_budget(1_000_000)
        .flush_interval(Duration::from_millis(50))
        .build()
        .unwrap()
}

fn accept(listener: &TcpListener) -> TcpStream {
    listener.accept().unwrap().0
}

/// While the server does not read: calls are made, flushes and the books are answered in time.
fn goes_on(client: &Guard) -> u64 {
    let mut calls = 0;
    for _ in 0..5 {
        with_client(client, || (0..20_000).for_each(|number| _ = work(number)));
        calls += 20_000;
        let start = Instant::now();
        let report = client.flush(Duration::from_millis(50));
        assert!(report.pending > 0 && report.ledger.is_balanced(), "{report:?}");
        assert!(client.ledger().is_balanced());
        assert!(start.elapsed() < SLACK, "{:?}", start.elapsed());
        assert_eq!(report.ledger.counters.dropped, 0);
    }
    calls
}

#[test]
fn a_server_that_begins_to_read_gets_everything_on_the_same_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = client_of(&listener);
    let mut calls = fill(&client);
    let connection = accept(&listener);
    calls += goes_on(&client);
    let reader = thread::spawn(move || read_to_the_end(connection));
    let report = client.shutdown(BOUND);
    assert_eq!(
        (report.pending, report.ledger.counters.dropped),
        (0, 0),
        "{report:?}"
    );
    let expected = Sums {
        started: calls,
        success: calls,
        whole: true,
    };
    assert_eq!(reader.join().unwrap(), expected);
}

#[test]
fn a_server_that_is_replaced_leaves_exact_sums() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = client_of(&listener);
    let mut calls = fill(&client);
    let old = accept(&listener);
    calls += goes_on(&client);
    // It goes, and takes what it had accepted with it.
    old.shutdown(Shutdown::Write).unwrap();
    let readers = [
        thread::spawn(move || {
            let new = accept(&listener);
            read_to_the_end(new)
        }),
        thread::spawn(move || {
            // The library closes its end as soon as it looks.
            read_to_the_end(old)
        }),
    ];
    let report = client.shutdown(BOUND);
    assert_eq!(
        (report.pending, report.ledger.counters.dropped),
        (0, 0),
        "{report:?}"
    );
    let [new, old] = readers.map(|reader| reader.join().unwrap());
    assert!(new.whole && new.started > 0 && old.started > 0, "{new:?} {old:?}");
    assert_eq!(
        (new.started + old.started, new.success + old.success),
        (calls, calls)
    );
}

#[test]
fn a_shutdown_gives_up_in_time_and_says_what_was_lost() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = client_of(&listener);
    let calls = fill(&client);
    let start = Instant::now();
    let report = client.shutdown(Duration::from_millis(100));
    assert!(start.elapsed() < SLACK, "{:?}", start.elapsed());
    let ledger = report.ledger;
    assert!(
        ledger.is_balanced() && report.pending == 0 && report.dropped > 0,
        "{report:?}"
    );
    // What was said to be sent is what the server can still read.
    let sums = read_to_the_end(accept(&listener));
    assert_eq!(sums.started + sums.success, ledger.counters.sent);
    assert_eq!(2 * calls, ledger.counters.sent + ledger.counters.dropped);
}
