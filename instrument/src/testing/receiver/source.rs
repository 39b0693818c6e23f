//! What a receiver reads from: a socket for datagrams, or a listener and its connections.

use super::Shared;
use crate::config::Framing;
use crossbeam_channel::Sender;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::{
    collections::HashMap,
    io::{self, Read},
    net::{Shutdown, SocketAddr},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering},
    thread::{self, JoinHandle},
    time::Duration,
};

/// The receive buffer that is asked for; a system with a lower limit gives less.
const RECEIVE_BUFFER: usize = 8 * 1024 * 1024;

/// The largest datagram that UDP carries.
const LARGEST: usize = 65_535;

/// The longest line, and the longest frame, that is taken in from a stream.
const LONGEST: usize = 1024 * 1024;

/// How soon a receiver stops if what should wake it is lost.
const FALLBACK: Duration = Duration::from_millis(250);

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 128;

/// What a source hands on: lines as they came, or what is wrong with what came.
pub(super) type Packet = Result<Vec<u8>, &'static str>;

pub(super) struct Source {
    socket: Socket,
    address: SockAddr,
    /// A file of ours, which goes with us.
    path: Option<PathBuf>,
    /// How a stream's payloads end; none for datagrams.
    framing: Option<Framing>,
    connections: Mutex<Connections>,
}

#[derive(Default)]
struct Connections {
    open: HashMap<u64, Socket>,
    threads: Vec<JoinHandle<()>>,
    count: u64,
}

impl Source {
    pub(super) fn udp(address: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        Self::bound(socket, &address.into(), None, None)
    }

    pub(super) fn tcp(address: SocketAddr, framing: Framing) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        // Or the port would be taken for a minute after a receiver that had connections.
        #[cfg(unix)]
        socket.set_reuse_address(true)?;
        Self::bound(socket, &address.into(), None, Some(framing))
    }

    #[cfg(unix)]
    pub(super) fn unix(path: &Path, framing: Option<Framing>) -> io::Result<Self> {
        let kind = if framing.is_some() {
            Type::STREAM
        } else {
            Type::DGRAM
        };
        let socket = Socket::new(Domain::UNIX, kind, None)?;
        Self::bound(socket, &SockAddr::unix(path)?, Some(path), framing)
    }

    fn bound(
        socket: Socket,
        address: &SockAddr,
        path: Option<&Path>,
        framing: Option<Framing>,
    ) -> io::Result<Self> {
        // Less room loses more under load, which a test then sees.
        let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
        socket.set_read_timeout(Some(FALLBACK))?;
        socket.bind(address)?;
        let source = Self {
            address: socket.local_addr()?,
            socket,
            path: path.map(Into::into),
            framing,
            connections: Mutex::default(),
        };
        if framing.is_some() {
            source.socket.listen(BACKLOG)?;
        }
        Ok(source)
    }

    /// None if it is a Unix socket.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.address.as_socket()
    }

    /// The URL that a client is given to send here.
    pub(super) fn url(&self) -> String {
        let stream = self.framing.is_some();
        match (&self.path, self.address()) {
            (Some(path), _) if stream => format!("unixstream://{}", path.display()),
            (Some(path), _) => format!("unixgram://{}", path.display()),
            (None, Some(address)) if stream => format!("tcp://{address}"),
            (None, Some(address)) => format!("udp://{address}"),
            (None, None) => String::new(),
        }
    }

    /// Has the thread in [`run`] and all that it started look whether they are to stop, which `stop` says by now.
    pub(super) fn wake(&self) {
        let address = &self.address;
        if self.framing.is_none() {
            // To itself, and empty: it only ends the wait.
            let _ = Socket::new(address.domain(), Type::DGRAM, None)
                .and_then(|socket| socket.send_to(&[], address));
            return;
        }
        let _ = Socket::new(address.domain(), Type::STREAM, None)
            .and_then(|socket| socket.connect_timeout(address, FALLBACK));
        for connection in self.connections().open.values() {
            // It may be closed already.
            let _ = connection.shutdown(Shutdown::Both);
        }
    }

    fn connections(&self) -> MutexGuard<'_, Connections> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            // Somebody may have taken it away.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Empties the socket, or its connections, into the queue until told to stop.
pub(super) fn run(shared: &Arc<Shared>, queue: &Sender<Packet>) {
    let Some(framing) = shared.source.framing else {
        return datagrams(shared, queue);
    };
    while !shared.stop.load(Ordering::Acquire) {
        // An error is a timeout, or a connection that is gone already: both pass.
        if let Ok((connection, _)) = shared.source.socket.accept() {
            take_on(shared, queue, connection, framing);
        }
    }
    let threads = std::mem::take(&mut shared.source.connections().threads);
    for thread in threads {
        // It has no way to panic that anybody could act on.
        let _ = thread.join();
    }
}

fn datagrams(shared: &Shared, queue: &Sender<Packet>) {
    let mut buffer = vec![0; LARGEST];
    while !shared.stop.load(Ordering::Acquire) {
        match (&shared.source.socket).read(&mut buffer) {
            Ok(length) if length > 0 => {
                if queue.send(Ok(buffer[..length].to_vec())).is_err() {
                    return;
                }
            }
            // Empty is what wakes us to stop. An error is a timeout, or nothing of ours: both pass.
            Ok(_) | Err(_) => {}
        }
    }
}

/// Reads a connection on a thread of its own.
fn take_on(shared: &Arc<Shared>, queue: &Sender<Packet>, connection: Socket, framing: Framing) {
    let mut connections = shared.source.connections();
    connections.threads.retain(|thread| !thread.is_finished());
    let Ok(clone) = connection.try_clone() else {
        return;
    };
    if shared.stop.load(Ordering::Acquire) {
        return;
    }
    let number = connections.count;
    connections.count += 1;
    connections.open.insert(number, clone);
    let (reader, queue) = (Arc::clone(shared), queue.clone());
    let thread = thread::Builder::new()
        .name("statsd-connection".into())
        .spawn(move || {
            if let Err(why) = stream(&reader, &queue, &connection, framing) {
                // Nobody may be left to hear it.
                let _ = queue.send(Err(why));
            }
            reader.source.connections().open.remove(&number);
        });
    match thread {
        Ok(thread) => connections.threads.push(thread),
        Err(_) => drop(connections.open.remove(&number)),
    }
}

/// Hands on what is whole; says at the end of the stream what is not.
fn stream(
    shared: &Shared,
    queue: &Sender<Packet>,
    mut connection: &Socket,
    framing: Framing,
) -> Result<(), &'static str> {
    let (mut part, mut bytes) = (vec![0; LARGEST], Vec::new());
    while !shared.stop.load(Ordering::Acquire) {
        match connection.read(&mut part) {
            Ok(0) => break,
            Ok(length) => bytes.extend_from_slice(&part[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // The peer is gone; what it had sent was read.
            Err(_) => break,
        }
        while let Some(packet) = cut_off(&mut bytes, framing)? {
            if queue.send(Ok(packet)).is_err() {
                return Ok(());
            }
        }
    }
    match framing {
        _ if bytes.is_empty() => Ok(()),
        Framing::Lines => Err("a stream that ends without a line end"),
        Framing::Length => Err("a stream that ends within a frame"),
    }
}

/// Takes what is whole from the front: all whole lines, or one frame.
fn cut_off(bytes: &mut Vec<u8>, framing: Framing) -> Result<Option<Vec<u8>>, &'static str> {
    let (skip, end) = match framing {
        Framing::Lines => match bytes.iter().rposition(|byte| *byte == b'\n') {
            Some(at) => (0, at + 1),
            None if bytes.len() > LONGEST => return Err("a line without an end"),
            None => return Ok(None),
        },
        Framing::Length => {
            let Some(prefix) = bytes.first_chunk() else {
                return Ok(None);
            };
            let end = usize::try_from(u32::from_le_bytes(*prefix)).unwrap_or(usize::MAX);
            if end > LONGEST {
                return Err("a frame of more than a megabyte");
            }
            (4, 4 + end)
        }
    };
    if bytes.len() < end {
        return Ok(None);
    }
    let packet = bytes[skip..end].to_vec();
    bytes.drain(..end);
    Ok(Some(packet))
}
