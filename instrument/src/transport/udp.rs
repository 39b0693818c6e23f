//! UDP, and what can be known about a datagram's fate.
//!
//! The socket is connected, so that the kernel hands back what an unreachable peer answers. On Linux, a
//! datagram for a port of this host where nobody listens is answered within the call that sent it: the error is
//! pending as soon as `send` returns, and belongs to that datagram. From another host the answer takes a round
//! trip. By then it may be about any datagram, and may concern one that was duplicated or delivered after all;
//! such a loss is counted and nothing is sent again, because a count that is doubled is worse than one that is
//! known to be missing.
//!
//! (Linux keeps the refused datagram's own bytes beside such an answer, in the socket's error queue. Reading that takes
//! a system call that has no safe wrapper here, and still could not tell a datagram that was delivered and answered for.)
//!
//! A server that took a datagram into its receive buffer and died before it read it is beyond what any sender
//! can see.

use super::{
    Cause, SendError, Transport, Verdict,
    os::{self, cause},
    resolve::Resolver,
};
use crate::{
    config::Endpoint,
    error::{Error, ErrorKind},
};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::{io, net::SocketAddr, time::Instant};

/// Datagrams to one server, by one of its addresses at a time.
pub(crate) struct Udp {
    resolver: Resolver,
    send_buffer: usize,
    peer: Option<Peer>,
    refused_late: u64,
    last_error: Option<SendError>,
}

/// A socket that is connected to one address.
struct Peer {
    socket: Socket,
    address: SocketAddr,
    /// It is on this host, where a refusal comes back at once.
    local: bool,
}

impl Udp {
    /// Datagrams to `server`; a name is looked up in the background from `now` on.
    ///
    /// That nobody listens, or that there is no route, is no error: that may change.
    ///
    /// # Errors
    /// If the operating system refuses a socket or a thread.
    pub(crate) fn new(server: Endpoint, send_buffer: usize, now: Instant) -> Result<Self, Error> {
        let mut resolver = Resolver::new(server, now)?;
        if let Some(address) = resolver.current(now) {
            // What can never work is said now, while somebody listens.
            open(address, send_buffer)
                .map_err(|error| Error::io(ErrorKind::Socket, "cannot open a UDP socket", error))?;
        }
        Ok(Self::over(resolver, send_buffer))
    }

    fn over(resolver: Resolver, send_buffer: usize) -> Self {
        Self {
            resolver,
            send_buffer,
            peer: None,
            refused_late: 0,
            last_error: None,
        }
    }

    /// Sends to the current address; the error says why the datagram is certainly not there.
    fn send_once(&mut self, now: Instant, payload: &[u8]) -> Result<(), SendError> {
        self.reap();
        let Some(address) = self.resolver.current(now) else {
            let error = self.resolver.why_unresolved();
            return Err(SendError {
                cause: Cause::Unresolved,
                address: None,
                error,
            });
        };
        let refused = |error| SendError {
            cause: cause(&error),
            address: Some(address.to_string()),
            error,
        };
        let peer = match self.peer.take() {
            Some(peer) if peer.address == address => self.peer.insert(peer),
            _ => self
                .peer
                .insert(Peer::connect(address, self.send_buffer).map_err(refused)?),
        };
        if let Err(error) = peer.socket.send(payload) {
            // An answer to an earlier datagram that came in since we looked stops this one before it leaves.
            self.refused_late += u64::from(error.kind() == io::ErrorKind::ConnectionRefused);
            return Err(refused(error));
        }
        match peer.pending_error() {
            Some(error) if peer.local => Err(refused(error)),
            Some(error) => {
                self.note_late(refused(error));
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Takes in an answer to a datagram that was sent earlier, so that it is not taken for this one's.
    fn reap(&mut self) {
        let Some(peer) = &self.peer else { return };
        if let Some(error) = peer.pending_error() {
            let address = Some(peer.address.to_string());
            self.note_late(SendError {
                cause: cause(&error),
                address,
                error,
            });
        }
    }

    fn note_late(&mut self, error: SendError) {
        self.refused_late += 1;
        self.last_error = Some(error);
        self.resolver.failed();
    }
}

impl Transport for Udp {
    fn send(&mut self, now: Instant, payload: &[u8]) -> Verdict {
        // Each address has one chance: `localhost` may be two, and the server on the second.
        let mut chances = self.resolver.count().max(1);
        loop {
            let Err(error) = self.send_once(now, payload) else {
                return Verdict::Taken;
            };
            let elsewhere = matches!(error.cause, Cause::Refused | Cause::Other);
            self.last_error = Some(error);
            chances -= 1;
            if elsewhere {
                self.resolver.failed();
            }
            if !elsewhere || chances == 0 {
                return Verdict::Refused;
            }
        }
    }

    fn refused_late(&self) -> u64 {
        self.refused_late
    }

    fn last_error(&self) -> Option<&SendError> {
        self.last_error.as_ref()
    }
}

impl Peer {
    fn connect(address: SocketAddr, send_buffer: usize) -> io::Result<Self> {
        let socket = open(address, send_buffer)?;
        socket.connect(&SockAddr::from(address))?;
        // To reach one of its own addresses, a host sends from that very address.
        let own = socket.local_addr().ok().and_then(|own| own.as_socket());
        let local = address.ip().is_loopback() || own.is_some_and(|own| own.ip() == address.ip());
        Ok(Self {
            socket,
            address,
            local,
        })
    }

    /// The answer that is pending, if any; looking takes it.
    fn pending_error(&self) -> Option<io::Error> {
        // Failing to look tells nothing about any datagram.
        self.socket.take_error().ok().flatten()
    }
}

/// A socket that can reach `address` and never blocks.
fn open(address: SocketAddr, send_buffer: usize) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    os::prepare(&socket, send_buffer)?;
    Ok(socket)
}

#[cfg(test)]
mod tests;
