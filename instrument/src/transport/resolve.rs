//! Names to addresses, without ever waiting for them.
//!
//! A look-up runs on a thread of its own, which holds nothing but one end of a channel: should it hang in the
//! system's resolver, nobody waits for it, and it ends by itself. There is at most one at a time. A numeric
//! address needs none.

use crate::{
    config::Endpoint,
    error::{Error, ErrorKind},
};
use crossbeam_channel::{Receiver, TryRecvError, bounded};
use std::{
    io,
    net::{IpAddr, SocketAddr, ToSocketAddrs},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

/// How long an answer is good: a server that moved is found again within this time.
const REFRESH: Duration = Duration::from_secs(30);

/// The least time between two look-ups, however many sends fail.
const RETRY: Duration = Duration::from_secs(1);

/// What asks the system, or stands for it in a test.
pub(super) type Lookup = Arc<dyn Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync>;

type Answer = io::Result<Vec<SocketAddr>>;

/// The addresses of one target, kept fresh.
pub(super) struct Resolver {
    target: Endpoint,
    /// None where the host is an address already.
    lookup: Option<Lookup>,
    addresses: Vec<SocketAddr>,
    /// Which of the addresses is in use.
    at: usize,
    answer: Option<Receiver<Answer>>,
    asked: Instant,
    /// An address failed since the last look-up began.
    doubtful: bool,
    error: Option<io::Error>,
}

impl Resolver {
    /// Starts the first look-up, if the host is a name.
    ///
    /// # Errors
    /// If the operating system refuses a thread.
    pub(super) fn new(target: Endpoint, now: Instant) -> Result<Self, Error> {
        Self::with_lookup(target, now, Arc::new(ask_system))
    }

    /// [`new`](Self::new) with something else to ask than the system.
    pub(super) fn with_lookup(target: Endpoint, now: Instant, lookup: Lookup) -> Result<Self, Error> {
        let numeric = target.host.parse::<IpAddr>().ok();
        let mut resolver = Self {
            addresses: numeric
                .iter()
                .map(|ip| SocketAddr::new(*ip, target.port))
                .collect(),
            lookup: numeric.is_none().then_some(lookup),
            target,
            at: 0,
            answer: None,
            asked: now,
            doubtful: false,
            error: None,
        };
        if let Some(lookup) = resolver.lookup.clone() {
            resolver.ask(lookup, now).map_err(|error| {
                Error::io(
                    ErrorKind::Thread,
                    "cannot start a thread to resolve the server's name",
                    error,
                )
            })?;
        }
        Ok(resolver)
    }

    /// The address to use now, if any is known; takes in what a look-up found and starts one that is due.
    pub(super) fn current(&mut self, now: Instant) -> Option<SocketAddr> {
        if let Some(lookup) = self.lookup.clone() {
            self.collect();
            if self.answer.is_none()
                && self.is_due(now)
                && let Err(error) = self.ask(lookup, now)
            {
                self.error = Some(error);
            }
        }
        self.addresses.get(self.at).copied()
    }

    /// How many addresses there are to try.
    pub(super) fn count(&self) -> usize {
        self.addresses.len()
    }

    /// The current address does not work: the next one's turn, and time for another look-up.
    pub(super) fn failed(&mut self) {
        self.doubtful = true;
        self.at = (self.at + 1) % self.addresses.len().max(1);
    }

    /// Why no address is known.
    pub(super) fn why_unresolved(&self) -> io::Error {
        let reason = self
            .error
            .as_ref()
            .map_or("not resolved yet".into(), ToString::to_string);
        io::Error::new(io::ErrorKind::NotFound, format!("{}: {reason}", self.target))
    }

    fn is_due(&self, now: Instant) -> bool {
        let wait = if self.doubtful || self.addresses.is_empty() {
            RETRY
        } else {
            REFRESH
        };
        now.saturating_duration_since(self.asked) >= wait
    }

    fn ask(&mut self, lookup: Lookup, now: Instant) -> io::Result<()> {
        self.asked = now;
        self.doubtful = false;
        let (sender, receiver) = bounded(1);
        let Endpoint { host, port } = self.target.clone();
        thread::Builder::new()
            .name("instrument-task-resolve".into())
            .spawn(move || {
                // Nobody may be left to hear it.
                let _ = sender.send(lookup(&host, port));
            })?;
        self.answer = Some(receiver);
        Ok(())
    }

    /// Takes in the answer of a look-up that has ended.
    fn collect(&mut self) {
        let Some(receiver) = &self.answer else { return };
        let answer = match receiver.try_recv() {
            Ok(answer) => answer,
            Err(TryRecvError::Empty) => return,
            Err(TryRecvError::Disconnected) => Err(io::Error::other("the look-up panicked")),
        };
        self.answer = None;
        match answer {
            Ok(found) if found.is_empty() => self.error = Some(io::Error::other("the name has no address")),
            Ok(found) => {
                // A connection that works is not given up for a mere change of order.
                let used = self.addresses.get(self.at);
                self.at = used
                    .and_then(|used| found.iter().position(|new| new == used))
                    .unwrap_or(0);
                self.addresses = found;
                self.error = None;
            }
            // What was known may still be right.
            Err(error) => self.error = Some(error),
        }
    }
}

fn ask_system(host: &str, port: u16) -> Answer {
    let mut found = Vec::new();
    for address in (host, port).to_socket_addrs()? {
        if !found.contains(&address) {
            found.push(address);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossbeam_channel::Sender;

    const BOUND: Duration = Duration::from_secs(20);

    fn name() -> Endpoint {
        Endpoint {
            host: "metrics.test".into(),
            port: 8125,
        }
    }

    fn address(last: u8) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, last], 8125))
    }

    /// A look-up that gives what the test sends, and until then hangs.
    fn scripted() -> (Sender<Answer>, Lookup) {
        let (sender, receiver) = bounded::<Answer>(16);
        (
            sender,
            Arc::new(move |_, _| receiver.recv_timeout(BOUND).map_err(io::Error::other)?),
        )
    }

    /// Waits until the look-up under way has answered, and takes the answer in.
    fn settle(resolver: &mut Resolver) {
        let end = Instant::now() + BOUND;
        while resolver.answer.is_some() {
            assert!(Instant::now() < end, "no answer");
            resolver.collect();
            thread::yield_now();
        }
    }

    #[test]
    fn a_numeric_address_asks_nobody() {
        let now = Instant::now();
        for host in ["127.0.0.1", "::1"] {
            let target = Endpoint {
                host: host.into(),
                port: 9,
            };
            let mut resolver = Resolver::with_lookup(target, now, Arc::new(|_, _| panic!("asked"))).unwrap();
            assert_eq!(resolver.current(now).unwrap().ip().to_string(), host);
            resolver.failed();
            assert_eq!(resolver.current(now + REFRESH * 2).unwrap().port(), 9);
            assert!(resolver.answer.is_none());
        }
    }

    #[test]
    fn a_name_has_no_address_until_the_answer_comes() {
        let (answers, lookup) = scripted();
        let now = Instant::now();
        let mut resolver = Resolver::with_lookup(name(), now, lookup).unwrap();
        assert_eq!(resolver.current(now), None);
        // However late it is, one look-up hangs at a time.
        assert_eq!(resolver.current(now + REFRESH * 9), None);
        assert!(
            resolver
                .why_unresolved()
                .to_string()
                .contains("metrics.test:8125: not resolved yet")
        );
        answers.send(Ok(vec![address(1)])).unwrap();
        settle(&mut resolver);
        assert_eq!(resolver.current(now), Some(address(1)));
        assert!(resolver.answer.is_none());
    }

    #[test]
    fn addresses_take_turns_and_an_error_brings_a_new_look_up() {
        let (answers, lookup) = scripted();
        let now = Instant::now();
        let mut resolver = Resolver::with_lookup(name(), now, lookup).unwrap();
        answers.send(Ok(vec![address(1), address(2)])).unwrap();
        settle(&mut resolver);
        resolver.failed();
        assert_eq!((resolver.current(now), resolver.count()), (Some(address(2)), 2));
        assert!(resolver.answer.is_none(), "asked again within the least time");
        assert_eq!(resolver.current(now + RETRY), Some(address(2)));
        // The one in use is kept while it is still among the answers.
        answers.send(Ok(vec![address(3), address(2)])).unwrap();
        settle(&mut resolver);
        assert_eq!(resolver.current(now + RETRY), Some(address(2)));
        resolver.failed();
        assert_eq!(resolver.current(now + RETRY), Some(address(3)));
    }

    #[test]
    fn a_move_is_found_in_time_and_a_failed_look_up_forgets_nothing() {
        let (answers, lookup) = scripted();
        let now = Instant::now();
        let mut resolver = Resolver::with_lookup(name(), now, lookup).unwrap();
        answers.send(Ok(vec![address(1)])).unwrap();
        settle(&mut resolver);
        let almost = REFRESH.checked_sub(Duration::from_millis(1)).unwrap();
        assert_eq!(resolver.current(now + almost), Some(address(1)));
        assert!(resolver.answer.is_none());
        resolver.current(now + REFRESH);
        for bad in [Err(io::Error::other("server failure")), Ok(Vec::new())] {
            answers.send(bad).unwrap();
            settle(&mut resolver);
            assert_eq!(resolver.current(now + REFRESH * 2), Some(address(1)));
            resolver.asked = now;
            resolver.current(now + REFRESH * 2);
        }
        answers.send(Ok(vec![address(9)])).unwrap();
        settle(&mut resolver);
        assert_eq!(resolver.current(now + REFRESH * 2), Some(address(9)));
    }

    #[test]
    fn the_system_knows_this_host() {
        let now = Instant::now();
        let mut resolver = Resolver::new(
            Endpoint {
                host: "localhost".into(),
                port: 7,
            },
            now,
        )
        .unwrap();
        settle(&mut resolver);
        assert!(resolver.current(now).unwrap().ip().is_loopback());
    }
}
