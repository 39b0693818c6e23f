//! The way to the server.
use crate::{
    config::Target,
    error::{Error, ErrorKind},
};
use std::{fmt, io, net::UdpSocket, time::Instant};

/// What became of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Taken,
    Refused(Refusal),
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    NotYet,
    Refused,
}

pub(crate) trait Transport: Send + fmt::Debug {
    fn send(&mut self, now: Instant, payload: &[u8]) -> Verdict;
    fn refused_late(&self) -> u64 {
        0
    }
    fn describe(&self, refusal: Refusal) -> String;
}
pub(crate) fn open(target: &Target) -> Result<Box<dyn Transport>, Error> {
    let open = || -> io::Result<UdpSocket> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.connect((target.host.as_str(), target.port))?;
        socket.set_nonblocking(true)?;
        Ok(socket)
    };
    Ok(Box::new(Udp(
        open().map_err(|e| Error::io(ErrorKind::Socket, "no socket", e))?
    )))
}
#[derive(Debug)]
struct Udp(UdpSocket);
impl Transport for Udp {
    fn send(&mut self, _now: Instant, payload: &[u8]) -> Verdict {
        let sent = self.0.send(payload).and_then(|_| self.0.take_error());
        match sent {
            Ok(None) => Verdict::Taken,
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Verdict::Refused(Refusal::NotYet),
            _ => Verdict::Refused(Refusal::Refused),
        }
    }
    fn describe(&self, _: Refusal) -> String {
        "the server refused a datagram".into()
    }
}
