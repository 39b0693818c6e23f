//! Streams: TCP and Unix stream sockets.
//!
//! A stream takes bytes, not payloads, so a payload may be cut. What holds then:
//! - A frame (a payload as it goes on the stream) of which a part was written is the next thing on that stream, or the
//!   stream is closed. It is never left half sent.
//! - While its peer takes nothing, such a frame is [`Verdict::Unfinished`]: nothing of it is judged. When the rest has gone, all of it is
//!   spent. When the stream is closed first, the lines whose last byte the kernel took are spent and the others are not; of a
//!   frame with its length in front nothing is, since a server reads it whole or not at all.
//! - A peer that closed its end is noticed before a write, where nothing is lost by it: what it sent last, the end of the stream,
//!   is read first.
//! - A peer that is full is waited for by [`WRITE_DEADLINE`], and left after [`STUCK`]; it is never a reason to connect anew before.
//! - Failed connections are tried again after a pause that grows.
//!
//! What the kernel took and the peer did not read before it died is lost without a trace.

use super::{
    Cause, SendError, Transport, Verdict, WRITE_DEADLINE,
    backoff::Backoff,
    os::{self, cause},
    peer::Peer,
    resolve::Resolver,
};
use crate::{
    config::{Endpoint, Framing},
    error::Error,
};
use socket2::{Protocol, SockAddr, Socket, TcpKeepalive, Type};
use std::{
    io,
    time::{Duration, Instant},
};

/// How long a connection may take to come about: three times the first retry of TCP.
const CONNECT_DEADLINE: Duration = Duration::from_secs(3);

/// How long a peer may take no byte: longer than any pause of a server that still works.
const STUCK: Duration = Duration::from_secs(30);

/// A connection that was closed within this time counts as one that failed, or a server that turns its clients away would be
/// asked again without a pause.
const SETTLED: Duration = Duration::from_secs(1);

/// How long a connection may be silent until the kernel looks after the peer: less than firewalls forget it in.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// A stream to one server.
pub(super) struct Stream {
    route: Route,
    framing: Framing,
    send_buffer: usize,
    link: Link,
    backoff: Backoff,
    /// The payload under way as it goes on the stream, and how much of it the kernel took.
    frame: Vec<u8>,
    written: usize,
    stuck: Duration,
    last_error: Option<SendError>,
}

/// Where to connect to.
enum Route {
    Tcp(Resolver),
    Unix { address: SockAddr, path: String },
}

enum Link {
    Down,
    Connecting(Peer),
    Up(Peer),
}

impl Stream {
    /// A connection to `server`; a name is looked up in the background from `now` on.
    ///
    /// # Errors
    /// If the operating system refuses a thread.
    pub(super) fn tcp(
        server: Endpoint,
        framing: Framing,
        send_buffer: usize,
        now: Instant,
    ) -> Result<Self, Error> {
        let route = Route::Tcp(Resolver::new(server, now)?);
        Ok(Self::over(route, framing, send_buffer))
    }

    /// A connection to the Unix socket at `address`, which people call `path`.
    #[cfg(unix)]
    pub(super) fn unix(address: SockAddr, path: &str, framing: Framing, send_buffer: usize) -> Self {
        let path = path.into();
        Self::over(Route::Unix { address, path }, framing, send_buffer)
    }

    fn over(route: Route, framing: Framing, send_buffer: usize) -> Self {
        Self {
            route,
            framing,
            send_buffer,
            link: Link::Down,
            backoff: Backoff::default(),
            frame: Vec::new(),
            written: 0,
            stuck: STUCK,
            last_error: None,
        }
    }

    /// Sees to it that there is a connection that works as far as can be known; the error says why there is none.
    fn connected(&mut self, now: Instant) -> Result<(), Option<SendError>> {
        let mut chances = self.route.count();
        loop {
            let address = self.route.current(now).map_err(|error| {
                Some(SendError {
                    cause: Cause::Unresolved,
                    address: None,
                    error,
                })
            })?;
            let tried = match std::mem::replace(&mut self.link, Link::Down) {
                Link::Up(peer) if peer.address == address => match peer.look() {
                    Ok(()) => {
                        self.link = Link::Up(peer);
                        return Ok(());
                    }
                    Err(error) => {
                        if now.saturating_duration_since(peer.since) < SETTLED {
                            self.backoff.failed(now);
                        }
                        self.last_error = Some(self.route.error(&address, error));
                        continue;
                    }
                },
                Link::Connecting(peer) if peer.address == address => {
                    peer.check().map(|connected| (peer, connected))
                }
                // The server moved.
                Link::Up(_) | Link::Connecting(_) | Link::Down => {
                    if self.backoff.holds(now) {
                        return Err(None);
                    }
                    self.route.connect(&address, self.send_buffer, now)
                }
            };
            let error = match tried {
                Ok((mut peer, true)) => {
                    self.backoff.succeeded();
                    peer.since = now;
                    self.link = Link::Up(peer);
                    return Ok(());
                }
                Ok((peer, false)) if now.saturating_duration_since(peer.since) < CONNECT_DEADLINE => {
                    let error = self.route.error(&address, io::ErrorKind::WouldBlock.into());
                    self.link = Link::Connecting(peer);
                    return Err(Some(SendError {
                        cause: Cause::Connecting,
                        ..error
                    }));
                }
                Ok((_, false)) => io::ErrorKind::TimedOut.into(),
                Err(error) => error,
            };
            self.route.failed();
            chances = chances.saturating_sub(1);
            if chances == 0 {
                self.backoff.failed(now);
                return Err(Some(self.route.error(&address, error)));
            }
        }
    }

    /// Writes what is left of the frame.
    fn write(&mut self, now: Instant) -> Verdict {
        let deadline = os::deadline(now);
        let Link::Up(peer) = &mut self.link else {
            return self.cut(io::ErrorKind::NotConnected.into());
        };
        loop {
            match os::send_within(&peer.socket, &self.frame[self.written..], deadline) {
                Ok(0) => return self.cut(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    peer.full_since = None;
                    self.written += count;
                    if self.written == self.frame.len() {
                        self.written = 0;
                        return Verdict::Taken;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if cause(&error) == Cause::Full => {
                    if peer.full_since.get_or_insert_with(Instant::now).elapsed() >= self.stuck {
                        self.route.failed();
                        return self.cut(io::ErrorKind::TimedOut.into());
                    }
                    self.last_error = Some(self.route.error(&peer.address, error));
                    return if self.written == 0 {
                        Verdict::Refused
                    } else {
                        Verdict::Unfinished
                    };
                }
                Err(error) => return self.cut(error),
            }
        }
    }

    /// Closes the connection; says what of the payload under way is spent.
    fn cut(&mut self, error: io::Error) -> Verdict {
        if let Link::Up(peer) = &self.link {
            self.last_error = Some(self.route.error(&peer.address, error));
            let now = Instant::now();
            if now.saturating_duration_since(peer.since) < SETTLED {
                self.backoff.failed(now);
            }
        }
        match self.abandon() {
            0 => Verdict::Refused,
            bytes => Verdict::TakenUpTo(bytes),
        }
    }
}

impl Transport for Stream {
    fn send(&mut self, now: Instant, payload: &[u8]) -> Verdict {
        if self.written > 0 {
            if let Link::Up(peer) = &self.link
                && let Err(error) = peer.look()
            {
                return self.cut(error);
            }
            return self.write(now);
        }
        if let Err(error) = self.connected(now) {
            self.last_error = error.or(self.last_error.take());
            return Verdict::Refused;
        }
        self.frame.clear();
        match self.framing {
            Framing::Lines => {
                self.frame.extend_from_slice(payload);
                self.frame.push(b'\n');
            }
            Framing::Length => {
                // A payload is far shorter; see the range of the packet size.
                let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
                self.frame.extend_from_slice(&length.to_le_bytes());
                self.frame.extend_from_slice(payload);
            }
        }
        self.write(now)
    }

    fn abandon(&mut self) -> usize {
        let written = std::mem::take(&mut self.written);
        self.link = Link::Down;
        match self.framing {
            // All but the line end that closes the frame are the payload's own bytes.
            Framing::Lines => written.min(self.frame.len().saturating_sub(1)),
            Framing::Length => 0,
        }
    }

    fn retry_now(&mut self) {
        self.backoff.lift();
    }

    fn last_error(&self) -> Option<&SendError> {
        self.last_error.as_ref()
    }
}

impl Route {
    /// The address to use now; the error says why none is known.
    fn current(&mut self, now: Instant) -> io::Result<SockAddr> {
        match self {
            Self::Tcp(resolver) => match resolver.current(now) {
                Some(address) => Ok(address.into()),
                None => Err(resolver.why_unresolved()),
            },
            Self::Unix { address, .. } => Ok(address.clone()),
        }
    }

    /// How many addresses there are to try, at least one.
    fn count(&self) -> usize {
        match self {
            Self::Tcp(resolver) => resolver.count().max(1),
            Self::Unix { .. } => 1,
        }
    }

    /// The current address does not work.
    fn failed(&mut self) {
        if let Self::Tcp(resolver) = self {
            resolver.failed();
        }
    }

    /// Begins a connection, and tells whether it came about within [`WRITE_DEADLINE`].
    fn connect(&self, address: &SockAddr, send_buffer: usize, now: Instant) -> io::Result<(Peer, bool)> {
        let domain = address.domain();
        let socket = match self {
            Self::Tcp(_) => Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?,
            Self::Unix { .. } => Socket::new(domain, Type::STREAM, None)?,
        };
        os::prepare(&socket, send_buffer)?;
        let connected = match self {
            Self::Tcp(_) => {
                // Each only serves to notice trouble sooner, or to send the last of a flush sooner.
                let _ = socket.set_tcp_nodelay(true);
                let _ = socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE));
                #[cfg(any(target_os = "linux", target_os = "android"))]
                let _ = socket.set_tcp_user_timeout(Some(STUCK));
                let connected = socket.connect_timeout(address, WRITE_DEADLINE);
                socket.set_nonblocking(true)?;
                match connected {
                    Ok(()) => true,
                    // Not the kernel's own error but the end of our patience: it goes on.
                    Err(error)
                        if error.kind() == io::ErrorKind::TimedOut && error.raw_os_error().is_none() =>
                    {
                        false
                    }
                    Err(error) => return Err(error),
                }
            }
            // It comes about at once, or the server's queue is full.
            Self::Unix { .. } => socket.connect(address).map(|()| true)?,
        };
        let peer = Peer {
            socket,
            address: address.clone(),
            since: now,
            full_since: None,
        };
        let connected = connected && peer.check()?;
        Ok((peer, connected))
    }

    fn error(&self, address: &SockAddr, error: io::Error) -> SendError {
        let address = match self {
            Self::Tcp(_) => address.as_socket().map(|address| address.to_string()),
            Self::Unix { path, .. } => Some(path.clone()),
        };
        SendError {
            cause: cause(&error),
            address,
            error,
        }
    }
}

#[cfg(test)]
mod tests;
