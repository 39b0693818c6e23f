//! A pass over all series: each has its turn, and what is pending of it goes into datagrams, one at a time.

use super::{
    super::{budget::Limits, durations::Durations, task::COUNTERS},
    Tick,
};
use crate::record::shard::OUTCOMES;

/// What the datagram under way carries.
#[derive(Clone, Copy, Debug)]
pub(super) enum Item {
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
        row: usize,
        delta: u64,
    },
}

impl Item {
    /// Whose it is: the number of a task, or `own`.
    fn place(self, own: usize) -> usize {
        match self {
            Self::Count { task, .. } | Self::Values { task, .. } | Self::Gauge { task, .. } => task,
            Self::Own { .. } => own,
        }
    }
}

/// How far a pass has come: in each of its turns it goes through one task, or the library's own metrics.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cursor {
    turn: usize,
    /// Of a task: counters first, then the durations of each outcome, then the gauge.
    step: usize,
    /// Values of this step that are in the datagram under way.
    offset: usize,
}

/// Steps of a task: its counters, its durations, its gauge.
const STEPS: usize = COUNTERS + OUTCOMES + 1;

/// What is under way between [`Tick::begin`] and the end of the pass.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pass {
    Idle,
    /// `turns` is for the tasks that there were when it began.
    On {
        at: Cursor,
        turns: usize,
    },
}

impl Tick {
    /// Begins a pass over all series, in the place of the one under way if any. The `last` one keeps nothing back.
    pub(crate) fn begin(&mut self, last: bool) {
        self.abort();
        self.sums.set(None);
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
        self.served = None;
        self.pass = Pass::On {
            at: Cursor::default(),
            turns: self.tasks.len() + usize::from(self.settings.telemetry),
        };
    }

    /// Whose turn it is: the number of a task, or the number of tasks there were for the library's own metrics.
    fn place(&self, turn: usize, turns: usize) -> usize {
        (self.first + turn) % turns
    }

    /// Packs the next datagram of the pass; `None` at its end. Call [`settle`](Self::settle) before the next.
    pub(crate) fn next(&mut self) -> Option<&[u8]> {
        self.packet.clear();
        self.manifest.clear();
        while self.put_next() {}
        if self.packet.is_empty() {
            self.pass = Pass::Idle;
            return None;
        }
        Some(self.packet.bytes())
    }

    /// The part of the series that the pass under way has gone through.
    pub(crate) fn progress(&self) -> f64 {
        match self.pass {
            Pass::On { at, turns } => at.turn as f64 / turns.max(1) as f64,
            Pass::Idle => 1.0,
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
        self.sums.set(None);
        self.release();
        let taken = taken.min(self.packet.len());
        if taken > 0 {
            self.gone.packets += 1;
            self.gone.bytes += taken as u64;
        }
        let whole = taken == self.packet.len();
        let spent = self.manifest.iter().take_while(|(end, _)| *end <= taken).count();
        let own = match self.pass {
            Pass::On { turns, .. } => turns.saturating_sub(1),
            Pass::Idle => 0,
        };
        for (_, item) in self.manifest.drain(..spent) {
            self.served = Some(item.place(own));
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
                Item::Own { row, delta } => self.own.spend(row, delta),
            }
        }
        if !whole {
            self.abort();
        } else if let Pass::On { at, .. } = &mut self.pass {
            at.offset = 0;
        }
    }

    /// Ends the pass: what is pending waits for the next, which begins with whose turn it was. Whoever had a part of his turn has had it.
    pub(crate) fn abort(&mut self) {
        if let Pass::On { at, turns } = self.pass
            && turns > 0
        {
            let stopped = match self.manifest.first() {
                Some((_, item)) => item.place(turns - 1),
                None => self.place(at.turn, turns),
            };
            let had_some = self.served == Some(stopped);
            self.first = (stopped + usize::from(had_some)) % turns;
        }
        self.manifest.clear();
        self.pass = Pass::Idle;
        let durations = self.tasks.iter_mut().flat_map(|task| &mut task.durations);
        durations.for_each(Durations::end);
    }

    /// Begins a pass that tells what was given up; false if there is nothing to tell.
    pub(crate) fn begin_farewell(&mut self) -> bool {
        let lost = self.gone.counters.dropped + self.gone.timers.dropped_at_shutdown;
        let tells = self.settings.telemetry && lost > 0;
        if tells {
            self.pass = Pass::On {
                at: Cursor::default(),
                turns: 1,
            };
        }
        tells
    }

    /// Puts the next line into the datagram; false if there is none, or no room for it.
    fn put_next(&mut self) -> bool {
        self.line.clear();
        let Pass::On { at, turns } = self.pass else {
            return false;
        };
        if at.turn >= turns {
            return false;
        }
        let place = self.place(at.turn, turns);
        let is_own = self.settings.telemetry && place == turns - 1;
        let (item, step) = if is_own {
            if at.step == 0 {
                if !self.packet.is_empty() {
                    // In a datagram of their own: the books are read when what went before is settled.
                    return false;
                }
                let ledger = self.ledger();
                self.own.update(&ledger);
            }
            self.own_line(at)
        } else {
            self.task_line(place, at)
        };
        let next = step.unwrap_or(Cursor {
            turn: at.turn + 1,
            ..Cursor::default()
        });
        self.put(item, Pass::On { at: next, turns })
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

    /// Writes the line at `at` about the library itself, as [`task_line`](Self::task_line) does for a task.
    fn own_line(&mut self, at: Cursor) -> (Option<Item>, Option<Cursor>) {
        let row = at.step;
        let Some(delta) = self.own.line(row, &self.settings.wire, &mut self.line) else {
            return (None, None);
        };
        let next = Cursor { step: row + 1, ..at };
        (Some(Item::Own { row, delta }), Some(next))
    }

    /// Writes the line at `at` about a task, if there is something to say, and tells what it carries and where to go on in
    /// this turn.
    fn task_line(&mut self, index: usize, at: Cursor) -> (Option<Item>, Option<Cursor>) {
        let Cursor { step, offset, .. } = at;
        let (task, wire) = (&self.tasks[index], &self.settings.wire);
        let step_on = (step + 1 < STEPS).then_some(Cursor {
            step: step + 1,
            offset: 0,
            ..at
        });
        if step < COUNTERS {
            let delta = task.pending(step);
            if delta > 0
                && let Some(name) = task.names.counter(step)
            {
                wire.counter(name, delta, &mut self.line);
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
            let value = task.durations[outcome].get(offset);
            let (Some((nanos, sample)), Some(name)) = (value, task.names.duration(outcome)) else {
                return (None, step_on);
            };
            wire.timer(name, nanos, Some(sample), &mut self.line);
            return (
                Some(Item::Values {
                    task: index,
                    outcome,
                    count: 1,
                }),
                Some(Cursor {
                    offset: offset + 1,
                    ..at
                }),
            );
        }
        let Some((name, now)) = task.gauge_now() else {
            return (None, step_on);
        };
        wire.gauge(name, now, &mut self.line);
        (Some(Item::Gauge { task: index, now }), step_on)
    }
}
