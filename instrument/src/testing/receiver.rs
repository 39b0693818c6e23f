//! A statsd server within the process: for tests, and for looking at what goes out.

use super::tally::{Tally, TimerSummary};
use crossbeam_channel::{Receiver as Queue, Sender, bounded};
use socket2::SockRef;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, io,
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// The receive buffer that is asked for; a system with a lower limit gives less.
const RECEIVE_BUFFER: usize = 8 * 1024 * 1024;

/// Datagrams that may wait to be added up, so that the socket is emptied even while somebody reads the sums.
const QUEUE: usize = 16_384;

/// The largest datagram that UDP carries.
const LARGEST: usize = 65_535;

/// How soon a receiver stops if the datagram that should wake it is lost.
const FALLBACK: Duration = Duration::from_millis(250);

/// A statsd server on this host's loopback that adds up what it gets.
///
/// It reads strictly: numbers in plain decimals, one value a line, clean names. Whatever some server might read
/// in another way ends up in [`bad_lines`](Self::bad_lines).
///
/// # Names and tags
/// A series is called by its name, and with tags by its name and its tags in alphabetical order, as in
/// `tasks.status.send_email.success{env:prod,team:mail}`. Asked for a name without tags, the receiver answers for
/// all series of that name together, whatever their tags; asked for one with tags, for that one alone.
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
    address: SocketAddr,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    socket: UdpSocket,
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
        let socket = UdpSocket::bind(address)?;
        // Less room loses more under load, which a test then sees.
        let _ = SockRef::from(&socket).set_recv_buffer_size(RECEIVE_BUFFER);
        socket.set_read_timeout(Some(FALLBACK))?;
        let address = socket.local_addr()?;
        let shared = Arc::new(Shared {
            socket,
            tally: Mutex::default(),
            arrived: Condvar::new(),
            stop: AtomicBool::new(false),
        });
        let (sender, queue) = bounded(QUEUE);
        // Made first, so that dropping it ends the first thread if there is none for the second.
        let mut receiver = Self {
            shared: Arc::clone(&shared),
            address,
            threads: Vec::new(),
        };
        let reader = Arc::clone(&shared);
        receiver.spawn("statsd-receive", move || receive(&reader, &sender))?;
        receiver.spawn("statsd-add-up", move || add_up(&shared, &queue))?;
        Ok(receiver)
    }

    fn spawn(&mut self, name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
        self.threads
            .push(thread::Builder::new().name(name.into()).spawn(work)?);
        Ok(())
    }

    /// Where to send.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
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
            let seen = self.packets_seen();
            if condition(self) {
                return true;
            }
            let left = timeout.saturating_sub(start.elapsed());
            if left.is_zero() {
                return false;
            }
            let unchanged = |tally: &mut Tally| tally.packets_seen == seen;
            drop(
                self.shared
                    .arrived
                    .wait_timeout_while(self.shared.tally(), left, unchanged),
            );
        }
    }
}

/// Empties the socket into the queue until told to stop.
fn receive(shared: &Shared, queue: &Sender<Vec<u8>>) {
    let mut buffer = vec![0; LARGEST];
    while !shared.stop.load(Ordering::Acquire) {
        match shared.socket.recv(&mut buffer) {
            Ok(len) if len > 0 => {
                if queue.send(buffer[..len].to_vec()).is_err() {
                    return;
                }
            }
            // Empty is what wakes us to stop. An error is a timeout, or nothing of ours: both pass.
            Ok(_) | Err(_) => {}
        }
    }
}

/// Adds up what is in the queue until the other thread has ended.
fn add_up(shared: &Shared, queue: &Queue<Vec<u8>>) {
    while let Ok(packet) = queue.recv() {
        if shared.stop.load(Ordering::Acquire) {
            return;
        }
        shared.tally().packet(packet);
        shared.arrived.notify_all();
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        // To itself, and empty: it only ends the wait.
        let _ = self.shared.socket.send_to(&[], self.address);
        for thread in self.threads.drain(..) {
            // It has no way to panic that anybody could act on.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
