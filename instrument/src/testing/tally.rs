//! What a server would know after the lines it got: sums, levels and values.

use super::parse::{self, Amount, Line, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Packets that are kept as they came.
const KEPT_PACKETS: usize = 64;

/// Malformed lines that are kept.
const KEPT_BAD_LINES: usize = 100;

/// Values that are kept of one timer: 16 MB.
const KEPT_VALUES: usize = 1_000_000;

/// Everything that came in so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    counters: BTreeMap<String, Sum>,
    gauges: BTreeMap<String, f64>,
    timers: BTreeMap<String, TimerSummary>,
    sets: BTreeMap<String, BTreeSet<String>>,
    pub(super) packets: Vec<Vec<u8>>,
    pub(super) packets_seen: u64,
    pub(super) bad_lines: Vec<String>,
}

/// A counter's sum: whole amounts exactly, the rest as a float.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    whole: i128,
    fraction: f64,
}

impl Sum {
    fn total(self) -> u64 {
        // Far below 2^127: a float as large as that would need as many lines.
        #[allow(clippy::cast_possible_truncation)]
        let total = self.whole + self.fraction.round() as i128;
        u64::try_from(total.max(0)).unwrap_or(u64::MAX)
    }
}

/// What arrived of one timer.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct TimerSummary {
    /// The values in milliseconds, as they came in; of one timer, the first million is kept.
    pub values: Vec<f64>,
    /// How many calls the values stand for: the sum of 1 / rate.
    pub count: f64,
    /// 1 / rate of each of the values.
    weights: Vec<f64>,
}

impl TimerSummary {
    /// The value that the share `q` of calls did not exceed: 0.5 gives the median, 0.99 the 99th percentile.
    ///
    /// Each value weighs as many calls as its rate says it stands for. `q` is taken as 0 below 0, as 1 above 1.
    #[must_use]
    pub fn quantile(&self, q: f64) -> f64 {
        let mut pairs: Vec<_> = self
            .values
            .iter()
            .copied()
            .zip(self.weights.iter().copied())
            .collect();
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        let total: f64 = self.weights.iter().sum();
        // The sum of many weights may miss a whole number by a little; a value should not hang on that.
        let wanted = q.clamp(0.0, 1.0) * total - 1e-9 * total;
        let mut seen = 0.0;
        for (value, weight) in &pairs {
            seen += weight;
            if seen >= wanted {
                return *value;
            }
        }
        pairs.last().map_or(f64::NAN, |last| last.0)
    }

    fn add(&mut self, value: f64, weight: f64) {
        self.count += weight;
        if self.values.len() < KEPT_VALUES {
            self.values.push(value);
            self.weights.push(weight);
        }
    }

    fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.values.extend_from_slice(&other.values);
        self.weights.extend_from_slice(&other.weights);
    }
}

impl Tally {
    /// Takes in one datagram: lines joined by line ends, perhaps with one behind the last.
    pub(super) fn packet(&mut self, bytes: Vec<u8>) {
        self.packets_seen += 1;
        let text = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        for line in text.split(|byte| *byte == b'\n') {
            match std::str::from_utf8(line)
                .map_err(|_| "not valid UTF-8")
                .and_then(parse::parse)
            {
                Ok(line) => self.line(line),
                Err(why) => self.malformed(format!("{why}: {:?}", String::from_utf8_lossy(line))),
            }
        }
        if self.packets.len() < KEPT_PACKETS {
            self.packets.push(bytes);
        }
    }

    /// Takes note of what no server could read.
    pub(super) fn malformed(&mut self, what: String) {
        if self.bad_lines.len() < KEPT_BAD_LINES {
            self.bad_lines.push(what);
        }
    }

    fn line(&mut self, line: Line<'_>) {
        let tagged = !line.tags.is_empty();
        let key = key(line.name, line.tags);
        match line.value {
            Value::Counter {
                amount: Amount::Whole(amount),
                rate: 1.0,
            } => {
                self.counters.entry(key).or_default().whole += amount;
            }
            Value::Counter { amount, rate } => {
                let amount = match amount {
                    Amount::Whole(amount) => amount as f64,
                    Amount::Fraction(amount) => amount,
                };
                self.counters.entry(key).or_default().fraction += amount / rate;
            }
            // Who sends tags speaks `DogStatsD`, where a sign makes no difference of a level.
            Value::Gauge { level, signed } if tagged || !signed => {
                self.gauges.insert(key, level);
            }
            Value::Gauge { level, .. } => *self.gauges.entry(key).or_default() += level,
            Value::Timer { value, rate } => self.timers.entry(key).or_default().add(value, 1.0 / rate),
            Value::Member(member) => {
                self.sets.entry(key).or_default().insert(member.into());
            }
        }
    }

    pub(super) fn counter(&self, name: &str) -> u64 {
        let mut sum = Sum::default();
        for (_, part) in matching(&self.counters, name) {
            sum.whole += part.whole;
            sum.fraction += part.fraction;
        }
        sum.total()
    }

    pub(super) fn counters(&self) -> BTreeMap<String, u64> {
        self.counters
            .iter()
            .map(|(key, sum)| (key.clone(), sum.total()))
            .collect()
    }

    pub(super) fn gauge(&self, name: &str) -> Option<f64> {
        let mut levels = matching(&self.gauges, name);
        let (_, level) = levels.next()?;
        // Of two levels neither is the name's.
        levels.next().is_none().then_some(*level)
    }

    pub(super) fn timer(&self, name: &str) -> Option<TimerSummary> {
        let mut parts = matching(&self.timers, name);
        let mut summary = parts.next()?.1.clone();
        parts.for_each(|(_, part)| summary.merge(part));
        Some(summary)
    }

    pub(super) fn timers(&self) -> Vec<String> {
        self.timers.keys().cloned().collect()
    }

    pub(super) fn set(&self, name: &str) -> BTreeSet<String> {
        matching(&self.sets, name)
            .flat_map(|(_, members)| members.iter().cloned())
            .collect()
    }
}

/// `name`, or `name{key:value,…}` with the tags in order.
fn key(name: &str, mut tags: Vec<&str>) -> String {
    if tags.is_empty() {
        return name.into();
    }
    tags.sort_unstable();
    tags.dedup();
    format!("{name}{{{}}}", tags.join(","))
}

/// The series called `name`, whatever their tags; or the one, if `name` has tags itself.
fn matching<'a, T>(map: &'a BTreeMap<String, T>, name: &str) -> impl Iterator<Item = (&'a String, &'a T)> {
    let tagged = format!("{name}{{");
    let rest = map
        .range(tagged.clone()..)
        .take_while(move |(key, _)| key.starts_with(&tagged));
    map.get_key_value(name).into_iter().chain(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(packets: &[&str]) -> Tally {
        let mut tally = Tally::default();
        for packet in packets {
            tally.packet(packet.as_bytes().to_vec());
        }
        tally
    }

    fn close(one: f64, other: f64) -> bool {
        (one - other).abs() < 1e-9
    }

    #[test]
    fn counters_add_up_exactly_and_by_their_rates() {
        let big = 9_007_199_254_740_993_u64;
        let tally = tally(&[
            "a:1|c\na:2|c",
            "b:3|c|@0.1\n",
            &format!("big:{big}|c\nneg:-1|c"),
            "b:0.5|c|@0.5",
        ]);
        assert_eq!(
            (tally.counter("a"), tally.counter("b"), tally.counter("none")),
            (3, 31, 0)
        );
        assert_eq!((tally.counter("big"), tally.counter("neg")), (big, 0));
        assert_eq!(
            tally.counters().keys().collect::<Vec<_>>(),
            ["a", "b", "big", "neg"]
        );
        assert!(tally.bad_lines.is_empty());
    }

    #[test]
    fn a_bare_name_sums_its_tag_sets_and_no_other_name() {
        let tally = tally(&["a:1|c|#z:1,b:2\na:2|c|#b:2,z:1\na:4|c|#b:3\na:8|c\na.b:16|c\naz:32|c"]);
        assert_eq!(tally.counter("a"), 15);
        assert_eq!((tally.counter("a{b:2,z:1}"), tally.counter("a{b:3}")), (3, 4));
        assert_eq!((tally.counter("a.b"), tally.counter("az")), (16, 32));
    }

    #[test]
    fn gauges_keep_the_last_level() {
        let tally = tally(&[
            "g:5|g\ng:7|g",
            "n:0|g\nn:-3|g",
            "d:5|g\nd:-3|g\nd:+1|g",
            "t:1|g|#a:b\nt:2|g|#a:c\nt:-2|g|#a:c",
        ]);
        assert_eq!(
            (tally.gauge("g"), tally.gauge("n"), tally.gauge("d")),
            (Some(7.0), Some(-3.0), Some(3.0))
        );
        assert_eq!(
            (tally.gauge("none"), tally.gauge("t"), tally.gauge("t{a:c}")),
            (None, None, Some(-2.0))
        );
    }

    #[test]
    fn timers_keep_values_and_what_they_stand_for() {
        let tally = tally(&[
            "t:1|ms\nt:0.25|ms|@0.25",
            "t:9|ms|#a:b",
            "u:1|h",
            "s:x|s\ns:y|s\ns:x|s",
        ]);
        let timer = tally.timer("t").unwrap();
        assert_eq!(timer.values, [1.0, 0.25, 9.0]);
        assert!(close(timer.count, 6.0));
        assert_eq!(tally.timers(), ["t", "t{a:b}", "u"]);
        assert_eq!(tally.timer("none"), None);
        assert_eq!(tally.set("s").len(), 2);
    }

    #[test]
    fn quantiles_weigh_what_values_stand_for() {
        let mut timer = TimerSummary::default();
        (1..=100).for_each(|value| timer.add(f64::from(value), 1.0));
        for (q, expected) in [
            (0.0, 1.0),
            (0.5, 50.0),
            (0.99, 99.0),
            (1.0, 100.0),
            (7.0, 100.0),
            (-1.0, 1.0),
        ] {
            assert!(close(timer.quantile(q), expected), "{q}");
        }
        let mut timer = TimerSummary::default();
        timer.add(1.0, 1.0 / 0.1);
        timer.add(100.0, 1.0);
        assert!(close(timer.quantile(0.9), 1.0) && close(timer.quantile(0.95), 100.0));
        assert!(TimerSummary::default().quantile(0.5).is_nan());
    }

    #[test]
    fn malformed_lines_are_kept_and_memory_is_bounded() {
        let mut tally = tally(&["a:1|c\nrubbish\n\na:1|c", ""]);
        tally.packet(b"\xff:1|c".to_vec());
        assert_eq!(tally.counter("a"), 2);
        assert_eq!(tally.bad_lines.len(), 4);
        assert!(tally.bad_lines[0].contains("\"rubbish\""));
        (0..1_000).for_each(|_| tally.packet(b"x".to_vec()));
        assert_eq!(
            (tally.bad_lines.len(), tally.packets.len()),
            (KEPT_BAD_LINES, KEPT_PACKETS)
        );
        assert_eq!(tally.packets_seen, 1_003);
    }
}
