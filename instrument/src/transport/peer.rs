//! A connection, and what can be known of whoever is at its other end.

use socket2::{SockAddr, Socket};
use std::{
    io::{self, Read},
    time::Instant,
};

/// The peer of a stream that is connected, or is about to be.
pub(super) struct Peer {
    pub(super) socket: Socket,
    pub(super) address: SockAddr,
    /// When it was connected to, or began to be.
    pub(super) since: Instant,
    /// Since when it has taken nothing of what was offered.
    pub(super) full_since: Option<Instant>,
}

impl Peer {
    /// Whether a connection has come about.
    pub(super) fn check(&self) -> io::Result<bool> {
        if let Some(error) = self.socket.take_error()? {
            return Err(error);
        }
        match self.socket.peer_addr() {
            Ok(peer) => {
                // A port of this host where nobody listens may be the one that the connection itself goes out from.
                if self.address.is_ipv4() || self.address.is_ipv6() {
                    let own = self.socket.local_addr()?;
                    if own.as_socket() == peer.as_socket() {
                        return Err(io::ErrorKind::ConnectionRefused.into());
                    }
                }
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Looks whether the peer is still there, past anything that it says.
    pub(super) fn look(&self) -> io::Result<()> {
        let mut ignored = [0; 512];
        // A server has little to say; one that talks on and on is heard out another time.
        for _ in 0..64 {
            match (&self.socket).read(&mut ignored) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Drop for Peer {
    /// A socket that is closed with something unread makes the kernel throw away what it still has to send.
    fn drop(&mut self) {
        let _ = self.look();
    }
}
