//! Every setter and every variable: what it gives, which one wins, and what is refused.

mod tags;
#[cfg(unix)]
mod transports;

use super::*;
use crate::error::{Error, ErrorKind};
use std::ffi::OsString;

type Vars<'a> = &'a [(&'a str, &'a str)];

fn resolve_from(builder: ClientBuilder, vars: Vars) -> Result<Config, Error> {
    builder.resolve_with(&|name| {
        vars.iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| (*value).into())
    })
}

fn resolve(vars: Vars) -> Config {
    resolve_from(ClientBuilder::default(), vars).unwrap()
}

/// The message of an error, which has to name the variable or setter and the value.
fn refusal(builder: ClientBuilder, vars: Vars, what: &str, value: &str) {
    let error = resolve_from(builder, vars).unwrap_err();
    let text = error.to_string();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(
        text.starts_with(&format!("{what}=\"")) && text.contains(value),
        "{text}"
    );
    assert!(!text.contains('\n'));
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(key, value)| ((*key).into(), (*value).into()))
        .collect()
}

#[test]
fn defaults() {
    let config = resolve(&[]);
    assert_eq!(config.target.to_string(), "udp://127.0.0.1:8125");
    assert_eq!(config.source.to_string(), "default");
    assert_eq!((config.prefix, config.instance), (None, None));
    assert_eq!(config.flush_interval, Duration::from_secs(1));
    assert_eq!(config.drain_interval, Duration::from_millis(100));
    assert_eq!((config.timer_budget, config.client_timer_budget), (1_000, 20_000));
    assert_eq!((config.packet_size, config.cardinality_cap), (1_432, 10_000));
    assert_eq!(config.idle_expiry, Some(Duration::from_secs(300)));
    assert!(config.tags.is_empty() && config.origin == Origin::default());
    assert_eq!(config.dialect, Dialect::Statsd);
    assert!((config.sample_rate - 1.0).abs() < f64::EPSILON);
    assert!(!config.tags_in_names && !config.telemetry && !config.time_every_outcome && !config.disabled);
    assert_eq!(config.shutdown_deadline, Duration::from_secs(2));
}

#[test]
fn every_setter_arrives() {
    let second = Duration::from_secs(3);
    let builder = ClientBuilder::default()
        .address("udp://[::1]:9")
        .prefix("celery")
        .instance("web-3")
        .flush_interval(second)
        .drain_interval(second)
        .timer_budget(1)
        .client_timer_budget(2)
        .packet_size(8_000)
        .tag("a", "b")
        .tag("bare", "")
        .tags_in_names(true)
        .dialect(Dialect::DogStatsd)
        .sample_rate(0.5)
        .cardinality_cap(7)
        .idle_expiry(None)
        .telemetry(true)
        .time_every_outcome(true)
        .shutdown_deadline(Duration::ZERO);
    let config = resolve_from(builder, &[]).unwrap();
    assert_eq!(
        (config.target.to_string(), config.source.to_string()),
        ("udp://[::1]:9".into(), "builder".into())
    );
    assert_eq!(config.prefix.as_deref(), Some("celery"));
    assert_eq!(config.instance.as_deref(), Some("web-3"));
    assert_eq!((config.flush_interval, config.drain_interval), (second, second));
    assert_eq!((config.timer_budget, config.client_timer_budget), (1, 2));
    assert_eq!((config.packet_size, config.cardinality_cap), (8_000, 7));
    assert_eq!(config.idle_expiry, None);
    assert_eq!(config.tags, pairs(&[("a", "b"), ("bare", "")]));
    assert!(config.tags_in_names && config.telemetry && config.time_every_outcome);
    assert_eq!(config.dialect, Dialect::DogStatsd);
    assert!((config.sample_rate - 0.5).abs() < f64::EPSILON);
    assert_eq!(config.shutdown_deadline, Duration::ZERO);
}

#[test]
fn each_target_wins_over_the_ones_below_it() {
    // The strongest first; each step takes the first one away.
    let ladder: &[(Vars, &str, &str, Dialect)] = &[
        (
            &[("STATSD_URL", "udp://a:1")],
            "udp://a:1",
            "STATSD_URL",
            Dialect::Statsd,
        ),
        (
            &[("STATSD_ADDR", "b:2")],
            "udp://b:2",
            "STATSD_ADDR",
            Dialect::Statsd,
        ),
        (
            &[("STATSD_HOST", "c"), ("STATSD_PORT", "3")],
            "udp://c:3",
            "STATSD_HOST and STATSD_PORT",
            Dialect::Statsd,
        ),
        (
            &[("DD_DOGSTATSD_URL", "udp://d:4")],
            "udp://d:4",
            "DD_DOGSTATSD_URL",
            Dialect::DogStatsd,
        ),
        (
            &[("DD_AGENT_HOST", "e"), ("DD_DOGSTATSD_PORT", "5")],
            "udp://e:5",
            "DD_AGENT_HOST and DD_DOGSTATSD_PORT",
            Dialect::DogStatsd,
        ),
        (&[], "udp://127.0.0.1:8125", "default", Dialect::Statsd),
    ];
    for (step, (_, target, source, dialect)) in ladder.iter().enumerate() {
        let vars: Vec<_> = ladder[step..]
            .iter()
            .flat_map(|row| row.0.iter().copied())
            .collect();
        let config = resolve(&vars);
        assert_eq!(config.target.to_string(), *target);
        assert_eq!(config.source.to_string(), *source);
        assert_eq!(config.dialect, *dialect);
        let built = resolve_from(ClientBuilder::default().address("z:9"), &vars).unwrap();
        assert_eq!(
            (built.target.to_string(), built.source),
            ("udp://z:9".into(), Source::Builder)
        );
        assert_eq!(built.dialect, Dialect::Statsd);
    }
}

#[test]
fn a_lone_host_or_port_takes_the_others_default() {
    for (name, value, target) in [
        ("STATSD_HOST", "metrics", "udp://metrics:8125"),
        ("STATSD_HOST", "::1", "udp://[::1]:8125"),
        ("STATSD_PORT", "9125", "udp://127.0.0.1:9125"),
        ("DD_AGENT_HOST", "agent", "udp://agent:8125"),
        ("DD_DOGSTATSD_PORT", "9125", "udp://127.0.0.1:9125"),
    ] {
        let config = resolve(&[(name, value)]);
        assert_eq!(
            (
                config.target.to_string().as_str(),
                config.source.to_string().as_str()
            ),
            (target, name)
        );
    }
}

#[test]
fn an_empty_variable_is_unset() {
    let all = "STATSD_URL STATSD_SOCKET_PATH STATSD_ADDR STATSD_HOST STATSD_PORT STATSD_PREFIX STATSD_DISABLED \
               STATSD_INSTANCE STATSD_SAMPLE_RATE STATSD_DEFAULT_TAGS STATSD_MAX_PACKET_SIZE DD_AGENT_HOST DD_DOGSTATSD_PORT \
               DD_DOGSTATSD_URL DD_DOGSTATSD_SOCKET DD_ENTITY_ID DD_ENV DD_SERVICE DD_VERSION DD_TAGS \
               DD_EXTERNAL_ENV DD_CARDINALITY";
    for blank in ["", " \n"] {
        let vars: Vec<_> = all.split_whitespace().map(|name| (name, blank)).collect();
        let config = resolve_from(ClientBuilder::default().dialect(Dialect::DogStatsd), &vars).unwrap();
        assert_eq!(
            (config.source, config.prefix, config.instance),
            (Source::Default, None, None)
        );
        assert!(config.tags.is_empty() && !config.disabled && config.origin == Origin::default());
    }
    // White space around a value is not part of it.
    let config = resolve(&[("STATSD_HOST", " metrics\n")]);
    assert_eq!(config.target.to_string(), "udp://metrics:8125");
}

#[test]
fn malformed_variables_are_named_with_their_values() {
    for (name, value) in [
        ("STATSD_URL", "udp://"),
        ("STATSD_URL", "http://metrics"),
        ("STATSD_URL", "unix://run/statsd.sock"),
        ("STATSD_SOCKET_PATH", "statsd.sock"),
        ("DD_DOGSTATSD_SOCKET", "udp://metrics"),
        ("STATSD_ADDR", "metrics:port"),
        ("STATSD_HOST", "metrics:8125"),
        ("STATSD_HOST", "two words"),
        ("STATSD_PORT", "81a5"),
        ("STATSD_PORT", "0"),
        ("STATSD_PORT", "65536"),
        ("STATSD_SAMPLE_RATE", "often"),
        ("STATSD_SAMPLE_RATE", "0"),
        ("STATSD_SAMPLE_RATE", "1.5"),
        ("STATSD_SAMPLE_RATE", "NaN"),
        ("STATSD_DEFAULT_TAGS", "a:b,:c"),
        ("STATSD_MAX_PACKET_SIZE", "big"),
        ("STATSD_MAX_PACKET_SIZE", "511"),
        ("STATSD_MAX_PACKET_SIZE", "-1"),
        ("STATSD_MAX_PACKET_SIZE", "65508"),
        ("STATSD_DISABLED", "maybe"),
        ("DD_DOGSTATSD_URL", "udp://a:b:c"),
        ("DD_AGENT_HOST", "unix:///run/dsd.sock"),
        ("DD_DOGSTATSD_PORT", "x"),
        ("DD_TAGS", ":x"),
        ("DD_EXTERNAL_ENV", "a|b"),
        ("DD_CARDINALITY", "huge"),
    ] {
        refusal(
            ClientBuilder::default().dialect(Dialect::DogStatsd),
            &[(name, value)],
            name,
            value,
        );
        assert!(resolve_from(ClientBuilder::default().ignore_environment(), &[(name, value)]).is_ok());
    }
}

#[test]
fn values_out_of_range_are_named_with_their_setters() {
    let new = ClientBuilder::default;
    let (zero, day) = (Duration::ZERO, Duration::from_secs(86_400));
    for (builder, what, value) in [
        (new().address(""), "address", ""),
        (new().address("a b"), "address", "a b"),
        (new().address("metrics:99999"), "address", "metrics:99999"),
        (new().flush_interval(zero), "flush_interval", "0ns"),
        (new().flush_interval(day), "flush_interval", "86400s"),
        (new().drain_interval(zero), "drain_interval", "0ns"),
        (new().timer_budget(0), "timer_budget", "0"),
        (new().client_timer_budget(0), "client_timer_budget", "0"),
        (new().packet_size(511), "packet_size", "511"),
        (new().packet_size(65_508), "packet_size", "65508"),
        (new().send_buffer(4_095), "send_buffer", "4095"),
        (
            new().send_buffer(usize::MAX),
            "send_buffer",
            "18446744073709551615",
        ),
        (new().tag("", "x"), "tag", ":x"),
        (new().sample_rate(0.0), "sample_rate", "0"),
        (new().sample_rate(-0.5), "sample_rate", "-0.5"),
        (new().sample_rate(f64::NAN), "sample_rate", "NaN"),
        (new().sample_rate(1.01), "sample_rate", "1.01"),
        (new().cardinality_cap(0), "cardinality_cap", "0"),
        (new().idle_expiry(Duration::from_millis(9)), "idle_expiry", "9ms"),
        (new().cardinality_cap(1_000_001), "cardinality_cap", "1000001"),
        (new().shutdown_deadline(day), "shutdown_deadline", "86400s"),
    ] {
        refusal(builder, &[], what, value);
    }
}

#[test]
fn the_builder_wins_over_the_environment() {
    let vars: Vars = &[
        ("STATSD_PREFIX", "env"),
        ("STATSD_INSTANCE", "pod-1"),
        ("STATSD_SAMPLE_RATE", "0.25"),
        ("STATSD_MAX_PACKET_SIZE", "600"),
        ("STATSD_DEFAULT_TAGS", "env:prod,team:x"),
    ];
    let filled = resolve(vars);
    assert_eq!((filled.prefix.as_deref(), filled.packet_size), (Some("env"), 600));
    assert_eq!(filled.instance.as_deref(), Some("pod-1"));
    assert!((filled.sample_rate - 0.25).abs() < f64::EPSILON);
    assert_eq!(filled.tags, pairs(&[("env", "prod"), ("team", "x")]));
    let builder = ClientBuilder::default()
        .prefix("code")
        .instance("")
        .sample_rate(0.5)
        .packet_size(700)
        .tag("env", "test");
    let built = resolve_from(builder.clone(), vars).unwrap();
    assert_eq!((built.prefix.as_deref(), built.packet_size), (Some("code"), 700));
    assert_eq!(built.instance.as_deref(), Some(""), "none at all");
    assert!((built.sample_rate - 0.5).abs() < f64::EPSILON);
    assert_eq!(built.tags, pairs(&[("env", "test"), ("team", "x")]));
    // What does not matter cannot be an error.
    let bad: Vars = &[("STATSD_SAMPLE_RATE", "x"), ("STATSD_MAX_PACKET_SIZE", "x")];
    assert!(resolve_from(builder, bad).is_ok());
}

#[test]
fn switched_off_nothing_else_matters() {
    for on in ["1", "true", "YES", "on"] {
        let vars = [
            ("STATSD_DISABLED", on),
            ("STATSD_URL", "nonsense://"),
            ("STATSD_SAMPLE_RATE", "x"),
        ];
        assert!(
            resolve_from(ClientBuilder::default().packet_size(0).address(""), &vars)
                .unwrap()
                .disabled
        );
        let hermetic = ClientBuilder::default().ignore_environment();
        assert!(!resolve_from(hermetic, &vars).unwrap().disabled);
    }
    for off in ["0", "false", "No", "off", ""] {
        assert!(!resolve(&[("STATSD_DISABLED", off)]).disabled);
    }
}

#[cfg(unix)]
#[test]
fn a_value_that_is_not_utf8_is_named() {
    use std::os::unix::ffi::OsStringExt;
    for name in [
        "STATSD_URL",
        "STATSD_PREFIX",
        "STATSD_DISABLED",
        "STATSD_HOST",
        "STATSD_SOCKET_PATH",
    ] {
        let lookup = |key: &str| (key == name).then(|| OsString::from_vec(b"a\xffb".to_vec()));
        let error = ClientBuilder::default().resolve_os(&lookup).unwrap_err();
        assert!(
            error.to_string().starts_with(&format!("{name}=\"a\u{fffd}b\"")),
            "{error}"
        );
        assert!(
            ClientBuilder::default()
                .ignore_environment()
                .resolve_os(&lookup)
                .is_ok()
        );
    }
}
