use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::{
    flush::budget::base_stride,
    record::{registry::Options, shard::Ended, snapshot::Measured},
    wire::Dialect,
};

fn settings() -> Settings {
    Settings {
        wire: Wire::new(Dialect::Statsd, None, &[], false),
        packet_size: 512,
        cardinality_cap: 100,
        limits: Limits {
            series_rate: 1e9,
            client_rate: 1e9,
            series_values: 100_000,
            client_values: 100_000,
            base_stride: base_stride(1.0),
            time_every_outcome: false,
        },
        telemetry: false,
    }
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
        self.drained
            .series
            .push(Arc::new(Description { identity, options }));
        self.drained.totals.push(Totals::default());
        self.drained.totals.len() - 1
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
    source.pass(&mut tick, false, always);
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
