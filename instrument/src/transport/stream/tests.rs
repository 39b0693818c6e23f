//! Real sockets on this host.

use super::*;
use crate::transport::{resolve::Lookup, tests::until};
use std::{
    io::Read,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream},
    sync::Arc,
    thread,
};

const BOUND: Duration = Duration::from_secs(20);
const BUFFER: usize = 16 * 1024;

fn listen() -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap()
}

fn tcp(address: SocketAddr, framing: Framing) -> Stream {
    let server = Endpoint {
        host: address.ip().to_string(),
        port: address.port(),
    };
    Stream::tcp(server, framing, BUFFER, Instant::now()).unwrap()
}

/// Sends to a name that has these addresses.
fn tcp_to_all(addresses: &[SocketAddr], now: Instant) -> Stream {
    let found = addresses.to_vec();
    let lookup: Lookup = Arc::new(move |_, _| Ok(found.clone()));
    let server = Endpoint {
        host: "metrics.test".into(),
        port: 1,
    };
    let mut stream = Stream::over(
        Route::Tcp(Resolver::with_lookup(server, now, lookup).unwrap()),
        Framing::Lines,
        BUFFER,
    );
    let end = Instant::now() + BOUND;
    while stream.route.current(now).is_err() {
        assert!(Instant::now() < end, "no answer");
        thread::yield_now();
    }
    stream
}

fn accept(listener: &TcpListener) -> TcpStream {
    let peer = listener.accept().unwrap().0;
    peer.set_read_timeout(Some(BOUND)).unwrap();
    peer
}

fn receive(peer: &mut impl Read, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    peer.read_exact(&mut bytes).unwrap();
    bytes
}

/// Payloads of numbered lines until one does not fit any more; returns the lines that were said to be taken.
fn fill(stream: &mut Stream, lines: usize) -> (String, Vec<u8>) {
    let mut taken = String::new();
    for number in 0..1_000_000 {
        let payload = format!("a.{number}:1|c\n").repeat(lines);
        let payload = payload.trim_end().as_bytes().to_vec();
        match stream.send(Instant::now(), &payload) {
            Verdict::Taken => taken += &(String::from_utf8_lossy(&payload).into_owned() + "\n"),
            Verdict::Unfinished => return (taken, payload),
            // Full between two payloads: the next one may be cut.
            Verdict::Refused => assert_eq!(stream.last_error().unwrap().cause, Cause::Full),
            other @ Verdict::TakenUpTo(_) => panic!("{other:?}"),
        }
    }
    panic!("never full");
}

#[test]
fn a_payload_arrives_in_either_frame_over_both_families() {
    for ip in [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
        let listener = TcpListener::bind((ip, 0)).unwrap();
        for (framing, expected) in [
            (Framing::Lines, &b"a:1|c\nb:2|c\nc:3|c\n"[..]),
            (Framing::Length, b"\x0b\0\0\0a:1|c\nb:2|c\x05\0\0\0c:3|c"),
        ] {
            let mut stream = tcp(listener.local_addr().unwrap(), framing);
            assert_eq!(stream.send(Instant::now(), b"a:1|c\nb:2|c"), Verdict::Taken);
            assert_eq!(stream.send(Instant::now(), b"c:3|c"), Verdict::Taken);
            drop(stream);
            let mut bytes = Vec::new();
            accept(&listener).read_to_end(&mut bytes).unwrap();
            assert_eq!(bytes, expected);
        }
    }
}

#[test]
fn a_cut_payload_is_completed_when_there_is_room() {
    let listener = listen();
    let mut stream = tcp(listener.local_addr().unwrap(), Framing::Lines);
    let (mut expected, payload) = fill(&mut stream, 500);
    let start = Instant::now();
    // The peer's kernel may still make room, by packing closer what it holds.
    let mut verdict = stream.send(start, &payload);
    assert!(
        start.elapsed() < WRITE_DEADLINE + Duration::from_secs(5),
        "it waited past its deadline"
    );
    expected += &(String::from_utf8_lossy(&payload).into_owned() + "\n");
    let (mut peer, length) = (accept(&listener), expected.len());
    let reader = thread::spawn(move || receive(&mut peer, length));
    let end = Instant::now() + BOUND;
    while verdict == Verdict::Unfinished {
        assert!(Instant::now() < end, "never completed");
        verdict = stream.send(Instant::now(), &payload);
    }
    assert_eq!(verdict, Verdict::Taken);
    assert!(reader.join().unwrap() == expected.as_bytes());
}

/// What the peer can read to the end of the stream is what was said to be spent, and one line that is cut.
#[test]
fn of_a_cut_payload_the_whole_lines_are_spent() {
    let listener = listen();
    let mut stream = tcp(listener.local_addr().unwrap(), Framing::Lines);
    let (expected, payload) = fill(&mut stream, 500);
    let spent = stream.abandon();
    assert!(spent > 0 && spent < payload.len());
    let mut bytes = Vec::new();
    accept(&listener).read_to_end(&mut bytes).unwrap();
    assert!(bytes == [expected.as_bytes(), &payload[..spent]].concat());
    // The next payload goes by a new connection.
    assert_eq!(stream.send(Instant::now(), b"b:1|c"), Verdict::Taken);
    assert_eq!(receive(&mut accept(&listener), 6), b"b:1|c\n");
}

#[test]
fn of_a_cut_frame_with_its_length_nothing_is_spent() {
    let listener = listen();
    let mut stream = tcp(listener.local_addr().unwrap(), Framing::Length);
    fill(&mut stream, 500);
    assert_eq!((stream.abandon(), stream.written), (0, 0));
}

#[test]
fn a_peer_that_dies_while_a_payload_is_cut_says_what_is_spent() {
    let listener = listen();
    let mut stream = tcp(listener.local_addr().unwrap(), Framing::Lines);
    let (_, payload) = fill(&mut stream, 500);
    let spent = stream.written;
    drop(accept(&listener));
    let verdict = until(|| {
        let verdict = stream.send(Instant::now(), &payload);
        (verdict != Verdict::Unfinished).then_some(verdict)
    });
    let Verdict::TakenUpTo(bytes) = verdict else {
        panic!("{verdict:?}");
    };
    assert!(bytes >= spent && bytes < payload.len(), "{bytes} of {spent}");
    assert_eq!(stream.last_error().unwrap().cause, Cause::Closed);
}

#[test]
fn a_peer_that_never_reads_is_left_in_time() {
    let listener = listen();
    let mut stream = tcp(listener.local_addr().unwrap(), Framing::Lines);
    let (_, payload) = fill(&mut stream, 500);
    stream.stuck = Duration::ZERO;
    // As long as the peer's kernel makes room, by packing closer what it holds.
    let mut taken = 0;
    let verdict = until(|| {
        let verdict = stream.send(Instant::now(), &payload);
        taken += u32::from(verdict == Verdict::Taken);
        (verdict != Verdict::Taken).then_some(verdict)
    });
    // Between two payloads nothing is spent.
    let is_left = matches!(verdict, Verdict::TakenUpTo(_)) || taken > 0 && verdict == Verdict::Refused;
    assert!(is_left, "{verdict:?}");
    assert_eq!(stream.last_error().unwrap().cause, Cause::Silent);
}

#[test]
fn a_closed_peer_is_noticed_before_the_write() {
    let listener = listen();
    let mut stream = tcp(listener.local_addr().unwrap(), Framing::Lines);
    let now = Instant::now();
    for round in 0..50 {
        // Pauses between connections that are over too soon are another test's matter.
        stream.retry_now();
        let later = now + SETTLED * round;
        assert_eq!(stream.send(later, b"a:1|c"), Verdict::Taken);
        let mut peer = accept(&listener);
        assert_eq!(receive(&mut peer, 6), b"a:1|c\n");
        // What a server says is passed over on the way.
        io::Write::write_all(&mut peer, b"welcome\n").unwrap();
        assert_eq!(stream.send(later, b"b:1|c"), Verdict::Taken);
        assert_eq!(receive(&mut peer, 6), b"b:1|c\n");
    }
}

#[test]
fn a_server_that_turns_away_is_not_asked_again_at_once() {
    let listener = listen();
    let mut stream = tcp(listener.local_addr().unwrap(), Framing::Lines);
    let now = Instant::now();
    assert_eq!(stream.send(now, b"a:1|c"), Verdict::Taken);
    let mut peer = accept(&listener);
    assert_eq!(receive(&mut peer, 6), b"a:1|c\n");
    drop(peer);
    assert_eq!(stream.send(now, b"b:1|c"), Verdict::Refused);
    assert_eq!(stream.last_error().unwrap().cause, Cause::Closed);
    assert_eq!(stream.send(now + SETTLED, b"b:1|c"), Verdict::Taken);
    assert_eq!(receive(&mut accept(&listener), 6), b"b:1|c\n");
}

#[test]
fn nobody_there_is_refused_and_tried_again_after_a_pause() {
    let listener = listen();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let mut stream = tcp(address, Framing::Lines);
    let now = Instant::now();
    for _ in 0..3 {
        assert_eq!(stream.send(now, b"a:1|c"), Verdict::Refused);
        assert_eq!(stream.last_error().unwrap().cause, Cause::Refused);
    }
    assert!(stream.backoff.holds(now));
    let Ok(listener) = TcpListener::bind(address) else {
        // Somebody else took the port.
        return;
    };
    assert_eq!(stream.send(now, b"a:1|c"), Verdict::Refused);
    stream.retry_now();
    assert_eq!(stream.send(now, b"a:1|c"), Verdict::Taken);
    assert_eq!(receive(&mut accept(&listener), 6), b"a:1|c\n");
}

#[test]
fn every_address_of_a_name_has_its_chance_in_one_send() {
    let (dead, live) = (listen(), listen());
    let addresses = [&dead, &live].map(|listener| listener.local_addr().unwrap());
    // Bound, so that nobody takes its port, and deaf.
    let unheard = Socket::new(socket2::Domain::IPV4, Type::STREAM, None).unwrap();
    drop(dead);
    if unheard.bind(&addresses[0].into()).is_err() {
        return;
    }
    let now = Instant::now();
    let mut stream = tcp_to_all(&addresses, now);
    assert_eq!(stream.send(now, b"a:1|c"), Verdict::Taken);
    assert_eq!(receive(&mut accept(&live), 6), b"a:1|c\n");
}

/// A server whose queue is full answers nothing, as one behind a firewall does.
#[cfg(target_os = "linux")]
#[test]
fn a_connection_that_does_not_come_about_holds_nobody_up() {
    let silent = Socket::new(socket2::Domain::IPV4, Type::STREAM, None).unwrap();
    silent
        .bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())
        .unwrap();
    silent.listen(0).unwrap();
    let address = silent.local_addr().unwrap().as_socket().unwrap();
    let mut queued = Vec::new();
    while let Ok(socket) = TcpStream::connect_timeout(&address, WRITE_DEADLINE) {
        queued.push(socket);
        assert!(queued.len() < 100, "its queue has no end");
    }
    let live = listen();
    let now = Instant::now();
    let mut stream = tcp_to_all(&[address, live.local_addr().unwrap()], now);
    for _ in 0..3 {
        assert_eq!(stream.send(now, b"a:1|c"), Verdict::Refused);
        assert_eq!(stream.last_error().unwrap().cause, Cause::Connecting);
    }
    assert!(now.elapsed() < BOUND);
    // In the end the next address has its turn.
    assert_eq!(stream.send(now + CONNECT_DEADLINE, b"a:1|c"), Verdict::Taken);
    assert_eq!(receive(&mut accept(&live), 6), b"a:1|c\n");
}

#[cfg(unix)]
#[test]
fn a_unix_stream_carries_frames_and_ends_where_a_payload_ends() {
    use std::os::unix::net::UnixListener;
    let path = crate::transport::tests::fresh_path();
    let listener = UnixListener::bind(&path).unwrap();
    let address = SockAddr::unix(&path).unwrap();
    let mut stream = Stream::unix(address, &path, Framing::Length, BUFFER);
    assert_eq!(stream.send(Instant::now(), b"a:1|c"), Verdict::Taken);
    // The kernel cuts no payload that is shorter than half its buffer.
    let (_, payload) = fill(&mut stream, 5_000);
    let mut peer = listener.accept().unwrap().0;
    let reader = thread::spawn(move || {
        let mut bytes = Vec::new();
        peer.read_to_end(&mut bytes).unwrap();
        bytes
    });
    let end = Instant::now() + BOUND;
    while stream.send(Instant::now(), &payload) == Verdict::Unfinished {
        assert!(Instant::now() < end, "never completed");
    }
    drop(stream);
    let bytes = reader.join().unwrap();
    let (mut at, mut frames) = (0, 0);
    while at < bytes.len() {
        let length = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        at += 4 + length;
        frames += 1;
    }
    assert!(at == bytes.len() && frames > 1 && bytes.ends_with(&payload));
    std::fs::remove_file(path).unwrap();
}

#[test]
fn a_name_that_moves_takes_the_connection_along() {
    let (old, new) = (listen(), listen());
    let addresses = [&old, &new].map(|listener| listener.local_addr().unwrap());
    let answers = crossbeam_channel::bounded(2);
    for address in addresses {
        answers.0.send(address).unwrap();
    }
    let lookup: Lookup = Arc::new(move |_, _| Ok(vec![answers.1.recv_timeout(BOUND).unwrap()]));
    let server = Endpoint {
        host: "metrics.test".into(),
        port: 1,
    };
    let now = Instant::now();
    let route = Route::Tcp(Resolver::with_lookup(server, now, lookup).unwrap());
    let mut stream = Stream::over(route, Framing::Lines, BUFFER);
    until(|| (stream.send(now, b"a:1|c") == Verdict::Taken).then_some(()));
    // Long enough for another look-up; what comes meanwhile still goes to the old address.
    let later = now + Duration::from_secs(60);
    let mut sent = 1;
    until(|| {
        assert_eq!(stream.send(later, b"a:1|c"), Verdict::Taken);
        sent += 1;
        matches!(&stream.link, Link::Up(peer) if peer.address == addresses[1].into()).then_some(())
    });
    drop(stream);
    let mut bytes = [Vec::new(), Vec::new()];
    accept(&old).read_to_end(&mut bytes[0]).unwrap();
    accept(&new).read_to_end(&mut bytes[1]).unwrap();
    assert_eq!(bytes[1], b"a:1|c\n");
    assert_eq!(bytes.concat(), b"a:1|c\n".repeat(sent));
}
