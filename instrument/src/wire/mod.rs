//! Metrics in, lines out: the text that a statsd server reads.
//!
//! Names are made once, when a series is registered, and cleaned then ([`name`]). After that a line is a copy of
//! the name, a number and the dialect's end. Nothing here knows a thread, a clock or a socket.

mod dogstatsd;
pub(crate) mod name;
mod number;
mod statsd;

#[cfg(test)]
mod tests;

use std::sync::Arc;

/// The kind of statsd that the server speaks. It decides what becomes of tags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// Plain statsd, which every server reads: Etsy's statsd, collectd, netdata, Telegraf, Graphite's relays.
    ///
    /// It has no tags, and several servers reject a line that carries some. Global tags are left out, unless
    /// [`ClientBuilder::tags_in_names`](crate::ClientBuilder::tags_in_names) folds them into the names:
    /// `tasks.status.send_email.success.env.prod`.
    #[default]
    Statsd,
    /// What the Datadog agent speaks, and Telegraf, Vector and `statsd_exporter` understand.
    ///
    /// Global tags end every line: `tasks.status.send_email.success:1|c|#env:prod`. Names stay as they are.
    DogStatsd,
}

/// The key of the tag that tells a process's gauges from those of others.
pub(crate) const INSTANCE: &str = "instance";

/// What a `DogStatsD` line says about where it comes from, besides its tags.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The data that Datadog's admission controller hands to a container (`|e:`).
    pub(crate) external_data: Option<String>,
    /// How many tags the agent should add of its own (`|card:`).
    pub(crate) cardinality: Option<String>,
}

/// A whole metric name, clean and with its prefix, and what ends its lines; see [`name`] for the rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    text: Box<str>,
    /// Empty, or `|#key:value…`.
    suffix: Arc<str>,
}

impl Name {
    /// The name's text.
    #[cfg(test)]
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Starts a line with the name.
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.text.as_bytes());
        out.push(b':');
    }
}

/// The names that one task reports under.
#[derive(Clone, Debug)]
pub(crate) struct TaskNames {
    pub(crate) started: Name,
    pub(crate) success: Name,
    pub(crate) exceptions: Name,
    pub(crate) cancelled: Name,
    pub(crate) panics: Name,
    pub(crate) duration_success: Name,
    pub(crate) duration_exceptions: Name,
    pub(crate) duration_cancelled: Name,
    /// A gauge.
    pub(crate) in_flight: Name,
}

/// Keys and values of tags.
pub(crate) type Tags<'a> = &'a [(Box<str>, Box<str>)];

/// How many calls a series' timer values of one flush stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sample {
    /// Values that are sent.
    pub(crate) values: u64,
    /// Calls that they stand for.
    pub(crate) calls: u64,
}

/// Writes metrics as lines of one dialect, with one prefix and one set of global tags.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    dialect: Dialect,
    /// Empty, or ends in a dot.
    prefix: String,
    /// Ends every name: empty, or `.key.value…`.
    folded: String,
    /// Ends every line that has no tags of its own: empty, or `|#key:value…`.
    suffix: Arc<str>,
    /// The global tags, for lines that have some of their own.
    global: Vec<(String, String)>,
    origin: Origin,
    /// What tells this process's gauges from those of others; empty if nothing does.
    instance: Box<str>,
}

impl Wire {
    /// Lines of `dialect`; `tags_in_names` matters only to a dialect without tags.
    pub(crate) fn new(
        dialect: Dialect,
        prefix: Option<&str>,
        tags: &[(String, String)],
        tags_in_names: bool,
    ) -> Self {
        let prefix = match prefix {
            Some(text) if text.contains(|c| c != '.') => name::path(text) + ".",
            _ => String::new(),
        };
        let folded = match dialect {
            Dialect::Statsd if tags_in_names => statsd::folded(tags),
            Dialect::Statsd | Dialect::DogStatsd => String::new(),
        };
        let wire = Self {
            dialect,
            prefix,
            folded,
            suffix: "".into(),
            global: tags.to_vec(),
            origin: Origin::default(),
            instance: Box::default(),
        };
        wire.with_origin(&Origin::default())
    }

    /// The same lines with their `origin`, where the dialect has a place for it.
    #[must_use]
    pub(crate) fn with_origin(mut self, origin: &Origin) -> Self {
        self.origin = origin.clone();
        if self.dialect == Dialect::DogStatsd {
            self.suffix = dogstatsd::suffix(&self.global, origin).into();
        }
        self
    }

    /// The same lines, with an instance on every gauge of a task.
    #[must_use]
    pub(crate) fn with_instance(mut self, instance: &str) -> Self {
        self.instance = instance.into();
        self
    }

    /// The longest line that is written for any task or any kind of its exceptions, tags of its own aside. A line that fitted no
    /// packet would be pending for ever, and all lines behind it.
    pub(crate) fn longest_line(&self) -> usize {
        const COUNT: usize = ":".len() + number::INTEGER_LEN + "|c".len();
        const MILLIS: usize = ":".len() + number::MILLIS_LEN + "|ms|@".len() + number::RATE_LEN;
        const TIMER: usize = "tasks.duration.".len() + name::NAME_LIMIT + ".exceptions".len() + MILLIS;
        const KIND_TAG: usize =
            "tasks.status.".len() + name::NAME_LIMIT + ".exceptions_by_kind".len() + COUNT;
        const KIND_NODE: usize = "tasks.status.".len() + 2 * name::NAME_LIMIT + ".exceptions.".len() + COUNT;
        // Calls in flight are whole numbers; a name of its own is shorter.
        const GAUGE: usize = "tasks.status.".len() + name::NAME_LIMIT + ".in_flight".len() + COUNT;
        const { assert!(KIND_TAG <= TIMER && TIMER <= KIND_NODE) };
        let instance = self.instance_tag();
        let line = match self.dialect {
            Dialect::Statsd => KIND_NODE.max(GAUGE + statsd::folded(&instance).len()),
            Dialect::DogStatsd => TIMER.max(GAUGE + dogstatsd::suffix(&instance, &Origin::default()).len()),
        };
        self.prefix.len() + line + self.folded.len() + self.suffix.len()
    }

    /// The names of the task called `task`, whatever that holds, with `tags` of its own.
    ///
    /// A dialect without tags has them in the names: the caller asked for them. At most `room` bytes of tags are kept, so that a
    /// line fits its packet; what is left out is told apart by a hash.
    pub(crate) fn task(&self, task: &str, tags: Tags<'_>, room: usize) -> TaskNames {
        let task = name::path(task);
        let (folded, suffix) = self.ends(tags, room);
        let named = |parts: &[&str]| self.name(parts, &folded, &suffix);
        let status = |what: &str| named(&["tasks.status.", &task, ".", what]);
        let (gauge_folded, gauge_suffix) = self.gauge_ends(tags, room);
        let duration = |outcome: &str| named(&["tasks.duration.", &task, ".", outcome]);
        TaskNames {
            started: status("started"),
            success: status("success"),
            exceptions: status("exceptions"),
            cancelled: status("cancelled"),
            panics: status("panics"),
            duration_success: duration("success"),
            duration_exceptions: duration("exceptions"),
            duration_cancelled: duration("cancelled"),
            in_flight: self.name(
                &["tasks.status.", &task, ".in_flight"],
                &gauge_folded,
                &gauge_suffix,
            ),
        }
    }

    /// The name of one kind of exceptions of the task called `task`: a node of its own below the total, or a tag of a metric
    /// beside it, since a sum over the tags of the total itself would count every exception twice. `tags` are the task's own.
    pub(crate) fn kind(&self, task: &str, kind: &str, tags: Tags<'_>, room: usize) -> Name {
        let task = name::path(task);
        self.beside(&["tasks.status.", &task, ".exceptions"], kind, tags, room)
    }

    /// The name of one kind of what the counter `metric` counts, in the same way.
    pub(crate) fn metric_kind(&self, metric: &str, kind: &str, tags: Tags<'_>, room: usize) -> Name {
        self.beside(&[&name::path(metric)], kind, tags, room)
    }

    /// The name of one kind beside its `total`.
    fn beside(&self, total: &[&str], kind: &str, tags: Tags<'_>, room: usize) -> Name {
        match self.dialect {
            Dialect::Statsd => {
                let kind = name::node(kind);
                let (folded, suffix) = self.ends(tags, room);
                self.name(&[total, &[".", &kind]].concat(), &folded, &suffix)
            }
            Dialect::DogStatsd => {
                let kind = [(Box::from("kind"), Box::from(kind))];
                let (folded, suffix) = self.ends(&[&kind, tags].concat(), room);
                self.name(&[total, &["_by_kind"]].concat(), &folded, &suffix)
            }
        }
    }

    /// The name of a metric of its own, whatever `metric` holds, with `tags` of its own.
    pub(crate) fn metric(&self, metric: &str, tags: Tags<'_>, room: usize) -> Name {
        let (folded, suffix) = self.ends(tags, room);
        self.name(&[&name::path(metric)], &folded, &suffix)
    }

    /// The name of a gauge of its own, in the same way, with the instance unless it has brought one.
    pub(crate) fn own_gauge(&self, metric: &str, tags: Tags<'_>, room: usize) -> Name {
        let (folded, suffix) = if tags.iter().any(|(key, _)| **key == *INSTANCE) {
            self.ends(tags, room)
        } else {
            self.gauge_ends(tags, room)
        };
        self.name(&[&name::path(metric)], &folded, &suffix)
    }

    /// What ends a name and a line with `tags`.
    fn ends(&self, tags: Tags<'_>, room: usize) -> (String, Arc<str>) {
        self.ends_in(&fitting(tags, room))
    }

    /// What ends those of a gauge: behind its tags the instance, which always has its room.
    fn gauge_ends(&self, tags: Tags<'_>, room: usize) -> (String, Arc<str>) {
        self.ends_in(&[fitting(tags, room), self.instance_tag()].concat())
    }

    /// The instance as a tag, if there is one.
    fn instance_tag(&self) -> Vec<(String, String)> {
        let given = Some(&*self.instance).filter(|instance| !instance.is_empty());
        let tag = given.map(|instance| (INSTANCE.into(), instance.into()));
        tag.into_iter().collect()
    }

    fn ends_in(&self, tags: &[(String, String)]) -> (String, Arc<str>) {
        if tags.is_empty() {
            return (self.folded.clone(), Arc::clone(&self.suffix));
        }
        match self.dialect {
            Dialect::Statsd => (statsd::folded(tags) + &self.folded, Arc::clone(&self.suffix)),
            Dialect::DogStatsd => {
                let all = [tags, &self.global].concat();
                (String::new(), dogstatsd::suffix(&all, &self.origin).into())
            }
        }
    }

    /// The name of a metric about the library itself.
    pub(crate) fn own(&self, what: &str) -> Name {
        self.name(
            &["instrument_task.", &name::path(what)],
            &self.folded,
            &self.suffix,
        )
    }

    /// Joins clean parts to a whole name.
    fn name(&self, parts: &[&str], folded: &str, suffix: &Arc<str>) -> Name {
        let text = [&self.prefix, &parts.concat(), folded].concat();
        Name {
            text: text.into(),
            suffix: Arc::clone(suffix),
        }
    }

    /// Writes one line, without a line end, that adds `delta` to a counter.
    #[expect(
        clippy::unused_self,
        reason = "what a line looks like is the dialect's to say; here they agree"
    )]
    pub(crate) fn counter(&self, name: &Name, delta: u64, out: &mut Vec<u8>) {
        name.write(out);
        number::integer(delta, out);
        out.extend_from_slice(b"|c");
        out.extend_from_slice(name.suffix.as_bytes());
    }

    /// Writes what sets a gauge to `value`; false, and nothing written, if that is not finite.
    ///
    /// It may be two lines, joined by a line end, that have to travel in one packet.
    pub(crate) fn gauge(&self, name: &Name, value: f64, out: &mut Vec<u8>) -> bool {
        let written = match self.dialect {
            Dialect::Statsd => statsd::gauge(name, value, out),
            Dialect::DogStatsd => dogstatsd::gauge(name, value, out),
        };
        if written {
            out.extend_from_slice(name.suffix.as_bytes());
        }
        written
    }

    /// Writes one line, without a line end, with one duration and the share of calls it was sampled from.
    #[expect(
        clippy::unused_self,
        reason = "what a line looks like is the dialect's to say; here they agree"
    )]
    pub(crate) fn timer(&self, name: &Name, nanos: u64, sample: Option<Sample>, out: &mut Vec<u8>) {
        name.write(out);
        number::millis(nanos, out);
        out.extend_from_slice(b"|ms");
        if let Some(Sample { values, calls }) = sample
            && 0 < values
            && values < calls
        {
            out.extend_from_slice(b"|@");
            number::rate(values, calls, out);
        }
        out.extend_from_slice(name.suffix.as_bytes());
    }
}

/// As many of the `tags` as `room` bytes hold, each with its marks; the last one is a hash of all if some had to go.
fn fitting(tags: Tags<'_>, room: usize) -> Vec<(String, String)> {
    const CUT: &str = "cut";
    let cost = |key: &str, value: &str| name::tag_key(key).len() + name::tag_value(value).len() + 3;
    let owned = |(key, value): &(Box<str>, Box<str>)| (String::from(&**key), String::from(&**value));
    if tags.iter().map(|(key, value)| cost(key, value)).sum::<usize>() <= room {
        return tags.iter().map(owned).collect();
    }
    let all: Vec<_> = tags
        .iter()
        .map(|(key, value)| format!("{}:{key}{}:{value}", key.len(), value.len()))
        .collect();
    let hash = name::hash_hex(&all.concat());
    let mut left = room.saturating_sub(cost(CUT, &hash));
    let mut kept: Vec<_> = tags
        .iter()
        .map_while(|tag| {
            left = left.checked_sub(cost(&tag.0, &tag.1))?;
            Some(owned(tag))
        })
        .collect();
    if room >= cost(CUT, &hash) {
        kept.push((CUT.into(), hash));
    }
    kept
}
