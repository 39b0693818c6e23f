//! What each transport is by default.

use super::*;

#[test]
fn each_transport_by_variable_has_its_defaults() {
    let kib = 1024;
    for (name, value, target, packet_size, send_buffer, framing) in [
        (
            "STATSD_URL",
            "tcp://m:1",
            "tcp://m:1",
            8_192,
            256 * kib,
            Framing::Lines,
        ),
        (
            "STATSD_SOCKET_PATH",
            "/s",
            "unix:///s",
            8_192,
            256 * kib,
            Framing::Length,
        ),
        (
            "STATSD_ADDR",
            "/s",
            "unix:///s",
            8_192,
            256 * kib,
            Framing::Length,
        ),
        (
            "DD_DOGSTATSD_URL",
            "unixstream:///s",
            "unixstream:///s",
            8_192,
            256 * kib,
            Framing::Length,
        ),
        (
            "DD_DOGSTATSD_SOCKET",
            "unixgram:///s",
            "unixgram:///s",
            8_192,
            256 * kib,
            Framing::Lines,
        ),
        (
            "DD_AGENT_HOST",
            "m",
            "udp://m:8125",
            1_432,
            512 * kib,
            Framing::Lines,
        ),
    ] {
        let config = resolve(&[(name, value)]);
        assert_eq!(
            (config.target.to_string(), config.source.to_string()),
            (target.into(), name.into())
        );
        assert_eq!(
            (config.packet_size, config.send_buffer, config.framing),
            (packet_size, send_buffer, framing)
        );
        let set = ClientBuilder::default()
            .packet_size(600)
            .send_buffer(9_000)
            .framing(Framing::Lines);
        let config = resolve_from(set, &[(name, value)]).unwrap();
        assert_eq!(
            (config.packet_size, config.send_buffer, config.framing),
            (600, 9_000, Framing::Lines)
        );
        let stronger = ClientBuilder::default().address("metrics:8125");
        assert_eq!(
            resolve_from(stronger, &[(name, value)]).unwrap().source,
            Source::Builder
        );
    }
}
