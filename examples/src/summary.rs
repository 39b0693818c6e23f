//! What is shown at the end: tables, packets, the ledger, and all that as JSON.

use std::{collections::BTreeMap, fmt::Write};

use instrument_task::{Ledger, testing::Receiver};

use crate::tally::Calls;

/// Lines of the wire that are shown.
const LINES: usize = 10;

/// What the receiver has got so far.
pub struct Arrived<'a> {
    receiver: &'a Receiver,
    counters: BTreeMap<String, u64>,
}

impl<'a> Arrived<'a> {
    /// What it has got so far.
    #[must_use]
    pub fn at(receiver: &'a Receiver) -> Self {
        Self {
            receiver,
            counters: receiver.counters(),
        }
    }

    /// The calls of these tasks, as the metrics tell them.
    #[must_use]
    pub fn calls(&self, tasks: impl IntoIterator<Item = &'static str>) -> Vec<(&'static str, Calls)> {
        let calls = |task| {
            let count = |what| {
                let name = format!("tasks.status.{task}.{what}");
                let series = self.counters.iter().filter(|(series, _)| is_named(series, &name));
                series.map(|(_, count)| count).sum()
            };
            Calls {
                started: count("started"),
                success: count("success"),
                exceptions: count("exceptions"),
                cancelled: count("cancelled"),
                panics: count("panics"),
            }
        };
        tasks.into_iter().map(|task| (task, calls(task))).collect()
    }

    /// A quantile of a task's successful calls in milliseconds.
    #[must_use]
    pub fn quantile(&self, task: &str, q: f64) -> Option<f64> {
        let name = format!("tasks.duration.{task}.success");
        let series = self
            .receiver
            .timers()
            .into_iter()
            .find(|series| is_named(series, &name))?;
        Some(self.receiver.timer(&series)?.quantile(q))
    }
}

/// Whether a series has this name, whatever prefix the environment put before it.
fn is_named(series: &str, name: &str) -> bool {
    series
        .strip_suffix(name)
        .is_some_and(|prefix| prefix.is_empty() || prefix.ends_with('.'))
}

/// One line a task; `quantile` gives its durations in milliseconds, where they are known.
pub fn table(calls: &[(&str, Calls)], quantile: impl Fn(&str, f64) -> Option<f64>) -> String {
    let mut table = format!(
        "  {:14}{:>9}{:>9}{:>12}{:>11}{:>12}{:>12}\n",
        "task", "started", "success", "exceptions", "cancelled", "p50", "p99"
    );
    for (task, calls) in calls {
        let Calls {
            started,
            success,
            exceptions,
            cancelled,
            ..
        } = calls;
        let [p50, p99] =
            [0.5, 0.99].map(|q| quantile(task, q).map_or("-".into(), |millis| format!("{millis:.3} ms")));
        let _ = writeln!(
            table,
            "  {task:14}{started:>9}{success:>9}{exceptions:>12}{cancelled:>11}{p50:>12}{p99:>12}"
        );
    }
    table
}

/// The first lines of the packets, as they went on the wire.
#[must_use]
pub fn first_lines(packets: &[Vec<u8>]) -> String {
    let mut text = String::new();
    let mut left = LINES;
    for (number, packet) in packets.iter().enumerate() {
        let packet = String::from_utf8_lossy(packet);
        for line in packet.lines().take(left) {
            let _ = writeln!(text, "  {} | {line}", number + 1);
            left -= 1;
        }
    }
    text
}

/// Where everything that was recorded is now.
#[must_use]
pub fn ledger(ledger: &Ledger) -> String {
    let Ledger { counters, timers, .. } = ledger;
    format!(
        "  counters: {} recorded = {} sent + {} pending + {} dropped\n  \
           timers:   {} recorded = {} sent + {} pending + {} dropped\n  \
           in {} packets, {} bytes",
        counters.recorded,
        counters.sent,
        counters.pending,
        counters.dropped,
        timers.recorded,
        timers.sent,
        timers.pending,
        timers.dropped(),
        ledger.packets,
        ledger.bytes,
    )
}

/// What the worker counted, what it was to do if that is known, and the ledger, in one line.
#[must_use]
pub fn json(calls: &[(&str, Calls)], planned: Option<&[(&str, Calls)]>, ledger: &Ledger) -> String {
    let planned = planned.map_or_else(String::new, |planned| format!(r#""planned":{},"#, tasks(planned)));
    let Ledger { counters, timers, .. } = ledger;
    let counters = format!(
        r#"{{"recorded":{},"sent":{},"pending":{},"dropped":{}}}"#,
        counters.recorded, counters.sent, counters.pending, counters.dropped
    );
    let timers = format!(
        r#"{{"recorded":{},"sent":{},"pending":{},"dropped":{},"dropped_ring_full":{},"dropped_over_budget":{},"dropped_at_shutdown":{}}}"#,
        timers.recorded,
        timers.sent,
        timers.pending,
        timers.dropped(),
        timers.dropped_ring_full,
        timers.dropped_over_budget,
        timers.dropped_at_shutdown
    );
    format!(
        r#"{{"tasks":{},{planned}"ledger":{{"counters":{counters},"timers":{timers},"packets":{},"bytes":{},"refused_late":{},"folded":{}}}}}"#,
        tasks(calls),
        ledger.packets,
        ledger.bytes,
        ledger.refused_late,
        ledger.folded
    )
}

/// Calls task by task, as a JSON object.
fn tasks(calls: &[(&str, Calls)]) -> String {
    let tasks: Vec<_> = calls
        .iter()
        .map(|(task, calls)| {
            let Calls {
                started,
                success,
                exceptions,
                cancelled,
                panics,
            } = calls;
            format!(
                r#""{task}":{{"started":{started},"success":{success},"exceptions":{exceptions},"cancelled":{cancelled},"panics":{panics}}}"#
            )
        })
        .collect();
    format!("{{{}}}", tasks.join(","))
}
