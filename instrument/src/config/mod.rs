//! What a client is told: by its builder, by the environment, and by defaults.

mod address;
mod builder;
mod checks;
mod env;
mod instance;
mod tags;

#[cfg(test)]
mod tests;

pub use builder::ClientBuilder;

use crate::wire::{Dialect, Origin, Wire};
use std::{borrow::Cow, fmt, time::Duration};

/// A place in the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// A name or an address; an IPv6 address has no brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// This host, on the port that statsd has had from the start.
impl Default for Endpoint {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".into(),
            port: 8125,
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') {
            write!(f, "[{host}]:{port}")
        } else {
            write!(f, "{host}:{port}")
        }
    }
}

/// Where the server listens, and how it is reached. It prints as the URL that names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Udp(Endpoint),
    Tcp(Endpoint),
    /// A Unix socket.
    Unix {
        /// Absolute; or on Linux `@` and a name that is in no file system.
        path: String,
        kind: UnixKind,
    },
}

/// Of which type a Unix socket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnixKind {
    /// Whichever the server made: `unix://` means the one to some clients and the other to others.
    Either,
    Datagram,
    Stream,
}

impl Default for Target {
    fn default() -> Self {
        Self::Udp(Endpoint::default())
    }
}

impl Target {
    /// The largest payload unless told otherwise; [`ClientBuilder::packet_size`] gives the reasons.
    pub(crate) fn usual_packet_size(&self) -> usize {
        match self {
            Self::Udp(_) => 1_432,
            Self::Tcp(_) | Self::Unix { .. } => 8_192,
        }
    }

    /// The kernel's send buffer unless told otherwise; [`ClientBuilder::send_buffer`] gives the reasons.
    pub(crate) fn usual_send_buffer(&self) -> usize {
        match self {
            Self::Udp(_) => 512 * 1024,
            Self::Tcp(_) | Self::Unix { .. } => 256 * 1024,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Udp(endpoint) => write!(f, "udp://{endpoint}"),
            Self::Tcp(endpoint) => write!(f, "tcp://{endpoint}"),
            Self::Unix { path, kind } => {
                let scheme = match kind {
                    UnixKind::Either => "unix",
                    UnixKind::Datagram => "unixgram",
                    UnixKind::Stream => "unixstream",
                };
                write!(f, "{scheme}://{path}")
            }
        }
    }
}

/// How a stream shows where a payload ends; datagrams need none of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Framing {
    /// Every line ends in a line end, the last one too: what statsd servers read over TCP.
    Lines,
    /// The payload's length in bytes as 32 bits, the least significant byte first, stands before it: what the Datadog agent
    /// reads from a Unix stream.
    Length,
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
    /// `host.pid` if there is none: worked out when it is needed, for the child of a fork has another one.
    pub(crate) instance: Option<String>,
    pub(crate) flush_interval: Duration,
    pub(crate) drain_interval: Duration,
    pub(crate) timer_budget: u32,
    pub(crate) client_timer_budget: u32,
    pub(crate) packet_size: usize,
    pub(crate) send_buffer: usize,
    pub(crate) framing: Framing,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) tags_in_names: bool,
    pub(crate) dialect: Dialect,
    /// What the environment says about the container; only the `DogStatsD` dialect sends it.
    pub(crate) origin: Origin,
    pub(crate) sample_rate: f64,
    pub(crate) cardinality_cap: usize,
    pub(crate) idle_expiry: Option<Duration>,
    pub(crate) telemetry: bool,
    pub(crate) time_every_outcome: bool,
    pub(crate) shutdown_deadline: Duration,
    /// The environment switched everything off; the other fields hold defaults.
    pub(crate) disabled: bool,
}

impl Default for Config {
    fn default() -> Self {
        let target = Target::default();
        Self {
            packet_size: target.usual_packet_size(),
            send_buffer: target.usual_send_buffer(),
            framing: Framing::Lines,
            target,
            source: Source::Default,
            prefix: None,
            instance: None,
            flush_interval: Duration::from_secs(1),
            drain_interval: Duration::from_millis(100),
            timer_budget: 1_000,
            client_timer_budget: 20_000,
            tags: Vec::new(),
            tags_in_names: false,
            dialect: Dialect::Statsd,
            origin: Origin::default(),
            sample_rate: 1.0,
            cardinality_cap: 10_000,
            idle_expiry: Some(Duration::from_secs(300)),
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
        let instance = match &self.instance {
            Some(given) => Cow::Borrowed(&**given),
            None => Cow::Owned(instance::own()),
        };
        Wire::new(
            self.dialect,
            self.prefix.as_deref(),
            &self.tags,
            self.tags_in_names,
        )
        .with_origin(&self.origin)
        .with_instance(&instance)
    }
}
