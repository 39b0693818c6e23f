//! How the rest of the program talks to the flusher's thread.

use std::{
    sync::{Mutex, PoisonError},
    thread::{self, JoinHandle, ThreadId},
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::{
    tick::Tick,
    worker::{Engine, Request, Worker},
};
use crate::{
    error::{Error, ErrorKind},
    ledger::{FlushReport, Ledger},
    record::snapshot::Reader,
    transport::Transport,
};

/// Requests that may wait. More askers than that wait for a place, by their own deadlines.
const QUEUE: usize = 16;
/// How long past its deadline an answer is waited for: the flusher looks at the deadline between two bursts.
const GRACE: Duration = Duration::from_millis(250);

/// When the flusher does what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) drain_interval: Duration,
    pub(crate) flush_interval: Duration,
    pub(crate) shutdown_deadline: Duration,
}

#[derive(Debug)]
pub(crate) struct Handle {
    requests: Sender<Request>,
    /// Nothing is ever sent: the other end goes with the flusher.
    ended: Receiver<()>,
    thread: ThreadId,
    /// The books as they were closed.
    closed: Mutex<Ledger>,
}

/// Starts the flusher. The thread ends after [`Handle::shut_down`].
pub(crate) fn start(
    reader: Reader,
    tick: Tick,
    transport: Box<dyn Transport>,
    times: Times,
) -> Result<(Handle, JoinHandle<()>), Error> {
    let (requests, queue) = bounded(QUEUE);
    let (alive, ended) = bounded(0);
    let worker = Worker {
        _alive: alive,
        requests: queue,
        engine: Engine::new(reader, tick, transport),
        drain_interval: times.drain_interval,
        flush_interval: times.flush_interval,
        last_deadline: times.shutdown_deadline,
    };
    let thread = thread::Builder::new()
        .name("instrument-task".into())
        .spawn(|| worker.run())
        .map_err(|source| {
            Error::io(
                ErrorKind::Thread,
                "the flusher's thread could not be started",
                source,
            )
        })?;
    let handle = Handle {
        requests,
        ended,
        thread: thread.thread().id(),
        closed: Mutex::default(),
    };
    Ok((handle, thread))
}

impl Handle {
    /// Asks for a flush and waits for it until the deadline.
    pub(crate) fn flush(&self, within: Duration) -> FlushReport {
        let deadline = Instant::now() + within;
        self.ask(within, |reply| Request::Flush { deadline, reply })
            .unwrap_or_else(|| self.unanswered())
    }

    /// Flushes and ends the thread.
    pub(crate) fn shut_down(&self, within: Duration) -> FlushReport {
        let deadline = Instant::now() + within;
        let report = self.ask(within, |reply| Request::Shutdown { deadline, reply });
        let report = report.unwrap_or_else(|| self.unanswered());
        *self.closed.lock().unwrap_or_else(PoisonError::into_inner) = report.ledger;
        report
    }

    /// The books: as they are, or as they were closed.
    pub(crate) fn ledger(&self) -> Ledger {
        self.ask(Duration::from_secs(1), |reply| Request::Ledger { reply })
            .unwrap_or_else(|| self.unanswered().ledger)
    }

    /// Puts a request and waits for the answer; `None` if the flusher is gone or the time is up.
    fn ask<T>(&self, within: Duration, request: impl FnOnce(Sender<T>) -> Request) -> Option<T> {
        if thread::current().id() == self.thread {
            // A `tracing` subscriber that flushes from within the flusher would wait for itself.
            return None;
        }
        let (reply, answer) = bounded(1);
        self.requests.send_timeout(request(reply), within).ok()?;
        crossbeam_channel::select! {
            recv(answer) -> answer => answer.ok(),
            // It ended over a shutdown. That is answered; a request that came behind it stays in the queue.
            recv(self.ended) -> _ => answer.try_recv().ok(),
            default(within + GRACE) => None,
        }
    }

    /// What to say without the flusher.
    fn unanswered(&self) -> FlushReport {
        let ledger = *self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        let pending = ledger.counters.pending + ledger.timers.pending;
        FlushReport {
            pending,
            ledger,
            ..FlushReport::default()
        }
    }
}
