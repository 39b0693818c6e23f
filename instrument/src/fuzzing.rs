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
        };
        let options = Options {
            in_flight: series.in_flight,
            ..Options::default()
        };
        drained.series.push(Arc::new(Description { identity, options }));
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
