//! The flusher without its thread and its times: what it reads from, packs with and sends by.

use std::time::{Duration, Instant};

use super::{
    pace::{self, Drains, Pace},
    tick::Tick,
    trouble::{Topic, Trouble},
};
use crate::{
    clock::Scale,
    ledger::{FlushReport, Ledger},
    record::snapshot::{Drained, Reader},
    transport::{Cause, Transport, Verdict, WRITE_DEADLINE},
};

/// What came of a burst.
#[derive(Clone, Copy, Debug)]
pub(super) enum Burst {
    More,
    Done,
    /// Whether it is worth another try at once.
    Refused {
        soon: bool,
    },
    /// A stream took a part of a payload.
    Unfinished,
}

pub(super) struct Engine {
    start: Instant,
    scale: Scale,
    reader: Reader,
    drained: Drained,
    pub(super) tick: Tick,
    pub(super) transport: Box<dyn Transport>,
    trouble: Trouble,
    /// A stream has a part of the payload under way.
    pub(super) unfinished: bool,
    /// Datagrams of the pass under way.
    packets: usize,
    pace: Pace,
    drains: Drains,
}

impl Engine {
    pub(super) fn new(reader: Reader, tick: Tick, transport: Box<dyn Transport>, drains: Drains) -> Self {
        let start = Instant::now();
        Self {
            start,
            scale: Scale::new(),
            reader,
            drained: Drained::default(),
            tick,
            transport,
            trouble: Trouble::default(),
            unfinished: false,
            pace: Pace::new(start),
            drains,
            packets: 0,
        }
    }

    /// Reads the shards into the tick.
    pub(super) fn drain(&mut self) {
        self.reader.drain(&mut self.drained);
        if self.scale.is_settled() || !self.drained.values.is_empty() {
            self.scale.refresh();
        }
        let Self {
            scale,
            tick,
            drained,
            reader,
            start,
            ..
        } = self;
        let now = start.elapsed();
        let steers = tick
            .absorb(drained, now.as_secs_f64(), |ticks| scale.nanos(ticks))
            .is_some_and(|strides| reader.steer(strides));
        if let Some(rows) = tick.idle() {
            reader.retire(rows);
        }
        self.drains
            .drained(now, drained.fullest, steers || reader.let_go());
        self.tell_of_folding();
    }

    /// How long until the next drain.
    pub(super) fn until_drain(&self) -> Duration {
        self.drains.pause()
    }

    fn tell_of_folding(&mut self) {
        let Ledger {
            folded, folded_calls, ..
        } = self.tick.ledger();
        if folded > 0 {
            self.trouble.tell(Instant::now(), Topic::Folded, || {
                format!("{folded} series are past the cardinality cap and are counted as `overflow`, and so will be all that come")
            });
        }
        if folded_calls > 0 {
            self.trouble.tell(Instant::now(), Topic::NoRoom, || {
                format!("{folded_calls} calls have more different tags, or more kinds of exceptions, than a process keeps apart; they are counted as `overflow` and `_other`, and so will be all that come")
            });
        }
    }

    /// Goes on after a panic.
    pub(super) fn recover(&mut self) {
        self.tick.panicked();
        if !self.unfinished {
            self.tick.abort();
        }
    }

    pub(super) fn begin(&mut self, last: bool) {
        self.drain();
        self.tick.begin(last);
        self.packets = 0;
    }

    /// Sends the next few datagrams of the pass.
    pub(super) fn burst(&mut self, now: Instant) -> Burst {
        for _ in 0..self.pace.room(now) {
            let payload = if self.unfinished {
                self.tick.under_way()
            } else if let Some(payload) = self.tick.next() {
                payload
            } else {
                return Burst::Done;
            };
            let verdict = self.transport.send(now, payload);
            self.unfinished = verdict == Verdict::Unfinished;
            match verdict {
                Verdict::Taken => self.tick.settle(usize::MAX),
                Verdict::TakenUpTo(bytes) => self.tick.settle(bytes),
                Verdict::Refused => self.tick.settle(0),
                Verdict::Unfinished => self.tick.hold(),
            }
            self.tick.refused_late(self.transport.refused_late());
            match verdict {
                Verdict::Taken => {
                    self.packets += 1;
                    self.pace.sent();
                }
                Verdict::TakenUpTo(_) | Verdict::Refused => return self.refused(now),
                Verdict::Unfinished => {
                    self.refused(now);
                    return Burst::Unfinished;
                }
            }
            // A peer that makes room now and then would take the time of a whole burst of waits.
            if now.elapsed() >= WRITE_DEADLINE {
                break;
            }
        }
        Burst::More
    }

    /// Tells of a refusal, and judges whether it is one that passes by itself.
    fn refused(&mut self, now: Instant) -> Burst {
        let Some(error) = self.transport.last_error() else {
            return Burst::Refused { soon: false };
        };
        let pending = self.tick.ledger().counters.pending;
        self.trouble.tell(now, Topic::Refused(error.cause), || {
            format!("the server takes nothing, {pending} counter increments wait for the next flush: {error}")
        });
        Burst::Refused {
            soon: matches!(
                error.cause,
                Cause::Full | Cause::Unresolved | Cause::Connecting | Cause::Closed
            ),
        }
    }

    /// The pause after a burst.
    pub(super) fn pause(&self, interval: Duration) -> Duration {
        pace::pause(interval, self.packets, self.tick.progress())
    }

    /// Drops what is pending, for good.
    pub(super) fn give_up(&mut self) {
        if self.unfinished {
            self.tick.settle(self.transport.abandon());
            self.unfinished = false;
        }
        self.tick.give_up();
    }

    /// Tells the server of what was given up, if it can be told in one go.
    pub(super) fn say_farewell(&mut self) {
        if !self.tick.begin_farewell() {
            return;
        }
        while let Some(payload) = self.tick.next() {
            match self.transport.send(Instant::now(), payload) {
                Verdict::Taken => self.tick.settle(usize::MAX),
                Verdict::TakenUpTo(bytes) => self.tick.settle(bytes),
                Verdict::Refused => self.tick.settle(0),
                Verdict::Unfinished => {
                    let spent = self.transport.abandon();
                    self.tick.settle(spent);
                }
            }
        }
    }

    /// Tells of what a shutdown lost, if it did.
    pub(super) fn tell_of_loss(&mut self, report: &FlushReport) {
        let Ledger { counters, timers, .. } = report.ledger;
        if counters.dropped + timers.dropped_at_shutdown > 0 {
            self.trouble.tell(Instant::now(), Topic::GaveUp, || {
                let (increments, durations) = (counters.dropped, timers.dropped_at_shutdown);
                format!("shut down with {increments} counter increments and {durations} durations unsent")
            });
        }
    }
}
