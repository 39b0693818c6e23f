//! A client: what a program holds in its hand.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use crate::{
    config::{ClientBuilder, Config},
    error::Error,
    flush::{
        budget::{self, Limits},
        handle::{self, Handle, Times},
        tick::{Settings, Tick},
    },
    fork, global,
    ledger::{FlushReport, Ledger},
    record::{
        forks, local,
        recorder::{Options, Recorder},
        snapshot::Reader,
    },
    transport,
};

/// A handle to a client: flushes it, reads its books, scopes work to it.
///
/// Clones are cheap and stand for the same client; dropping one stops nothing. The client ends when its [`Guard`] is dropped;
/// handles that are left then do nothing and never fail.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    /// `None` if the client is disabled.
    config: Option<Config>,
    scoped: bool,
    /// Taken with the fork's gate held, and only for a moment.
    live: Mutex<Arc<Live>>,
}

/// A client's life in one process: a child of a fork has one of its own.
struct Live {
    recorder: Arc<Recorder>,
    flusher: Option<Flusher>,
    /// The number of forks under which it began.
    forks: u32,
}

struct Flusher {
    handle: Handle,
    /// Taken by the shutdown.
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Live {
    fn drop(&mut self) {
        local::dismiss(self.recorder.id());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("enabled", &self.is_enabled())
            .field("scoped", &self.inner.scoped)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Starts to configure a client. What the code does not set comes from the environment, and the rest from the
    /// documented defaults.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// Sends all that is pending and says what came of it. Waits until it is sent or refused, or until `deadline` is over
    /// (and a quarter of a second at most for the flusher to notice).
    ///
    /// Counts of calls that ended before this call are in it. A client that is disabled or shut down sends nothing.
    ///
    /// It keeps no duration back either, as the flushes of the interval do of a task that is sampled: what waits would not be all sent.
    /// Calls behind the last duration then wait for the next one to say so in its rate. If none comes any more, fewer calls than are sampled
    /// as one are missing from the count of the timer; the counters are exact in any case.
    ///
    /// ```
    /// # use instrument_task::Client;
    /// use std::time::Duration;
    ///
    /// # fn main() -> Result<(), instrument_task::Error> {
    /// let client = Client::builder().ignore_environment().build()?;
    /// let report = client.flush(Duration::from_secs(1));
    /// assert_eq!(report.pending, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn flush(&self, deadline: Duration) -> FlushReport {
        let live = self.own_live();
        let flusher = live.as_ref().and_then(|live| live.flusher.as_ref());
        flusher.map_or_else(FlushReport::default, |flusher| flusher.handle.flush(deadline))
    }

    /// Reads the books as they are now; after the shutdown, as they were closed.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        let live = self.own_live();
        let flusher = live.as_ref().and_then(|live| live.flusher.as_ref());
        flusher.map_or_else(Ledger::default, |flusher| flusher.handle.ledger())
    }

    /// Whether this client sends anything: false if it was switched off by configuration.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.inner.config.is_some()
    }

    /// The recorder that counts for this client.
    pub(crate) fn recorder(&self) -> Arc<Recorder> {
        self.revive();
        Arc::clone(&self.live().recorder)
    }

    pub(crate) fn shutdown_deadline(&self) -> Duration {
        self.inner
            .config
            .as_ref()
            .map_or(Duration::ZERO, |config| config.shutdown_deadline)
    }

    fn live(&self) -> Arc<Live> {
        let _gate = fork::gate();
        Arc::clone(&lock(&self.inner.live))
    }

    /// The client's life in this process, if it has begun: in the child of a fork it may not have.
    fn own_live(&self) -> Option<Arc<Live>> {
        Some(self.live()).filter(|live| live.forks == forks::count())
    }

    /// Starts the client again if its life was a parent's. Where the system gives no socket or thread for that, it stays
    /// as it is, and counts nothing.
    pub(crate) fn revive(&self) {
        let _gate = fork::gate();
        let mut live = lock(&self.inner.live);
        let Some(config) = self
            .inner
            .config
            .as_ref()
            .filter(|_| live.forks != forks::count())
        else {
            return;
        };
        if let Ok(mine) = Live::start(config, self.inner.scoped) {
            // What the parent's threads held is held for ever here; nothing of it may run.
            std::mem::forget(std::mem::replace(&mut *live, Arc::new(mine)));
        }
    }

    /// A client that counts nothing and sends nothing.
    fn disabled() -> Self {
        let options = Options {
            scoped: true,
            time_every_outcome: false,
            base_stride: budget::base_stride(1.0),
        };
        let recorder = Arc::new(Recorder::new(options));
        let live = Live {
            recorder,
            flusher: None,
            forks: forks::count(),
        };
        Self {
            inner: Arc::new(Inner {
                config: None,
                scoped: true,
                live: Mutex::new(Arc::new(live)),
            }),
        }
    }

    fn start(config: Config, scoped: bool) -> Result<Guard, Error> {
        if config.disabled {
            tracing::info!(target: "instrument_task", "switched off by {}: nothing is counted", config.source);
            return Ok(Guard::disabled());
        }
        fork::watch();
        let live = Live::start(&config, scoped)?;
        tracing::info!(
            target: "instrument_task",
            "sending to {}, chosen by {}", config.target, config.source
        );
        let inner = Inner {
            config: Some(config),
            scoped,
            live: Mutex::new(Arc::new(live)),
        };
        Ok(Guard {
            client: Self {
                inner: Arc::new(inner),
            },
        })
    }
}

impl Live {
    /// Starts the flusher, and makes the recorder one that calls count in.
    fn start(config: &Config, scoped: bool) -> Result<Self, Error> {
        let transport = transport::open(config, Instant::now())?;
        let limits = limits(config);
        let recorder = Arc::new(Recorder::new(Options {
            scoped,
            time_every_outcome: config.time_every_outcome,
            base_stride: limits.base_stride,
        }));
        let times = Times {
            drain_interval: config.drain_interval,
            flush_interval: config.flush_interval,
            shutdown_deadline: config.shutdown_deadline,
        };
        let settings = Settings {
            wire: config.wire(),
            packet_size: config.packet_size,
            cardinality_cap: config.cardinality_cap,
            limits,
            telemetry: config.telemetry,
            idle_expiry: config.idle_expiry,
        };
        let reader = Reader::new(Arc::clone(&recorder));
        let (handle, thread) = handle::start(reader, Tick::new(settings), transport, times)?;
        if scoped {
            local::admit(&recorder);
        } else {
            local::install(&recorder);
        }
        let flusher = Flusher {
            handle,
            thread: Mutex::new(Some(thread)),
        };
        Ok(Self {
            recorder,
            flusher: Some(flusher),
            forks: forks::count(),
        })
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float cast saturates"
)]
fn limits(config: &Config) -> Limits {
    let (series, client) = (
        f64::from(config.timer_budget),
        f64::from(config.client_timer_budget),
    );
    let seconds = config.flush_interval.as_secs_f64();
    let at_a_flush = |a_second: f64| (a_second * seconds).ceil().max(1.0) as usize;
    Limits {
        series_rate: series,
        client_rate: client,
        series_values: at_a_flush(series),
        client_values: at_a_flush(client),
        base_stride: budget::base_stride(config.sample_rate),
        time_every_outcome: config.time_every_outcome,
    }
}

impl ClientBuilder {
    /// Starts a client that counts only where it is in scope: in [`with_client`](crate::with_client) and
    /// [`Client::scope`]. For tests, and for programs that send to several servers.
    ///
    /// # Errors
    /// Malformed configuration, named with its value; a socket or a thread that the system would not give.
    pub fn build(self) -> Result<Guard, Error> {
        Client::start(self.resolve()?, true)
    }

    /// Starts a client and installs it: from now on every annotated call outside of a scope counts in it.
    ///
    /// # Errors
    /// Those of [`build`](Self::build); and a client that is installed already, until its guard is dropped.
    pub fn install(self) -> Result<Guard, Error> {
        let config = self.resolve()?;
        global::install(|| Client::start(config, false))
    }
}

/// Keeps a client running. When it is dropped, everything that is pending is flushed, within the shutdown deadline (2 s by
/// default), and the flusher's thread ends.
///
/// It [derefs](std::ops::Deref) to its [`Client`].
#[must_use = "dropping the guard shuts the client down: bind it to a name, `let _metrics = …`, in main"]
#[derive(Debug)]
pub struct Guard {
    client: Client,
}

impl Guard {
    /// Another handle to the client.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// Shuts the client down as the drop does, but by a deadline of the caller's, and says what came of it. What could not
    /// be sent by then is dropped, and reported so.
    ///
    /// ```
    /// use instrument_task::Client;
    /// use std::time::Duration;
    ///
    /// # fn main() -> Result<(), instrument_task::Error> {
    /// let metrics = Client::builder().ignore_environment().build()?;
    /// let report = metrics.shutdown(Duration::from_secs(1));
    /// assert_eq!((report.pending, report.dropped), (0, 0));
    /// # Ok(())
    /// # }
    /// ```
    #[expect(
        clippy::must_use_candidate,
        reason = "shutting down is enough, the report is for who wants it"
    )]
    pub fn shutdown(mut self, deadline: Duration) -> FlushReport {
        self.end(deadline)
    }

    fn end(&mut self, deadline: Duration) -> FlushReport {
        let report = if let Some(live) = self.client.own_live() {
            live.end(deadline)
        } else {
            if !self.client.inner.scoped {
                local::stay_dead();
            }
            FlushReport::default()
        };
        global::forget(&self.client);
        report
    }

    /// A guard of nothing, for a worker that starts without metrics.
    pub(crate) fn disabled() -> Self {
        Self {
            client: Client::disabled(),
        }
    }
}

impl Live {
    fn end(&self, deadline: Duration) -> FlushReport {
        let Some(Flusher { handle, thread }) = &self.flusher else {
            return FlushReport::default();
        };
        let Some(thread) = lock(thread).take() else {
            return FlushReport::default();
        };
        local::uninstall(&self.recorder);
        let report = handle.shut_down(deadline);
        // A guard that is dropped on the flusher's own thread cannot wait for it, and neither can one whose thread holds what
        // a `tracing` subscriber waits for there. Such a flusher has nothing left to do but to end.
        if thread.thread().id() != std::thread::current().id() && handle.has_ended() {
            let _ = thread.join();
        }
        report
    }
}

impl std::ops::Deref for Guard {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let deadline = self.client.shutdown_deadline();
        self.end(deadline);
    }
}

impl PartialEq for Client {
    /// Whether both are handles to the same client.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }
}

impl Eq for Client {}
