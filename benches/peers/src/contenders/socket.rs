//! A socket per call, as the Python decorator had it.

use std::{
    net::{SocketAddr, UdpSocket},
    sync::OnceLock,
    time::Instant,
};

use super::limits;
use crate::{
    Contender, Running, batch,
    work::{Refused, body},
};

/// A socket per call.
pub const SOCKET: &str = "a socket per call";

/// A socket per call.
pub const CONTENDERS: &[Contender] = &[Contender {
    name: SOCKET,
    base: limits::BARE,
    set_up: |to| {
        TO.set(to).map_err(|_| "set up twice")?;
        Ok(Running::plain(batch!(task)))
    },
}];

static TO: OnceLock<SocketAddr> = OnceLock::new();

#[inline(never)]
fn task(n: u64) -> Result<u64, Refused> {
    let (Some(to), Ok(socket)) = (TO.get(), UdpSocket::bind("127.0.0.1:0")) else {
        return body(n);
    };
    let send = |line: &[u8]| {
        let _ = socket.send_to(line, to);
    };
    send(b"tasks.status.task.started:1|c");
    let begun = Instant::now();
    let result = body(n);
    if result.is_ok() {
        send(b"tasks.status.task.success:1|c");
        let took = begun.elapsed().as_secs_f64() * 1e3;
        send(format!("tasks.duration.task.success:{took:.8}|ms").as_bytes());
    } else {
        send(b"tasks.status.task.exceptions:1|c");
    }
    result
}
