//! What the transports ask of the operating system, and how they read its errors.

use super::{Cause, WRITE_DEADLINE};
use socket2::Socket;
use std::{
    io,
    time::{Duration, Instant},
};

/// Never blocks, and has the send buffer that was asked for, or as much of it as the system gives.
pub(super) fn prepare(socket: &Socket, send_buffer: usize) -> io::Result<()> {
    socket.set_nonblocking(true)?;
    // Less is slower, not wrong.
    let _ = socket.set_send_buffer_size(send_buffer);
    Ok(())
}

/// Until when to wait for a peer, for somebody who began at `now`, perhaps with other payloads.
pub(super) fn deadline(now: Instant) -> Instant {
    now.min(Instant::now()) + WRITE_DEADLINE
}

/// Sends what the kernel takes of `bytes`; while it takes nothing, waits for it until `deadline`.
///
/// # Errors
/// Those of `send`; [`WouldBlock`](io::ErrorKind::WouldBlock) if there was no room in time.
pub(super) fn send_within(socket: &Socket, bytes: &[u8], deadline: Instant) -> io::Result<usize> {
    let sent = socket.send_with_flags(bytes, NO_SIGNAL);
    if !matches!(&sent, Err(error) if error.kind() == io::ErrorKind::WouldBlock) {
        return sent;
    }
    let left = deadline.saturating_duration_since(Instant::now());
    if left < SHORTEST {
        return sent;
    }
    // The kernel waits better than we could: it goes on as soon as there is room.
    socket.set_write_timeout(Some(left))?;
    socket.set_nonblocking(false)?;
    let sent = socket.send_with_flags(bytes, NO_SIGNAL);
    socket.set_nonblocking(true)?;
    sent
}

/// A wait so short that the kernel might take it for one without an end.
const SHORTEST: Duration = Duration::from_millis(1);

/// What kind of trouble an error is.
pub(super) fn cause(error: &io::Error) -> Cause {
    use io::ErrorKind::{
        BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, NotConnected, NotFound, TimedOut,
        UnexpectedEof, WouldBlock,
    };
    match (error.kind(), error.raw_os_error()) {
        (ConnectionRefused | NotFound, _) => Cause::Refused,
        (ConnectionReset | ConnectionAborted | BrokenPipe | NotConnected | UnexpectedEof, _) => Cause::Closed,
        (TimedOut, _) => Cause::Silent,
        (WouldBlock, _) | (_, Some(NO_BUFFERS)) => Cause::Full,
        (_, Some(MESSAGE_SIZE)) => Cause::TooLarge,
        (_, Some(WRONG_TYPE)) => Cause::WrongType,
        _ => Cause::Other,
    }
}

// The numbers of what has no name in the standard library.
#[cfg(any(target_os = "linux", target_os = "android"))]
mod numbers {
    pub(super) const NO_BUFFERS: i32 = 105;
    pub(super) const MESSAGE_SIZE: i32 = 90;
    pub(super) const WRONG_TYPE: i32 = 91;
    pub(super) const NO_SIGNAL: i32 = 0x4000;
}
#[cfg(windows)]
mod numbers {
    pub(super) const NO_BUFFERS: i32 = 10_055;
    pub(super) const MESSAGE_SIZE: i32 = 10_040;
    pub(super) const WRONG_TYPE: i32 = 10_041;
    pub(super) const NO_SIGNAL: i32 = 0;
}
#[cfg(not(any(target_os = "linux", target_os = "android", windows)))]
mod numbers {
    pub(super) const NO_BUFFERS: i32 = 55;
    pub(super) const MESSAGE_SIZE: i32 = 40;
    pub(super) const WRONG_TYPE: i32 = 41;
    /// Where a signal could come, the sockets are made without it.
    pub(super) const NO_SIGNAL: i32 = if cfg!(any(target_os = "freebsd", target_os = "dragonfly")) {
        0x2_0000
    } else if cfg!(any(target_os = "netbsd", target_os = "openbsd")) {
        0x400
    } else {
        0
    };
}
use numbers::{MESSAGE_SIZE, NO_BUFFERS, NO_SIGNAL, WRONG_TYPE};
