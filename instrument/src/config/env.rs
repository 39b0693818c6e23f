//! The environment variables that people's statsd clients read already.
//!
//! An empty variable counts as unset. A variable is read only where nothing stronger answers, so what does not
//! matter cannot be an error.

use super::{Endpoint, Source, Target, address, tags};
use crate::{error::Error, wire::Dialect};
use std::{ffi::OsString, str::FromStr};

/// Switches everything off.
pub(super) const DISABLED: &str = "STATSD_DISABLED";
/// Starts every name.
pub(super) const PREFIX: &str = "STATSD_PREFIX";
/// What tells this process's gauges from those of others.
pub(super) const INSTANCE: &str = "STATSD_INSTANCE";
/// The share of durations that are sent.
pub(super) const SAMPLE_RATE: &str = "STATSD_SAMPLE_RATE";
/// The largest payload.
pub(super) const MAX_PACKET_SIZE: &str = "STATSD_MAX_PACKET_SIZE";
/// Global tags for any dialect.
pub(super) const DEFAULT_TAGS: &str = "STATSD_DEFAULT_TAGS";
/// Which container the process runs in, as the Datadog operator tells it.
pub(super) const EXTERNAL_ENV: &str = "DD_EXTERNAL_ENV";
/// How many tags the Datadog agent adds.
pub(super) const CARDINALITY: &str = "DD_CARDINALITY";
/// A list of Datadog's own global tags.
pub(super) const DD_TAGS: &str = "DD_TAGS";

/// Variables that are the value of one tag of the `DogStatsD` dialect, the strongest first.
pub(super) const DD_SINGLE_TAGS: [(&str, &str); 4] = [
    ("DD_ENTITY_ID", "dd.internal.entity_id"),
    ("DD_ENV", "env"),
    ("DD_SERVICE", "service"),
    ("DD_VERSION", "version"),
];

/// What a row of [`TARGETS`] holds.
enum Form {
    /// A URL or `host:port`.
    Address(&'static str),
    /// A host and a port in a variable each; a lone one takes the other's default.
    HostAndPort {
        host: &'static str,
        port: &'static str,
        both: &'static str,
    },
    /// The path of a Unix socket.
    Socket(&'static str),
}

/// Where the server may be told, the strongest row first, and the dialect that goes with it.
const TARGETS: [(Form, Dialect); 7] = [
    (Form::Address("STATSD_URL"), Dialect::Statsd),
    // Before the address, as where it comes from (Shopify's client).
    (Form::Socket("STATSD_SOCKET_PATH"), Dialect::Statsd),
    (Form::Address("STATSD_ADDR"), Dialect::Statsd),
    (
        Form::HostAndPort {
            host: "STATSD_HOST",
            port: "STATSD_PORT",
            both: "STATSD_HOST and STATSD_PORT",
        },
        Dialect::Statsd,
    ),
    (Form::Address("DD_DOGSTATSD_URL"), Dialect::DogStatsd),
    (Form::Socket("DD_DOGSTATSD_SOCKET"), Dialect::DogStatsd),
    (
        Form::HostAndPort {
            host: "DD_AGENT_HOST",
            port: "DD_DOGSTATSD_PORT",
            both: "DD_AGENT_HOST and DD_DOGSTATSD_PORT",
        },
        Dialect::DogStatsd,
    ),
];

/// The environment, or what stands for it.
pub(super) struct Environment<'a> {
    pub(super) lookup: &'a dyn Fn(&str) -> Option<OsString>,
}

impl Environment<'_> {
    /// The variable's text without white space at its ends; none if that is empty.
    pub(super) fn text(&self, variable: &str) -> Result<Option<String>, Error> {
        let Some(value) = (self.lookup)(variable) else {
            return Ok(None);
        };
        match value.into_string() {
            Ok(text) if text.trim().is_empty() => Ok(None),
            Ok(text) => Ok(Some(text.trim().into())),
            Err(raw) => Err(Error::configuration(
                variable,
                &raw.to_string_lossy(),
                "not valid UTF-8",
            )),
        }
    }

    /// What `read` makes of the variable; its error says why it cannot.
    pub(super) fn read<T>(
        &self,
        variable: &str,
        read: impl FnOnce(&str) -> Result<T, &'static str>,
    ) -> Result<Option<T>, Error> {
        let Some(text) = self.text(variable)? else {
            return Ok(None);
        };
        read(&text)
            .map(Some)
            .map_err(|why| Error::configuration(variable, &text, why))
    }

    /// The variable's number.
    pub(super) fn number<T: FromStr>(&self, variable: &str) -> Result<Option<T>, Error> {
        self.read(variable, |text| text.parse().map_err(|_| "not a number"))
    }

    /// Whether everything is switched off.
    pub(super) fn disabled(&self) -> Result<bool, Error> {
        let off = self.read(DISABLED, |text| match text.to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" | "on" => Ok(true),
            "0" | "false" | "no" | "off" => Ok(false),
            _ => Err("write 1, true, yes or on to switch off, or 0, false, no or off"),
        })?;
        Ok(off.unwrap_or(false))
    }

    /// The strongest row of [`TARGETS`] that is set.
    pub(super) fn target(&self) -> Result<Option<(Target, Source, Dialect)>, Error> {
        for (form, dialect) in &TARGETS {
            if let Some((target, variable)) = self.row(form)? {
                return Ok(Some((target, Source::Environment(variable), *dialect)));
            }
        }
        Ok(None)
    }

    fn row(&self, form: &Form) -> Result<Option<(Target, &'static str)>, Error> {
        Ok(match *form {
            Form::Address(variable) => self
                .read(variable, address::parse)?
                .map(|target| (target, variable)),
            Form::Socket(variable) => self
                .read(variable, address::socket)?
                .map(|target| (target, variable)),
            Form::HostAndPort { host, port, both } => {
                let fallback = Endpoint::default();
                let name = self.read(host, address::host)?;
                // Kubernetes gives every pod beside a service called `statsd` a STATSD_PORT of this form; it is about
                // that service, and no port.
                let is_link = self.text(port)?.is_some_and(|text| text.contains("://"));
                let number = if is_link {
                    None
                } else {
                    self.read(port, address::port)?
                };
                let variable = match (&name, &number) {
                    (None, None) => return Ok(None),
                    (Some(_), None) => host,
                    (None, Some(_)) => port,
                    (Some(_), Some(_)) => both,
                };
                let endpoint = Endpoint {
                    host: name.unwrap_or(fallback.host),
                    port: number.unwrap_or(fallback.port),
                };
                Some((Target::Udp(endpoint), variable))
            }
        })
    }

    /// The tags of a list.
    pub(super) fn tags(&self, variable: &str) -> Result<Vec<tags::Tag>, Error> {
        Ok(self.read(variable, tags::parse_list)?.unwrap_or_default())
    }

    /// How many tags the agent is to add, as one of its own words.
    pub(super) fn cardinality(&self) -> Result<Option<String>, Error> {
        self.read(CARDINALITY, |text| match text.to_ascii_lowercase() {
            word if ["none", "low", "orchestrator", "high"].contains(&word.as_str()) => Ok(word),
            _ => Err("write none, low, orchestrator or high"),
        })
    }

    /// The container's identity, which goes on the wire as it is.
    pub(super) fn external_data(&self) -> Result<Option<String>, Error> {
        self.read(EXTERNAL_ENV, |text| {
            let plain = text.bytes().all(|b| b.is_ascii_graphic() && b != b'|');
            if plain {
                Ok(text.into())
            } else {
                Err("a character that would break a line")
            }
        })
    }
}
