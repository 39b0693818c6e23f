//! The real Etsy statsd, run on free ports of this machine.

use std::{
    collections::BTreeMap,
    env, fs,
    io::{self, ErrorKind, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use crate::wait::{BOUND, until};

/// Where it listens is found by trying: another process may take a port between our look and its start.
const TRIES: usize = 5;

/// The backend that tells what arrived, in a file.
const BACKEND: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/etsy-backend.js");

/// When a server flushes, and to whom: longer than any test after its start, so that sums and values pile up.
const UNTIL_IT_ENDS: &str = concat!(
    "flushInterval: 3600000, backends: ['",
    env!("CARGO_MANIFEST_DIR"),
    "/src/etsy-backend.js']"
);

/// A running server. It ends when this is dropped, and also if the test's process dies.
#[derive(Debug)]
pub struct Etsy {
    process: Child,
    place: Place,
    management: SocketAddr,
    folder: PathBuf,
}

/// Where a server receives metrics. A server that comes back comes back to its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    protocol: Protocol,
    address: SocketAddr,
}

/// How a server receives metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// A line or several in a datagram.
    Udp,
    /// Lines on a stream.
    Tcp,
}

impl Place {
    /// A free port on an address of this machine that nobody else uses, so that it stays free while the server is down.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn fresh(protocol: Protocol) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let ip = if cfg!(target_os = "linux") {
            let [.., high, low] = std::process::id().to_be_bytes();
            let number = NUMBER.fetch_add(1, Ordering::Relaxed).to_be_bytes()[3];
            Ipv4Addr::new(127, 64 | (high & 63), low, number)
        } else {
            Ipv4Addr::LOCALHOST
        };
        let address = match protocol {
            Protocol::Udp => UdpSocket::bind((ip, 0)).and_then(|socket| socket.local_addr()),
            Protocol::Tcp => TcpListener::bind((ip, 0)).and_then(|socket| socket.local_addr()),
        };
        Self {
            protocol,
            address: address.expect("a free port"),
        }
    }

    /// Its address and port.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL that a client is given.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = match self.protocol {
            Protocol::Udp => "udp",
            Protocol::Tcp => "tcp",
        };
        format!("{scheme}://{}", self.address)
    }
}

/// What a server had received when it ended.
#[derive(Debug, Default)]
pub struct Received {
    /// The counters' sums.
    pub counters: BTreeMap<String, f64>,
    /// The timers.
    pub timers: BTreeMap<String, Timer>,
}

/// What a server has of a timer.
#[derive(Debug, Default)]
pub struct Timer {
    /// The values in milliseconds, in ascending order.
    pub values: Vec<f64>,
    /// How many calls they stand for by their sample rates.
    pub count: f64,
}

impl Received {
    /// A counter's sum; 0 if it never came.
    #[must_use]
    pub fn counter(&self, name: &str) -> f64 {
        self.counters.get(name).copied().unwrap_or(0.0)
    }

    /// A timer.
    ///
    /// # Panics
    /// If it never came.
    #[must_use]
    pub fn timer(&self, name: &str) -> &Timer {
        self.timers
            .get(name)
            .unwrap_or_else(|| panic!("no timer {name} among {:?}", self.timers.keys()))
    }
}

impl Etsy {
    /// Starts a server that receives over UDP, or says on standard output why there can be none.
    ///
    /// # Panics
    /// If it is installed and does not start.
    #[must_use]
    pub fn start_or_skip() -> Option<Self> {
        Self::start_by_or_skip(Protocol::Udp)
    }

    /// Starts a server, or says on standard output why there can be none.
    ///
    /// # Panics
    /// If it is installed and does not start.
    #[must_use]
    pub fn start_by_or_skip(protocol: Protocol) -> Option<Self> {
        let package = Self::package_or_skip()?;
        (0..TRIES)
            .find_map(|_| Self::start(&package, Place::fresh(protocol), UNTIL_IT_ENDS))
            .or_else(|| panic!("statsd does not start"))
    }

    /// Starts a server over UDP that keeps telling a Graphite below the node `root` of its tree, or says on standard output why
    /// there can be none.
    ///
    /// # Panics
    /// If it is installed and does not start.
    #[must_use]
    pub fn start_before(graphite: SocketAddr, root: &str) -> Option<Self> {
        let package = Self::package_or_skip()?;
        // Two seconds, so that no two flushes fall into one.
        let flushes = format!(
            "flushInterval: 2000, backends: ['./backends/graphite', '{BACKEND}'], graphiteHost: '{}', graphitePort: {}, \
             graphite: {{ legacyNamespace: false, globalPrefix: '{root}' }}",
            graphite.ip(),
            graphite.port(),
        );
        (0..TRIES)
            .find_map(|_| Self::start(&package, Place::fresh(Protocol::Udp), &flushes))
            .or_else(|| panic!("statsd does not start"))
    }

    /// Starts a server where an earlier one was.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start_again(place: Place) -> Self {
        let package = Self::package_or_skip().expect("there was one already");
        (0..TRIES)
            .find_map(|_| Self::start(&package, place, UNTIL_IT_ENDS))
            .expect("statsd does not start")
    }

    /// Whether there is one; says on standard output why not.
    #[must_use]
    pub fn is_installed() -> bool {
        Self::package_or_skip().is_some()
    }

    fn package_or_skip() -> Option<PathBuf> {
        let package = env::var_os("ETSY_STATSD").map_or_else(
            || {
                [env!("CARGO_MANIFEST_DIR"), "../target/statsd/node_modules/statsd"]
                    .iter()
                    .collect()
            },
            PathBuf::from,
        );
        if Command::new("node")
            .arg("--version")
            .stdout(Stdio::null())
            .status()
            .is_err()
        {
            println!("skipped: there is no node to run Etsy's statsd (./test installs it)");
            return None;
        }
        if !package.join("stats.js").is_file() {
            println!(
                "skipped: Etsy's statsd is not in {} (./test installs it)",
                package.display()
            );
            return None;
        }
        Some(package)
    }

    /// Where it receives metrics, as host and port.
    #[must_use]
    pub fn address(&self) -> String {
        self.place.address.to_string()
    }

    /// Where it receives metrics.
    #[must_use]
    pub fn place(&self) -> Place {
        self.place
    }

    fn start(package: &Path, place: Place, flushes: &str) -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let own = format!(
            "instrument-task-{}-{}",
            std::process::id(),
            NUMBER.fetch_add(1, Ordering::Relaxed)
        );
        let folder = env::temp_dir().join(&own);
        fs::create_dir_all(&folder).expect("the folder of temporary files is writable");
        let management = TcpListener::bind("127.0.0.1:0")
            .and_then(|socket| socket.local_addr())
            .expect("a free port");
        let config = format!(
            "{{ port: {}, address: '{}', server: './servers/{}', mgmt_port: {}, mgmt_address: '127.0.0.1', \
               title: false, received: '{}', {flushes} }}",
            place.address.port(),
            place.address.ip(),
            match place.protocol {
                Protocol::Udp => "udp",
                Protocol::Tcp => "tcp",
            },
            management.port(),
            folder.join("received.txt").display(),
        );
        fs::write(folder.join("config.js"), config).expect("the folder is writable");
        let process = Command::new("node")
            .arg(package.join("stats.js"))
            .arg(folder.join("config.js"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("node was there a moment ago");
        let mut server = Self {
            process,
            place,
            management,
            folder,
        };
        server.answers(&own).then_some(server)
    }

    /// Waits until a datagram shows in the sums of this very server; false if it died over a port that was taken.
    fn answers(&mut self, own: &str) -> bool {
        let probe = format!("probe.{own}");
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let line = format!("{probe}:1|c\n");
        until("statsd answers", || {
            if self.process.try_wait().expect("our own child").is_some() {
                return Some(false);
            }
            // Refused until the server is there.
            let _ = match self.place.protocol {
                Protocol::Udp => socket.send_to(line.as_bytes(), self.place.address).map(drop),
                Protocol::Tcp => TcpStream::connect(self.place.address)
                    .and_then(|mut stream| stream.write_all(line.as_bytes())),
            };
            self.ask("counters")
                .is_ok_and(|answer| answer.contains(&probe))
                .then_some(true)
        })
    }

    /// Asks on the management port.
    fn ask(&self, command: &str) -> io::Result<String> {
        let mut stream = TcpStream::connect(self.management)?;
        stream.set_read_timeout(Some(BOUND))?;
        stream.write_all(format!("{command}\n").as_bytes())?;
        let (mut answer, mut part) = (Vec::new(), [0; 4096]);
        while !answer.ends_with(b"END\n\n") {
            match stream.read(&mut part)? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                length => answer.extend_from_slice(&part[..length]),
            }
        }
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    /// The counters' sums so far, as the management port tells them.
    ///
    /// # Panics
    /// If the server is gone.
    #[must_use]
    pub fn counters(&self) -> BTreeMap<String, u64> {
        let mut counters = self.raw_counters();
        counters.retain(|name, _| !name.starts_with("probe.") && !name.starts_with("statsd."));
        counters
    }

    /// The counters, those of the server itself and of our probing among them.
    fn raw_counters(&self) -> BTreeMap<String, u64> {
        let answer = self.ask("counters").expect("statsd answers");
        let pairs = answer
            .split([',', '{', '}', '\n'])
            .filter_map(|pair| pair.rsplit_once(':'));
        pairs
            .map(|(name, sum)| {
                let sum = sum
                    .trim()
                    .parse()
                    .unwrap_or_else(|_| panic!("not a whole sum: {name}: {sum}"));
                (name.trim().trim_matches('\'').to_owned(), sum)
            })
            .collect()
    }

    /// The lines that it could not read so far, as the management port tells them.
    ///
    /// # Panics
    /// If the server is gone.
    #[must_use]
    pub fn bad_lines_seen(&self) -> u64 {
        let answer = self.ask("stats").expect("statsd answers");
        let line = answer
            .lines()
            .find_map(|line| line.strip_prefix("messages.bad_lines_seen: "));
        line.and_then(|count| count.parse().ok())
            .unwrap_or_else(|| panic!("no bad_lines_seen in {answer}"))
    }

    /// Waits until the server has read as many datagrams as a client sent.
    ///
    /// # Panics
    /// If it never does: some were lost on the way.
    #[track_caller]
    pub fn wait_for_packets(&self, sent: u64) {
        until("statsd has read every datagram", || {
            let all = self.raw_counters();
            let sum = |prefix| {
                all.iter()
                    .filter(|(name, _)| name.starts_with(prefix))
                    .map(|(_, sum)| sum)
                    .sum::<u64>()
            };
            (sum("statsd.packets_received") == sent + sum("probe.")).then_some(())
        });
    }

    /// Ends the server and tells all that it had received: every value, where the management port would show a
    /// hundred.
    ///
    /// # Panics
    /// If it does not end, or does not tell.
    #[must_use]
    pub fn stop(mut self) -> Received {
        // The backend takes the end of its input as the order to flush and exit.
        drop(self.process.stdin.take());
        until("statsd ends", || self.process.try_wait().expect("our own child"));
        let text = fs::read_to_string(self.folder.join("received.txt")).expect("statsd wrote what it had");
        let mut received = Received::default();
        for line in text.lines() {
            let mut words = line.split(' ');
            let kind = words.next();
            let name = words.next().expect("a name").to_owned();
            let mut numbers = words.map(|word| word.parse().expect("a number"));
            let first = numbers.next().expect("a sum");
            match kind {
                Some("counter") => drop(received.counters.insert(name, first)),
                Some("timer") => drop(received.timers.insert(
                    name,
                    Timer {
                        count: first,
                        values: numbers.collect(),
                    },
                )),
                _ => panic!("{line}"),
            }
        }
        received
    }
}

impl Drop for Etsy {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
