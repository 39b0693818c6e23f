//! A server that only counts: what came, how many starts it told of, and how many durations. Its receive buffer is the system's default.

use std::{
    io,
    net::{SocketAddr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// What arrived.
#[derive(Clone, Copy, Debug, Default)]
pub struct Arrived {
    /// Datagrams.
    pub packets: u64,
    /// Their payload.
    pub bytes: u64,
    /// The sum of the counters called `….started`.
    pub started: u64,
    /// Values of timers, histograms and distributions.
    pub durations: u64,
}

#[derive(Debug, Default)]
struct Sums {
    packets: AtomicU64,
    bytes: AtomicU64,
    started: AtomicU64,
    durations: AtomicU64,
    stop: AtomicBool,
}

/// The server.
#[derive(Debug)]
pub struct Sink {
    address: SocketAddr,
    sums: Arc<Sums>,
    thread: Option<JoinHandle<()>>,
}

impl Sink {
    /// Starts it on a free port.
    ///
    /// # Errors
    /// If there is no socket or no thread to be had.
    pub fn start() -> io::Result<Self> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.set_read_timeout(Some(Duration::from_millis(20)))?;
        let address = socket.local_addr()?;
        let sums = Arc::new(Sums::default());
        let shared = Arc::clone(&sums);
        let thread = thread::Builder::new()
            .name("sink".into())
            .spawn(move || receive(&socket, &shared))?;
        Ok(Self {
            address,
            sums,
            thread: Some(thread),
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What arrived so far.
    #[must_use]
    pub fn arrived(&self) -> Arrived {
        Arrived {
            packets: self.sums.packets.load(Ordering::Relaxed),
            bytes: self.sums.bytes.load(Ordering::Relaxed),
            started: self.sums.started.load(Ordering::Relaxed),
            durations: self.sums.durations.load(Ordering::Relaxed),
        }
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.sums.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn receive(socket: &UdpSocket, sums: &Sums) {
    let mut buffer = vec![0; 65_536];
    while !sums.stop.load(Ordering::Relaxed) {
        let Ok(length) = socket.recv(&mut buffer) else {
            continue;
        };
        sums.packets.fetch_add(1, Ordering::Relaxed);
        sums.bytes.fetch_add(length as u64, Ordering::Relaxed);
        sums.started
            .fetch_add(started(&buffer[..length]), Ordering::Relaxed);
        sums.durations
            .fetch_add(durations(&buffer[..length]), Ordering::Relaxed);
    }
}

/// The starts that a payload tells of.
fn started(payload: &[u8]) -> u64 {
    payload
        .split(|&byte| byte == b'\n')
        .filter_map(|line| {
            let line = str::from_utf8(line).ok()?;
            let (name, rest) = line.split_once(':')?;
            let (value, _) = rest.split_once("|c")?;
            name.ends_with(".started").then(|| value.parse::<u64>().ok())?
        })
        .sum()
}

/// The durations that a payload brings: some lines have more than one value.
fn durations(payload: &[u8]) -> u64 {
    payload
        .split(|&byte| byte == b'\n')
        .filter_map(|line| {
            let mut fields = line.split(|&byte| byte == b'|');
            let (values, kind) = (fields.next()?, fields.next()?);
            let is_duration = matches!(kind, b"ms" | b"h" | b"d");
            is_duration.then(|| values.split(|&byte| byte == b':').skip(1).count() as u64)
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_starts_are_summed() {
        assert_eq!(
            started(b"a.started:3|c\nb.success:9|c\nc.started:4|c|#x:y\nbroken\n"),
            7
        );
    }

    #[test]
    fn a_line_may_bring_several_durations() {
        let payload = b"a.duration:1.5|ms\nb:1:2:3|d|@0.5|#x:y\nc:4|h\nd.started:9|c\nbroken\n";
        assert_eq!(durations(payload), 5);
    }
}
