//! The library's own metrics, sent when telemetry is on: the books. What grows is a counter, what is pending a gauge.

use crate::{
    ledger::Ledger,
    wire::{Name, Wire},
};

/// Where in the books a figure stands.
type Read = fn(&Ledger) -> u64;

/// How a figure is sent.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// What it grew by since it was sent last, if it did.
    Counter,
    /// As it is, each time: a server that just started does not know it.
    Gauge,
}
use Kind::{Counter, Gauge};

/// What is sent: a name behind `instrument_task.`, how, and where in the books it stands. The documentation of
/// [`ClientBuilder::telemetry`](crate::ClientBuilder::telemetry) has the same list.
const ROWS: [(&str, Kind, Read); 16] = [
    ("counters.recorded", Counter, |books| books.counters.recorded),
    ("counters.sent", Counter, |books| books.counters.sent),
    ("counters.pending", Gauge, |books| books.counters.pending),
    ("counters.dropped.at_shutdown", Counter, |books| {
        books.counters.dropped
    }),
    ("timers.recorded", Counter, |books| books.timers.recorded),
    ("timers.sent", Counter, |books| books.timers.sent),
    ("timers.pending", Gauge, |books| books.timers.pending),
    ("timers.dropped.ring_full", Counter, |books| {
        books.timers.dropped_ring_full
    }),
    ("timers.dropped.over_budget", Counter, |books| {
        books.timers.dropped_over_budget
    }),
    ("timers.dropped.at_shutdown", Counter, |books| {
        books.timers.dropped_at_shutdown
    }),
    ("packets_sent", Counter, |books| books.packets),
    ("bytes_sent", Counter, |books| books.bytes),
    ("refused_late", Counter, |books| books.refused_late),
    ("flusher_panics", Counter, |books| books.flusher_panics),
    ("folded", Counter, |books| books.folded),
    ("folded_calls", Counter, |books| books.folded_calls),
];

#[derive(Debug)]
struct Row {
    name: Name,
    kind: Kind,
    read: Read,
    value: u64,
    /// What of a counter was sent.
    spent: u64,
}

/// Figures like those of a task: a value, and what of it was sent.
#[derive(Debug)]
pub(super) struct Own(Vec<Row>);

impl Own {
    pub(super) fn new(wire: &Wire) -> Self {
        Self(
            ROWS.map(|(name, kind, read)| Row {
                name: match kind {
                    Counter => wire.own(name),
                    // Each process has pending figures of its own, which the next one's would overwrite.
                    Gauge => wire.own_gauge(&format!("instrument_task.{name}"), &[], 0),
                },
                kind,
                read,
                value: 0,
                spent: 0,
            })
            .into(),
        )
    }

    pub(super) fn update(&mut self, ledger: &Ledger) {
        for row in &mut self.0 {
            row.value = (row.read)(ledger);
        }
    }

    /// Writes the line of a row, if there is something to say, and tells what of a counter it carries; `None` behind the last row.
    pub(super) fn line(&self, row: usize, wire: &Wire, out: &mut Vec<u8>) -> Option<u64> {
        let Row {
            name,
            kind,
            value,
            spent,
            ..
        } = self.0.get(row)?;
        match kind {
            Counter => {
                let delta = value.wrapping_sub(*spent);
                if delta > 0 {
                    wire.counter(name, delta, out);
                }
                Some(delta)
            }
            Gauge => {
                wire.gauge(name, *value as f64, out);
                Some(0)
            }
        }
    }

    pub(super) fn spend(&mut self, row: usize, delta: u64) {
        let spent = &mut self.0[row].spent;
        *spent = spent.wrapping_add(delta);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_lists_every_metric() {
        let documentation = include_str!("../config/builder.rs");
        for (name, kind, _) in ROWS {
            let kind = match kind {
                Counter => "counter",
                Gauge => "gauge",
            };
            let row = format!("/// | `{name}` | {kind} | ");
            assert!(documentation.contains(&row), "{row}");
        }
    }
}
