//! Real sockets on this host.

use super::*;
use crate::transport::{
    WRITE_DEADLINE,
    tests::{fresh_path, until},
};
use std::{
    fs,
    io::Read,
    os::unix::net::{UnixDatagram, UnixListener},
    thread,
    time::Duration,
};

const BOUND: Duration = Duration::from_secs(20);
const BUFFER: usize = 256 * 1024;

fn to(path: &str, kind: UnixKind) -> Box<dyn Transport> {
    open(path, kind, Framing::Length, BUFFER).unwrap()
}

fn bind(path: &str) -> UnixDatagram {
    let socket = UnixDatagram::bind(path).unwrap();
    socket.set_read_timeout(Some(BOUND)).unwrap();
    socket
}

fn receive(socket: &UnixDatagram) -> Vec<u8> {
    let mut buffer = vec![0; 65_536];
    let length = socket.recv(&mut buffer).unwrap();
    buffer.truncate(length);
    buffer
}

#[test]
fn a_datagram_arrives_and_may_be_larger_than_any_of_udp() {
    let path = fresh_path();
    let server = bind(&path);
    for kind in [UnixKind::Datagram, UnixKind::Either] {
        let mut unix = to(&path, kind);
        assert_eq!(unix.send(Instant::now(), b"a:1|c"), Verdict::Taken);
        assert_eq!(receive(&server), b"a:1|c");
        assert_eq!(unix.send(Instant::now(), &vec![b'x'; 65_507]), Verdict::Taken);
        assert_eq!(receive(&server).len(), 65_507);
        assert!(unix.last_error().is_none());
    }
    fs::remove_file(path).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_in_no_file_system() {
    use std::os::linux::net::SocketAddrExt;
    let name = fresh_path();
    let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
    let server = UnixDatagram::bind_addr(&address).unwrap();
    server.set_read_timeout(Some(BOUND)).unwrap();
    let mut unix = to(&format!("@{name}"), UnixKind::Datagram);
    assert_eq!(unix.send(Instant::now(), b"a:1|c"), Verdict::Taken);
    assert_eq!(receive(&server), b"a:1|c");
}

/// Whatever was said to be taken came in, and what was refused did not.
#[test]
fn a_receiver_that_is_killed_and_bound_again_is_found_at_once() {
    let path = fresh_path();
    let mut unix = to(&path, UnixKind::Datagram);
    for round in 0..50_u32 {
        let payload = format!("a:{round}|c").into_bytes();
        let now = Instant::now();
        unix.retry_now();
        assert_eq!(unix.send(now, &payload), Verdict::Refused);
        assert_eq!(unix.last_error().unwrap().cause, Cause::Refused);
        let server = bind(&path);
        // A pause is not over by itself.
        assert_eq!(unix.send(now, &payload), Verdict::Refused);
        unix.retry_now();
        assert_eq!(unix.send(now, &payload), Verdict::Taken);
        assert_eq!(receive(&server), payload);
        drop(server);
        if round % 2 == 0 {
            // It left its name behind: nobody listens there.
            assert_eq!(unix.send(now, &payload), Verdict::Refused);
        }
        fs::remove_file(&path).unwrap();
        if round % 5 == 0 {
            // Killed and back between two sends.
            unix.retry_now();
            drop(bind(&path));
            fs::remove_file(&path).unwrap();
            let server = bind(&path);
            assert_eq!(unix.send(now, &payload), Verdict::Taken);
            assert_eq!(receive(&server), payload);
            drop(server);
            fs::remove_file(&path).unwrap();
        }
    }
}

#[test]
fn a_full_queue_is_waited_for_and_is_no_reason_to_connect_anew() {
    let path = fresh_path();
    let server = bind(&path);
    let mut unix = to(&path, UnixKind::Datagram);
    let payload = [b'x'; 8_192];
    let mut taken = 0;
    while unix.send(Instant::now(), &payload) == Verdict::Taken {
        taken += 1;
        assert!(taken < 100_000, "never full");
    }
    assert_eq!(unix.last_error().unwrap().cause, Cause::Full);
    let start = Instant::now();
    assert_eq!(unix.send(start, &payload), Verdict::Refused);
    assert!((WRITE_DEADLINE / 2..BOUND).contains(&start.elapsed()));
    // A server that reads makes room while we wait.
    let reader = thread::spawn(move || {
        let mut count = 0;
        while receive(&server) != b"end" {
            count += 1;
        }
        count
    });
    for _ in 0..1_000 {
        // The reader may be late on a busy machine; what counts is that nothing is lost or doubled.
        taken += usize::from(unix.send(Instant::now(), &payload) == Verdict::Taken);
    }
    until(|| (unix.send(Instant::now(), b"end") == Verdict::Taken).then_some(()));
    assert_eq!(reader.join().unwrap(), taken);
    fs::remove_file(path).unwrap();
}

#[test]
fn either_type_is_found_out_and_found_out_anew() {
    let path = fresh_path();
    let mut unix = to(&path, UnixKind::Either);
    assert_eq!(unix.send(Instant::now(), b"a:1|c"), Verdict::Refused);
    for _ in 0..3 {
        let listener = UnixListener::bind(&path).unwrap();
        unix.retry_now();
        assert_eq!(unix.send(Instant::now(), b"a:1|c"), Verdict::Taken);
        let mut bytes = [0; 9];
        let mut peer = listener.accept().unwrap().0;
        peer.read_exact(&mut bytes).unwrap();
        assert_eq!(&bytes, b"\x05\0\0\0a:1|c");
        drop((peer, listener));
        fs::remove_file(&path).unwrap();

        let server = bind(&path);
        // The connection that was over too soon asks for a pause.
        assert_eq!(unix.send(Instant::now(), b"b:1|c"), Verdict::Refused);
        unix.retry_now();
        assert_eq!(unix.send(Instant::now(), b"b:1|c"), Verdict::Taken);
        assert_eq!(receive(&server), b"b:1|c");
        drop(server);
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn one_type_alone_does_not_do_for_the_other() {
    let path = fresh_path();
    let listener = UnixListener::bind(&path).unwrap();
    let mut unix = to(&path, UnixKind::Datagram);
    assert_eq!(unix.send(Instant::now(), b"a:1|c"), Verdict::Refused);
    let error = unix.last_error().unwrap();
    assert_eq!(
        (error.cause, error.address.as_deref()),
        (Cause::WrongType, Some(&*path))
    );
    drop(listener);
    fs::remove_file(path).unwrap();
}
