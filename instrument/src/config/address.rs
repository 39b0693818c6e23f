//! Where the server is, in the forms people write it.

use super::{Endpoint, Target, UnixKind};
use std::net::{IpAddr, Ipv6Addr};

const NOT_A_HOST: &str = "not a host name or IP address";
const NOT_A_PORT: &str = "not a port between 1 and 65535";
const NOT_A_SCHEME: &str = "not one of udp://, tcp://, unix://, unixgram:// and unixstream://";
const NOT_A_PATH: &str = "not an absolute path, nor a name behind an @";

/// The longest host name that DNS can hold.
const HOST_LIMIT: usize = 253;

/// The longest path that fits a socket address with the NUL behind it.
const PATH_LIMIT: usize = if cfg!(any(target_os = "linux", target_os = "android")) {
    107
} else {
    103
};

/// Reads a URL, `host:port`, `[::1]:8125`, `::1`, `host`, `:port`, or the path of a Unix socket; the error says why not.
pub(super) fn parse(text: &str) -> Result<Target, &'static str> {
    let Some((scheme, rest)) = text.split_once("://") else {
        return if text.starts_with(['/', '@']) {
            socket(text)
        } else {
            endpoint(text).map(Target::Udp)
        };
    };
    let place = rest.strip_suffix('/').unwrap_or(rest);
    match scheme.to_ascii_lowercase().as_str() {
        "udp" => endpoint(place).map(Target::Udp),
        "tcp" => endpoint(place).map(Target::Tcp),
        "unix" => unix(rest, UnixKind::Either),
        "unixgram" => unix(rest, UnixKind::Datagram),
        "unixstream" => unix(rest, UnixKind::Stream),
        _ => Err(NOT_A_SCHEME),
    }
}

/// Reads the path of a Unix socket, or a URL of one.
pub(super) fn socket(text: &str) -> Result<Target, &'static str> {
    if !text.contains("://") {
        return unix(text, UnixKind::Either);
    }
    match parse(text)? {
        target @ Target::Unix { .. } => Ok(target),
        Target::Udp(_) | Target::Tcp(_) => Err(NOT_A_PATH),
    }
}

fn unix(path: &str, kind: UnixKind) -> Result<Target, &'static str> {
    let is_abstract = path.starts_with('@');
    if !cfg!(unix) {
        return Err("this system has no Unix sockets");
    }
    if is_abstract && !cfg!(any(target_os = "linux", target_os = "android")) {
        return Err("only Linux has sockets without a path");
    }
    if !(is_abstract || path.starts_with('/')) || path.len() < 2 || path.contains('\0') {
        return Err(NOT_A_PATH);
    }
    if path.len() > PATH_LIMIT {
        return Err("longer than the address of a socket can be");
    }
    Ok(Target::Unix {
        path: path.into(),
        kind,
    })
}

fn endpoint(text: &str) -> Result<Endpoint, &'static str> {
    if text.is_empty() {
        return Err("empty: write host:port");
    }
    let mut endpoint = Endpoint::default();
    // Several colons without brackets are an IPv6 address, and no port can follow.
    if text.parse::<Ipv6Addr>().is_ok() {
        endpoint.host = text.into();
        return Ok(endpoint);
    }
    let (host_text, port_text) = match text.rsplit_once(':') {
        Some((before, after)) if !after.ends_with(']') => (before, Some(after)),
        _ => (text, None),
    };
    if !host_text.is_empty() {
        endpoint.host = host(host_text)?;
    }
    if let Some(text) = port_text {
        endpoint.port = port(text)?;
    }
    Ok(endpoint)
}

/// Reads a host alone: a name, an IPv4 address, or an IPv6 address with or without brackets.
pub(super) fn host(text: &str) -> Result<String, &'static str> {
    if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return if is_ipv6(inner) {
            Ok(inner.into())
        } else {
            Err(NOT_A_HOST)
        };
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    let is_name = name.len() <= HOST_LIMIT
        && name.split('.').all(|label| {
            !label.is_empty()
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        });
    if is_name || is_ipv6(text) {
        Ok(text.into())
    } else {
        Err(NOT_A_HOST)
    }
}

/// Reads a port; 0 is none.
pub(super) fn port(text: &str) -> Result<u16, &'static str> {
    // `parse` would also take a plus sign.
    match text.parse() {
        Ok(port) if port > 0 && text.bytes().all(|b| b.is_ascii_digit()) => Ok(port),
        _ => Err(NOT_A_PORT),
    }
}

/// Whether `text` is an IPv6 address, which a zone such as `%eth0` may follow.
fn is_ipv6(text: &str) -> bool {
    let (address, zone) = text.split_once('%').unwrap_or((text, "0"));
    let zone_ok = !zone.is_empty()
        && zone
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    zone_ok && matches!(address.parse(), Ok(IpAddr::V6(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form() {
        for (text, host, port) in [
            ("metrics.internal:9125", "metrics.internal", 9125),
            ("udp://metrics.internal:9125", "metrics.internal", 9125),
            ("UDP://10.0.0.1:9125/", "10.0.0.1", 9125),
            ("udp://metrics", "metrics", 8125),
            ("metrics.internal.", "metrics.internal.", 8125),
            ("stats_d-1", "stats_d-1", 8125),
            ("10.0.0.1", "10.0.0.1", 8125),
            (":9125", "127.0.0.1", 9125),
            ("[::1]:9125", "::1", 9125),
            ("[::1]", "::1", 8125),
            ("::1", "::1", 8125),
            ("[fe80::1%eth0]:9125", "fe80::1%eth0", 9125),
            ("udp://[2001:db8::7]:1", "2001:db8::7", 1),
        ] {
            let host = host.into();
            assert_eq!(parse(text), Ok(Target::Udp(Endpoint { host, port })), "{text}");
        }
        let host = "metrics".into();
        assert_eq!(
            parse("TCP://metrics:1/"),
            Ok(Target::Tcp(Endpoint { host, port: 1 }))
        );
    }

    #[cfg(unix)]
    #[test]
    fn every_form_of_a_unix_socket() {
        use UnixKind::{Datagram, Either, Stream};
        let run = "/run/s.sock";
        for (text, path, kind) in [
            ("unix:///run/s.sock", run, Either),
            ("UnixGram:///run/s.sock", run, Datagram),
            ("unixstream:///run/s.sock", run, Stream),
            ("/run/s.sock", run, Either),
            ("/run/a b:1/", "/run/a b:1/", Either),
            #[cfg(target_os = "linux")]
            ("@statsd", "@statsd", Either),
            #[cfg(target_os = "linux")]
            ("unixgram://@statsd", "@statsd", Datagram),
        ] {
            let path = path.to_owned();
            let target = Target::Unix { path, kind };
            assert_eq!(parse(text).as_ref(), Ok(&target), "{text}");
            assert_eq!(socket(text).as_ref(), Ok(&target), "{text}");
            assert_eq!(parse(&target.to_string()), Ok(target));
        }
        for text in [
            "unix://",
            "unix://run/s.sock",
            "unixgram:///",
            "unixstream://@",
            "/",
            "@",
            "/a\0b",
        ] {
            assert_eq!(parse(text), Err(NOT_A_PATH), "{text}");
        }
        for text in ["s.sock", "", "udp://host:1", "tcp://host:1"] {
            assert_eq!(socket(text), Err(NOT_A_PATH), "{text}");
        }
        let long = format!("/{}", "a".repeat(PATH_LIMIT - 1));
        assert!(parse(&long).is_ok() && parse(&(long + "a")).is_err());
    }

    #[test]
    fn every_refusal() {
        for text in ["http://host", "unixpacket:///s", "://host"] {
            assert_eq!(parse(text), Err(NOT_A_SCHEME), "{text}");
        }
        for text in [
            "host:",
            "host:0",
            "host:65536",
            "host:+1",
            "host:81 25",
            "host:x",
            "::",
            ":",
        ] {
            assert!(
                parse(text) == Err(NOT_A_PORT) || text == "::",
                "{text}: {:?}",
                parse(text)
            );
        }
        for text in [
            "a b",
            "a..b",
            ".a",
            "user@host",
            "a/b",
            "münchen",
            "[host]:1",
            "[::1",
            "a:b:1",
            "?",
            "x\n",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse(&"a".repeat(254)).is_err());
        assert!(parse("").is_err() && parse("udp://").is_err() && parse("tcp:///").is_err());
    }

    #[test]
    fn a_host_alone_has_no_port() {
        assert_eq!(host("[::1]").as_deref(), Ok("::1"));
        assert_eq!(host("::1").as_deref(), Ok("::1"));
        assert!(host("host:8125").is_err() && host("").is_err());
    }
}
