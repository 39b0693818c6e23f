//! Where the server is, in the forms people write it.

use super::Target;
use std::net::{IpAddr, Ipv6Addr};

/// Why a target of another transport is refused.
pub(super) const ONLY_UDP: &str = "not supported yet: only udp";

const NOT_A_HOST: &str = "not a host name or IP address";
const NOT_A_PORT: &str = "not a port between 1 and 65535";

/// The longest host name that DNS can hold.
const HOST_LIMIT: usize = 253;

/// Reads `host:port`, `udp://host:port`, `[::1]:8125`, `::1`, `host` and `:port`; the error says why not.
pub(super) fn parse(text: &str) -> Result<Target, &'static str> {
    let text = match text.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("udp") => rest.strip_suffix('/').unwrap_or(rest),
        Some(_) => return Err(ONLY_UDP),
        None if text.starts_with('/') => return Err(ONLY_UDP),
        None => text,
    };
    if text.is_empty() {
        return Err("empty: write host:port");
    }
    let mut target = Target::default();
    // Several colons without brackets are an IPv6 address, and no port can follow.
    if text.parse::<Ipv6Addr>().is_ok() {
        target.host = text.into();
        return Ok(target);
    }
    let (host_text, port_text) = match text.rsplit_once(':') {
        Some((before, after)) if !after.ends_with(']') => (before, Some(after)),
        _ => (text, None),
    };
    if !host_text.is_empty() {
        target.host = host(host_text)?;
    }
    if let Some(text) = port_text {
        target.port = port(text)?;
    }
    Ok(target)
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
            assert_eq!(
                parse(text),
                Ok(Target {
                    host: host.into(),
                    port
                }),
                "{text}"
            );
        }
    }

    #[test]
    fn every_refusal() {
        for text in [
            "unix:///run/s.sock",
            "unixgram:///s",
            "tcp://host:8125",
            "http://host",
            "/run/s.sock",
        ] {
            assert_eq!(parse(text), Err(ONLY_UDP), "{text}");
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
        assert!(parse("").is_err() && parse("udp://").is_err());
    }

    #[test]
    fn a_host_alone_has_no_port() {
        assert_eq!(host("[::1]").as_deref(), Ok("::1"));
        assert_eq!(host("::1").as_deref(), Ok("::1"));
        assert!(host("host:8125").is_err() && host("").is_err());
    }
}
