//! A server that ends and comes back, and the sums over all its lives.

use std::{
    collections::BTreeMap,
    env,
    fmt::Debug,
    fs,
    path::PathBuf,
    str::FromStr,
    thread,
    time::{Duration, Instant},
};

use instrument_task::{Framing, testing::Receiver};

use crate::{
    etsy::{Etsy, Place, Protocol},
    wait::BOUND,
};

/// Counters' sums by name.
pub type Sums = BTreeMap<String, u64>;

/// How a server is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// UDP on loopback.
    Udp,
    /// TCP on loopback.
    Tcp,
    /// Datagrams of a Unix socket.
    Unixgram,
    /// A stream of a Unix socket.
    Unixstream,
}

impl FromStr for Way {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "udp" => Ok(Self::Udp),
            "tcp" => Ok(Self::Tcp),
            "unixgram" => Ok(Self::Unixgram),
            "unixstream" => Ok(Self::Unixstream),
            _ => Err(format!("{text}: none of udp, tcp, unixgram, unixstream")),
        }
    }
}

/// Where a server is in each of its lives.
#[derive(Debug)]
enum Home {
    Port(Place),
    Folder(PathBuf),
}

/// One life.
#[derive(Debug)]
enum Server {
    Etsy(Etsy),
    Receiver(Receiver),
}

/// A server at one place with many lives. At first it is down.
#[derive(Debug)]
pub struct Lives {
    way: Way,
    home: Home,
    /// Whether it is Etsy's statsd.
    real: bool,
    now: Option<Server>,
    before: Sums,
}

impl Lives {
    /// A place for a server that is the library's own receiver.
    ///
    /// # Panics
    /// If there is no place for it.
    #[must_use]
    pub fn new(way: Way) -> Self {
        let home = match way {
            Way::Udp => Home::Port(Place::fresh(Protocol::Udp)),
            Way::Tcp => Home::Port(Place::fresh(Protocol::Tcp)),
            Way::Unixgram | Way::Unixstream => {
                let name = format!("instrument-task-{}-{way:?}", std::process::id());
                let folder = env::temp_dir().join(name);
                fs::create_dir_all(&folder).expect("the folder of temporary files is writable");
                Home::Folder(folder)
            }
        };
        Self {
            way,
            home,
            real: false,
            now: None,
            before: Sums::new(),
        }
    }

    /// A place for Etsy's statsd, if it is installed and can be reached in this way; else one for a receiver.
    ///
    /// # Panics
    /// If there is no place for it.
    #[must_use]
    pub fn real_if_any(way: Way) -> Self {
        let reached = matches!(way, Way::Udp | Way::Tcp);
        let mut lives = Self::new(way);
        lives.real = reached && env::var_os("ETSY_STATSD").is_some() && Etsy::is_installed();
        lives
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        if self.real {
            "Etsy's statsd"
        } else {
            "the library's receiver"
        }
    }

    /// The URL that a client is given.
    #[must_use]
    pub fn url(&self) -> String {
        match &self.home {
            Home::Port(place) => place.url(),
            Home::Folder(_) if self.way == Way::Unixgram => format!("unixgram://{}", self.path().display()),
            Home::Folder(_) => format!("unixstream://{}", self.path().display()),
        }
    }

    fn path(&self) -> PathBuf {
        match &self.home {
            Home::Folder(folder) => folder.join("statsd.sock"),
            Home::Port(_) => PathBuf::new(),
        }
    }

    /// Begins a life.
    ///
    /// # Panics
    /// If it does not start.
    #[track_caller]
    pub fn start(&mut self) {
        let server = match &self.home {
            Home::Port(place) if self.real => Server::Etsy(Etsy::start_again(*place)),
            home => Server::Receiver(
                match (self.way, home) {
                    (Way::Udp, Home::Port(place)) => Receiver::start_at(place.address()),
                    (_, Home::Port(place)) => Receiver::start_tcp(place.address()),
                    (Way::Unixgram, _) => Receiver::start_unixgram(self.path()),
                    _ => Receiver::start_unixstream(self.path(), Framing::Length),
                }
                .expect("the receiver starts"),
            ),
        };
        self.now = Some(server);
    }

    /// The sums over all lives so far.
    #[must_use]
    pub fn sums(&self) -> Sums {
        let mut sums = self.before.clone();
        let now = match &self.now {
            Some(Server::Etsy(server)) => server.counters(),
            Some(Server::Receiver(receiver)) => receiver.counters(),
            None => Sums::new(),
        };
        for (name, sum) in now {
            *sums.entry(name).or_default() += sum;
        }
        sums
    }

    /// Waits until it has read as many increments over all its lives.
    ///
    /// # Panics
    /// If it never does: some were lost on the way.
    #[track_caller]
    pub fn wait_for(&self, increments: u64) {
        let end = Instant::now() + BOUND;
        loop {
            let arrived = self.sums().values().sum::<u64>();
            if arrived == increments {
                return;
            }
            assert!(
                arrived < increments && Instant::now() < end,
                "{arrived} of {increments} arrived at {}; datagrams that its kernel had no room for: {:?}",
                self.url(),
                self.overflowed()
            );
            // Between two questions to another process.
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Datagrams that found its receive buffer full in this life, where the system tells: what no sender can see.
    fn overflowed(&self) -> Option<u64> {
        let (Way::Udp, Home::Port(place)) = (self.way, &self.home) else {
            return None;
        };
        // The port in hexadecimal digits is the end of the second word; the last word is the count.
        let port = format!(":{:04X}", place.address().port());
        let sockets = fs::read_to_string("/proc/net/udp").ok()?;
        sockets
            .lines()
            .find(|line| {
                line.split_whitespace()
                    .nth(1)
                    .is_some_and(|local| local.ends_with(&port))
            })?
            .split_whitespace()
            .last()?
            .parse()
            .ok()
    }

    /// Ends a life.
    ///
    /// # Panics
    /// If it read a line that some server could misread.
    #[track_caller]
    pub fn stop(&mut self) {
        self.before = self.sums();
        match self.now.take() {
            Some(Server::Etsy(server)) => {
                assert_eq!(server.bad_lines_seen(), 0);
                drop(server.stop());
            }
            Some(Server::Receiver(receiver)) => {
                assert!(receiver.bad_lines().is_empty(), "{:?}", receiver.bad_lines());
            }
            None => {}
        }
    }
}

impl Drop for Lives {
    fn drop(&mut self) {
        self.now = None;
        if let Home::Folder(folder) = &self.home {
            // A folder that is left does no harm.
            let _ = fs::remove_dir_all(folder);
        }
    }
}
