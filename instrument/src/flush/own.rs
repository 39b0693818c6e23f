//! The library's own metrics, sent when telemetry is on: the books, as counters.

use crate::{
    ledger::Ledger,
    wire::{Name, Wire},
};

/// Where in the books a counter stands.
type Read = fn(&Ledger) -> u64;

#[derive(Debug)]
struct Counter {
    name: Name,
    read: Read,
    total: u64,
    spent: u64,
}

/// Counters like those of a task: a total, and what of it was sent.
#[derive(Debug)]
pub(super) struct Own(Vec<Counter>);

/// What is sent, as a name behind `instrument_task.` and where in the books it stands.
const COUNTERS: [(&str, Read); 10] = [
    ("packets_sent", |ledger| ledger.packets),
    ("bytes_sent", |ledger| ledger.bytes),
    ("refused_late", |ledger| ledger.refused_late),
    ("counters.sent", |ledger| ledger.counters.sent),
    ("timers.sent", |ledger| ledger.timers.sent),
    ("timers.dropped.ring_full", |ledger| {
        ledger.timers.dropped_ring_full
    }),
    ("timers.dropped.over_budget", |ledger| {
        ledger.timers.dropped_over_budget
    }),
    ("timers.dropped.at_shutdown", |ledger| {
        ledger.timers.dropped_at_shutdown
    }),
    ("flusher_panics", |ledger| ledger.flusher_panics),
    ("folded", |ledger| ledger.folded),
];

impl Own {
    pub(super) fn new(wire: &Wire) -> Self {
        Self(
            COUNTERS
                .map(|(name, read)| Counter {
                    name: wire.own(name),
                    read,
                    total: 0,
                    spent: 0,
                })
                .into(),
        )
    }

    pub(super) fn update(&mut self, ledger: &Ledger) {
        for counter in &mut self.0 {
            counter.total = (counter.read)(ledger);
        }
    }

    /// A counter's name and what of it was not sent.
    pub(super) fn get(&self, counter: usize) -> Option<(&Name, u64)> {
        self.0
            .get(counter)
            .map(|counter| (&counter.name, counter.total - counter.spent))
    }

    pub(super) fn spend(&mut self, counter: usize, delta: u64) {
        self.0[counter].spent += delta;
    }
}
