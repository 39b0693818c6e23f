//! The flusher: one thread that drains the shards, packs datagrams and sends them.
//!
//! What holds of it:
//! - it waits for the network for a tenth of a second at most, and only while a peer is full or slow to connect; a refusal
//!   ends the pass until the next flush interval;
//! - a payload that a stream took a part of is the next one that it is offered, however long that takes; the interval's
//!   flushes wait for it, drains and requests do not;
//! - what it sends is paced: a burst fits well into the default receive buffer of a server, and a large flush is spread
//!   over the interval;
//! - the books are shown between two bursts, a shutdown breaks a flush off, and both return by their deadlines whatever the
//!   server does; a second flush waits for the first, or until its own deadline;
//! - a panic on it, of a `tracing` subscriber say, is caught and counted, and it goes on;
//! - it ends when it is told to, or when nobody is left who could.

use std::{
    collections::VecDeque,
    ops::ControlFlow,
    panic::{self, AssertUnwindSafe},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use super::{
    tick::Tick,
    trouble::{Topic, Trouble},
};
use crate::{
    clock::Scale,
    ledger::{FlushReport, Ledger},
    record::snapshot::{Drained, Reader},
    transport::{Cause, Transport, Verdict, WRITE_DEADLINE},
};

/// Datagrams in a burst. A receive buffer of Linux's default size holds about 90 of the default packet size; a third of
/// that leaves room for what other senders do in the meantime.
const BURST: usize = 32;
/// The shortest pause between bursts: 2 000 datagrams a second, which the reference server keeps up with.
const PAUSE: Duration = Duration::from_millis(16);
/// The part of the flush interval that a large flush is spread over.
const SPREAD: f64 = 0.8;
/// How long to wait until a full socket buffer or an unresolved name is tried again while somebody waits for a flush.
const RETRY: Duration = Duration::from_millis(5);

/// What the rest of the program may ask for.
#[derive(Debug)]
pub(super) enum Request {
    /// Send all that is pending, by the deadline.
    Flush {
        deadline: Instant,
        reply: Sender<FlushReport>,
    },
    /// Read the books.
    Ledger { reply: Sender<Ledger> },
    /// Send all that is pending, by the deadline, and end.
    Shutdown {
        deadline: Instant,
        reply: Sender<FlushReport>,
    },
}

pub(super) struct Worker {
    pub(super) requests: Receiver<Request>,
    pub(super) engine: Engine,
    pub(super) drain_interval: Duration,
    pub(super) flush_interval: Duration,
    /// The deadline when nobody is left to give one.
    pub(super) last_deadline: Duration,
    /// Where the books are put after every turn, for who gets no answer in time.
    pub(super) published: Arc<Mutex<Ledger>>,
    /// Requests that came in during a flush.
    pub(super) waiting: VecDeque<Request>,
    /// A shutdown that is under way. It outlives a panic.
    pub(super) closing: Option<Closing>,
    /// Held until the thread ends.
    #[expect(dead_code, reason = "its end tells of the thread's")]
    pub(super) alive: Sender<()>,
}

/// A shutdown.
pub(super) struct Closing {
    deadline: Instant,
    /// Nobody, if nobody was left to ask.
    reply: Option<Sender<FlushReport>>,
    before: Ledger,
}

/// What came of a burst.
#[derive(Clone, Copy, Debug)]
enum Burst {
    More,
    Done,
    /// Whether it is worth another try at once.
    Refused {
        soon: bool,
    },
    /// A stream took a part of a payload.
    Unfinished,
}

impl Worker {
    pub(super) fn run(mut self) {
        let start = Instant::now();
        let mut due = Due {
            drain: start + self.drain_interval,
            flush: start + self.flush_interval,
            burst: None,
        };
        loop {
            // What can panic here is a `tracing` subscriber, or a bug. Neither may end the counting: what was not settled is
            // pending, and the next turn goes on with it.
            match panic::catch_unwind(AssertUnwindSafe(|| self.turn(&mut due))) {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(())) => return,
                Err(_) => {
                    self.engine.recover();
                    due.burst = self.engine.unfinished.then(Instant::now);
                }
            }
        }
    }

    /// Waits for what is due first or for a request, and does it.
    fn turn(&mut self, due: &mut Due) -> ControlFlow<()> {
        if self.closing.is_some() {
            self.close();
            return ControlFlow::Break(());
        }
        let wake = due.burst.unwrap_or(due.flush).min(due.drain);
        let request = match self.waiting.pop_front() {
            Some(request) => Ok(request),
            None => self.requests.recv_deadline(wake),
        };
        match request {
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                let deadline = Instant::now() + self.last_deadline;
                return self.start_closing(deadline, None);
            }
            Ok(Request::Ledger { reply }) => self.show(&reply),
            Ok(Request::Flush { deadline, reply }) => {
                let before = self.engine.tick.ledger();
                self.flush(deadline);
                let _ = reply.send(self.engine.tick.ledger().since(&before));
                due.burst = self.engine.unfinished.then(Instant::now);
            }
            Ok(Request::Shutdown { deadline, reply }) => return self.start_closing(deadline, Some(reply)),
        }
        let now = Instant::now();
        if now >= due.drain {
            due.drain = now + self.drain_interval;
            self.engine.drain();
        }
        if due.burst.is_none() && now >= due.flush {
            due.flush = now + self.flush_interval;
            self.engine.begin(false);
            due.burst = Some(now);
        }
        if due.burst.is_some_and(|at| now >= at) {
            due.burst = None;
            due.burst = match self.engine.burst(now) {
                Burst::More => Some(now + self.engine.pause(self.flush_interval)),
                Burst::Done | Burst::Refused { .. } => None,
                Burst::Unfinished => Some(Instant::now() + WRITE_DEADLINE),
            };
        }
        self.publish();
        ControlFlow::Continue(())
    }

    /// Tells how the books stand.
    fn show(&mut self, reply: &Sender<Ledger>) {
        self.engine.drain();
        // An asker that went away does not mind.
        let _ = reply.send(self.engine.tick.ledger());
    }

    fn publish(&self) {
        *self.published.lock().unwrap_or_else(PoisonError::into_inner) = self.engine.tick.ledger();
    }

    /// Sends all that is pending, or as much as goes by the deadline or until a shutdown is asked for.
    fn flush(&mut self, deadline: Instant) {
        let engine = &mut self.engine;
        engine.transport.retry_now();
        // What a stream has a part of comes first.
        let mut resumes = engine.unfinished;
        if !resumes {
            engine.begin(true);
        }
        loop {
            let now = Instant::now();
            let (wait, again) = match self.engine.burst(now) {
                Burst::Done if !resumes => break,
                Burst::Done => (Duration::ZERO, true),
                Burst::More => (PAUSE, false),
                Burst::Unfinished => {
                    // The threads' rings go on to fill.
                    self.engine.drain();
                    (RETRY, false)
                }
                Burst::Refused { soon: true } => (RETRY, true),
                Burst::Refused { soon: false } => break,
            };
            self.publish();
            if now >= deadline || self.wait((now + wait).min(deadline)).is_break() {
                break;
            }
            if again {
                resumes = false;
                self.engine.begin(true);
            }
        }
    }

    /// Waits, and shows the books meanwhile to who asks. Other requests have to wait for their turn; a shutdown is not kept
    /// waiting, and breaks this off.
    fn wait(&mut self, until: Instant) -> ControlFlow<()> {
        let is_closing = self.closing.is_some();
        loop {
            match self.requests.recv_deadline(until) {
                Ok(Request::Ledger { reply }) => self.show(&reply),
                Ok(request) => {
                    let breaks = matches!(request, Request::Shutdown { .. }) && !is_closing;
                    if breaks {
                        self.waiting.push_front(request);
                        return ControlFlow::Break(());
                    }
                    self.waiting.push_back(request);
                }
                Err(RecvTimeoutError::Timeout) => return ControlFlow::Continue(()),
                Err(RecvTimeoutError::Disconnected) => {
                    thread::park_timeout(until.saturating_duration_since(Instant::now()));
                    return ControlFlow::Continue(());
                }
            }
        }
    }

    /// Notes that the end has come; the next turn does it.
    fn start_closing(&mut self, deadline: Instant, reply: Option<Sender<FlushReport>>) -> ControlFlow<()> {
        let before = self.engine.tick.ledger();
        self.closing = Some(Closing {
            deadline,
            reply,
            before,
        });
        ControlFlow::Continue(())
    }

    /// The last flush; what it could not send is given up.
    fn close(&mut self) {
        let Some(deadline) = self.closing.as_ref().map(|closing| closing.deadline) else {
            return;
        };
        self.flush(deadline);
        self.engine.give_up();
        self.publish();
        let Some(Closing { reply, before, .. }) = self.closing.take() else {
            return;
        };
        let report = self.engine.tick.ledger().since(&before);
        if let Some(reply) = reply {
            let _ = reply.send(report);
        }
        // Last, since a subscriber may panic or wait for who waits for this.
        let _ = panic::catch_unwind(AssertUnwindSafe(|| self.engine.tell_of_loss(&report)));
    }
}

/// When what is to be done next.
#[derive(Debug)]
struct Due {
    drain: Instant,
    flush: Instant,
    /// While a pass is under way.
    burst: Option<Instant>,
}

/// The flusher without its thread: what it reads from, packs with and sends by.
pub(super) struct Engine {
    start: Instant,
    scale: Scale,
    reader: Reader,
    drained: Drained,
    pub(super) tick: Tick,
    transport: Box<dyn Transport>,
    trouble: Trouble,
    /// A stream has a part of the payload under way.
    unfinished: bool,
    /// Datagrams of the pass under way.
    packets: usize,
    pace: Pace,
}

impl Engine {
    pub(super) fn new(reader: Reader, tick: Tick, transport: Box<dyn Transport>) -> Self {
        Self {
            start: Instant::now(),
            scale: Scale::new(),
            reader,
            drained: Drained::default(),
            tick,
            transport,
            trouble: Trouble::default(),
            unfinished: false,
            pace: Pace::new(Instant::now()),
            packets: 0,
        }
    }

    /// Reads the shards into the tick.
    fn drain(&mut self) {
        self.reader.drain(&mut self.drained);
        if !self.drained.values.is_empty() {
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
        if let Some(strides) = tick.absorb(drained, start.elapsed().as_secs_f64(), |ticks| scale.nanos(ticks))
        {
            reader.steer(strides);
        }
        if let Some(rows) = tick.idle() {
            reader.retire(rows);
        }
        let folded = self.tick.ledger().folded;
        if folded > 0 {
            self.trouble.tell(Instant::now(), Topic::Folded, || {
                format!("{folded} task names are past the cardinality cap and are counted as `overflow`")
            });
        }
    }

    /// Goes on after a panic.
    fn recover(&mut self) {
        self.tick.panicked();
        if !self.unfinished {
            self.tick.abort();
        }
    }

    fn begin(&mut self, last: bool) {
        self.drain();
        self.tick.begin(last);
        self.packets = 0;
    }

    /// Sends the next few datagrams of the pass.
    fn burst(&mut self, now: Instant) -> Burst {
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

    /// The pause after a burst that spreads the pass over the interval, going by how far it has come with what was sent.
    fn pause(&self, interval: Duration) -> Duration {
        let bursts = self.packets.div_ceil(BURST).max(1) as f64 / self.tick.progress().max(1e-6);
        PAUSE.max(interval.mul_f64(SPREAD / bursts).min(interval / 4))
    }

    /// Drops what is pending, for good.
    fn give_up(&mut self) {
        if self.unfinished {
            self.tick.settle(self.transport.abandon());
            self.unfinished = false;
        }
        self.tick.give_up();
    }

    /// Tells of what a shutdown lost, if it did.
    fn tell_of_loss(&mut self, report: &FlushReport) {
        let Ledger { counters, timers, .. } = report.ledger;
        if counters.dropped + timers.dropped_at_shutdown > 0 {
            self.trouble.tell(Instant::now(), Topic::GaveUp, || {
                let (increments, durations) = (counters.dropped, timers.dropped_at_shutdown);
                format!("shut down with {increments} counter increments and {durations} durations unsent")
            });
        }
    }
}

/// How many datagrams may go out now, whoever asks: flushes that follow each other closely must not add up to more than a
/// server's buffer holds.
#[derive(Debug)]
struct Pace {
    left: f64,
    at: Instant,
}

impl Pace {
    fn new(now: Instant) -> Self {
        Self {
            left: BURST as f64,
            at: now,
        }
    }

    /// Makes room for what the time since the last look allows; a burst at most.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and a burst"
    )]
    fn room(&mut self, now: Instant) -> usize {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = now;
        self.left = (self.left + passed / PAUSE.as_secs_f64() * BURST as f64).min(BURST as f64);
        self.left as usize
    }

    fn sent(&mut self) {
        self.left -= 1.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flushes_in_a_row_share_one_pace() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        assert_eq!(pace.room(start), BURST);
        (0..BURST).for_each(|_| pace.sent());
        assert_eq!(pace.room(start), 0);
        assert_eq!(pace.room(start + PAUSE / 2), BURST / 2);
        assert_eq!(pace.room(start + 100 * PAUSE), BURST);
    }
}
