//! The pure middle: drained totals and values in, datagrams out. No thread, no clock and no socket.
//!
//! One datagram is under way at a time. [`Tick::next`] packs it, and what it carries stays pending until
//! [`Tick::settle`] says how much of it the kernel took; a refusal leaves everything as it was, to go out later with what came
//! since, and so does what a stream that broke did not take. So there is no state in which an increment could be lost or sent
//! twice.

mod pass;

use std::{collections::HashMap, sync::Arc};

use self::pass::{Item, Pass};

use super::{
    budget::{Budget, Limits},
    durations::{Durations, Random},
    own::Own,
    task::{COUNTERS, Names, Task, counters},
};
use crate::{
    batch::Packet,
    ledger::{CounterAccount, Ledger, TimerAccount},
    record::{
        registry::{Description, Identity, Options},
        snapshot::{Drained, Totals},
    },
    wire::Wire,
};

/// What a tick needs to know of its client's configuration.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) wire: Wire,
    /// Bytes that a datagram may have.
    pub(crate) packet_size: usize,
    /// Task names beyond this many share one series.
    pub(crate) cardinality_cap: usize,
    pub(crate) limits: Limits,
    /// Whether the library's own metrics are sent.
    pub(crate) telemetry: bool,
}

#[derive(Debug)]
pub(crate) struct Tick {
    settings: Settings,
    tasks: Vec<Task>,
    /// The task that a series id counts in.
    route: Vec<usize>,
    /// The ids past the cardinality cap, and the tasks that stand for them.
    folded: Vec<usize>,
    overflows: HashMap<Identity, usize>,
    own: Own,
    budget: Budget,
    random: Random,
    pass: Pass,
    /// Whose turn is the first of a pass: it goes on where the one before had to stop, or those behind would starve where a server
    /// takes a part of each.
    first: usize,
    /// Who had a line taken last in this pass.
    served: Option<usize>,
    packet: Packet,
    /// What the datagram under way carries, and where in it the line ends that does.
    manifest: Vec<(usize, Item)>,
    line: Vec<u8>,
    /// The account of what has left; the rest of the books is summed from the tasks.
    gone: Ledger,
    measured: u64,
    last_measured: usize,
    last_ring_full: usize,
}

impl Tick {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            tasks: Vec::new(),
            route: Vec::new(),
            folded: Vec::new(),
            overflows: HashMap::new(),
            own: Own::new(&settings.wire),
            budget: Budget::new(settings.limits),
            random: Random::new(),
            pass: Pass::Idle,
            first: 0,
            served: None,
            packet: Packet::new(settings.packet_size),
            manifest: Vec::new(),
            line: Vec::new(),
            gone: Ledger::default(),
            measured: 0,
            last_measured: 0,
            last_ring_full: 0,
            settings,
        }
    }

    /// Takes in a drain made `seconds` after the client started; `nanos` converts its ticks. Returns the strides to use from
    /// now on, by series id, if any of them is to be set.
    pub(crate) fn absorb(
        &mut self,
        drained: &Drained,
        seconds: f64,
        nanos: impl Fn(u64) -> u64,
    ) -> Option<&[u32]> {
        self.name_series(&drained.series);
        self.take_totals(&drained.totals);
        self.take_values(drained, nanos);
        let every = self.settings.limits.time_every_outcome;
        let tasks = self
            .tasks
            .iter()
            .map(|task| (task.timeable(every), task.own_stride()));
        self.budget
            .observe(seconds, tasks)
            .then(|| self.budget.strides(&self.route))
    }

    fn name_series(&mut self, series: &[Arc<Description>]) {
        let cap = self.settings.cardinality_cap;
        for description in &series[self.route.len()..] {
            let Description { identity, options } = &**description;
            let task = if self.tasks.len() - self.overflows.len() < cap {
                self.add(identity, *options)
            } else {
                self.folded.push(self.route.len());
                let overflow = identity.overflow();
                if let Some(task) = self.overflows.get(&overflow) {
                    *task
                } else {
                    let task = self.add(&overflow, *options);
                    self.overflows.insert(overflow, task);
                    task
                }
            };
            self.route.push(task);
        }
    }

    fn add(&mut self, identity: &Identity, options: Options) -> usize {
        let Identity { task, tags, kind } = identity;
        let Settings {
            wire, packet_size, ..
        } = &self.settings;
        let room = packet_size.saturating_sub(wire.longest_line());
        let names = match kind {
            None => Names::Task(Box::new(wire.task(task, tags, room))),
            Some(kind) => Names::Kind(wire.kind(task, kind, room)),
        };
        self.tasks.push(Task::new(names, options));
        self.tasks.len() - 1
    }

    fn take_totals(&mut self, totals: &[Totals]) {
        for (totals, task) in totals.iter().zip(&self.route) {
            self.tasks[*task].total = counters(totals);
        }
        if self.folded.is_empty() {
            return;
        }
        // Several series count in one: their sums.
        for task in self.overflows.values() {
            self.tasks[*task].total = [0; COUNTERS];
        }
        for series in &self.folded {
            let total = &mut self.tasks[self.route[*series]].total;
            for (sum, more) in total
                .iter_mut()
                .zip(totals.get(*series).map(counters).unwrap_or_default())
            {
                *sum = sum.wrapping_add(more);
            }
        }
    }

    fn take_values(&mut self, drained: &Drained, nanos: impl Fn(u64) -> u64) {
        let Limits {
            series_values,
            client_values,
            ..
        } = self.settings.limits;
        let mut dropped = 0;
        for value in &drained.values {
            self.budget.note(self.route[value.series], value.stride);
            let durations = &mut self.tasks[self.route[value.series]].durations[value.outcome];
            dropped += durations.push(
                nanos(value.ticks),
                value.stride,
                2 * series_values,
                &mut self.random,
            );
        }
        while self
            .tasks
            .iter()
            .flat_map(|task| &task.durations)
            .map(Durations::free)
            .sum::<usize>()
            > 2 * client_values
        {
            let before = dropped;
            for durations in self.tasks.iter_mut().flat_map(|task| &mut task.durations) {
                dropped += durations.halve(&mut self.random);
            }
            if dropped == before {
                // One value for each series is left.
                break;
            }
        }
        let timers = &mut self.gone.timers;
        timers.dropped_over_budget += dropped;
        timers.dropped_ring_full += drained.ring_full.wrapping_sub(self.last_ring_full) as u64;
        self.measured += drained.measured.wrapping_sub(self.last_measured) as u64;
        (self.last_measured, self.last_ring_full) = (drained.measured, drained.ring_full);
    }

    /// Durations that are pending.
    fn values(&self) -> usize {
        self.tasks
            .iter()
            .flat_map(|task| &task.durations)
            .map(Durations::len)
            .sum()
    }

    /// Counts a panic of the flusher.
    pub(crate) fn panicked(&mut self) {
        self.gone.flusher_panics += 1;
    }

    /// Drops what is pending, for good: the shutdown's deadline has come.
    pub(crate) fn give_up(&mut self) {
        self.pass = Pass::Idle;
        for task in &mut self.tasks {
            for counter in 0..COUNTERS {
                self.gone.counters.dropped += task.pending(counter);
            }
            task.spent = task.total;
            for durations in &mut task.durations {
                self.gone.timers.dropped_at_shutdown += durations.give_up();
            }
        }
    }

    /// The books as of the last drain.
    pub(crate) fn ledger(&self) -> Ledger {
        let recorded = self
            .tasks
            .iter()
            .flat_map(|task| task.total)
            .fold(0, usize::wrapping_add) as u64;
        let pending = self
            .tasks
            .iter()
            .flat_map(|task| (0..COUNTERS).map(|counter| task.pending(counter)))
            .sum();
        Ledger {
            counters: CounterAccount {
                recorded,
                pending,
                ..self.gone.counters
            },
            folded: self.folded.len() as u64,
            timers: TimerAccount {
                recorded: self.measured,
                pending: self.values() as u64,
                ..self.gone.timers
            },
            ..self.gone
        }
    }

    /// Counts datagrams whose refusal came too late to be matched.
    pub(crate) fn refused_late(&mut self, datagrams: u64) {
        self.gone.refused_late = datagrams;
    }
}

#[cfg(test)]
mod tests;
