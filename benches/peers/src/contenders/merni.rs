//! merni's aggregation. It has no way to a statsd server, so what it aggregates ends here.

use std::time::{Duration, Instant};

use merni::{AggregationSink, Aggregations, Dispatcher, ThreadLocalAggregator, counter, distribution};

use super::limits;
use crate::{
    Contender, Running, batch,
    work::{Refused, body},
};

/// merni.
pub const MERNI: &str = "merni, aggregator";

/// merni.
pub const CONTENDERS: &[Contender] = &[Contender {
    name: MERNI,
    base: limits::BARE,
    set_up: |_| {
        let aggregator = ThreadLocalAggregator::new(Duration::from_secs(1), Nowhere);
        merni::set_global_dispatcher(Dispatcher::new(aggregator)).map_err(|_| "set up twice")?;
        Ok(Running::plain(batch!(task)))
    },
}];

struct Nowhere;

impl AggregationSink for Nowhere {
    type Output = ();

    fn emit(&mut self, _: Aggregations) {}
}

#[inline(never)]
fn task(n: u64) -> Result<u64, Refused> {
    counter!("tasks.status.task.started": 1);
    let begun = Instant::now();
    let result = body(n);
    if result.is_ok() {
        counter!("tasks.status.task.success": 1);
        distribution!("tasks.duration.task.success"@s: begun.elapsed());
    } else {
        counter!("tasks.status.task.exceptions": 1);
    }
    result
}
