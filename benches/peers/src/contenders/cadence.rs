//! cadence, with the sinks that its documentation recommends.

use std::{
    net::{SocketAddr, UdpSocket},
    sync::OnceLock,
    time::{Duration, Instant},
};

use cadence::{
    BufferedUdpMetricSink, Counted as _, CountedExt as _, QueuingMetricSink, StatsdClient, Timed as _,
};

use super::limits;
use crate::{
    Contender, Error, Running, batch,
    many::Names,
    work::{Refused, body},
};

/// Buffered: a datagram is sent by the call that fills it.
pub const BUFFERED: &str = "cadence, buffered";
/// Queuing and buffered: a background thread sends.
pub const QUEUING: &str = "cadence, queuing + buffered";

/// cadence.
pub const CONTENDERS: &[Contender] = &[
    Contender {
        name: BUFFERED,
        base: limits::BARE,
        set_up: |to| start(buffered(to)?, batch!(task)),
    },
    Contender {
        name: QUEUING,
        base: limits::BARE,
        set_up: |to| start(queuing(to)?, batch!(task)),
    },
    Contender {
        name: "cadence, buffered, with a tag",
        base: limits::BARE,
        set_up: |to| start(buffered(to)?, batch!(tagged)),
    },
];

static CLIENT: OnceLock<StatsdClient> = OnceLock::new();

fn buffered(to: SocketAddr) -> Result<StatsdClient, Error> {
    let sink = BufferedUdpMetricSink::from(to, UdpSocket::bind("127.0.0.1:0")?)?;
    Ok(StatsdClient::from_sink("", sink))
}

fn queuing(to: SocketAddr) -> Result<StatsdClient, Error> {
    let sink = BufferedUdpMetricSink::from(to, UdpSocket::bind("127.0.0.1:0")?)?;
    Ok(StatsdClient::from_sink("", QueuingMetricSink::from(sink)))
}

fn start(client: StatsdClient, batch: fn(u32)) -> Result<Running, Error> {
    CLIENT.set(client).map_err(|_| "a second client")?;
    Ok(Running::plain(batch).ending(|| {
        let _ = CLIENT.get().map(StatsdClient::flush);
    }))
}

#[inline(never)]
fn task(n: u64) -> Result<u64, Refused> {
    let Some(client) = CLIENT.get() else {
        return body(n);
    };
    let _ = client.incr("tasks.status.task.started");
    let begun = Instant::now();
    let result = body(n);
    if result.is_ok() {
        let _ = client.incr("tasks.status.task.success");
        let _ = client.time("tasks.duration.task.success", begun.elapsed());
    } else {
        let _ = client.incr("tasks.status.task.exceptions");
    }
    result
}

#[inline(never)]
fn tagged(n: u64) -> Result<u64, Refused> {
    let Some(client) = CLIENT.get() else {
        return body(n);
    };
    let kind = if n.is_multiple_of(2) { "even" } else { "odd" };
    let count = |name| {
        let _ = client.count_with_tags(name, 1).with_tag("kind", kind).try_send();
    };
    count("tasks.status.task.started");
    let begun = Instant::now();
    let result = body(n);
    if result.is_ok() {
        count("tasks.status.task.success");
        let took: Duration = begun.elapsed();
        let _ = client
            .time_with_tags("tasks.duration.task.success", took)
            .with_tag("kind", kind)
            .try_send();
    } else {
        count("tasks.status.task.exceptions");
    }
    result
}

/// What a call that succeeds sends, of the task with these names.
pub fn count(names: &Names) {
    let Some(client) = CLIENT.get() else { return };
    let _ = client.incr(names.started);
    let _ = client.incr(names.success);
    let _ = client.time(names.duration, Duration::from_micros(1));
}
