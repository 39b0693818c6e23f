//! The public setters, and how they and the environment become one [`Config`].

use super::{
    Config, Framing, Source, Target, UnixKind, address,
    checks::{self, PACKET_SIZES, SEND_BUFFERS, within},
    env::{self, Environment},
    tags::{self, Tags},
};
use crate::{error::Error, wire::Dialect};
use std::{ffi::OsString, time::Duration};

/// Sets up a client, in code and from the environment.
///
/// What a setter says wins over the environment, and the environment over the defaults. Each setter says what
/// it defaults to. Values are checked when the client is made: an [`Error`] then names the setter or the
/// variable, and the value.
///
/// # Environment
/// The server is named by the first of these that is set and not empty:
///
/// | variable | value |
/// |---|---|
/// | `STATSD_URL` | a URL, as [`address`](Self::address) has it |
/// | `STATSD_SOCKET_PATH` | the path of a Unix socket |
/// | `STATSD_ADDR` | `host:port` |
/// | `STATSD_HOST`, `STATSD_PORT` | either alone takes the other's default, `127.0.0.1` or `8125` |
/// | `DD_DOGSTATSD_URL` | a URL |
/// | `DD_DOGSTATSD_SOCKET` | the path of a Unix socket |
/// | `DD_AGENT_HOST`, `DD_DOGSTATSD_PORT` | either alone takes the other's default |
///
/// The rest:
///
/// | variable | value | setter |
/// |---|---|---|
/// | `STATSD_DISABLED` | `1`, `true`, `yes`, `on`: nothing is measured or sent, and nothing else is looked at | |
/// | `STATSD_PREFIX` | text | [`prefix`](Self::prefix) |
/// | `STATSD_INSTANCE` | text | [`instance`](Self::instance) |
/// | `STATSD_SAMPLE_RATE` | above 0, up to 1 | [`sample_rate`](Self::sample_rate) |
/// | `STATSD_MAX_PACKET_SIZE` | bytes | [`packet_size`](Self::packet_size) |
/// | `STATSD_DEFAULT_TAGS` | `key:value,key:value` | [`tag`](Self::tag) |
///
/// And these, where the dialect is [`Dialect::DogStatsd`]: `DD_ENV`, `DD_SERVICE` and `DD_VERSION` (the tags
/// `env`, `service` and `version`), `DD_TAGS` (more tags, separated by commas or spaces), `DD_ENTITY_ID`,
/// `DD_EXTERNAL_ENV` and `DD_CARDINALITY` (which container this is, and what the agent adds about it). A tag
/// whose key was set by a stronger source is left out: [`tag`](Self::tag) wins over `STATSD_DEFAULT_TAGS`, that
/// over `DD_ENV` and its like, those over `DD_TAGS`.
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until it is built or installed"]
pub struct ClientBuilder {
    // What the environment may fill is optional; the rest starts at its default.
    address: Option<String>,
    prefix: Option<String>,
    instance: Option<String>,
    packet_size: Option<usize>,
    send_buffer: Option<usize>,
    framing: Option<Framing>,
    dialect: Option<Dialect>,
    sample_rate: Option<f64>,
    tags: Vec<tags::Tag>,
    ignore_environment: bool,
    rest: Config,
}

impl ClientBuilder {
    /// Where the server is, and how it is reached:
    ///
    /// | form | transport |
    /// |---|---|
    /// | `udp://host:port`, `host:port`, `[::1]:8125`, `host`, `:port` | UDP |
    /// | `tcp://host:port` | TCP |
    /// | `unixgram:///path` | Unix datagrams |
    /// | `unixstream:///path` | a Unix stream |
    /// | `unix:///path`, `/path` | Unix datagrams, or a stream if that is what the server made |
    ///
    /// On Linux `@name` may stand in the place of a path: a socket without one. A name is resolved in the background, again
    /// after errors and every 30 s; its addresses are tried in turn.
    ///
    /// What can be known of a delivery differs. A **Unix datagram** is either taken or refused. So is a datagram over **UDP**
    /// to this host; from another host a refusal comes too late to be matched to its datagram, which then is counted
    /// ([`Ledger::refused_late`](crate::Ledger::refused_late)) and not sent again. On a **stream** the kernel takes bytes: a line is
    /// spent when its last byte was taken. A connection that the server closed is noticed before the next write. What a server
    /// took in, or the kernel holds for it, and the server does not read before it dies is lost without a trace over any
    /// transport.
    ///
    /// Defaults to what the environment names, and else to `127.0.0.1:8125` because that is where a statsd
    /// server or an agent on the same host listens.
    pub fn address(mut self, address: impl Into<String>) -> Self {
        self.address = Some(address.into());
        self
    }

    /// What every metric name starts with: `celery` gives `celery.tasks.status.send_email.started`.
    ///
    /// Characters that a server could misread become `_`, and what exceeds 100 bytes is cut and ends in a hash.
    ///
    /// Defaults to none because names start at `tasks.` already.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }

    /// What tells this process's gauges from those of others, which would overwrite each other in the server: the tag
    /// `instance`, or in a dialect without tags a node of that name behind the gauge's own: `….in_flight.instance.web-3_4711`. It is for the
    /// gauge of the argument `in_flight`, for those of [`worker::Metrics`](crate::worker::Metrics) without an instance of their own, and for
    /// those of [`telemetry`](Self::telemetry).
    /// Counters and timers carry none: a server adds them up. An empty text leaves it out, for a program that runs once.
    ///
    /// Characters that a server could misread become `_`.
    ///
    /// Defaults to what the environment says, and else to `host.pid` (worked out when the client is made) because no two processes share
    /// that. A name that outlives a restart, such as that of a pod's place in its set, keeps the number of series in the server down.
    pub fn instance(mut self, instance: impl Into<String>) -> Self {
        self.instance = Some(instance.into());
        self
    }

    /// How often what was measured is sent; 10 ms to 1 hour.
    ///
    /// Defaults to 1 s because a task that started and hangs then shows at once, and servers aggregate over
    /// longer times anyway.
    pub fn flush_interval(mut self, interval: Duration) -> Self {
        self.rest.flush_interval = interval;
        self
    }

    /// How often durations are taken from the threads' rings while those fill quickly; 1 ms to 60 s. While they do not it is
    /// done half as often, or twice in a flush interval if that is more.
    ///
    /// Defaults to 100 ms because a ring then has room for what a busy thread measures in between: at twice as long a pause, 10 000 values a
    /// second without any sampling.
    pub fn drain_interval(mut self, interval: Duration) -> Self {
        self.rest.drain_interval = interval;
        self
    }

    /// How many durations of one series are sent in a second; past it they are sampled, and the rate says so.
    ///
    /// Defaults to 1000 because the 99th percentile of a second then errs by less than 0.3 % of rank.
    pub fn timer_budget(mut self, values: u32) -> Self {
        self.rest.timer_budget = values;
        self
    }

    /// How many durations of all series together are sent in a second; past it all are sampled alike.
    ///
    /// Defaults to 20 000 because that is about 800 full packets, well under the 2000 a second that Etsy's server
    /// reads without loss.
    pub fn client_timer_budget(mut self, values: u32) -> Self {
        self.rest.client_timer_budget = values;
        self
    }

    /// The largest payload in bytes; 512 to 65 507. On a stream it is what is written at once.
    ///
    /// Defaults to 1432 over UDP because that passes an Ethernet or VPN path unfragmented, with room for the headers. Defaults
    /// to 8192 over Unix sockets because that is what the Datadog agent reads at once, and over TCP because a stream has no
    /// fragments to avoid.
    pub fn packet_size(mut self, bytes: usize) -> Self {
        self.packet_size = Some(bytes);
        self
    }

    /// How many bytes the kernel is asked to hold for a server that is slow to read; 4 KiB to 64 MiB. A system with a lower limit
    /// gives less.
    ///
    /// Defaults to 512 KiB over UDP because that is a whole paced burst with its bookkeeping, whatever the link. Defaults to 256 KiB
    /// over TCP and Unix sockets because what the kernel holds is lost if the server dies, and waits here otherwise.
    pub fn send_buffer(mut self, bytes: usize) -> Self {
        self.send_buffer = Some(bytes);
        self
    }

    /// How a stream shows where a payload ends. Datagrams need none of it.
    ///
    /// Defaults to [`Framing::Lines`] over TCP because statsd servers read that, and to [`Framing::Length`] over a Unix stream because
    /// the Datadog agent does.
    pub fn framing(mut self, framing: Framing) -> Self {
        self.framing = Some(framing);
        self
    }

    /// Adds a global tag; may be called again. An empty value makes a tag without one.
    ///
    /// Characters that a server could misread become `_`. What becomes of tags is the [`Dialect`]'s to say.
    ///
    /// Defaults to what the environment lists, and else to none because a tag multiplies what a server stores.
    pub fn tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.push((key.into(), value.into()));
        self
    }

    /// Whether a dialect without tags puts the global ones at the end of every name: `….success.env.prod`.
    ///
    /// Defaults to `false` because a tag would otherwise rename every metric that a dashboard shows.
    pub fn tags_in_names(mut self, fold: bool) -> Self {
        self.rest.tags_in_names = fold;
        self
    }

    /// The kind of statsd that the server speaks.
    ///
    /// Defaults to [`Dialect::DogStatsd`] where a `DD_…` variable named the server, and else to
    /// [`Dialect::Statsd`] because every server reads that.
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = Some(dialect);
        self
    }

    /// The share of calls whose duration is sent: above 0, up to 1. Counters are never sampled.
    ///
    /// The timer budgets still hold; of this and them the lower wins, and it is applied once.
    ///
    /// Defaults to what the environment says, and else to 1 because the budgets bound the cost already.
    pub fn sample_rate(mut self, rate: f64) -> Self {
        self.sample_rate = Some(rate);
        self
    }

    /// How many task series this client reports; 1 to 1 000 000. Further ones share one called `overflow`.
    ///
    /// Defaults to 10 000 because no program has more annotated functions, and names made from data by
    /// mistake should not fill the memory of the process or the server.
    pub fn cardinality_cap(mut self, series: usize) -> Self {
        self.rest.cardinality_cap = series;
        self
    }

    /// How long a set of call tags may be silent until it is let go of; 10 ms to 24 hours, or `None` to keep all.
    ///
    /// A set is silent while no call with these tags starts, runs or ends, and it is let go of once all that was counted of it was
    /// sent. That frees its names and texts, and its place under the [`cardinality_cap`](Self::cardinality_cap). Its cells in each
    /// thread are taken back by that thread as it makes other calls with tags, or when it ends, and are the next set's. No count is
    /// lost or moved to another set: one that comes back goes on, and a future that waits to be polled keeps its set. Tasks without
    /// tags of the call stay.
    ///
    /// Defaults to 5 minutes because a set that was silent for so many flushes has no line on a dashboard any more, while one that is
    /// called every few minutes stays known.
    pub fn idle_expiry(mut self, expiry: impl Into<Option<Duration>>) -> Self {
        self.rest.idle_expiry = expiry.into();
        self
    }

    /// Whether the library's own figures are sent as metrics too: the [`Ledger`](crate::Ledger), at the end of every flush.
    ///
    /// Their names begin with the [`prefix`](Self::prefix), if there is one, and `instrument_task.`:
    ///
    /// | name | type | what |
    /// |---|---|---|
    /// | `counters.recorded` | counter | increments of all counters |
    /// | `counters.sent` | counter | increments that the kernel took |
    /// | `counters.pending` | gauge | increments that wait for the next flush |
    /// | `counters.dropped.at_shutdown` | counter | increments given up by a shutdown at its deadline |
    /// | `timers.recorded` | counter | measured durations |
    /// | `timers.sent` | counter | durations that the kernel took |
    /// | `timers.pending` | gauge | durations that wait for the next flush |
    /// | `timers.dropped.ring_full` | counter | durations that found their thread's ring full |
    /// | `timers.dropped.over_budget` | counter | durations thinned out to keep to the budget, in an outage too |
    /// | `timers.dropped.at_shutdown` | counter | durations given up by a shutdown at its deadline |
    /// | `packets_sent` | counter | datagrams, or payloads on a stream |
    /// | `bytes_sent` | counter | bytes in them |
    /// | `refused_late` | counter | datagrams refused too late to send them again |
    /// | `flusher_panics` | counter | panics on the flusher's thread |
    /// | `folded` | counter | series past the cardinality cap |
    /// | `folded_calls` | counter | calls whose tags, or kind of exception, found no room in the process |
    ///
    /// They stand for one instant, when what was flushed before them was taken or refused: recorded = sent + pending + dropped,
    /// by the increments and by the durations. Counters that did not grow are left out, gauges are always sent, with the
    /// [`instance`](Self::instance). The packet that
    /// carries them shows in the next one. What a shutdown gives up shows only if the server still takes a last packet; the
    /// report and a warning have it in any case.
    ///
    /// Defaults to `false` because nobody should pay for series that they did not ask for.
    pub fn telemetry(mut self, send: bool) -> Self {
        self.rest.telemetry = send;
        self
    }

    /// Whether exceptions and cancellations, and the retries of [`worker::Metrics`](crate::worker::Metrics), are timed too, each under its
    /// own name.
    ///
    /// Defaults to `false` because a task that fails at once would make the usual duration look short.
    pub fn time_every_outcome(mut self, time: bool) -> Self {
        self.rest.time_every_outcome = time;
        self
    }

    /// How long dropping the guard may take to deliver what is pending; 0 to 1 hour.
    ///
    /// Defaults to 2 s because a server that is there takes far less, and one that is not should not hold up
    /// a restart.
    pub fn shutdown_deadline(mut self, deadline: Duration) -> Self {
        self.rest.shutdown_deadline = deadline;
        self
    }

    /// Leaves every environment variable unread, `STATSD_DISABLED` too: only setters and defaults count.
    ///
    /// Defaults to reading them because an operator should be able to point a program at a server.
    pub fn ignore_environment(mut self) -> Self {
        self.ignore_environment = true;
        self
    }

    /// The configuration that setters, the process environment and defaults make together.
    ///
    /// # Errors
    /// If a setter or a variable that matters holds a value that makes no sense; the error names it.
    pub(crate) fn resolve(self) -> Result<Config, Error> {
        self.resolve_os(&|variable| std::env::var_os(variable))
    }

    /// [`resolve`](Self::resolve) with `lookup` in the place of the process environment.
    #[cfg(test)]
    pub(crate) fn resolve_with(self, lookup: &dyn Fn(&str) -> Option<String>) -> Result<Config, Error> {
        self.resolve_os(&|variable| lookup(variable).map(OsString::from))
    }

    /// [`resolve_with`](Self::resolve_with) for values that may be any bytes.
    pub(super) fn resolve_os(self, lookup: &dyn Fn(&str) -> Option<OsString>) -> Result<Config, Error> {
        let env = Environment {
            lookup: if self.ignore_environment {
                &|_| None
            } else {
                lookup
            },
        };
        if env.disabled()? {
            return Ok(Config {
                disabled: true,
                source: Source::Environment(env::DISABLED),
                ..Config::default()
            });
        }
        let mut config = self.rest.clone();
        checks::ranges(&config)?;
        if let Some(text) = &self.address {
            config.target =
                address::parse(text.trim()).map_err(|why| Error::configuration("address", text, why))?;
            config.source = Source::Builder;
        } else if let Some((target, source, usual_dialect)) = env.target()? {
            (config.target, config.source, config.dialect) = (target, source, usual_dialect);
        }
        config.dialect = self.dialect.unwrap_or(config.dialect);
        let tags = self.gather_tags(&env, config.dialect)?;
        if config.dialect == Dialect::DogStatsd {
            config.origin.external_data = env.external_data()?;
            config.origin.cardinality = env.cardinality()?;
        }
        config.prefix = match self.prefix {
            Some(prefix) => Some(prefix),
            None => env.text(env::PREFIX)?,
        };
        let instance_source = if self.instance.is_some() {
            "instance"
        } else {
            env::INSTANCE
        };
        config.instance = match self.instance {
            Some(instance) => Some(instance),
            None => env.text(env::INSTANCE)?,
        };
        if let Some(bytes) = self.packet_size {
            config.packet_size = within("packet_size", bytes, PACKET_SIZES)?;
        } else if let Some(bytes) = env.number(env::MAX_PACKET_SIZE)? {
            config.packet_size = within(env::MAX_PACKET_SIZE, bytes, PACKET_SIZES)?;
        } else {
            config.packet_size = config.target.usual_packet_size();
        }
        if let Some(rate) = self.sample_rate {
            config.sample_rate = checks::share("sample_rate", rate)?;
        } else if let Some(rate) = env.number(env::SAMPLE_RATE)? {
            config.sample_rate = checks::share(env::SAMPLE_RATE, rate)?;
        }
        config.send_buffer = match self.send_buffer {
            Some(bytes) => within("send_buffer", bytes, SEND_BUFFERS)?,
            None => config.target.usual_send_buffer(),
        };
        config.framing = self.framing.unwrap_or(match config.target {
            Target::Unix {
                kind: UnixKind::Either | UnixKind::Stream,
                ..
            } => Framing::Length,
            _ => Framing::Lines,
        });
        let tag_sources = tags.sources();
        config.tags = tags.into_vec();
        checks::room(&config, &tag_sources, instance_source)?;
        Ok(config)
    }

    /// Global tags from all sources, the strongest first.
    fn gather_tags(&self, env: &Environment<'_>, dialect: Dialect) -> Result<Tags, Error> {
        let mut tags = Tags::default();
        for (key, value) in &self.tags {
            tags::check_key(key)
                .map_err(|why| Error::configuration("tag", &format!("{key}:{value}"), why))?;
        }
        tags.add("tag", self.tags.clone());
        tags.add(env::DEFAULT_TAGS, env.tags(env::DEFAULT_TAGS)?);
        if dialect == Dialect::DogStatsd {
            for (variable, key) in env::DD_SINGLE_TAGS {
                tags.add(
                    variable,
                    env.text(variable)?
                        .map(|value| (key.into(), value))
                        .into_iter()
                        .collect(),
                );
            }
            tags.add(env::DD_TAGS, env.tags(env::DD_TAGS)?);
        }
        Ok(tags)
    }
}
