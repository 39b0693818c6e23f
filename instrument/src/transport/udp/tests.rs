//! Real sockets on this host. A server is "down" while its socket is connected to somebody else: the kernel then
//! refuses our datagrams as if nobody listened, and nobody can take the port meanwhile.

use super::*;
use crate::transport::resolve::Lookup;
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket},
    sync::Arc,
    time::Duration,
};

const BOUND: Duration = Duration::from_secs(20);
const BUFFER: usize = 512 * 1024;
const LOOPBACKS: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

struct Server {
    socket: UdpSocket,
    /// Whom the server listens to while it is down.
    nobody: UdpSocket,
}

impl Server {
    fn down(ip: IpAddr) -> Self {
        let bind = || UdpSocket::bind((ip, 0)).unwrap();
        let server = Self {
            socket: bind(),
            nobody: bind(),
        };
        server
            .socket
            .connect(server.nobody.local_addr().unwrap())
            .unwrap();
        server.socket.set_read_timeout(Some(BOUND)).unwrap();
        server
    }

    fn address(&self) -> SocketAddr {
        self.socket.local_addr().unwrap()
    }

    /// Starts to listen to `udp`, which has tried to send before.
    fn come_up(&self, udp: &Udp) {
        let sender = udp.peer.as_ref().unwrap().socket.local_addr().unwrap();
        self.socket.connect(sender.as_socket().unwrap()).unwrap();
    }

    fn go_down(&self) {
        self.socket.connect(self.nobody.local_addr().unwrap()).unwrap();
    }

    fn receive(&self) -> Vec<u8> {
        let mut buffer = [0; 2_048];
        let len = self.socket.recv(&mut buffer).unwrap();
        buffer[..len].to_vec()
    }
}

fn to(address: SocketAddr) -> Udp {
    Udp::new(
        Endpoint {
            host: address.ip().to_string(),
            port: address.port(),
        },
        BUFFER,
        Instant::now(),
    )
    .unwrap()
}

/// Sends by a name that has these addresses.
fn to_all(addresses: &[SocketAddr], now: Instant) -> Udp {
    let addresses = addresses.to_vec();
    let lookup: Lookup = Arc::new(move |_, _| Ok(addresses.clone()));
    let target = Endpoint {
        host: "metrics.test".into(),
        port: 1,
    };
    let mut udp = Udp::over(Resolver::with_lookup(target, now, lookup).unwrap(), BUFFER);
    let end = Instant::now() + BOUND;
    while udp.resolver.current(now).is_none() {
        assert!(Instant::now() < end, "no answer");
        std::thread::yield_now();
    }
    udp
}

#[test]
fn a_datagram_arrives_over_both_families() {
    for ip in LOOPBACKS {
        let server = UdpSocket::bind((ip, 0)).unwrap();
        server.set_read_timeout(Some(BOUND)).unwrap();
        let mut udp = to(server.local_addr().unwrap());
        assert_eq!(udp.send(Instant::now(), b"a:1|c"), Verdict::Taken);
        let mut buffer = [0; 16];
        let len = server.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..len], b"a:1|c");
        assert!(udp.last_error().is_none() && udp.refused_late() == 0);
    }
}

/// Whatever came in was said to be taken, and what was refused did not come in.
#[test]
fn every_refusal_is_matched_to_its_datagram() {
    for ip in LOOPBACKS {
        let server = Server::down(ip);
        let mut udp = to(server.address());
        let now = Instant::now();
        for round in 0..2_000_u32 {
            match round % 100 {
                40 => server.come_up(&udp),
                60 => server.go_down(),
                _ => {}
            }
            let payload = format!("a:{round}|c");
            let up = (40..60).contains(&(round % 100));
            let expected = if up { Verdict::Taken } else { Verdict::Refused };
            assert_eq!(udp.send(now, payload.as_bytes()), expected, "round {round}");
            if up {
                assert_eq!(server.receive(), payload.as_bytes());
            }
        }
        assert_eq!(udp.refused_late(), 0);
        let error = udp.last_error().unwrap();
        assert_eq!(
            (error.cause, error.address.clone()),
            (Cause::Refused, Some(server.address().to_string()))
        );
        assert!(error.to_string().starts_with(&server.address().to_string()));
    }
}

#[test]
fn an_own_address_that_is_not_loopback_is_local_too() {
    // Which address this host would send from; nothing is sent.
    let probe = UdpSocket::bind("0.0.0.0:0").unwrap();
    if probe.connect("192.0.2.1:9").is_err() {
        // No route but loopback: there is no such address here.
        return;
    }
    let server = Server::down(probe.local_addr().unwrap().ip());
    let mut udp = to(server.address());
    assert_eq!(udp.send(Instant::now(), b"a:1|c"), Verdict::Refused);
    assert!(udp.peer.as_ref().unwrap().local);
}

#[test]
fn an_answer_to_an_earlier_datagram_is_counted_and_blames_no_other() {
    let server = Server::down(LOOPBACKS[0]);
    let mut udp = to(server.address());
    let now = Instant::now();
    assert_eq!(udp.send(now, b"a:1|c"), Verdict::Refused);
    // One whose fate nobody looked at.
    udp.peer.as_ref().unwrap().socket.send(b"a:2|c").unwrap();
    server.come_up(&udp);
    assert_eq!(udp.send(now, b"a:3|c"), Verdict::Taken);
    assert_eq!(udp.refused_late(), 1);
    assert_eq!(server.receive(), b"a:3|c");
}

#[test]
fn an_answer_from_another_host_is_never_sent_again() {
    let server = Server::down(LOOPBACKS[0]);
    let mut udp = to(server.address());
    let now = Instant::now();
    assert_eq!(udp.send(now, b"a:1|c"), Verdict::Refused);
    udp.peer.as_mut().unwrap().local = false;
    assert_eq!(udp.send(now, b"a:2|c"), Verdict::Taken);
    assert_eq!(udp.refused_late(), 1);
    assert_eq!(udp.last_error().unwrap().cause, Cause::Refused);
}

#[test]
fn a_payload_too_large_says_so_and_does_no_harm() {
    let server = UdpSocket::bind((LOOPBACKS[0], 0)).unwrap();
    let mut udp = to(server.local_addr().unwrap());
    let now = Instant::now();
    assert_eq!(udp.send(now, &vec![b'x'; 70_000]), Verdict::Refused);
    assert_eq!(udp.last_error().unwrap().cause, Cause::TooLarge);
    assert_eq!(udp.send(now, b"a:1|c"), Verdict::Taken);
    assert_eq!(udp.refused_late(), 0);
}

#[test]
fn every_address_of_a_name_has_its_chance_in_one_send() {
    let (dead, live) = (
        Server::down(LOOPBACKS[1]),
        UdpSocket::bind((LOOPBACKS[0], 0)).unwrap(),
    );
    live.set_read_timeout(Some(BOUND)).unwrap();
    let now = Instant::now();
    let mut udp = to_all(&[dead.address(), live.local_addr().unwrap()], now);
    for _ in 0..3 {
        assert_eq!(udp.send(now, b"a:1|c"), Verdict::Taken);
        assert_eq!(live.recv(&mut [0; 16]).unwrap(), 5);
    }
    // Held, so that nobody takes its port.
    let dead_too = Server::down(LOOPBACKS[0]);
    let mut udp = to_all(&[dead.address(), dead_too.address()], now);
    assert_eq!(udp.send(now, b"a:1|c"), Verdict::Refused);
}

#[test]
fn a_name_without_an_answer_refuses_and_does_not_wait() {
    let (release, hang) = crossbeam_channel::bounded::<()>(0);
    let lookup: Lookup = Arc::new(move |_, _| {
        let _ = hang.recv();
        Ok(Vec::new())
    });
    let target = Endpoint {
        host: "metrics.test".into(),
        port: 1,
    };
    let now = Instant::now();
    let mut udp = Udp::over(Resolver::with_lookup(target, now, lookup).unwrap(), BUFFER);
    assert_eq!(udp.send(now, b"a:1|c"), Verdict::Refused);
    assert_eq!(udp.last_error().unwrap().cause, Cause::Unresolved);
    assert!(now.elapsed() < BOUND);
    drop(release);
}

#[test]
fn an_unreachable_network_is_no_error_until_it_is_used() {
    // Reserved, and routed nowhere; a machine that does route it takes the datagram.
    let mut udp = to("[100::1]:9".parse().unwrap());
    let verdict = udp.send(Instant::now(), b"a:1|c");
    assert!(verdict == Verdict::Taken || udp.last_error().unwrap().cause == Cause::Other);
}

#[test]
fn a_name_that_has_a_dead_address_first_and_then_a_live_one() {
    let (dead, live) = (
        Server::down(LOOPBACKS[0]),
        UdpSocket::bind((LOOPBACKS[0], 0)).unwrap(),
    );
    live.set_read_timeout(Some(BOUND)).unwrap();
    let now = Instant::now();
    let answers = crossbeam_channel::bounded(2);
    for address in [dead.address(), live.local_addr().unwrap()] {
        answers.0.send(address).unwrap();
    }
    let lookup: Lookup = Arc::new(move |_, _| Ok(vec![answers.1.recv_timeout(BOUND).unwrap()]));
    let server = Endpoint {
        host: "metrics.test".into(),
        port: 1,
    };
    let mut udp = Udp::over(Resolver::with_lookup(server, now, lookup).unwrap(), BUFFER);
    let end = Instant::now() + BOUND;
    while udp
        .last_error()
        .is_none_or(|error| error.cause == Cause::Unresolved)
    {
        assert!(Instant::now() < end, "no answer");
        assert_eq!(udp.send(now, b"a:1|c"), Verdict::Refused);
    }
    // Time passes for the look-up alone: a failed address asks for another one.
    let later = now + Duration::from_secs(1);
    while udp.send(later, b"a:1|c") == Verdict::Refused {
        assert!(Instant::now() < end, "never found");
    }
    assert_eq!(live.recv(&mut [0; 16]).unwrap(), 5);
    assert_eq!(udp.refused_late(), 0);
}
