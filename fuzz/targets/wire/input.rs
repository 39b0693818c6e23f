//! What the fuzzer's bytes mean: fields with a byte between them that no text holds. So a seed can be read, and a part of it be
//! replaced.

use instrument_task::{Client, ClientBuilder, Dialect, fuzzing::Series};

/// Stands between fields.
const BETWEEN: u8 = 0xff;
/// Each series is a bit of a sum.
const MOST: usize = 24;

/// A client and what it counted.
#[derive(Debug)]
pub struct Input {
    pub dialect: Dialect,
    pub tags_in_names: bool,
    pub packet_size: usize,
    pub cap: usize,
    pub prefix: String,
    /// A tag for everything; none if its key is empty.
    pub tag: Option<(String, String)>,
    pub series: Vec<Series>,
}

impl Input {
    /// Fields: switches, packet size and cap in a byte each; prefix; key and value of a global tag; and then for each series its
    /// task, key and value of two tags, kind and numbers. What is missing is empty.
    pub fn read(bytes: &[u8]) -> Self {
        let mut fields = bytes.split(|byte| *byte == BETWEEN);
        let head = fields.next().unwrap_or_default();
        let head = |at: usize| usize::from(head.get(at).copied().unwrap_or_default());
        let mut fields = fields.map(|field| String::from_utf8_lossy(field).into_owned());
        let mut text = || fields.next();
        let prefix = text().unwrap_or_default();
        let tag = (text().unwrap_or_default(), text().unwrap_or_default());
        let mut series = Vec::new();
        while let Some(task) = text()
            && series.len() < MOST
        {
            let mut next = || text().unwrap_or_default();
            let tags = [(next(), next()), (next(), next())];
            let kind = next();
            let numbers = next();
            series.push(one(series.len(), task, tags, kind, numbers.as_bytes()));
        }
        Self {
            dialect: if head(0) & 1 == 0 {
                Dialect::Statsd
            } else {
                Dialect::DogStatsd
            },
            tags_in_names: head(0) & 2 == 0,
            packet_size: 512 + 8 * head(1),
            cap: 1 + head(2) % (2 * MOST),
            prefix,
            tag: Some(tag).filter(|(key, _)| !key.is_empty()),
            series,
        }
    }

    pub fn client(&self) -> ClientBuilder {
        let client = Client::builder()
            .dialect(self.dialect)
            .tags_in_names(self.tags_in_names)
            .packet_size(self.packet_size)
            .cardinality_cap(self.cap)
            .prefix(self.prefix.clone())
            .instance(self.prefix.clone());
        match &self.tag {
            Some((key, value)) => client.tag(key.clone(), value.clone()),
            None => client,
        }
    }
}

fn one(at: usize, task: String, tags: [(String, String); 2], kind: String, numbers: &[u8]) -> Series {
    let tags: Vec<_> = tags
        .into_iter()
        .filter(|(key, value)| !key.is_empty() || !value.is_empty())
        .collect();
    let bit = 1 << at;
    if !kind.is_empty() {
        return Series {
            task,
            tags,
            kind: Some(kind),
            ended: [0, bit, 0],
            ..Series::default()
        };
    }
    let number = |at: usize| numbers.get(at).copied().unwrap_or_default();
    let outcome = usize::from(number(0)) % 4;
    let mut ended = [0; 3];
    if let Some(ended) = ended.get_mut(outcome) {
        *ended = bit;
    }
    // Eight bytes a duration, at most as many as there are successes.
    let durations = numbers
        .get(1..)
        .unwrap_or_default()
        .chunks(8)
        .take(ended[0])
        .map(|bytes| bytes.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte)));
    Series {
        task,
        tags,
        kind: None,
        started: bit,
        ended,
        durations: durations.collect(),
        in_flight: outcome == 3,
    }
}
