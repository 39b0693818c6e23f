//! Ways to hand a payload to the kernel, each telling truly whether it was taken.

mod backoff;
mod os;
mod peer;
mod resolve;
mod stream;
mod udp;
#[cfg(unix)]
mod unix;

pub(crate) use udp::Udp;

use crate::{
    config::{Config, Target},
    error::Error,
};
use std::{
    fmt, io,
    time::{Duration, Instant},
};

/// How long a full peer, or one that is slow to connect, is waited for at most.
///
/// Longer than a server needs to empty its queue, and short enough for the flusher to do all else on time.
pub(crate) const WRITE_DEADLINE: Duration = Duration::from_millis(100);

/// The transport that a configuration asks for. A name is looked up in the background from `now` on.
///
/// That nobody listens, or that there is no route, is no error: that may change.
///
/// # Errors
/// If the operating system refuses a socket or a thread.
pub(crate) fn open(config: &Config, now: Instant) -> Result<Box<dyn Transport>, Error> {
    let Config {
        send_buffer, framing, ..
    } = *config;
    Ok(match config.target.clone() {
        Target::Udp(server) => Box::new(Udp::new(server, send_buffer, now)?),
        Target::Tcp(server) => Box::new(stream::Stream::tcp(server, framing, send_buffer, now)?),
        #[cfg(unix)]
        Target::Unix { path, kind } => unix::open(&path, kind, framing, send_buffer)?,
        #[cfg(not(unix))]
        Target::Unix { .. } => {
            let error = io::ErrorKind::Unsupported.into();
            return Err(Error::io(
                crate::error::ErrorKind::Socket,
                "no Unix sockets here",
                error,
            ));
        }
    })
}

/// Something that payloads are sent through.
pub(crate) trait Transport: Send {
    /// Hands `payload` to the kernel, and waits for room until [`WRITE_DEADLINE`] after `now` at most; what is refused may be sent again, what is taken may not.
    ///
    /// After [`Verdict::Unfinished`] the same payload has to be offered until the verdict is another, or
    /// [`abandon`](Self::abandon) is called.
    fn send(&mut self, now: Instant, payload: &[u8]) -> Verdict;

    /// Gives an unfinished payload up, and closes the stream that has a part of it. Returns how many bytes of the payload are spent.
    fn abandon(&mut self) -> usize {
        0
    }

    /// Somebody waits for a flush: a pause between two tries to connect is over.
    fn retry_now(&mut self) {}

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
    /// The kernel has as many bytes of it, and the stream is closed: lines that end within are spent, the rest is pending.
    TakenUpTo(usize),
    /// The kernel has a part of it, and no room for more now. What is spent shows when the rest has gone, or the stream is closed.
    Unfinished,
}

/// Kinds of trouble, for a log that speaks once a minute of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Cause {
    /// The server's name has no address yet.
    Unresolved,
    /// The peer refused: nothing listens there.
    Refused,
    /// The connection is being made.
    Connecting,
    /// The peer closed the connection.
    Closed,
    /// No answer in time.
    Silent,
    /// The kernel's send buffer is full, or the peer's queue.
    Full,
    /// The payload is larger than the path carries; a smaller packet size helps.
    TooLarge,
    /// A Unix socket of another type than the one asked for.
    WrongType,
    /// Anything else: no route, a firewall, no descriptors.
    Other,
}

/// Why a payload was refused, and where.
#[derive(Debug)]
pub(crate) struct SendError {
    /// The kind of trouble.
    pub(crate) cause: Cause,
    /// The address that was tried, if there was one.
    pub(crate) address: Option<String>,
    /// What the operating system said.
    pub(crate) error: io::Error,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(address) = &self.address {
            write!(f, "{address}: ")?;
        }
        write!(f, "{}", self.error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asks again and again until there is an answer.
    pub(super) fn until<T>(mut ready: impl FnMut() -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(answer) = ready() {
                return answer;
            }
            assert!(start.elapsed() < Duration::from_secs(20), "no answer in time");
            std::thread::yield_now();
        }
    }

    /// A path for a socket of one test.
    #[cfg(unix)]
    pub(super) fn fresh_path() -> String {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("instrument-task-{}-{number}.sock", std::process::id());
        std::env::temp_dir()
            .join(name)
            .to_str()
            .expect("a folder with a plain name")
            .into()
    }
}
