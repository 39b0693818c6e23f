//! A statsd server within the process: for tests, and for looking at what goes out.

mod source;

use super::tally::{Tally, TimerSummary};
use crate::config::Framing;
use crossbeam_channel::{Receiver as Queue, bounded};
use source::{Packet, Source};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Datagrams that may wait to be added up, so that the socket is emptied even while somebody reads the sums.
const QUEUE: usize = 16_384;

/// A statsd server on this host that adds up what it gets.
///
/// It reads strictly: numbers in plain decimals, one value a line, clean names. Whatever some server might read
/// in another way ends up in [`bad_lines`](Self::bad_lines).
///
/// # Names and tags
/// A series is called by its name, and with tags by its name and its tags in alphabetical order, as in
/// `tasks.status.send_email.success{env:prod,team:mail}`. Asked for a name without tags, the receiver answers for
/// all series of that name together, whatever their tags; asked for one with tags, for that one alone.
///
/// # Streams
/// Over TCP and Unix streams each read counts as a packet, cut at the last line end, or each frame. A stream that ends elsewhere
/// shows in [`bad_lines`](Self::bad_lines).
///
/// # Example
/// ```
/// use instrument_task::testing::Receiver;
/// use std::{net::UdpSocket, time::Duration};
///
/// # fn main() -> std::io::Result<()> {
/// let receiver = Receiver::start()?;
/// let socket = UdpSocket::bind("127.0.0.1:0")?;
/// socket.send_to(b"mails:2|c\nmails:1|c|@0.5", receiver.address())?;
///
/// assert!(receiver.wait_until(Duration::from_secs(10), |receiver| receiver.counter("mails") == 4));
/// assert!(receiver.bad_lines().is_empty());
/// # Ok(())
/// # }
/// ```
#[must_use = "a receiver stops when it is dropped"]
pub struct Receiver {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    source: Source,
    tally: Mutex<Tally>,
    arrived: Condvar,
    stop: AtomicBool,
}

impl Shared {
    fn tally(&self) -> MutexGuard<'_, Tally> {
        // A panic while adding up leaves sums that are as good as before.
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Receiver {
    /// Starts a receiver on a free port of `127.0.0.1`.
    ///
    /// # Errors
    /// If the operating system refuses a socket or a thread.
    pub fn start() -> io::Result<Self> {
        Self::start_at((Ipv4Addr::LOCALHOST, 0).into())
    }

    /// Starts a receiver on `address`, such as the one that an earlier receiver had; port 0 is any free port.
    ///
    /// # Errors
    /// If the address is in use or not this host's, or the operating system refuses a socket or a thread.
    pub fn start_at(address: SocketAddr) -> io::Result<Self> {
        Self::over(Source::udp(address)?)
    }

    /// Starts a receiver of lines over TCP on `address`; port 0 is any free port.
    ///
    /// # Errors
    /// Those of [`start_at`](Self::start_at).
    pub fn start_tcp(address: SocketAddr) -> io::Result<Self> {
        Self::over(Source::tcp(address, Framing::Lines)?)
    }

    /// Starts a receiver of Unix datagrams at `path`, which is taken away again when the receiver is dropped.
    ///
    /// # Errors
    /// If there is something at `path` already, or the operating system refuses a socket or a thread.
    #[cfg(unix)]
    pub fn start_unixgram(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::over(Source::unix(path.as_ref(), None)?)
    }

    /// Starts a receiver of Unix streams at `path`, which is taken away again when the receiver is dropped.
    ///
    /// # Errors
    /// Those of [`start_unixgram`](Self::start_unixgram).
    #[cfg(unix)]
    pub fn start_unixstream(path: impl AsRef<Path>, framing: Framing) -> io::Result<Self> {
        Self::over(Source::unix(path.as_ref(), Some(framing))?)
    }

    fn over(source: Source) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            source,
            tally: Mutex::default(),
            arrived: Condvar::new(),
            stop: AtomicBool::new(false),
        });
        let (sender, queue) = bounded(QUEUE);
        // Made first, so that dropping it ends the first thread if there is none for the second.
        let mut receiver = Self {
            shared: Arc::clone(&shared),
            threads: Vec::new(),
        };
        let reader = Arc::clone(&shared);
        receiver.spawn("statsd-receive", move || source::run(&reader, &sender))?;
        receiver.spawn("statsd-add-up", move || add_up(&shared, &queue))?;
        Ok(receiver)
    }

    fn spawn(&mut self, name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
        self.threads
            .push(thread::Builder::new().name(name.into()).spawn(work)?);
        Ok(())
    }

    /// Where to send; `0.0.0.0:0` if the receiver is at a path.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        let nowhere = (Ipv4Addr::UNSPECIFIED, 0).into();
        self.shared.source.address().unwrap_or(nowhere)
    }

    /// Where to send as the URL that [`ClientBuilder::address`](crate::ClientBuilder::address) takes.
    #[must_use]
    pub fn url(&self) -> String {
        self.shared.source.url()
    }

    /// A counter's sum so far, each amount divided by its rate; 0 if nothing came.
    #[must_use]
    pub fn counter(&self, name: &str) -> u64 {
        self.shared.tally().counter(name)
    }

    /// All counters' sums so far.
    #[must_use]
    pub fn counters(&self) -> BTreeMap<String, u64> {
        self.shared.tally().counters()
    }

    /// A gauge's level; `None` if nothing came, or if the name has several levels by tags.
    ///
    /// A sign makes a difference to the level before, except on a line with tags, as the Datadog agent has it.
    #[must_use]
    pub fn gauge(&self, name: &str) -> Option<f64> {
        self.shared.tally().gauge(name)
    }

    /// What came of a timer, a histogram or a distribution; `None` if nothing did.
    #[must_use]
    pub fn timer(&self, name: &str) -> Option<TimerSummary> {
        self.shared.tally().timer(name)
    }

    /// The names of all timers so far, in alphabetical order.
    #[must_use]
    pub fn timers(&self) -> Vec<String> {
        self.shared.tally().timers()
    }

    /// The members of a set so far.
    #[must_use]
    pub fn set(&self, name: &str) -> BTreeSet<String> {
        self.shared.tally().set(name)
    }

    /// The first 64 datagrams, as they came.
    #[must_use]
    pub fn packets(&self) -> Vec<Vec<u8>> {
        self.shared.tally().packets.clone()
    }

    /// How many datagrams came so far.
    #[must_use]
    pub fn packets_seen(&self) -> u64 {
        self.shared.tally().packets_seen
    }

    /// The first 100 lines that a server could misread, each with what is wrong with it.
    #[must_use]
    pub fn bad_lines(&self) -> Vec<String> {
        self.shared.tally().bad_lines.clone()
    }

    /// Waits until `condition` holds, looking again whenever something came; false if `timeout` passes first.
    pub fn wait_until(&self, timeout: Duration, mut condition: impl FnMut(&Self) -> bool) -> bool {
        let start = Instant::now();
        loop {
            let news = |tally: &Tally| (tally.packets_seen, tally.bad_lines.len());
            let seen = news(&self.shared.tally());
            if condition(self) {
                return true;
            }
            let left = timeout.saturating_sub(start.elapsed());
            if left.is_zero() {
                return false;
            }
            let unchanged = |tally: &mut Tally| news(tally) == seen;
            drop(
                self.shared
                    .arrived
                    .wait_timeout_while(self.shared.tally(), left, unchanged),
            );
        }
    }
}

/// Adds up what is in the queue until the other thread has ended.
fn add_up(shared: &Shared, queue: &Queue<Packet>) {
    while let Ok(packet) = queue.recv() {
        if shared.stop.load(Ordering::Acquire) {
            return;
        }
        match packet {
            Ok(bytes) => shared.tally().packet(bytes),
            Err(why) => shared.tally().malformed(why.into()),
        }
        shared.arrived.notify_all();
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        self.shared.source.wake();
        for thread in self.threads.drain(..) {
            // It has no way to panic that anybody could act on.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("url", &self.url())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
