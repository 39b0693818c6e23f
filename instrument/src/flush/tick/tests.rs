use std::{collections::BTreeMap, sync::Arc};

use proptest::prelude::*;

use super::*;
use crate::{
    flush::budget::base_stride,
    record::{
        registry::Options,
        shard::{Ended, OUTCOMES, STRIDE_ONE},
        snapshot::{Measured, Totals},
    },
};

fn settings() -> Settings {
    Settings::unbounded(100)
}

/// What a recorder would hold, by hand.
#[derive(Default)]
struct Source {
    drained: Drained,
}

impl Source {
    fn task(&mut self, name: &str) -> usize {
        self.tagged(name, &[], Options::default())
    }

    fn tagged(&mut self, name: &str, tags: &[(&str, &str)], options: Options) -> usize {
        let tags = tags
            .iter()
            .map(|(key, value)| (Box::from(*key), Box::from(*value)))
            .collect();
        let identity = Identity {
            task: name.into(),
            tags,
            kind: None,
            metric: options.metric,
        };
        self.drained.series.push(Arc::new(Description {
            identity,
            options,
            ..Description::default()
        }));
        self.drained.totals.push(Totals::default());
        self.drained.moved.push(self.drained.totals.len() - 1);
        self.drained.totals.len() - 1
    }

    fn tag_set(&mut self, name: &str, value: &str) -> usize {
        let row = self.tagged(name, &[("n", value)], Options::default());
        if let Some(description) = self.drained.series.last_mut().and_then(Arc::get_mut) {
            description.is_tag_set = true;
        }
        row
    }

    fn calls(&mut self, task: usize, started: usize, outcomes: [usize; OUTCOMES]) {
        let more = Totals {
            started,
            ended: Ended { outcomes, panics: 0 },
        };
        self.drained.totals[task].add(&more);
    }

    fn value(&mut self, task: usize, ticks: u64) {
        self.picked(task, ticks, 1.0);
    }

    /// A value that was picked from `1 / rate` calls.
    fn picked(&mut self, task: usize, ticks: u64, rate: f64) {
        self.drained.values.push(Measured {
            series: task,
            outcome: 0,
            stride: base_stride(rate),
            ticks,
        });
        self.drained.measured += 1;
    }

    /// A pass of `tick` over what is here; the lines that went through a network that takes what `takes` says of each
    /// datagram, which may be a part of it.
    fn pass(&mut self, tick: &mut Tick, last: bool, mut takes: impl FnMut(usize) -> usize) -> Vec<String> {
        tick.absorb(&self.drained, 0.0, |ticks| ticks);
        self.drained.values.clear();
        tick.begin(last);
        let mut lines = Vec::new();
        while let Some(payload) = tick.next() {
            assert!(payload.len() <= 512);
            let text = String::from_utf8(payload.to_vec()).expect("lines are text");
            let part = takes(text.len());
            tick.settle(part);
            let mut end = 0;
            for line in text.split('\n') {
                end += line.len();
                if end <= part {
                    lines.push(line.to_owned());
                }
                end += 1;
            }
            assert!(tick.ledger().is_balanced(), "{:?}", tick.ledger());
        }
        lines
    }
}

fn always(length: usize) -> usize {
    length
}

fn never(_: usize) -> usize {
    0
}

#[test]
fn the_lines_of_a_task_come_in_the_decorators_order() {
    let (mut source, mut tick) = (Source::default(), Tick::new(settings()));
    let task = source.task("mytask");
    source.calls(task, 2, [1, 1, 0]);
    source.value(task, 12_806_120);
    let expected = [
        "tasks.status.mytask.started:2|c",
        "tasks.status.mytask.success:1|c",
        "tasks.status.mytask.exceptions:1|c",
        "tasks.duration.mytask.success:12.806|ms",
    ];
    assert_eq!(source.pass(&mut tick, false, always), expected);
    assert!(
        source.pass(&mut tick, false, always).is_empty(),
        "nothing is said twice"
    );
}

#[test]
fn a_refused_datagram_leaves_its_increments_and_values_pending() {
    let (mut source, mut tick) = (Source::default(), Tick::new(settings()));
    let task = source.task("t");
    source.calls(task, 3, [3, 0, 0]);
    source.value(task, 1_000_000);
    assert!(source.pass(&mut tick, false, never).is_empty());
    assert_eq!(
        (tick.ledger().counters.pending, tick.ledger().timers.pending),
        (6, 1)
    );
    source.calls(task, 1, [1, 0, 0]);
    let lines = source.pass(&mut tick, true, always);
    assert_eq!(
        lines[..2],
        ["tasks.status.t.started:4|c", "tasks.status.t.success:4|c"]
    );
    assert_eq!(lines[2], "tasks.duration.t.success:1|ms|@0.25");
    assert_eq!(
        (tick.ledger().counters.pending, tick.ledger().timers.pending),
        (0, 0)
    );
}

#[test]
fn counters_may_wrap() {
    let (mut source, mut tick) = (Source::default(), Tick::new(settings()));
    let task = source.task("t");
    source.calls(task, usize::MAX - 1, [0, 0, 0]);
    source.pass(&mut tick, false, always);
    source.calls(task, 5, [0, 0, 0]);
    assert_eq!(
        source.pass(&mut tick, false, always),
        ["tasks.status.t.started:5|c"]
    );
}

#[test]
fn names_past_the_cap_share_a_series_and_lose_nothing() {
    let mut tick = Tick::new(Settings {
        cardinality_cap: 2,
        ..settings()
    });
    let mut source = Source::default();
    for name in ["a", "b", "c", "d"] {
        let task = source.task(name);
        source.calls(task, 10, [10, 0, 0]);
    }
    for user in ["x", "y"] {
        let task = source.tagged("a", &[("user", user)], Options::default());
        source.calls(task, 1, [0, 0, 0]);
    }
    let lines = source.pass(&mut tick, false, always);
    assert!(
        lines.contains(&"tasks.status.overflow.started:20|c".into()),
        "{lines:?}"
    );
    assert!(
        lines.contains(&"tasks.status.a.started.overflow.true:2|c".into()),
        "{lines:?}"
    );
    assert_eq!(tick.ledger().folded, 4);
    source.calls(3, 1, [0, 0, 0]);
    assert_eq!(
        source.pass(&mut tick, false, always),
        ["tasks.status.overflow.started:1|c"]
    );
}

/// Passes of a server that takes so many datagrams of each and no more, while all tasks go on being called: how many of them until
/// every task arrived.
fn passes_until_all_arrived(tick: &mut Tick, source: &mut Source, tasks: &[usize], takes: usize) -> usize {
    let mut missing: Vec<_> = (0..tasks.len())
        .map(|n| format!("tasks.status.task_{n}.started:"))
        .collect();
    for pass in 1..1_000 {
        for task in tasks {
            source.calls(*task, 20, [20, 0, 0]);
            (0..20).for_each(|ticks| source.value(*task, ticks));
        }
        let mut left = takes;
        let lines = source.pass(tick, false, |length| {
            let took = if left > 0 { length } else { 0 };
            left = left.saturating_sub(1);
            took
        });
        missing.retain(|name| !lines.iter().any(|line| line.starts_with(name)));
        if missing.is_empty() {
            return pass;
        }
    }
    panic!("never sent: {missing:?}");
}

#[test]
fn a_pass_goes_on_where_the_one_before_was_stopped() {
    for telemetry in [false, true] {
        for takes in 1..5 {
            let mut tick = Tick::new(Settings {
                telemetry,
                ..settings()
            });
            let mut source = Source::default();
            let tasks: Vec<_> = (0..30).map(|n| source.task(&format!("task_{n}"))).collect();
            let passes = passes_until_all_arrived(&mut tick, &mut source, &tasks, takes);
            assert!(passes <= 32, "{takes} a pass: {passes}");
            assert!(tick.ledger().is_balanced());
        }
    }
}

#[test]
fn a_pass_in_the_place_of_another_goes_on_where_that_was() {
    let (mut source, mut tick) = (Source::default(), Tick::new(settings()));
    let tasks: Vec<_> = (0..30).map(|n| source.task(&format!("task_{n}"))).collect();
    let mut seen = Vec::new();
    for _ in 0..30 {
        for task in &tasks {
            source.calls(*task, 1, [0; OUTCOMES]);
        }
        tick.absorb(&source.drained, 0.0, |ticks| ticks);
        tick.begin(true);
        seen.extend_from_slice(tick.next().expect("something is pending"));
        seen.push(b'\n');
        tick.settle(usize::MAX);
    }
    let seen = String::from_utf8(seen).expect("lines are text");
    for n in 0..30 {
        assert!(seen.contains(&format!("tasks.status.task_{n}.started:")), "{n}");
    }
}

#[test]
fn calls_in_flight_are_sent_while_there_are_any_and_once_more() {
    let (mut source, mut tick) = (Source::default(), Tick::new(settings()));
    let task = source.tagged(
        "t",
        &[],
        Options {
            in_flight: true,
            ..Options::default()
        },
    );
    let mut gauges = |source: &mut Source| -> Vec<String> {
        source
            .pass(&mut tick, false, always)
            .into_iter()
            .filter(|line| line.ends_with("|g"))
            .collect()
    };
    assert!(gauges(&mut source).is_empty());
    source.calls(task, 3, [1, 0, 0]);
    assert_eq!(gauges(&mut source), ["tasks.status.t.in_flight:2|g"]);
    assert_eq!(gauges(&mut source), ["tasks.status.t.in_flight:2|g"]);
    source.calls(task, 0, [1, 1, 0]);
    assert_eq!(gauges(&mut source), ["tasks.status.t.in_flight:0|g"]);
    assert!(gauges(&mut source).is_empty());
}

#[test]
fn a_gauge_of_its_own_is_sent_while_it_is_not_zero_and_once_when_it_is_gone() {
    let (mut source, mut tick) = (Source::default(), Tick::new(settings()));
    let options = Options {
        metric: Metric::Gauge,
        ..Options::default()
    };
    let gauge = source.tagged("pool.busy", &[("instance", "a.1")], options);
    let mut sent = |now: Option<f64>| {
        source.drained.gauges = now.map(|now| (gauge, now)).into_iter().collect();
        source.pass(&mut tick, false, always).concat()
    };
    assert_eq!(sent(Some(0.0)), "");
    assert_eq!(sent(Some(0.25)), "pool.busy.instance.a_1:0.25|g");
    assert_eq!(sent(Some(0.25)), "pool.busy.instance.a_1:0.25|g");
    assert_eq!(sent(None), "pool.busy.instance.a_1:0|g");
    assert_eq!(sent(None), "");
}

#[test]
fn counters_and_timers_of_their_own_have_one_name_and_balance() {
    let (mut source, mut tick) = (Source::default(), Tick::new(settings()));
    let of = |metric| Options {
        metric,
        ..Options::default()
    };
    let counter = source.tagged("orders", &[], of(Metric::Counter));
    let timer = source.tagged("lag", &[], of(Metric::Timer));
    source.calls(counter, 5, [0; OUTCOMES]);
    source.calls(timer, 0, [1, 0, 0]);
    source.value(timer, 1_500_000);
    assert_eq!(source.pass(&mut tick, true, always), ["orders:5|c", "lag:1.5|ms"]);
    let ledger = tick.ledger();
    assert_eq!((ledger.counters.recorded, ledger.timers.sent), (5, 1));
    assert!(ledger.is_balanced(), "{ledger:?}");
}

#[test]
fn telemetry_tells_of_itself() {
    let mut tick = Tick::new(Settings {
        telemetry: true,
        ..settings()
    });
    let mut source = Source::default();
    let task = source.task("t");
    source.calls(task, 1, [0, 0, 0]);
    let lines = source.pass(&mut tick, false, always);
    assert!(
        lines.contains(&"instrument_task.packets_sent:1|c".into()),
        "{lines:?}"
    );
    assert!(
        lines.contains(&"instrument_task.counters.sent:1|c".into()),
        "{lines:?}"
    );
}

/// The value of a metric of the library's own in `lines`; 0 if it is not there.
fn own_value(lines: &[String], name: &str) -> u64 {
    let start = format!("instrument_task.{name}:");
    let rest = lines.iter().find_map(|line| line.strip_prefix(&start));
    rest.map_or(0, |rest| {
        rest.split('|')
            .next()
            .and_then(|value| value.parse().ok())
            .expect("a number")
    })
}

#[test]
fn telemetry_balances_at_the_instant_it_stands_for() {
    let mut tick = Tick::new(Settings {
        telemetry: true,
        ..settings()
    });
    let mut source = Source::default();
    let task = source.task("t");
    source.calls(task, 60, [60, 0, 0]);
    (0..20).for_each(|ticks| source.picked(task, ticks, 0.5));
    // Each pass shows what it sent itself, since the books are read behind it; one value is kept back.
    let lines = source.pass(&mut tick, false, always);
    let own = |name| own_value(&lines, name);
    assert_eq!(
        (
            own("counters.recorded"),
            own("counters.sent"),
            own("counters.pending")
        ),
        (120, 120, 0)
    );
    assert_eq!(
        (own("timers.recorded"), own("timers.sent"), own("timers.pending")),
        (20, 19, 1)
    );
    assert!(
        lines.contains(&"instrument_task.counters.pending:0|g".into()),
        "{lines:?}"
    );

    // What a task could not send is pending there.
    source.calls(task, 40, [40, 0, 0]);
    (0..40).for_each(|ticks| source.picked(task, ticks, 1.0));
    let mut first = true;
    source.pass(&mut tick, false, |length| {
        if std::mem::take(&mut first) { length } else { 0 }
    });
    let lines = source.pass(&mut tick, false, always);
    let own = |name| own_value(&lines, name);
    assert_eq!((own("counters.sent"), own("counters.pending")), (80, 0));
    assert!(
        own("timers.pending") > 10,
        "the library had its turn before the rest: {lines:?}"
    );
    assert_eq!(own("timers.recorded"), 40);
}

#[test]
fn telemetry_tells_of_what_was_given_up() {
    let mut tick = Tick::new(Settings {
        telemetry: true,
        ..settings()
    });
    let mut source = Source::default();
    let task = source.task("t");
    source.calls(task, 2, [1, 0, 0]);
    source.value(task, 1);
    source.pass(&mut tick, true, never);
    assert!(!tick.begin_farewell());
    tick.give_up();
    assert!(tick.begin_farewell());
    let payload = tick.next().expect("there is something to tell").to_vec();
    let lines: Vec<_> = String::from_utf8(payload)
        .expect("lines are text")
        .lines()
        .map(String::from)
        .collect();
    assert_eq!(own_value(&lines, "counters.dropped.at_shutdown"), 3);
    assert_eq!(own_value(&lines, "timers.dropped.at_shutdown"), 1);
    assert!(
        lines.iter().all(|line| line.starts_with("instrument_task.")),
        "{lines:?}"
    );
}

#[test]
fn giving_up_drops_what_is_pending_and_says_so() {
    let (mut source, mut tick) = (Source::default(), Tick::new(settings()));
    let task = source.task("t");
    source.calls(task, 2, [1, 0, 0]);
    source.value(task, 1);
    source.pass(&mut tick, true, never);
    tick.give_up();
    let Ledger { counters, timers, .. } = tick.ledger();
    assert_eq!(
        (counters.pending, counters.dropped, timers.dropped_at_shutdown),
        (0, 3, 1)
    );
    assert!(tick.ledger().is_balanced());
    assert!(source.pass(&mut tick, true, always).is_empty());
}

/// Rounds of calls that no server takes anything of: `calls` of each of two tasks in each round, as long as the round's number in
/// milliseconds. Then it comes back: by task the durations in order, and the calls that they stand for.
fn outage(limits: Limits, rounds: u64, calls: impl Fn(u64) -> u64, stride: u32) -> [(Vec<u64>, f64); 2] {
    let mut tick = Tick::new(Settings { limits, ..settings() });
    let mut source = Source::default();
    let tasks = ["first", "second"].map(|name| source.task(name));
    for round in 0..rounds {
        for task in tasks {
            let calls = calls(round);
            #[expect(clippy::cast_possible_truncation, reason = "a few")]
            source.calls(task, calls as usize, [calls as usize, 0, 0]);
            for _ in 0..calls * 256 / u64::from(stride) {
                source.picked(task, round * 1_000_000, 256.0 / f64::from(stride));
            }
        }
        assert!(source.pass(&mut tick, false, never).is_empty());
        let pending = tick.ledger().timers.pending;
        let bound = (2 * limits.client_values).min(4 * limits.series_values);
        assert!(pending <= bound as u64, "{pending} of {bound}");
    }
    let lines = source.pass(&mut tick, true, always);
    assert_eq!(tick.ledger().timers.pending, 0);
    ["first", "second"].map(|name| {
        let start = format!("tasks.duration.{name}.success:");
        let (mut values, mut sum) = (Vec::new(), 0.0);
        for line in lines.iter().filter_map(|line| line.strip_prefix(&start)) {
            let (value, rate) = line.split_once("|ms").expect("a timer");
            values.push(value.parse().expect("whole milliseconds"));
            let rate = rate
                .strip_prefix("|@")
                .map_or(1.0, |rate| rate.parse().expect("a rate"));
            sum += 1.0 / rate;
        }
        (values, sum)
    })
}

#[test]
fn durations_through_an_outage_are_thinned_evenly_and_the_rate_says_so() {
    let limits = |series_values, client_values| Limits {
        series_values,
        client_values,
        ..settings().limits
    };
    // Bounded by the series, by the client, and not at all; with the load of an even number of parts, and one that grows.
    for (limits, sends) in [
        (limits(1_000, 100_000), 1_000),
        (limits(100_000, 2_000), 1_000),
        (limits(100_000, 100_000), 20_000),
    ] {
        for stride in [STRIDE_ONE, 4 * STRIDE_ONE] {
            let sends = sends.min(20_000 * 256 / u64::from(stride));
            for (values, calls) in outage(limits, 200, |_| 100, stride) {
                assert!((calls - 20_000.0).abs() < 0.5, "{calls}");
                let sent = values.len() as u64;
                assert!(sent.abs_diff(sends) <= sends / 10, "{sent} of {sends}");
                // Ten parts of the outage: each has its share, within five standard deviations.
                let share = values.len() as f64 / 10.0;
                for part in 0..10 {
                    let in_it = values.iter().filter(|round| **round / 20 == part).count() as f64;
                    assert!(
                        (in_it - share).abs() < 5.0 * share.sqrt(),
                        "part {part}: {in_it} of {share}"
                    );
                }
            }
        }
        for (values, calls) in outage(limits, 200, |round| 1 + round, STRIDE_ONE) {
            assert!((calls - 20_100.0).abs() < 0.5, "{calls}");
            let late = values.iter().filter(|round| **round >= 100).count() as f64 / values.len() as f64;
            assert!(
                (late - 0.75).abs() < 0.1,
                "three quarters of the calls were in the second half: {late}"
            );
        }
    }
}

proptest! {
    /// Whatever is called and whatever the network refuses: what arrives is what was counted, once, and the durations
    /// that arrive stand for the calls that there were.
    #[test]
    fn what_arrives_is_what_was_counted(
        rounds in prop::collection::vec(
            prop::collection::vec((0..6_usize, 0..50_usize, 0..50_usize, 0..50_usize, 0..4_usize), 0..8),
            1..8,
        ),
        network in prop::collection::vec(any::<u8>(), 0..40),
        budget in 1..40_usize,
    ) {
        let limits = Limits { series_values: budget, client_values: 3 * budget, ..settings().limits };
        let mut tick = Tick::new(Settings { limits, ..settings() });
        let (mut source, mut network) = (Source::default(), network.into_iter());
        let tasks: Vec<_> = (0..6).map(|n| source.task(&format!("task_{n}"))).collect();
        let (mut counted, mut lines) = (BTreeMap::<String, u64>::new(), Vec::new());
        // Calls since the last pick of each task. A value is kept back for some passes only, so these may go without one.
        let mut unpicked = [0; 6];
        for round in rounds {
            for (task, started, success, failed, untimed) in round {
                source.calls(tasks[task], started, [success, failed, 0]);
                (0..success.saturating_sub(untimed)).for_each(|ticks| source.picked(tasks[task], ticks as u64, 0.5));
                unpicked[task] = if success > untimed { untimed } else { unpicked[task] + success };
                for (what, more) in [("started", started), ("success", success), ("exceptions", failed)] {
                    *counted.entry(format!("tasks.status.task_{task}.{what}")).or_default() += more as u64;
                }
            }
            lines.extend(source.pass(&mut tick, false, |length| match network.next() {
                None => length,
                Some(share) => length * usize::from(share) / 200,
            }));
        }
        lines.extend(source.pass(&mut tick, true, always));
        prop_assert_eq!(tick.ledger().counters.pending, 0);

        let (mut arrived, mut durations) = (BTreeMap::<String, u64>::new(), BTreeMap::<String, f64>::new());
        for line in &lines {
            let (name, rest) = line.split_once(':').unwrap();
            match rest.split('|').collect::<Vec<_>>()[..] {
                [delta, "c"] => *arrived.entry(name.into()).or_default() += delta.parse::<u64>().unwrap(),
                [_, "ms"] => *durations.entry(name.into()).or_default() += 1.0,
                [_, "ms", rate] => *durations.entry(name.into()).or_default() += 1.0 / rate[1..].parse::<f64>().unwrap(),
                _ => panic!("{line}"),
            }
        }
        counted.retain(|_, count| *count > 0);
        prop_assert_eq!(&arrived, &counted);
        for (name, calls) in durations {
            let task = name.replace("duration", "status");
            let missing = counted[&task] as f64 - calls;
            let unpicked = (0..6).find(|n| name.contains(&format!("task_{n}"))).map_or(0, |n| unpicked[n]);
            prop_assert!(
                -0.501 < missing && missing < unpicked as f64 + 0.501,
                "{}: {} for {}, {} unpicked", name, calls, counted[&task], unpicked
            );
        }
    }
}

/// A tag set that was called once, and all that came of it.
fn with_one_set(cap: usize) -> (Tick, Source, usize) {
    let mut tick = Tick::new(Settings {
        idle_expiry: Some(Duration::from_secs(10)),
        cardinality_cap: cap,
        ..settings()
    });
    let mut source = Source::default();
    let set = source.tag_set("work", "1");
    source.calls(set, 1, [1, 0, 0]);
    assert_eq!(source.pass(&mut tick, true, always).len(), 2);
    (tick, source, set)
}

#[test]
fn a_silent_tag_set_is_let_go_of_and_comes_back() {
    let (mut tick, mut source, set) = with_one_set(1);
    source.drained.moved.clear();
    tick.absorb(&source.drained, 9.0, |ticks| ticks);
    assert_eq!(tick.idle(), Some(&[][..]), "not for long enough");
    tick.absorb(&source.drained, 9.5, |ticks| ticks);
    assert_eq!(tick.idle(), None, "it is not looked each time");
    tick.absorb(&source.drained, 14.5, |ticks| ticks);
    assert_eq!(tick.idle(), Some(&[set][..]));
    let ledger = tick.ledger();
    assert!(ledger.is_balanced(), "{ledger:?}");
    assert_eq!(ledger.counters.recorded, 2, "what was counted stays in the books");
    // Its place under the cap is another's now, and then its own again.
    let other = source.tag_set("work", "2");
    source.calls(other, 1, [0, 0, 0]);
    source.drained.moved = vec![other];
    assert_eq!(
        source.pass(&mut tick, true, always),
        ["tasks.status.work.started.n.2:1|c"]
    );
    assert_eq!(tick.ledger().folded, 0);
    source.calls(set, 1, [1, 0, 0]);
    source.drained.moved = vec![set];
    let lines = source.pass(&mut tick, true, always);
    assert!(lines.iter().all(|line| line.contains("overflow")), "{lines:?}");
    assert_eq!(tick.ledger().counters.sent, 5);
}

#[test]
fn a_tag_set_with_something_left_to_send_stays() {
    let (mut tick, mut source, set) = with_one_set(10);
    source.calls(set, 1, [0, 0, 0]);
    source.pass(&mut tick, true, never);
    source.drained.moved.clear();
    tick.absorb(&source.drained, 100.0, |ticks| ticks);
    assert_eq!(tick.idle(), Some(&[][..]), "pending, and in flight");
    source.pass(&mut tick, true, always);
    tick.absorb(&source.drained, 200.0, |ticks| ticks);
    assert_eq!(tick.idle(), Some(&[][..]), "in flight still");
    source.calls(set, 0, [0, 1, 0]);
    source.drained.moved = vec![set];
    tick.absorb(&source.drained, 300.0, |ticks| ticks);
    source.drained.moved.clear();
    tick.absorb(&source.drained, 400.0, |ticks| ticks);
    assert_eq!(tick.idle(), Some(&[][..]), "pending");
    assert_eq!(
        source.pass(&mut tick, true, always),
        ["tasks.status.work.exceptions.n.1:1|c"]
    );
    tick.absorb(&source.drained, 500.0, |ticks| ticks);
    assert_eq!(tick.idle(), Some(&[set][..]));
}

#[test]
fn a_task_without_call_tags_stays() {
    let mut tick = Tick::new(Settings {
        idle_expiry: Some(Duration::from_secs(10)),
        ..settings()
    });
    let mut source = Source::default();
    let task = source.task("work");
    source.calls(task, 1, [1, 0, 0]);
    source.pass(&mut tick, true, always);
    source.drained.moved.clear();
    tick.absorb(&source.drained, 100.0, |ticks| ticks);
    assert_eq!(tick.idle(), Some(&[][..]));
}
