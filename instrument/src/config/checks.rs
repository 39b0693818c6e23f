//! What values make sense.

use super::{Config, env};
use crate::error::Error;
use std::{fmt::Debug, ops::RangeInclusive, time::Duration};

/// A counter line with the longest name, without tags, is under 400 bytes; any network carries 512.
pub(super) const PACKET_SIZES: RangeInclusive<usize> = 512..=65_507;
/// A packet of the largest size needs room; a system's own limit is far below the upper end.
pub(super) const SEND_BUFFERS: RangeInclusive<usize> = 4 * 1024..=64 * 1024 * 1024;
const FLUSH_INTERVALS: RangeInclusive<Duration> = Duration::from_millis(10)..=HOUR;
const DRAIN_INTERVALS: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(60);
const DEADLINES: RangeInclusive<Duration> = Duration::ZERO..=HOUR;
const EXPIRIES: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(24 * 3_600);
const CAPS: RangeInclusive<usize> = 1..=1_000_000;
const HOUR: Duration = Duration::from_secs(3_600);

/// Refuses values that only setters can give.
pub(super) fn ranges(config: &Config) -> Result<(), Error> {
    within("flush_interval", config.flush_interval, FLUSH_INTERVALS)?;
    within("drain_interval", config.drain_interval, DRAIN_INTERVALS)?;
    within("timer_budget", config.timer_budget, 1..=u32::MAX)?;
    within("client_timer_budget", config.client_timer_budget, 1..=u32::MAX)?;
    if let Some(expiry) = config.idle_expiry {
        within("idle_expiry", expiry, EXPIRIES)?;
    }
    within("cardinality_cap", config.cardinality_cap, CAPS)?;
    within("shutdown_deadline", config.shutdown_deadline, DEADLINES)?;
    Ok(())
}

/// Refuses tags, and an instance, that would leave no packet room for a line.
pub(super) fn room(config: &Config, tag_sources: &str, instance_source: &'static str) -> Result<(), Error> {
    let (line, packet) = (config.wire().longest_line(), config.packet_size);
    if line <= packet {
        return Ok(());
    }
    let mut list: Vec<_> = config
        .tags
        .iter()
        .map(|(key, value)| format!("{key}:{value}"))
        .collect();
    let mut what = vec![tag_sources];
    if let Some(external) = &config.origin.external_data {
        list.push(external.clone());
        what.push(env::EXTERNAL_ENV);
    }
    if let Some(instance) = &config.instance {
        list.push(instance.clone());
        what.push(instance_source);
    }
    what.retain(|source| !source.is_empty());
    let why = format!("too long: a line may take {line} bytes with this, and a packet holds {packet}");
    Err(Error::configuration(&what.join(" + "), &list.join(","), &why))
}

/// Refuses a value outside `range`.
pub(super) fn within<T: PartialOrd + Debug>(
    what: &str,
    value: T,
    range: RangeInclusive<T>,
) -> Result<T, Error> {
    if range.contains(&value) {
        return Ok(value);
    }
    let why = format!("not between {:?} and {:?}", range.start(), range.end());
    Err(Error::configuration(what, &format!("{value:?}"), &why))
}

/// Refuses a rate that is not a share of something.
pub(super) fn share(what: &str, rate: f64) -> Result<f64, Error> {
    if rate > 0.0 && rate <= 1.0 {
        return Ok(rate);
    }
    Err(Error::configuration(
        what,
        &rate.to_string(),
        "not above 0 and up to 1",
    ))
}
