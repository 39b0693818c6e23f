//! The process that is looked at: it works at a set rate, and is quiet otherwise.
//!
//! It counts by plain code what its calls did. It is told on standard input when to flush, so that a server can be stopped
//! between two flushes.

use std::{
    collections::BTreeMap,
    error::Error,
    io::{BufRead, stdin},
    ops::AddAssign,
    pin::pin,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    task::{Context, Poll, Waker},
    thread,
    time::{Duration, Instant},
};

use instrument_task::{Client, Guard, instrument_task};

/// Streams of calls.
const STREAMS: u64 = 4;
/// How often a stream makes the calls that are due.
const SLOT: Duration = Duration::from_millis(5);
/// How long a guest lives: a thread that works for a while and ends, and another comes.
const GUEST: Duration = Duration::from_millis(500);
/// The shards of `store`, each with a series of its own.
const SHARDS: usize = 4;
/// How long a flush is waited for.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long the last flush may take.
const LAST: Duration = Duration::from_secs(30);

#[instrument_task]
fn parse(number: u64) -> Result<u64, u64> {
    if number % 10 == 3 { Err(number) } else { Ok(number) }
}

#[instrument_task(tags(shard = shard))]
fn store(shard: usize) -> usize {
    std::hint::black_box(shard)
}

#[instrument_task]
async fn fetch(hangs: bool) {
    if hangs {
        std::future::pending::<()>().await;
    }
}

/// What calls did.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    parsed: u64,
    refused: u64,
    stored: [u64; SHARDS],
    fetched: u64,
    given_up: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.parsed += other.parsed;
        self.refused += other.refused;
        for (sum, more) in self.stored.iter_mut().zip(other.stored) {
            *sum += more;
        }
        self.fetched += other.fetched;
        self.given_up += other.given_up;
    }
}

impl Counts {
    /// Makes a call, and counts what it did.
    fn call(&mut self, number: u64) {
        match number % 20 {
            0 => {
                let shard = (number / 20) as usize % SHARDS;
                store(shard);
                self.stored[shard] += 1;
            }
            1 => {
                // Polled once, and dropped if it is not done by then.
                let mut context = Context::from_waker(Waker::noop());
                match pin!(fetch(number.is_multiple_of(3))).poll(&mut context) {
                    Poll::Ready(()) => self.fetched += 1,
                    Poll::Pending => self.given_up += 1,
                }
            }
            _ => match parse(number) {
                Ok(_) => self.parsed += 1,
                Err(_) => self.refused += 1,
            },
        }
    }

    /// What a server has to have in the end.
    fn expected(&self) -> BTreeMap<String, u64> {
        let mut all = BTreeMap::new();
        let mut add = |task: &str, end: &str, counts: [u64; 4]| {
            for (what, count) in ["started", "success", "exceptions", "cancelled"]
                .iter()
                .zip(counts)
            {
                if count > 0 {
                    all.insert(format!("tasks.status.{task}.{what}{end}"), count);
                }
            }
        };
        let Self {
            parsed,
            refused,
            stored,
            fetched,
            given_up,
        } = *self;
        add("parse", "", [parsed + refused, parsed, refused, 0]);
        add("fetch", "", [fetched + given_up, fetched, 0, given_up]);
        for (shard, count) in stored.into_iter().enumerate() {
            add("store", &format!(".shard.{shard}"), [count, count, 0, 0]);
        }
        all
    }
}

/// A stream's calls at their rate.
struct Stream<'a> {
    counts: Counts,
    made: u64,
    start: Instant,
    /// Calls a second.
    rate: u64,
    stop: &'a AtomicBool,
    /// Calls of all streams so far.
    all: &'a AtomicU64,
}

impl Stream<'_> {
    /// Makes calls as they are due until `end`, or until all have to stop.
    fn run_until(&mut self, end: Option<Instant>) {
        while !self.stop.load(Ordering::Relaxed) && end.is_none_or(|end| Instant::now() < end) {
            let due = self.start.elapsed().as_micros() * u128::from(self.rate) / 1_000_000;
            let before = self.made;
            while u128::from(self.made) < due {
                self.counts.call(self.made);
                self.made += 1;
            }
            self.all.fetch_add(self.made - before, Ordering::Relaxed);
            thread::sleep(SLOT);
        }
    }
}

/// Works for a client of `url` at `rate` calls a second until standard input says `end`.
pub fn run(url: &str, rate: u64) -> Result<(), Box<dyn Error>> {
    let mut orders = stdin().lock().lines();
    println!("here");
    // Whoever looks has looked.
    orders.next();
    let metrics = Client::builder()
        .ignore_environment()
        .address(url)
        .tags_in_names(true)
        .flush_interval(Duration::from_secs(3_600))
        // A flush fits into a server's default receive buffer, or what overflows while a busy machine gives the server no time
        // would be lost without a trace.
        .client_timer_budget(1_000)
        .install()?;
    let (stop, all) = (AtomicBool::new(false), AtomicU64::new(0));
    let counts = thread::scope(|scope| {
        let stream = || Stream {
            counts: Counts::default(),
            made: 0,
            start: Instant::now(),
            rate: rate / STREAMS,
            stop: &stop,
            all: &all,
        };
        let streams: Vec<_> = (0..STREAMS)
            .map(|number| {
                let mut stream = stream();
                scope.spawn(move || {
                    if number > 0 {
                        stream.run_until(None);
                    }
                    while !stream.stop.load(Ordering::Relaxed) {
                        thread::scope(|scope| {
                            let guest = scope.spawn(|| stream.run_until(Some(Instant::now() + GUEST)));
                            // The scope alone ends with the guest's work, and the next would come while this one still holds what it
                            // counted in.
                            guest.join().expect("calls do not panic");
                        });
                    }
                    stream.counts
                })
            })
            .collect();
        for order in orders.by_ref() {
            match order.as_deref() {
                Ok("flush") => report(&metrics, &all),
                _ => break,
            }
        }
        stop.store(true, Ordering::Relaxed);
        let mut sum = Counts::default();
        for stream in streams {
            sum += stream.join().expect("calls do not panic");
        }
        sum
    });
    let handle = metrics.client();
    let last = metrics.shutdown(LAST);
    let ledger = handle.ledger();
    println!(
        "{} {} {} {}",
        last.pending,
        last.dropped,
        ledger.refused_late,
        ledger.is_balanced()
    );
    println!("{}", ledger.counters.sent);
    for (name, count) in counts.expected() {
        println!("{name} {count}");
    }
    println!("end");
    // Whoever looks has looked.
    orders.next();
    Ok(())
}

/// Flushes, and says: calls so far, increments sent so far, increments pending, and whether the ledger balances.
fn report(metrics: &Guard, all: &AtomicU64) {
    let ledger = metrics.flush(PATIENCE).ledger;
    let counters = ledger.counters;
    println!(
        "{} {} {} {}",
        all.load(Ordering::Relaxed),
        counters.sent,
        counters.pending,
        ledger.is_balanced() && counters.dropped == 0 && ledger.refused_late == 0,
    );
}
