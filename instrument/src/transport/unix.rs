//! Unix sockets: datagrams, streams, and whichever of them the server made.
//!
//! A datagram is taken or refused at once, and belongs to a server's queue from then on. A server that was killed and came
//! back has a new socket under the old name: the old one refuses, and the new one is connected to.

use super::{
    Cause, SendError, Transport, Verdict,
    backoff::Backoff,
    os::{self, cause},
    stream::Stream,
};
use crate::{
    config::{Framing, UnixKind},
    error::{Error, ErrorKind},
};
use socket2::{Domain, SockAddr, Socket, Type};
use std::{io, time::Instant};

/// The transport to the socket called `path`, or on Linux `@` and a name that is in no file system.
///
/// # Errors
/// If the path is none.
pub(super) fn open(
    path: &str,
    kind: UnixKind,
    framing: Framing,
    send_buffer: usize,
) -> Result<Box<dyn Transport>, Error> {
    let address = address(path)
        .map_err(|error| Error::io(ErrorKind::Socket, "not the path of a Unix socket", error))?;
    let datagram = Datagram::new(address.clone(), path, send_buffer);
    let stream = Stream::unix(address, path, framing, send_buffer);
    Ok(match kind {
        UnixKind::Datagram => Box::new(datagram),
        UnixKind::Stream => Box::new(stream),
        UnixKind::Either => Box::new(Either {
            datagram,
            stream,
            is_stream: false,
        }),
    })
}

fn address(path: &str) -> io::Result<SockAddr> {
    match path.strip_prefix('@') {
        Some(name) => SockAddr::unix(format!("\0{name}")),
        None => SockAddr::unix(path),
    }
}

/// Datagrams to one socket.
struct Datagram {
    address: SockAddr,
    path: String,
    send_buffer: usize,
    socket: Option<Socket>,
    backoff: Backoff,
    last_error: Option<SendError>,
}

impl Datagram {
    fn new(address: SockAddr, path: &str, send_buffer: usize) -> Self {
        Self {
            address,
            path: path.into(),
            send_buffer,
            socket: None,
            backoff: Backoff::default(),
            last_error: None,
        }
    }

    fn connect(&self) -> io::Result<Socket> {
        let socket = Socket::new(Domain::UNIX, Type::DGRAM, None)?;
        os::prepare(&socket, self.send_buffer)?;
        socket.connect(&self.address)?;
        Ok(socket)
    }

    /// Sends by the socket at hand, or by a new one; the error says why the datagram is certainly not there.
    fn send_once(&mut self, now: Instant, payload: &[u8]) -> io::Result<()> {
        let socket = match self.socket.take() {
            Some(socket) => socket,
            None => self.connect()?,
        };
        let sent = os::send_within(&socket, payload, os::deadline(now));
        let keep = sent.as_ref().map_or_else(
            |error| matches!(cause(error), Cause::Full | Cause::TooLarge),
            |_| true,
        );
        self.socket = keep.then_some(socket);
        sent.map(drop)
    }
}

impl Transport for Datagram {
    fn send(&mut self, now: Instant, payload: &[u8]) -> Verdict {
        let had_socket = self.socket.is_some();
        if !had_socket && self.backoff.holds(now) {
            return Verdict::Refused;
        }
        let mut sent = self.send_once(now, payload);
        if had_socket && self.socket.is_none() {
            // Its server is gone; there may be a new one already.
            sent = self.send_once(now, payload);
        }
        let Err(error) = sent else {
            self.backoff.succeeded();
            return Verdict::Taken;
        };
        if self.socket.is_none() {
            self.backoff.failed(now);
        }
        self.last_error = Some(SendError {
            cause: cause(&error),
            address: Some(self.path.clone()),
            error,
        });
        Verdict::Refused
    }

    fn retry_now(&mut self) {
        self.backoff.lift();
    }

    fn last_error(&self) -> Option<&SendError> {
        self.last_error.as_ref()
    }
}

/// Datagrams or a stream, as it turns out.
struct Either {
    datagram: Datagram,
    stream: Stream,
    is_stream: bool,
}

impl Either {
    fn current(&self) -> &dyn Transport {
        if self.is_stream {
            &self.stream
        } else {
            &self.datagram
        }
    }

    fn current_mut(&mut self) -> &mut dyn Transport {
        if self.is_stream {
            &mut self.stream
        } else {
            &mut self.datagram
        }
    }
}

impl Transport for Either {
    fn send(&mut self, now: Instant, payload: &[u8]) -> Verdict {
        let verdict = self.current_mut().send(now, payload);
        let wrong_type = self
            .last_error()
            .is_some_and(|error| error.cause == Cause::WrongType);
        if verdict != Verdict::Refused || !wrong_type {
            return verdict;
        }
        self.is_stream = !self.is_stream;
        self.current_mut().retry_now();
        self.current_mut().send(now, payload)
    }

    fn abandon(&mut self) -> usize {
        self.current_mut().abandon()
    }

    fn retry_now(&mut self) {
        self.current_mut().retry_now();
    }

    fn last_error(&self) -> Option<&SendError> {
        self.current().last_error()
    }
}

#[cfg(test)]
mod tests;
