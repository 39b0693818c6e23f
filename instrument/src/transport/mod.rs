//! Ways to hand a payload to the kernel, each telling truly whether it was taken.

mod resolve;
mod udp;

pub(crate) use udp::Udp;

use std::{fmt, io, net::SocketAddr, time::Instant};

/// Something that payloads are sent through. It never blocks.
pub(crate) trait Transport: Send {
    /// Hands `payload` to the kernel as one unit; what is refused may be sent again, what is taken may not.
    fn send(&mut self, now: Instant, payload: &[u8]) -> Verdict;

    /// Payloads that were said to be taken, and of which a refusal came back too late to send them again.
    fn refused_late(&self) -> u64 {
        0
    }

    /// What went wrong last; it stays until something else does.
    fn last_error(&self) -> Option<&SendError> {
        None
    }
}

/// What became of a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The kernel has it: spent, and never to be sent again.
    Taken,
    /// It certainly did not leave, or came back at once: still pending.
    Refused,
}

/// Kinds of trouble, for a log that speaks once a minute of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Cause {
    /// The server's name has no address yet.
    Unresolved,
    /// The peer refused: nothing listens there.
    Refused,
    /// The kernel's send buffer is full.
    Full,
    /// The payload is larger than the path carries; a smaller packet size helps.
    TooLarge,
    /// Anything else: no route, a firewall, no descriptors.
    Other,
}

/// Why a payload was refused, and where.
#[derive(Debug)]
pub(crate) struct SendError {
    /// The kind of trouble.
    pub(crate) cause: Cause,
    /// The address that was tried, if there was one.
    pub(crate) address: Option<SocketAddr>,
    /// What the operating system said.
    pub(crate) error: io::Error,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(address) = self.address {
            write!(f, "{address}: ")?;
        }
        write!(f, "{}", self.error)
    }
}
