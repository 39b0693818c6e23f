//! The attribute's arguments, by what they do to the counts and to the wire.

use std::{cell::Cell, fmt, time::Duration};

use instrument_task::{
    Client, Dialect, Guard, instrument_task,
    testing::{Receiver, capture},
    with_client,
};

const BOUND: Duration = Duration::from_secs(10);

/// A client with a receiver of its own.
fn client(dialect: Dialect) -> (Receiver, Guard) {
    let receiver = Receiver::start().expect("a loopback socket");
    let client = Client::builder()
        .ignore_environment()
        .address(receiver.address().to_string())
        .dialect(dialect)
        .build()
        .expect("a client");
    (receiver, client)
}

/// Shuts the client down and waits until the receiver has `key` as often as `count`.
fn counters(receiver: &Receiver, client: Guard, key: &str, count: u64) -> Vec<(String, u64)> {
    assert_eq!(client.shutdown(BOUND).pending, 0);
    let arrived = receiver.wait_until(BOUND, |receiver| receiver.counter(key) == count);
    let all: Vec<_> = receiver.counters().into_iter().collect();
    assert!(arrived, "{key}: {all:?}");
    all
}

struct Mailer {
    id: u32,
}

#[derive(Debug)]
enum Refusal {
    Full,
    Gone,
}

impl Refusal {
    fn kind(&self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Gone => "gone",
        }
    }
}

impl Mailer {
    #[instrument_task(tags(kind = "batch", size = n + 1, id = self.id, "region:eu"))]
    fn tagged(&self, n: usize) -> usize {
        n + self.id as usize
    }

    #[instrument_task(tags(id = self.id))]
    async fn tagged_async(&self, parts: Vec<String>) -> String {
        tokio::task::yield_now().await;
        parts.concat()
    }
}

#[instrument_task(error_kind = Refusal::kind)]
fn deliver(n: u32) -> Result<(), Refusal> {
    match n % 3 {
        0 => Ok(()),
        1 => Err(Refusal::Full),
        _ => Err(Refusal::Gone),
    }
}

#[instrument_task(error_kind = |error: &Refusal| error.kind(), ok_if = |result| !matches!(result, Err(Refusal::Full)))]
async fn deliver_async(n: u32) -> Result<u32, Refusal> {
    deliver(n).map(|()| n)
}

#[instrument_task(prefix = "mail", name = "out")]
fn prefixed() {}

const ONE_IN_TEN: f64 = 0.1;

#[instrument_task(sample_rate = ONE_IN_TEN)]
fn sampled() {}

#[instrument_task(time = never)]
fn never_timed() {}

#[instrument_task(time = always)]
fn always_timed(fail: bool) -> Result<(), ()> {
    if fail { Err(()) } else { Ok(()) }
}

#[instrument_task(time = success)]
fn success_timed() -> Result<(), ()> {
    Err(())
}

#[instrument_task(in_flight)]
fn in_flight(during: impl FnOnce()) {
    during();
}

#[instrument_task(client = client)]
fn elsewhere(client: &Client) {
    let _ = client;
}

#[instrument_task(client = client, tags(n = n))]
async fn elsewhere_async(client: Client, n: u8) -> u8 {
    drop(client);
    n
}

#[test]
fn tags_end_the_lines_of_a_tagged_dialect() {
    let (receiver, client) = client(Dialect::DogStatsd);
    with_client(&client, || {
        let (one, two) = (Mailer { id: 1 }, Mailer { id: 2 });
        (0..3).for_each(|_| _ = one.tagged(4));
        two.tagged(4);
    });
    let key = "tasks.status.tagged.started{id:1,kind:batch,region:eu,size:5}";
    let all = counters(&receiver, client, key, 3);
    assert_eq!(all.len(), 4, "two tag sets, started and success: {all:?}");
}

#[test]
fn tags_are_in_the_names_of_a_plain_dialect() {
    let (receiver, client) = client(Dialect::Statsd);
    with_client(&client, || Mailer { id: 7 }.tagged(1));
    let key = "tasks.status.tagged.success.id.7.kind.batch.region.eu.size.2";
    counters(&receiver, client, key, 1);
}

#[test]
fn tags_of_a_future_are_those_of_its_call() {
    let (receiver, client) = client(Dialect::DogStatsd);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let mailer = Mailer { id: 3 };
    let text =
        runtime.block_on(client.scope(async { mailer.tagged_async(vec!["a".into(), "b".into()]).await }));
    assert_eq!(text, "ab");
    counters(&receiver, client, "tasks.status.tagged_async.success{id:3}", 1);
}

/// Counts how often it is shown.
struct Shown<'a>(&'a Cell<u32>);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.set(self.0.get() + 1);
        f.write_str("a|b\nadmin.logins:999|c")
    }
}

#[instrument_task(tags(shown = shown))]
fn shows(shown: &Shown<'_>) {
    let _ = shown;
}

#[test]
fn a_tags_value_is_asked_for_once_and_only_with_a_client_and_forges_nothing() {
    let times = Cell::new(0);
    // Another test may have a client at the same time, and then a value may be asked for in vain.
    shows(&Shown(&times));
    assert!(times.replace(0) <= 1);
    let (receiver, client) = client(Dialect::DogStatsd);
    with_client(&client, || shows(&Shown(&times)));
    assert_eq!(times.get(), 1);
    counters(
        &receiver,
        client,
        "tasks.status.shows.success{shown:a_b_admin.logins_999_c}",
        1,
    );
    assert_eq!(receiver.bad_lines().len(), 0);
    assert_eq!(receiver.counter("admin.logins"), 0);
}

#[instrument_task(tags(n = n))]
fn many(n: u32) {
    let _ = n;
}

#[test]
fn tag_sets_past_the_cap_share_one_series_and_lose_nothing() {
    let receiver = Receiver::start().expect("a loopback socket");
    let client = Client::builder()
        .ignore_environment()
        .address(receiver.address().to_string())
        .dialect(Dialect::DogStatsd)
        .cardinality_cap(3)
        .build()
        .expect("a client");
    with_client(&client, || (0..100).for_each(many));
    let folded = client.ledger().folded;
    assert!(folded >= 97, "{folded}");
    assert_eq!(client.shutdown(BOUND).pending, 0);
    let arrived = receiver.wait_until(BOUND, |receiver| {
        receiver.counter("tasks.status.many.started") == 100
    });
    assert!(arrived, "{:?}", receiver.counters());
    assert!(receiver.counter("tasks.status.many.started{overflow:true}") >= 97);
}

#[test]
fn exceptions_are_counted_by_kind_beside_their_total() {
    let seen = capture(|| (0..9).for_each(|n| _ = deliver(n)));
    seen.assert_failed("deliver", 6);
    assert_eq!(
        (seen.kind("deliver", "full"), seen.kind("deliver", "gone")),
        (3, 3)
    );
}

#[test]
fn kinds_are_nodes_of_a_path_or_tags() {
    let (receiver, plain) = client(Dialect::Statsd);
    with_client(&plain, || (0..3).for_each(|n| _ = deliver(n)));
    let all = counters(&receiver, plain, "tasks.status.deliver.exceptions.full", 1);
    assert!(
        all.contains(&("tasks.status.deliver.exceptions".into(), 2)),
        "{all:?}"
    );
    let (receiver, tagged) = client(Dialect::DogStatsd);
    with_client(&tagged, || (0..3).for_each(|n| _ = deliver(n)));
    counters(
        &receiver,
        tagged,
        "tasks.status.deliver.exceptions_by_kind{kind:gone}",
        1,
    );
}

#[test]
fn a_kind_is_counted_only_of_what_is_an_exception() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let seen = capture(|| runtime.block_on(async { (deliver_async(1).await, deliver_async(2).await) }));
    seen.assert_failed("deliver_async", 1);
    assert_eq!(
        (
            seen.kind("deliver_async", "full"),
            seen.kind("deliver_async", "gone")
        ),
        (1, 0)
    );
}

#[test]
fn a_prefix_goes_before_the_name() {
    let seen = capture(prefixed);
    seen.assert_succeeded("mail.out", 1);
}

#[test]
fn a_sites_own_rate_is_the_share_of_calls_that_are_timed() {
    let seen = capture(|| (0..1_000).for_each(|_| sampled()));
    seen.assert_succeeded("sampled", 1_000);
    assert_eq!(seen.durations("sampled").len(), 100);
}

#[test]
fn time_says_which_outcomes_are_timed() {
    let seen = capture(|| {
        never_timed();
        let _ = (always_timed(true), always_timed(false), success_timed());
    });
    let timed = |name| seen.durations(name).len();
    assert_eq!(
        (
            timed("never_timed"),
            timed("always_timed"),
            timed("success_timed")
        ),
        (0, 2, 0)
    );
    seen.assert_succeeded("never_timed", 1);
}

#[test]
fn calls_in_flight_are_a_gauge_of_the_clients_instance() {
    let receiver = Receiver::start().expect("a loopback socket");
    let client = Client::builder()
        .ignore_environment()
        .address(receiver.address().to_string())
        .instance("web-3.1")
        .build()
        .expect("a client");
    let gauge = |value| {
        receiver.wait_until(BOUND, |receiver| {
            receiver.gauge("tasks.status.in_flight.in_flight.instance.web-3_1") == Some(value)
        })
    };
    with_client(&client, || {
        in_flight(|| {
            client.flush(BOUND);
            assert!(gauge(1.0));
        });
    });
    assert_eq!(client.shutdown(BOUND).pending, 0);
    assert!(gauge(0.0));
}

/// As two clients of one process: one with the instance that a process has by itself.
#[test]
fn gauges_of_two_processes_do_not_overwrite_each_other() {
    let (receiver, one) = client(Dialect::DogStatsd);
    let other = Client::builder()
        .ignore_environment()
        .address(receiver.address().to_string())
        .dialect(Dialect::DogStatsd)
        .instance("other")
        .build()
        .expect("a client");
    let seen = |count: usize| {
        let text = String::from_utf8(receiver.packets().join(&b'\n')).expect("lines are text");
        let mut lines: Vec<_> = text
            .lines()
            .filter(|line| line.contains("in_flight:"))
            .map(String::from)
            .collect();
        lines.sort();
        lines.dedup();
        (lines.len() == count).then_some(lines)
    };
    let mut lines = None;
    with_client(&one, || {
        in_flight(|| {
            with_client(&other, || {
                in_flight(|| {
                    one.flush(BOUND);
                    other.flush(BOUND);
                    receiver.wait_until(BOUND, |_| {
                        lines = seen(2);
                        lines.is_some()
                    });
                });
            });
        });
    });
    let lines = lines.expect("a gauge of each");
    let gauge = "tasks.status.in_flight.in_flight:1|g|#instance:";
    let named = lines.iter().find(|line| **line == format!("{gauge}other"));
    assert!(named.is_some(), "{lines:?}");
    let process = format!(".{}", std::process::id());
    let default = lines.iter().find(|line| line.ends_with(&process));
    assert!(default.is_some_and(|line| line.starts_with(gauge)), "{lines:?}");
}

#[test]
fn a_call_counts_in_the_client_that_it_names() {
    let (receiver, named) = client(Dialect::DogStatsd);
    let seen = capture(|| {
        elsewhere(&named);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime");
        assert_eq!(runtime.block_on(elsewhere_async(named.client(), 5)), 5);
    });
    seen.assert_not_called("elsewhere");
    seen.assert_not_called("elsewhere_async");
    assert_eq!(named.ledger().counters.recorded, 4);
    counters(&receiver, named, "tasks.status.elsewhere_async.success{n:5}", 1);
    assert_eq!(receiver.counter("tasks.status.elsewhere.success"), 1);
}

/// A whole block can share what is not about one method.
#[derive(Clone, Copy)]
struct Jobs(u8);

#[instrument_task(prefix = "jobs", time = never)]
impl Jobs {
    fn one(self) -> u8 {
        self.0
    }

    #[instrument_task(time = always, tags("kind:two"))]
    fn two(self) -> u8 {
        self.0
    }
}

#[test]
fn a_blocks_arguments_are_its_methods_unless_they_have_their_own() {
    let seen = capture(|| {
        let jobs = Jobs(1);
        assert_eq!((jobs.one(), jobs.two()), (1, 1));
    });
    seen.assert_succeeded("jobs.Jobs.one", 1);
    assert_eq!(
        (
            seen.durations("jobs.Jobs.one").len(),
            seen.durations("jobs.Jobs.two").len()
        ),
        (0, 1)
    );
}
