//! The pure middle: drained totals and values in, datagrams out. No thread, no clock and no socket.
//!
//! One datagram is under way at a time. [`Tick::next`] packs it, and what it carries stays pending until
//! [`Tick::settle`] says how much of it the kernel took; a refusal leaves everything as it was, to go out later with what came
//! since, and so does what a stream that broke did not take. So there is no state in which an increment could be lost or sent
//! twice.

use std::{collections::HashMap, sync::Arc};

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
        registry::{Description, Identity, Metric, Options},
        shard::OUTCOMES,
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

/// What the datagram under way carries.
#[derive(Clone, Copy, Debug)]
enum Item {
    Count {
        task: usize,
        counter: usize,
        delta: u64,
    },
    Values {
        task: usize,
        outcome: usize,
        count: usize,
    },
    Gauge {
        task: usize,
        now: f64,
    },
    Own {
        counter: usize,
        delta: u64,
    },
}

/// How far a pass over all series has come.
#[derive(Clone, Copy, Debug, Default)]
struct Cursor {
    task: usize,
    /// Counters first, then the durations of each outcome, then the gauge.
    step: usize,
    /// Values of this step that are in the datagram under way.
    offset: usize,
}

/// Steps of a task: its counters, its durations, its gauge.
const STEPS: usize = COUNTERS + OUTCOMES + 1;

/// What is under way between [`Tick::begin`] and the end of the pass.
#[derive(Clone, Copy, Debug)]
enum Pass {
    Idle,
    Tasks { at: Cursor, last: bool },
    Own { counter: usize },
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
        self.take_gauges(&drained.gauges);
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
            None if *metric != Metric::Task => Names::Metric(wire.metric(task, tags, room)),
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
            let task = &mut self.tasks[self.route[value.series]];
            let nanos = if task.is_timer() {
                value.ticks
            } else {
                nanos(value.ticks)
            };
            dropped +=
                task.durations[value.outcome].push(nanos, value.stride, 2 * series_values, &mut self.random);
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

    fn take_gauges(&mut self, gauges: &[(usize, f64)]) {
        for gauge in self.tasks.iter_mut().filter_map(|task| task.gauge.as_mut()) {
            gauge.now = None;
        }
        for (series, now) in gauges {
            if let Some(gauge) = &mut self.tasks[self.route[*series]].gauge {
                gauge.now = Some(*now);
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

    /// Begins a pass over all series. The `last` one keeps nothing back.
    pub(crate) fn begin(&mut self, last: bool) {
        let Limits {
            series_values,
            client_values,
            ..
        } = self.settings.limits;
        let values = self.values();
        for task in &mut self.tasks {
            for (outcome, durations) in task.durations.iter_mut().enumerate() {
                let fair = if values > client_values {
                    durations.len() * client_values / values
                } else {
                    usize::MAX
                };
                let ended = task.total[1 + outcome];
                let dropped = durations.begin(ended, series_values.min(fair), last, &mut self.random);
                self.gone.timers.dropped_over_budget += dropped;
            }
        }
        if self.settings.telemetry {
            let ledger = self.ledger();
            self.own.update(&ledger);
        }
        self.pass = Pass::Tasks {
            at: Cursor::default(),
            last,
        };
    }

    /// Packs the next datagram of the pass; `None` at its end. Call [`settle`](Self::settle) before the next.
    pub(crate) fn next(&mut self) -> Option<&[u8]> {
        self.packet.clear();
        self.manifest.clear();
        while self.put_next() {}
        (!self.packet.is_empty()).then(|| self.packet.bytes())
    }

    /// The part of the series that the pass under way has gone through.
    pub(crate) fn progress(&self) -> f64 {
        match self.pass {
            Pass::Tasks { at, .. } => at.task as f64 / self.tasks.len().max(1) as f64,
            Pass::Own { .. } | Pass::Idle => 1.0,
        }
    }

    /// The datagram that was packed last, and is not settled yet.
    pub(crate) fn under_way(&self) -> &[u8] {
        self.packet.bytes()
    }

    /// Keeps the durations in the datagram under way as they are, whatever is absorbed until it is settled: a stream has a part of
    /// it already. No pass may [`begin`](Self::begin) meanwhile.
    pub(crate) fn hold(&mut self) {
        self.release();
        for (_, item) in &self.manifest {
            if let Item::Values { task, outcome, count } = *item {
                self.tasks[task].durations[outcome].hold(count);
            }
        }
    }

    fn release(&mut self) {
        for (_, item) in &self.manifest {
            if let Item::Values { task, outcome, .. } = *item {
                self.tasks[task].durations[outcome].release();
            }
        }
    }

    /// Says how many bytes of the datagram the kernel took. Lines that end within are spent. Anything less than all ends the pass:
    /// what is pending waits for the next.
    pub(crate) fn settle(&mut self, taken: usize) {
        self.release();
        let taken = taken.min(self.packet.len());
        if taken > 0 {
            self.gone.packets += 1;
            self.gone.bytes += taken as u64;
        }
        let whole = taken == self.packet.len();
        for (end, item) in self.manifest.drain(..) {
            if end > taken {
                break;
            }
            match item {
                Item::Count { task, counter, delta } => {
                    let spent = &mut self.tasks[task].spent[counter];
                    #[expect(clippy::cast_possible_truncation, reason = "it came from a usize")]
                    (*spent = spent.wrapping_add(delta as usize));
                    self.gone.counters.sent = self.gone.counters.sent.wrapping_add(delta);
                }
                Item::Values { task, outcome, count } => {
                    self.tasks[task].durations[outcome].spend(count);
                    self.gone.timers.sent += count as u64;
                }
                Item::Gauge { task, now } => {
                    if let Some(gauge) = &mut self.tasks[task].gauge {
                        gauge.sent = now;
                    }
                }
                Item::Own { counter, delta } => self.own.spend(counter, delta),
            }
        }
        if !whole {
            self.abort();
        } else if let Pass::Tasks { at, .. } = &mut self.pass {
            at.offset = 0;
        }
    }

    /// Ends the pass: what is pending waits for the next.
    pub(crate) fn abort(&mut self) {
        self.pass = Pass::Idle;
        let durations = self.tasks.iter_mut().flat_map(|task| &mut task.durations);
        durations.for_each(Durations::end);
    }

    /// Counts a panic of the flusher.
    pub(crate) fn panicked(&mut self) {
        self.gone.flusher_panics += 1;
    }

    /// Puts the next line into the datagram; false if there is none, or no room for it.
    fn put_next(&mut self) -> bool {
        self.line.clear();
        match self.pass {
            Pass::Idle => false,
            Pass::Tasks { at, .. } if at.task == self.tasks.len() => {
                self.pass = if self.settings.telemetry {
                    Pass::Own { counter: 0 }
                } else {
                    Pass::Idle
                };
                self.settings.telemetry
            }
            Pass::Tasks { at, last } => {
                let (item, next) = self.task_line(at);
                self.put(item, Pass::Tasks { at: next, last })
            }
            Pass::Own { counter } => {
                let Some((name, delta)) = self.own.get(counter) else {
                    self.pass = Pass::Idle;
                    return false;
                };
                if delta > 0 {
                    self.settings.wire.counter(name, delta, &mut self.line);
                }
                self.put(
                    Some(Item::Own { counter, delta }),
                    Pass::Own { counter: counter + 1 },
                )
            }
        }
    }

    /// Adds the line that was just written, if any, and moves on; false if there is no room for it.
    fn put(&mut self, item: Option<Item>, next: Pass) -> bool {
        if !self.line.is_empty() {
            if !self.packet.push(&self.line) {
                return false;
            }
            self.manifest.extend(item.map(|item| (self.packet.len(), item)));
        }
        self.pass = next;
        true
    }

    /// Writes the line at `at`, if there is something to say, and tells what it carries and where to go on.
    fn task_line(&mut self, at: Cursor) -> (Option<Item>, Cursor) {
        let Cursor {
            task: index,
            step,
            offset,
        } = at;
        let (task, wire) = (&self.tasks[index], &self.settings.wire);
        let step_on = if step + 1 == STEPS {
            Cursor {
                task: index + 1,
                ..Cursor::default()
            }
        } else {
            Cursor {
                task: index,
                step: step + 1,
                offset: 0,
            }
        };
        if step < COUNTERS {
            let delta = task.pending(step);
            if delta > 0 {
                wire.counter(task.names.counter(step), delta, &mut self.line);
            }
            return (
                Some(Item::Count {
                    task: index,
                    counter: step,
                    delta,
                }),
                step_on,
            );
        }
        if step < COUNTERS + OUTCOMES {
            let outcome = step - COUNTERS;
            let Some((nanos, sample)) = task.durations[outcome].get(offset) else {
                return (None, step_on);
            };
            wire.timer(task.names.duration(outcome), nanos, Some(sample), &mut self.line);
            return (
                Some(Item::Values {
                    task: index,
                    outcome,
                    count: 1,
                }),
                Cursor {
                    offset: offset + 1,
                    ..at
                },
            );
        }
        let Some((name, now)) = task.gauge_now() else {
            return (None, step_on);
        };
        wire.gauge(name, now, &mut self.line);
        (Some(Item::Gauge { task: index, now }), step_on)
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
            .flat_map(Task::recorded)
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
