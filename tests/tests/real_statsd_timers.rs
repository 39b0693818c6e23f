//! Durations at the real Etsy statsd: all of them within the budget, an honest sample past it.

use std::{
    thread,
    time::{Duration, Instant},
};

use instrument_task::{Client, instrument_task, with_client};
use instrument_task_tests::{
    etsy::{Etsy, Timer},
    wait::BOUND,
};

/// Works for a known time, and returns how long it really was.
fn spin(time: Duration) -> Duration {
    let start = Instant::now();
    loop {
        let passed = start.elapsed();
        if passed >= time {
            return passed;
        }
    }
}

#[instrument_task]
fn brief() {}

#[test]
fn within_the_budget_every_duration_is_sent() {
    const THREADS: u64 = 4;
    const ROUNDS: u64 = 30;
    /// Even if all threads use one ring in turn between two flushes, it is less than half full.
    const CALLS: u64 = 100;

    let Some(server) = Etsy::start_or_skip() else {
        return;
    };
    let client = Client::builder()
        .ignore_environment()
        .address(server.address())
        .flush_interval(Duration::from_secs(600))
        .timer_budget(u32::MAX)
        .client_timer_budget(u32::MAX)
        .build()
        .unwrap();
    for _ in 0..ROUNDS {
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| with_client(&client, || (0..CALLS).for_each(|_| brief())));
            }
        });
        let report = client.flush(BOUND);
        assert_eq!((report.pending, report.dropped), (0, 0));
        // One flush at a time fits into the server's receive buffer.
        server.wait_for_packets(report.ledger.packets);
    }
    let handle = client.client();
    assert_eq!(client.shutdown(BOUND).pending, 0);
    let ledger = handle.ledger();
    assert_eq!(
        (ledger.timers.sent, ledger.timers.dropped()),
        (THREADS * ROUNDS * CALLS, 0)
    );
    server.wait_for_packets(ledger.packets);
    assert_eq!(server.bad_lines_seen(), 0);
    let received = server.stop();
    let timer = received.timer("tasks.duration.brief.success");
    assert_eq!(timer.values.len() as u64, THREADS * ROUNDS * CALLS);
    // Not a single sample rate: each value stands for itself.
    assert!((timer.count - timer.values.len() as f64).abs() < 1e-9);
}

/// A number from 0 to 1, evenly spread and without a period.
fn share(call: u32) -> f64 {
    (f64::from(call) * 0.618_033_988_749_895).fract()
}

#[instrument_task]
fn spread(call: u32) -> Duration {
    spin(Duration::from_secs_f64(20e-6 + 200e-6 * share(call)))
}

#[instrument_task]
fn periodic(call: u32) -> Duration {
    let micros = if call % 64 == 63 {
        1_000.0 + 500.0 * share(call)
    } else {
        40.0 + 100.0 * share(call)
    };
    spin(Duration::from_secs_f64(micros / 1e6))
}

/// The true durations in milliseconds, sorted: of the work inside of each call, and of the call seen from outside. What
/// the library measures lies in between.
struct Truth {
    inside: Vec<f64>,
    outside: Vec<f64>,
}

impl Truth {
    fn new(calls: &[(Duration, Duration)]) -> Self {
        let sorted = |side: fn(&(Duration, Duration)) -> Duration| {
            let mut millis: Vec<_> = calls.iter().map(|call| side(call).as_secs_f64() * 1e3).collect();
            millis.sort_by(f64::total_cmp);
            millis
        };
        Self {
            inside: sorted(|call| call.0),
            outside: sorted(|call| call.1),
        }
    }

    fn calls(&self) -> usize {
        self.inside.len()
    }

    /// Between which shares of the calls a duration stands.
    fn shares_below(&self, millis: f64) -> (f64, f64) {
        let share = |count: usize| count as f64 / self.calls() as f64;
        (
            share(self.outside.partition_point(|known| *known < millis)),
            share(self.inside.partition_point(|known| *known <= millis)),
        )
    }
}

/// By how many standard errors of a random sample a share that lies between `low` and `high` misses `expected`.
fn standard_errors((low, high): (f64, f64), expected: f64, sample: usize) -> f64 {
    (low - expected).max(expected - high).max(0.0) / (expected * (1.0 - expected) / sample as f64).sqrt()
}

/// By how many standard errors a quantile of a sorted sample misses the truth's, in rank: so it needs no assumption about
/// the distribution.
fn quantile_error(truth: &Truth, sample: &[f64], q: f64) -> f64 {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let at = (sample.len() as f64 * q).ceil() as usize;
    standard_errors(truth.shares_below(sample[at.max(1) - 1]), q, sample.len())
}

/// Makes many calls on two threads; returns how long they really took, and what the server got.
fn sampled(task: fn(u32) -> Duration, name: &str, calls: u32) -> Option<(Truth, Timer)> {
    let server = Etsy::start_or_skip()?;
    // All values leave with one flush and so at one rate, however fast the machine was at times.
    let client = Client::builder()
        .ignore_environment()
        .address(server.address())
        .flush_interval(Duration::from_secs(600))
        // So few that the calls are sampled on a machine so busy that they take a minute, and that the flush fits into the server's
        // receive buffer, or what overflows while the server waits for a processor would be lost.
        .timer_budget(200)
        .build()
        .unwrap();
    let call = |number| {
        let start = Instant::now();
        let inside = task(number);
        (inside, start.elapsed())
    };
    let work = || with_client(&client, || (0..calls).map(call).collect::<Vec<_>>());
    let truth = thread::scope(|scope| {
        let workers = [scope.spawn(work), scope.spawn(work)];
        workers.map(|worker| worker.join().unwrap()).concat()
    });
    let handle = client.client();
    assert_eq!(client.shutdown(BOUND).pending, 0);
    server.wait_for_packets(handle.ledger().packets);
    assert_eq!(server.bad_lines_seen(), 0);
    let mut received = server.stop();
    let name = format!("tasks.duration.{name}.success");
    let mut timer = received.timers.remove(&name).expect("its timer came");
    timer.values.sort_by(f64::total_cmp);
    Some((Truth::new(&truth), timer))
}

/// The median and the 99th percentile of the sample are as near to the truth as those of a random one. Either misses by three
/// standard errors once in 370 times by chance, so one bad round is allowed; a sample that aliases with its task is
/// far off every time.
fn is_an_honest_sample(task: fn(u32) -> Duration, name: &str, calls: u32) {
    for last in [false, true] {
        let Some((truth, Timer { values, count })) = sampled(task, name, calls) else {
            return;
        };
        let calls = truth.calls() as f64;
        assert!(
            (count - calls).abs() < 0.501,
            "values / rate is {count} for {calls} calls"
        );
        assert!(
            values.len() < truth.calls() / 2,
            "it was sampled: {}",
            values.len()
        );
        let errors = [0.5, 0.99].map(|q| quantile_error(&truth, &values, q));
        println!(
            "{name}: {} values of {calls} calls, off by {errors:.2?} standard errors",
            values.len()
        );
        if errors.iter().all(|error| *error <= 3.0) {
            return;
        }
        assert!(!last, "twice off by more than three standard errors: {errors:?}");
    }
}

#[test]
fn a_sampled_distribution_is_the_true_one() {
    is_an_honest_sample(spread, "spread", 15_000);
}

#[test]
fn a_sample_does_not_alias_with_every_64th_call_slow() {
    is_an_honest_sample(periodic, "periodic", 20_000);
}
