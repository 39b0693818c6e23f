use std::{collections::BTreeMap, sync::Arc};

use proptest::prelude::*;

use super::*;
use crate::{
    flush::budget::base_stride,
    record::{
        registry::Options,
        shard::Ended,
        snapshot::{Measured, Totals},
    },
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
        idle_expiry: None,
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
        };
        self.drained.series.push(Arc::new(Description {
            identity,
            options,
            is_tag_set: false,
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
