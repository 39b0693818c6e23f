//! A receiver that gets datagrams, under load too, and ends when it should.

use super::*;
use crate::{
    batch::Packet,
    config::Endpoint,
    transport::{Transport, Udp, Verdict},
    wire::{Dialect, Wire},
};

use std::net::UdpSocket;

const BOUND: Duration = Duration::from_secs(20);

/// An address of a test's own, where no other takes the port while nobody listens.
fn own_address(last: u8) -> SocketAddr {
    let ip = if cfg!(target_os = "linux") {
        [127, 31, 8, last]
    } else {
        [127, 0, 0, 1]
    };
    SocketAddr::from((ip, 0))
}

fn sender_to(receiver: &Receiver) -> UdpSocket {
    let socket = UdpSocket::bind((receiver.address().ip(), 0)).unwrap();
    socket.connect(receiver.address()).unwrap();
    socket
}

#[test]
fn it_adds_up_what_comes() {
    let receiver = Receiver::start().unwrap();
    let socket = sender_to(&receiver);
    socket
        .send(b"a:1|c\na:2|c|#k:v\nt:0.5|ms|@0.5\ng:4|g\ns:x|s")
        .unwrap();
    socket.send(b"not a line").unwrap();
    assert!(receiver.wait_until(BOUND, |receiver| receiver.packets_seen() == 2));
    assert_eq!(receiver.counter("a"), 3);
    assert_eq!(
        receiver.counters(),
        BTreeMap::from([("a".into(), 1), ("a{k:v}".into(), 2)])
    );
    assert!((receiver.timer("t").unwrap().count - 2.0).abs() < 1e-9);
    assert_eq!(
        (receiver.timers(), receiver.gauge("g")),
        (vec!["t".into()], Some(4.0))
    );
    assert!(receiver.set("s").contains("x"));
    assert_eq!(receiver.packets()[1], b"not a line");
    assert_eq!(receiver.bad_lines(), [r#"no colon after a name: "not a line""#]);
}

#[test]
fn waiting_ends_at_the_timeout_and_a_wait_without_time_looks_once() {
    let receiver = Receiver::start().unwrap();
    let start = Instant::now();
    assert!(!receiver.wait_until(Duration::from_millis(20), |_| false));
    assert!(start.elapsed() >= Duration::from_millis(20));
    assert!(receiver.wait_until(Duration::ZERO, |_| true));
    assert!(!receiver.wait_until(Duration::ZERO, |_| false));
}

#[test]
fn a_drop_stops_it_at_once_and_frees_its_port() {
    let mut address = own_address(25);
    for _ in 0..50 {
        let receiver = Receiver::start_at(address).unwrap();
        address = receiver.address();
        sender_to(&receiver).send(b"a:1|c").unwrap();
        let shared = Arc::downgrade(&receiver.shared);
        drop(receiver);
        assert!(shared.upgrade().is_none(), "a thread is left");
    }
}

#[test]
fn an_empty_datagram_does_no_harm() {
    let receiver = Receiver::start().unwrap();
    let socket = sender_to(&receiver);
    socket.send(&[]).unwrap();
    socket.send(b"a:1|c").unwrap();
    assert!(receiver.wait_until(BOUND, |receiver| receiver.counter("a") == 1));
    assert!(receiver.bad_lines().is_empty());
}

/// The library's own path, from a count to a sum at the other end.
#[test]
fn what_the_transport_says_it_sent_arrives() {
    let receiver = Receiver::start_at("[::1]:0".parse().unwrap()).unwrap();
    let target = Endpoint {
        host: "::1".into(),
        port: receiver.address().port(),
    };
    let mut udp = Udp::new(target, 512 * 1024, Instant::now()).unwrap();
    let wire = Wire::new(
        Dialect::DogStatsd,
        Some("celery"),
        &[("env".into(), "test".into())],
        false,
    );
    let names = wire.task("mytask", &[], 0);
    let mut packet = Packet::new(512);
    let mut line = Vec::new();
    let mut calls = 0;
    for _ in 0..200 {
        // One packet at a time, so that even the smallest receive buffer holds it.
        for delta in 1.. {
            line.clear();
            wire.counter(&names.started, delta, &mut line);
            if !packet.push(&line) {
                break;
            }
            calls += delta;
        }
        assert_eq!(udp.send(Instant::now(), packet.bytes()), Verdict::Taken);
        packet.clear();
        assert!(
            receiver.wait_until(BOUND, |receiver| receiver.counter(names.started.as_str())
                == calls)
        );
    }
    assert_eq!(
        receiver.counters(),
        BTreeMap::from([("celery.tasks.status.mytask.started{env:test}".into(), calls)])
    );
    assert!(receiver.bad_lines().is_empty());
}

/// Every transport of the library against the receiver of its kind, which goes away and comes back.
#[cfg(unix)]
#[test]
fn each_transport_finds_its_receiver_again() {
    use crate::{Client, transport};
    type Start<'a> = Box<dyn Fn() -> io::Result<Receiver> + 'a>;
    let path = std::env::temp_dir().join(format!("instrument-task-{}-receiver.sock", std::process::id()));
    let tcp = Receiver::start_tcp(own_address(26)).unwrap();
    let address = tcp.address();
    drop(tcp);
    let starts: [(Framing, Start); 4] = [
        (Framing::Lines, Box::new(|| Receiver::start_tcp(address))),
        (
            Framing::Lines,
            Box::new(|| Receiver::start_unixstream(&path, Framing::Lines)),
        ),
        (
            Framing::Length,
            Box::new(|| Receiver::start_unixstream(&path, Framing::Length)),
        ),
        (Framing::Lines, Box::new(|| Receiver::start_unixgram(&path))),
    ];
    for (framing, start) in starts {
        let mut transport = None;
        for round in 0..5 {
            let receiver = start().unwrap();
            let transport = transport.get_or_insert_with(|| {
                let config = Client::builder()
                    .ignore_environment()
                    .address(receiver.url())
                    .framing(framing)
                    .resolve()
                    .unwrap();
                assert_eq!(config.target.to_string(), receiver.url());
                transport::open(&config, Instant::now()).unwrap()
            });
            transport.retry_now();
            for payload in [&b"a:1|c\nb:2|c"[..], b"a:3|c"] {
                let verdict = transport.send(Instant::now(), payload);
                assert_eq!(verdict, Verdict::Taken, "{} {round}", receiver.url());
            }
            assert!(receiver.wait_until(BOUND, |receiver| receiver.counter("a") == 4));
            assert!(receiver.bad_lines().is_empty(), "{:?}", receiver.bad_lines());
            let shared = Arc::downgrade(&receiver.shared);
            drop(receiver);
            assert!(shared.upgrade().is_none(), "a thread is left");
            assert_eq!(transport.send(Instant::now(), b"c:1|c"), Verdict::Refused);
        }
    }
    assert!(!path.exists());
}

#[test]
fn a_stream_that_ends_within_a_line_is_noted() {
    use std::{io::Write, net::TcpStream};
    let receiver = Receiver::start_tcp((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let mut stream = TcpStream::connect(receiver.address()).unwrap();
    stream.write_all(b"a:1|c\na:1").unwrap();
    assert!(receiver.wait_until(BOUND, |receiver| receiver.counter("a") == 1));
    assert!(receiver.bad_lines().is_empty());
    stream.write_all(b"0|c\na:5|c").unwrap();
    drop(stream);
    assert!(receiver.wait_until(BOUND, |receiver| !receiver.bad_lines().is_empty()));
    assert_eq!(receiver.counter("a"), 11);
}
