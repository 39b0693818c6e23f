//! The statsd crate: a datagram for each metric.

use std::{sync::OnceLock, time::Instant};

use statsd::Client;

use super::limits;
use crate::{
    Contender, Running, batch,
    work::{Refused, body},
};

/// statsd.
pub const STATSD: &str = "statsd, a send per metric";

/// statsd.
pub const CONTENDERS: &[Contender] = &[Contender {
    name: STATSD,
    base: limits::BARE,
    set_up: |to| {
        CLIENT.set(Client::new(to, "")?).map_err(|_| "set up twice")?;
        Ok(Running::plain(batch!(task)))
    },
}];

static CLIENT: OnceLock<Client> = OnceLock::new();

#[inline(never)]
fn task(n: u64) -> Result<u64, Refused> {
    let Some(client) = CLIENT.get() else {
        return body(n);
    };
    client.incr("tasks.status.task.started");
    let begun = Instant::now();
    let result = body(n);
    if result.is_ok() {
        client.incr("tasks.status.task.success");
        client.timer("tasks.duration.task.success", begun.elapsed().as_secs_f64() * 1e3);
    } else {
        client.incr("tasks.status.task.exceptions");
    }
    result
}
