//! What a client is told: by its builder, by the environment, and by defaults.

mod address;
mod builder;
mod env;
mod tags;

#[cfg(test)]
mod tests;

pub use builder::ClientBuilder;

use crate::wire::{Dialect, Origin, Wire};
use std::{fmt, time::Duration};

/// Where the server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// A name or an address; an IPv6 address has no brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// This host, on the port that statsd has had from the start.
impl Default for Target {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".into(),
            port: 8125,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') {
            write!(f, "[{host}]:{port}")
        } else {
            write!(f, "{host}:{port}")
        }
    }
}

/// Who named the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// [`ClientBuilder::address`].
    Builder,
    /// One environment variable, or two.
    Environment(&'static str),
    /// Nobody.
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Builder => "builder",
            Self::Environment(variables) => variables,
            Self::Default => "default",
        })
    }
}

/// A client's whole configuration, checked.
///
/// What a field means, and why its default is what it is, stands at the setter of [`ClientBuilder`] that has its
/// name.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(crate) struct Config {
    pub(crate) target: Target,
    pub(crate) source: Source,
    pub(crate) prefix: Option<String>,
    pub(crate) flush_interval: Duration,
    pub(crate) drain_interval: Duration,
    pub(crate) timer_budget: u32,
    pub(crate) client_timer_budget: u32,
    pub(crate) packet_size: usize,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) tags_in_names: bool,
    pub(crate) dialect: Dialect,
    /// What the environment says about the container; only the `DogStatsD` dialect sends it.
    pub(crate) origin: Origin,
    pub(crate) sample_rate: f64,
    pub(crate) cardinality_cap: usize,
    pub(crate) telemetry: bool,
    pub(crate) time_every_outcome: bool,
    pub(crate) shutdown_deadline: Duration,
    /// The environment switched everything off; the other fields hold defaults.
    pub(crate) disabled: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            target: Target::default(),
            source: Source::Default,
            prefix: None,
            flush_interval: Duration::from_secs(1),
            drain_interval: Duration::from_millis(100),
            timer_budget: 1_000,
            client_timer_budget: 20_000,
            packet_size: 1_432,
            tags: Vec::new(),
            tags_in_names: false,
            dialect: Dialect::Statsd,
            origin: Origin::default(),
            sample_rate: 1.0,
            cardinality_cap: 10_000,
            telemetry: false,
            time_every_outcome: false,
            shutdown_deadline: Duration::from_secs(2),
            disabled: false,
        }
    }
}

impl Config {
    /// What writes this client's lines.
    pub(crate) fn wire(&self) -> Wire {
        Wire::new(
            self.dialect,
            self.prefix.as_deref(),
            &self.tags,
            self.tags_in_names,
        )
        .with_origin(&self.origin)
    }
}
