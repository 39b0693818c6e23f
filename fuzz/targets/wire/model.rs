//! What a server has to have in the end.

use std::collections::BTreeMap;

use instrument_task::{Dialect, fuzzing::Series};

use crate::{
    input::Input,
    rule,
    strict::{Kind, Metric},
};

/// Sums by name and tags, and the calls that timers stand for, rounded.
#[derive(Debug, Default)]
pub struct Books {
    counters: BTreeMap<(String, String), u64>,
    gauges: BTreeMap<(String, String), u64>,
    timers: BTreeMap<(String, String), f64>,
}

impl PartialEq for Books {
    fn eq(&self, other: &Self) -> bool {
        let calls = |books: &Self| -> Vec<_> {
            books
                .timers
                .iter()
                .map(|(name, calls)| (name.clone(), calls.round() as u64))
                .collect()
        };
        self.counters == other.counters && self.gauges == other.gauges && calls(self) == calls(other)
    }
}

impl Books {
    /// Adds what arrived.
    pub fn take(&mut self, metric: Metric<'_>) {
        let name = (metric.name.to_owned(), metric.tags.to_owned());
        match metric.kind {
            Kind::Counter(sum) => *self.counters.entry(name).or_default() += sum,
            // Two series of one name: the last one counts.
            Kind::Gauge(level) => drop(self.gauges.insert(name, level)),
            Kind::Timer(calls) => *self.timers.entry(name).or_default() += calls,
        }
    }

    /// What the rule says.
    pub fn expected(input: &Input, room: usize) -> Self {
        let mut books = Self::default();
        // Several series past the cap are one task.
        let mut tasks: Vec<Series> = Vec::new();
        let mut folded = BTreeMap::new();
        for (at, series) in input.series.iter().enumerate() {
            if tasks.len() - folded.len() < input.cap {
                tasks.push(series.clone());
                continue;
            }
            let overflow = overflow(series);
            let key = (
                overflow.task.clone(),
                overflow.tags.clone(),
                overflow.kind.clone(),
            );
            let task = *folded.entry(key).or_insert_with(|| {
                tasks.push(Series {
                    in_flight: input.series[at].in_flight,
                    ..overflow
                });
                tasks.len() - 1
            });
            let task = &mut tasks[task];
            task.started += series.started;
            task.ended
                .iter_mut()
                .zip(series.ended)
                .for_each(|(sum, more)| *sum += more);
            task.durations.extend(&series.durations);
        }
        for task in &tasks {
            books.count(input, task, room);
        }
        books
    }

    fn count(&mut self, input: &Input, series: &Series, room: usize) {
        let task = rule::path(&series.task);
        if let Some(kind) = &series.kind {
            let name = match input.dialect {
                Dialect::Statsd => {
                    let name = format!("tasks.status.{task}.exceptions.{}", rule::node(kind));
                    whole(input, &name, &series.tags, room)
                }
                _ => {
                    let mut tags = vec![("kind".to_owned(), kind.clone())];
                    tags.extend_from_slice(&series.tags);
                    whole(
                        input,
                        &format!("tasks.status.{task}.exceptions_by_kind"),
                        &tags,
                        room,
                    )
                }
            };
            *self.counters.entry(name).or_default() += series.ended[1] as u64;
            return;
        }
        let name = |what: &str| {
            whole(
                input,
                &format!("tasks.{}", what.replace('*', &task)),
                &series.tags,
                room,
            )
        };
        let [success, exceptions, cancelled] = series.ended;
        let counters = [
            ("status.*.started", series.started),
            ("status.*.success", success),
            ("status.*.exceptions", exceptions),
            ("status.*.cancelled", cancelled),
        ];
        for (what, count) in counters.into_iter().filter(|(_, count)| *count > 0) {
            *self.counters.entry(name(what)).or_default() += count as u64;
        }
        if !series.durations.is_empty() {
            *self.timers.entry(name("duration.*.success")).or_default() += success as f64;
        }
        let now = series.started - success - exceptions - cancelled;
        if series.in_flight && now > 0 {
            let mut tags = fitting(&series.tags, room);
            // What the client is told besides.
            if !input.prefix.is_empty() {
                tags.push(("instance".to_owned(), input.prefix.clone()));
            }
            let name = with_tags(input, &format!("tasks.status.{task}.in_flight"), tags);
            self.gauges.insert(name, now as u64);
        }
    }
}

/// What stands for a series past the cap.
fn overflow(series: &Series) -> Series {
    let (task, tags) = if series.tags.is_empty() {
        ("overflow".to_owned(), Vec::new())
    } else {
        (
            series.task.clone(),
            vec![("overflow".to_owned(), "true".to_owned())],
        )
    };
    let kind = series.kind.as_ref().map(|_| "_other".to_owned());
    Series {
        task,
        tags,
        kind,
        ..Series::default()
    }
}

/// A name and its tags as they go on the wire.
fn whole(input: &Input, name: &str, tags: &[(String, String)], room: usize) -> (String, String) {
    with_tags(input, name, fitting(tags, room))
}

fn with_tags(input: &Input, name: &str, own: Vec<(String, String)>) -> (String, String) {
    let mut name = name.to_owned();
    if input.prefix.bytes().any(|byte| byte != b'.') {
        name = format!("{}.{name}", rule::path(&input.prefix));
    }
    let global: Vec<_> = input.tag.iter().cloned().collect();
    match input.dialect {
        Dialect::Statsd => {
            let global = if input.tags_in_names { global } else { Vec::new() };
            for mut tags in [own, global] {
                tags.sort();
                for (key, value) in tags {
                    name += &format!(".{}", rule::node(&key));
                    if !value.is_empty() {
                        name += &format!(".{}", rule::node(&value));
                    }
                }
            }
            (name, String::new())
        }
        _ => {
            let tag = |(key, value): &(String, String)| match value.as_str() {
                "" => rule::key(key),
                value => format!("{}:{}", rule::key(key), rule::value(value)),
            };
            (
                name,
                own.iter().chain(&global).map(tag).collect::<Vec<_>>().join(","),
            )
        }
    }
}

/// As many tags as there is room for; a hash of all stands for the rest.
fn fitting(tags: &[(String, String)], room: usize) -> Vec<(String, String)> {
    let size = |(key, value): &(String, String)| rule::key(key).len() + rule::value(value).len() + 3;
    if tags.iter().map(size).sum::<usize>() <= room {
        return tags.to_vec();
    }
    let text: String = tags
        .iter()
        .map(|(key, value)| format!("{}:{key}{}:{value}", key.len(), value.len()))
        .collect();
    let cut = ("cut".to_owned(), rule::hash(&text));
    let Some(mut left) = room.checked_sub(size(&cut)) else {
        return Vec::new();
    };
    let mut kept = Vec::new();
    for tag in tags {
        match left.checked_sub(size(tag)) {
            Some(rest) => left = rest,
            None => break,
        }
        kept.push(tag.clone());
    }
    kept.push(cut);
    kept
}
