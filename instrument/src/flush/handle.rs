//! How the rest of the program talks to the flusher's thread.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle, Thread},
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::{
    engine::Engine,
    pace::Drains,
    tick::Tick,
    worker::{Request, Worker},
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
/// How long the books are waited for. The flusher reads them between two bursts, and a write may take a tenth of a second.
const PATIENCE: Duration = Duration::from_millis(500);

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
    /// Dropped after `requests`: it is woken to see that nobody is left who could ask.
    flusher: Flusher,
    /// The books as of the flusher's last turn.
    published: Arc<Mutex<Ledger>>,
    /// Never sent to: it is disconnected when the flusher has ended.
    ended: Receiver<()>,
}

/// The thread, which does not watch its requests while it sleeps.
#[derive(Debug)]
struct Flusher(Thread);

impl Drop for Flusher {
    fn drop(&mut self) {
        self.0.unpark();
    }
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
    let published = Arc::new(Mutex::new(Ledger::default()));
    let drains = Drains::new(times.drain_interval, times.flush_interval);
    let worker = Worker {
        requests: queue,
        published: Arc::clone(&published),
        waiting: VecDeque::new(),
        flushing: None,
        closing: None,
        alive,
        engine: Engine::new(reader, tick, transport, drains),
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
        flusher: Flusher(thread.thread().clone()),
        published,
        ended,
    };
    Ok((handle, thread))
}

/// The instant `within` from now; a year is for ever.
fn deadline(within: Duration) -> Instant {
    const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    Instant::now() + within.min(FOR_EVER)
}

impl Handle {
    /// Asks for a flush and waits for it until the deadline.
    pub(crate) fn flush(&self, within: Duration) -> FlushReport {
        let deadline = deadline(within);
        self.ask(deadline, |reply| Request::Flush { deadline, reply })
            .unwrap_or_else(|| self.unanswered())
    }

    /// Flushes and ends the thread.
    pub(crate) fn shut_down(&self, within: Duration) -> FlushReport {
        let deadline = deadline(within);
        self.ask(deadline, |reply| Request::Shutdown { deadline, reply })
            .unwrap_or_else(|| self.unanswered())
    }

    /// Whether the thread has ended, or does so in a moment.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(
            self.ended.recv_timeout(GRACE),
            Err(RecvTimeoutError::Disconnected)
        )
    }

    /// The books: as they are, or as they were closed.
    pub(crate) fn ledger(&self) -> Ledger {
        self.ask(deadline(PATIENCE), |reply| Request::Ledger { reply })
            .unwrap_or_else(|| self.unanswered().ledger)
    }

    /// Puts a request and waits for the answer; `None` if the flusher is gone or the time is up.
    fn ask<T>(&self, deadline: Instant, request: impl FnOnce(Sender<T>) -> Request) -> Option<T> {
        if thread::current().id() == self.flusher.0.id() {
            // A `tracing` subscriber that flushes from within the flusher would wait for itself.
            return None;
        }
        let (reply, answer) = bounded(1);
        self.requests.send_deadline(request(reply), deadline).ok()?;
        self.flusher.0.unpark();
        crossbeam_channel::select! {
            recv(answer) -> answer => answer.ok(),
            // It ended over a shutdown. That is answered; a request that came behind it stays in the queue.
            recv(self.ended) -> _ => answer.try_recv().ok(),
            default((deadline + GRACE).saturating_duration_since(Instant::now())) => None,
        }
    }

    /// What to say without the flusher: what it published last.
    fn unanswered(&self) -> FlushReport {
        let ledger = *self.published.lock().unwrap_or_else(PoisonError::into_inner);
        let pending = ledger.counters.pending + ledger.timers.pending;
        FlushReport {
            pending,
            ledger,
            ..FlushReport::default()
        }
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;
    use crate::{flush::tick::Settings, record::local, transport::Verdict};

    const BOUND: Duration = Duration::from_secs(30);

    struct Takes;

    impl Transport for Takes {
        fn send(&mut self, _: Instant, _: &[u8]) -> Verdict {
            Verdict::Taken
        }
    }

    /// One that sleeps for an hour if it is let.
    fn sleeper() -> (Handle, JoinHandle<()>) {
        const HOUR: Duration = Duration::from_secs(3_600);
        let times = Times {
            drain_interval: HOUR,
            flush_interval: HOUR,
            shutdown_deadline: Duration::ZERO,
        };
        let tick = Tick::new(Settings::unbounded(10));
        start(Reader::new(local::scoped()), tick, Box::new(Takes), times)
            .expect("there is a thread to be had")
    }

    #[test]
    fn who_asks_wakes_it() {
        let (handle, _) = sleeper();
        let begun = Instant::now();
        for _ in 0..100 {
            handle.flush(BOUND);
        }
        handle.shut_down(BOUND);
        // It is waited for in moments, which a busy machine may not keep to.
        while !handle.has_ended() {
            assert!(begun.elapsed() < BOUND, "it sleeps on");
        }
        assert!(begun.elapsed() < BOUND);
    }

    #[test]
    fn who_leaves_without_a_word_wakes_it() {
        let (handle, thread) = sleeper();
        handle.flush(BOUND);
        drop(handle);
        let begun = Instant::now();
        while !thread.is_finished() {
            assert!(begun.elapsed() < BOUND, "it sleeps on");
            thread::sleep(Duration::from_millis(1));
        }
    }
}
