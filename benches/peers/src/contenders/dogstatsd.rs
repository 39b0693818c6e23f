//! The dogstatsd crate, batched: a background thread sends.

use std::{
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

use dogstatsd::{BatchingOptions, Client, OptionsBuilder};

use super::limits;
use crate::{
    Contender, Running, batch,
    work::{Refused, body},
};

/// dogstatsd, batched.
pub const BATCHED: &str = "dogstatsd, batched";

/// dogstatsd.
pub const CONTENDERS: &[Contender] = &[Contender {
    name: BATCHED,
    base: limits::BARE,
    set_up: |to| {
        let options = OptionsBuilder::new()
            .to_addr(to.to_string())
            .batching_options(BatchingOptions {
                max_buffer_size: 1_432,
                max_time: Duration::from_millis(100),
                max_retry_attempts: 3,
                initial_retry_delay: 10,
            })
            .build();
        CLIENT.set(Client::new(options)?).map_err(|_| "set up twice")?;
        // It has no way to flush but to wait.
        Ok(Running::plain(batch!(task)).ending(|| thread::sleep(Duration::from_secs(1))))
    },
}];

static CLIENT: OnceLock<Client> = OnceLock::new();
const NO_TAGS: &[&str] = &[];

#[inline(never)]
fn task(n: u64) -> Result<u64, Refused> {
    let Some(client) = CLIENT.get() else {
        return body(n);
    };
    let _ = client.incr("tasks.status.task.started", NO_TAGS);
    let begun = Instant::now();
    let result = body(n);
    if result.is_ok() {
        let _ = client.incr("tasks.status.task.success", NO_TAGS);
        let took = i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX);
        let _ = client.timing("tasks.duration.task.success", took, NO_TAGS);
    } else {
        let _ = client.incr("tasks.status.task.exceptions", NO_TAGS);
    }
    result
}
