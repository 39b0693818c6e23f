//! What the fuzz targets reach of the pure middle: names as a caller gives them in, datagrams out.

use std::sync::Arc;

use crate::{
    config::ClientBuilder,
    error::Error,
    flush::{
        budget::{Limits, base_stride},
        tick::{Settings, Tick},
    },
    ledger::Ledger,
    record::{
        registry::{Description, Identity, Options},
        shard::{Ended, OUTCOMES},
        snapshot::{Drained, Measured, Totals},
    },
};

/// What was counted of one series.
#[derive(Clone, Debug, Default)]
pub struct Series {
    /// The task's name.
    pub task: String,
    /// Tags of its calls.
    pub tags: Vec<(String, String)>,
    /// The kind of exceptions that it counts, if it is not the task itself.
    pub kind: Option<String>,
    /// Calls that began.
    pub started: usize,
    /// Calls by outcome: success, exceptions, cancelled.
    pub ended: [usize; OUTCOMES],
    /// Durations of successes in nanoseconds.
    pub durations: Vec<u64>,
    /// Whether the calls in flight are sent.
    pub in_flight: bool,
}

/// What became of it.
#[derive(Debug)]
pub struct Sent {
    /// The datagrams.
    pub datagrams: Vec<Vec<u8>>,
    /// Bytes that one may have.
    pub packet_size: usize,
    /// Bytes that a line's own tags may take.
    pub room: usize,
    /// The books after the last one.
    pub ledger: Ledger,
}

/// One flush of all `series` by a client as configured, to a server that takes everything.
///
/// # Errors
/// If the configuration is refused.
pub fn flush(client: ClientBuilder, series: &[Series]) -> Result<Sent, Error> {
    let config = client.ignore_environment().resolve()?;
    let wire = config.wire();
    let room = config.packet_size.saturating_sub(wire.longest_line());
    let mut tick = Tick::new(Settings {
        wire,
        packet_size: config.packet_size,
        cardinality_cap: config.cardinality_cap,
        limits: Limits {
            series_rate: f64::MAX,
            client_rate: f64::MAX,
            series_values: usize::MAX / 2,
            client_values: usize::MAX / 2,
            base_stride: base_stride(1.0),
            time_every_outcome: false,
        },
        telemetry: config.telemetry,
        idle_expiry: config.idle_expiry,
    });
    let mut drained = Drained::default();
    for (id, series) in series.iter().enumerate() {
        let tags = series
            .tags
            .iter()
            .map(|(key, value)| (Box::from(key.as_str()), Box::from(value.as_str())));
        let identity = Identity {
            task: series.task.as_str().into(),
            tags: tags.collect(),
            kind: series.kind.as_deref().map(Box::from),
            ..Identity::default()
        };
        let options = Options {
            in_flight: series.in_flight,
            ..Options::default()
        };
        drained.series.push(Arc::new(Description {
            identity,
            options,
            ..Description::default()
        }));
        drained.moved.push(id);
        drained.totals.push(Totals {
            started: series.started,
            ended: Ended {
                outcomes: series.ended,
                panics: 0,
            },
        });
        drained
            .values
            .extend(series.durations.iter().map(|nanos| Measured {
                series: id,
                outcome: 0,
                stride: base_stride(1.0),
                ticks: *nanos,
            }));
    }
    drained.measured = drained.values.len();
    tick.absorb(&drained, 0.0, |ticks| ticks);
    tick.begin(true);
    let mut datagrams = Vec::new();
    while let Some(datagram) = tick.next() {
        let datagram = datagram.to_vec();
        tick.settle(datagram.len());
        datagrams.push(datagram);
    }
    Ok(Sent {
        datagrams,
        packet_size: config.packet_size,
        room,
        ledger: tick.ledger(),
    })
}

// So that the ordinary build sees it too.
#[cfg(test)]
mod tests {
    use super::*;
    use crate::Client;

    #[test]
    fn a_flush_sends_what_every_series_counted() {
        let series = ["a", "b|c"].map(|task| Series {
            task: task.into(),
            started: 3,
            ended: [2, 0, 0],
            durations: vec![1_000_000],
            in_flight: true,
            ..Series::default()
        });
        let sent = flush(Client::builder().instance("i"), &series).unwrap();
        assert!(sent.ledger.is_balanced());
        let text = String::from_utf8(sent.datagrams.concat()).unwrap();
        for line in [
            "tasks.status.a.started:3|c",
            "tasks.status.b_c.in_flight.instance.i:1|g",
            "b_c.success:1|ms|@0.5",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
        assert!(
            sent.datagrams
                .iter()
                .all(|datagram| datagram.len() <= sent.packet_size)
        );
    }
}
