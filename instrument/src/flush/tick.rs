//! The pure middle: drained totals and values in, datagrams out. No thread, no clock and no socket.
//!
//! One datagram is under way at a time. [`Tick::next`] packs it, and what it carries stays pending until
//! [`Tick::settle`] says how much of it the kernel took; a refusal leaves everything as it was, to go out later with what came
//! since, and so does what a stream that broke did not take. So there is no state in which an increment could be lost or sent
//! twice.

mod pass;

use std::{cell::Cell, collections::HashMap, time::Duration};

use self::pass::{Item, Pass};
use super::{
    budget::{Budget, Limits},
    durations::{Durations, Random},
    own::Own,
    rows::Rows,
    task::{COUNTERS, Names, Task, counters},
};
use crate::{
    batch::Packet,
    ledger::{CounterAccount, Ledger, TimerAccount},
    record::{
        registry::{Description, Identity, Metric, Options},
        snapshot::Drained,
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
    /// How long a tag set is silent before it is let go of; for ever if there is none.
    pub(crate) idle_expiry: Option<Duration>,
}

#[cfg(test)]
impl Settings {
    /// Plain statsd in small datagrams, with every duration sent.
    pub(super) fn unbounded(cardinality_cap: usize) -> Self {
        use super::budget::base_stride;
        use crate::wire::Dialect;

        Self {
            wire: Wire::new(Dialect::Statsd, None, &[], false),
            packet_size: 512,
            cardinality_cap,
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
}

/// What all tasks add up to, for the books: increments recorded and pending, and durations pending.
#[derive(Clone, Copy, Debug)]
struct Sums {
    recorded: u64,
    pending: u64,
    values: u64,
}

#[derive(Debug)]
pub(crate) struct Tick {
    settings: Settings,
    tasks: Vec<Task>,
    /// Places among the tasks that are free.
    free: Vec<usize>,
    /// By row of a drain.
    rows: Rows,
    /// Series past the cardinality cap, and the tasks that stand for them.
    folded: u64,
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
    /// What the tasks add up to, if nothing happened to them since that was summed.
    sums: Cell<Option<Sums>>,
    /// The tasks of the gauges that were read last.
    gauges: Vec<usize>,
    measured: u64,
    last_measured: usize,
    last_ring_full: usize,
}

impl Tick {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            tasks: Vec::new(),
            free: Vec::new(),
            rows: Rows::new(settings.idle_expiry),
            folded: 0,
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
            sums: Cell::new(None),
            gauges: Vec::new(),
            measured: 0,
            last_measured: 0,
            last_ring_full: 0,
            settings,
        }
    }

    /// Takes in a drain made `seconds` after the client started; `nanos` converts its ticks. Returns the strides to use from
    /// now on, by row, if any of them is to be set.
    pub(crate) fn absorb(
        &mut self,
        drained: &Drained,
        seconds: f64,
        nanos: impl Fn(u64) -> u64,
    ) -> Option<&[u32]> {
        self.take_totals(drained, seconds);
        self.take_values(drained, nanos);
        self.take_gauges(drained);
        self.find_idle(drained, seconds);
        let moves = !drained.moved.is_empty() || !drained.values.is_empty();
        if moves {
            self.sums.set(None);
        } else if self.budget.rests(seconds) {
            return None;
        }
        let every = self.settings.limits.time_every_outcome;
        let tasks = self
            .tasks
            .iter()
            .map(|task| (task.timeable(every), task.own_stride()));
        self.budget
            .observe(seconds, tasks)
            .then(|| self.budget.strides(self.rows.tasks()))
    }

    /// The task that a row counts in.
    fn task_of(&mut self, row: usize, drained: &Drained) -> usize {
        if let Some(task) = self.rows.task(row) {
            return task;
        }
        let Description {
            identity, options, ..
        } = &*drained.series[row];
        let task =
            if self.tasks.len() - self.free.len() - self.overflows.len() < self.settings.cardinality_cap {
                self.add(identity, *options)
            } else {
                self.folded += 1;
                let overflow = identity.overflow();
                if let Some(task) = self.overflows.get(&overflow) {
                    *task
                } else {
                    let task = self.add(&overflow, *options);
                    self.tasks[task].is_overflow = true;
                    self.overflows.insert(overflow, task);
                    task
                }
            };
        self.rows.set_task(row, task);
        task
    }

    fn add(&mut self, identity: &Identity, options: Options) -> usize {
        let Identity {
            task,
            tags,
            kind,
            metric,
        } = identity;
        let Settings {
            wire, packet_size, ..
        } = &self.settings;
        let room = packet_size.saturating_sub(wire.longest_line());
        let names = match kind {
            None if *metric == Metric::Gauge => Names::Metric(wire.own_gauge(task, tags, room)),
            None if *metric != Metric::Task => Names::Metric(wire.metric(task, tags, room)),
            None => Names::Task(Box::new(wire.task(task, tags, room))),
            Some(kind) if *metric == Metric::Task => Names::Kind(wire.kind(task, kind, tags, room)),
            Some(kind) => Names::Kind(wire.metric_kind(task, kind, tags, room)),
        };
        let task = Task::new(names, options);
        if let Some(place) = self.free.pop() {
            self.tasks[place] = task;
            return place;
        }
        self.tasks.push(task);
        self.tasks.len() - 1
    }

    fn take_totals(&mut self, drained: &Drained, seconds: f64) {
        for row in &drained.moved {
            let task = self.task_of(*row, drained);
            // Several series may count in one: what is new of each.
            let more = self.rows.take(*row, counters(&drained.totals[*row]), seconds);
            let Description {
                identity,
                is_overflow,
                ..
            } = &*drained.series[*row];
            if *is_overflow {
                let [started, _, exceptions, ..] = more;
                let calls = if identity.kind.is_some() {
                    exceptions
                } else {
                    started
                };
                self.gone.folded_calls += calls as u64;
            }
            for (total, more) in self.tasks[task].total.iter_mut().zip(more) {
                *total = total.wrapping_add(more);
            }
        }
        for row in &drained.gone {
            self.rows.forget(*row);
        }
    }

    /// Lets go of tag sets that are silent, once there is nothing of them to send any more.
    fn find_idle(&mut self, drained: &Drained, seconds: f64) {
        let tasks = &self.tasks;
        self.rows.find_idle(seconds, |row, task| {
            let is_silent = drained.series[row].is_tag_set && drained.totals[row].is_quiet();
            is_silent && (tasks[task].is_overflow || tasks[task].is_settled())
        });
        for task in self.rows.let_go() {
            if self.tasks[task].is_overflow {
                continue;
            }
            self.sums.set(None);
            let total = std::mem::take(&mut self.tasks[task]).total;
            let recorded = total.into_iter().fold(0, usize::wrapping_add) as u64;
            self.gone.counters.recorded = self.gone.counters.recorded.wrapping_add(recorded);
            self.budget.forget(task);
            self.free.push(task);
        }
    }

    /// The rows that were just found idle.
    pub(crate) fn idle(&self) -> Option<&[usize]> {
        self.rows.idle()
    }

    fn take_values(&mut self, drained: &Drained, nanos: impl Fn(u64) -> u64) {
        let Limits {
            series_values,
            client_values,
            ..
        } = self.settings.limits;
        let mut dropped = 0;
        for value in &drained.values {
            let task = self.task_of(value.series, drained);
            self.budget.note(task, value.stride);
            let task = &mut self.tasks[task];
            let nanos = if task.has_nanos() {
                value.ticks
            } else {
                nanos(value.ticks)
            };
            dropped +=
                task.durations[value.outcome].push(nanos, value.stride, 2 * series_values, &mut self.random);
        }
        // Whoever brings nothing need not make room.
        while !drained.values.is_empty()
            && self
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

    fn take_gauges(&mut self, drained: &Drained) {
        for task in std::mem::take(&mut self.gauges) {
            if let Some(gauge) = &mut self.tasks[task].gauge {
                gauge.now = None;
            }
        }
        for (row, now) in &drained.gauges {
            let task = self.task_of(*row, drained);
            if let Some(gauge) = &mut self.tasks[task].gauge {
                gauge.now = Some(*now);
                self.gauges.push(task);
            }
        }
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
        self.sums.set(None);
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
        let sums = self.sums.get().unwrap_or_else(|| self.sum());
        self.sums.set(Some(sums));
        let Sums {
            recorded,
            pending,
            values,
        } = sums;
        let recorded = recorded.wrapping_add(self.gone.counters.recorded);
        Ledger {
            counters: CounterAccount {
                recorded,
                pending,
                ..self.gone.counters
            },
            folded: self.folded,
            timers: TimerAccount {
                recorded: self.measured,
                pending: values,
                ..self.gone.timers
            },
            ..self.gone
        }
    }

    fn sum(&self) -> Sums {
        let totals = self.tasks.iter().flat_map(Task::recorded);
        Sums {
            recorded: totals.fold(0, usize::wrapping_add) as u64,
            pending: self
                .tasks
                .iter()
                .flat_map(|task| (0..COUNTERS).map(|counter| task.pending(counter)))
                .sum(),
            values: self.values() as u64,
        }
    }

    /// Counts datagrams whose refusal came too late to be matched.
    pub(crate) fn refused_late(&mut self, datagrams: u64) {
        self.gone.refused_late = datagrams;
    }
}

#[cfg(test)]
mod tests;
