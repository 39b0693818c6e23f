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
//! - a panic on it, of a `tracing` subscriber say, is caught and counted, and it goes on; so does the flush that somebody waits for;
//! - it ends when it is told to, or when nobody is left who could.

use std::{
    collections::VecDeque,
    ops::ControlFlow,
    panic::{self, AssertUnwindSafe},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError};

use super::{
    engine::{Burst, Engine},
    pace::PAUSE,
};
use crate::{
    ledger::{FlushReport, Ledger},
    transport::WRITE_DEADLINE,
};

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
    pub(super) flush_interval: Duration,
    /// The deadline when nobody is left to give one.
    pub(super) last_deadline: Duration,
    /// Where the books are put after every turn, for who gets no answer in time.
    pub(super) published: Arc<Mutex<Ledger>>,
    /// Requests that came in during a flush.
    pub(super) waiting: VecDeque<Request>,
    /// A flush that somebody waits for.
    pub(super) flushing: Option<Asked>,
    /// A shutdown that is under way.
    pub(super) closing: Option<Asked>,
    /// Held until the thread ends.
    #[expect(dead_code, reason = "its end tells of the thread's")]
    pub(super) alive: Sender<()>,
}

/// A flush or a shutdown that is under way. It outlives a panic, or who asked would get no true answer.
pub(super) struct Asked {
    deadline: Instant,
    /// Nobody, if nobody was left to ask.
    reply: Option<Sender<FlushReport>>,
    before: Ledger,
    /// Whether it was begun before, and a panic broke it off.
    was_tried: bool,
}

impl Asked {
    /// The deadline to flush by; `None` if it was tried before and is over.
    fn attempt(&mut self) -> Option<Instant> {
        let is_over = self.was_tried && Instant::now() >= self.deadline;
        self.was_tried = true;
        (!is_over).then_some(self.deadline)
    }

    fn answer(self, ledger: Ledger) -> FlushReport {
        let report = ledger.since(&self.before);
        if let Some(reply) = self.reply {
            // An asker that went away does not mind.
            let _ = reply.send(report);
        }
        report
    }
}

impl Worker {
    pub(super) fn run(mut self) {
        let start = Instant::now();
        let mut due = Due {
            drain: start + self.engine.until_drain(),
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
        if self.flushing.is_some() {
            self.answer_flush();
            due.burst = self.engine.unfinished.then(Instant::now);
            return ControlFlow::Continue(());
        }
        let wake = due.burst.unwrap_or(due.flush).min(due.drain);
        let request = match self.waiting.pop_front() {
            Some(request) => Ok(request),
            None => self.receive(wake),
        };
        match request {
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                let deadline = Instant::now() + self.last_deadline;
                return self.start_closing(deadline, None);
            }
            Ok(Request::Ledger { reply }) => self.show(&reply),
            Ok(Request::Flush { deadline, reply }) => {
                self.flushing = Some(self.asked(deadline, Some(reply)));
                return ControlFlow::Continue(());
            }
            Ok(Request::Shutdown { deadline, reply }) => return self.start_closing(deadline, Some(reply)),
        }
        let now = Instant::now();
        if due.burst.is_none() && now >= due.flush {
            due.flush = now + self.flush_interval;
            // Drains.
            self.engine.begin(false);
            due.burst = Some(now);
            due.drain = now + self.engine.until_drain();
        } else if now >= due.drain {
            self.engine.drain();
            due.drain = now + self.engine.until_drain();
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

    /// The next request that comes by then. A channel that waits by itself spins and yields before it sleeps, which takes longer
    /// than what there is to do at most turns. So this thread parks, and who asks wakes it.
    fn receive(&self, until: Instant) -> Result<Request, RecvTimeoutError> {
        loop {
            match self.requests.try_recv() {
                Ok(request) => return Ok(request),
                Err(TryRecvError::Disconnected) => return Err(RecvTimeoutError::Disconnected),
                Err(TryRecvError::Empty) => {}
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(RecvTimeoutError::Timeout);
            }
            thread::park_timeout(left);
        }
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

    /// Sends all that is pending, or as much as goes by the deadline or until a shutdown is asked for. Tells whether the server takes
    /// more.
    fn flush(&mut self, deadline: Instant) -> bool {
        let engine = &mut self.engine;
        engine.transport.retry_now();
        // What a stream has a part of comes first. What was counted until now belongs to this flush in any case.
        let mut resumes = engine.unfinished;
        if resumes {
            engine.drain();
        } else {
            engine.begin(true);
        }
        loop {
            let now = Instant::now();
            let burst = self.engine.burst(now);
            let (wait, again) = match burst {
                Burst::Done if !resumes => return true,
                Burst::Done => (Duration::ZERO, true),
                Burst::More => (PAUSE, false),
                Burst::Unfinished => {
                    // The threads' rings go on to fill.
                    self.engine.drain();
                    (RETRY, false)
                }
                Burst::Refused { soon: true } => (RETRY, true),
                Burst::Refused { soon: false } => return false,
            };
            self.publish();
            if now >= deadline || self.wait((now + wait).min(deadline)).is_break() {
                return matches!(burst, Burst::More | Burst::Done);
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
            match self.receive(until) {
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
        self.closing = Some(self.asked(deadline, reply));
        ControlFlow::Continue(())
    }

    fn asked(&self, deadline: Instant, reply: Option<Sender<FlushReport>>) -> Asked {
        Asked {
            deadline,
            reply,
            before: self.engine.tick.ledger(),
            was_tried: false,
        }
    }

    /// A flush that somebody waits for.
    fn answer_flush(&mut self) {
        if let Some(deadline) = self.flushing.as_mut().and_then(Asked::attempt) {
            self.flush(deadline);
        }
        self.publish();
        if let Some(asked) = self.flushing.take() {
            asked.answer(self.engine.tick.ledger());
        }
    }

    /// The last flush; what it could not send is given up.
    fn close(&mut self) {
        let attempt = self.closing.as_mut().and_then(Asked::attempt);
        let takes_more = attempt.is_some_and(|deadline| self.flush(deadline));
        self.engine.give_up();
        if takes_more {
            self.engine.say_farewell();
        }
        self.publish();
        let Some(asked) = self.closing.take() else { return };
        let report = asked.answer(self.engine.tick.ledger());
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

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests;
