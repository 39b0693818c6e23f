//! A call beside the metrics crate with the exporter for dogstatsd and cached handles: a fourth of it timed, a tenth untimed.

use criterion::{Criterion, criterion_group, criterion_main};
use instrument_task_benches::{annotated, bare};
use instrument_task_peers::{
    contenders::metrics::HANDLES,
    side_by_side::{self, Group},
};

fn metrics(criterion: &mut Criterion) {
    let mut group = Group::new(criterion, "metrics");
    group.call("bare call", None, bare::task);
    group.call("timed", Some(&side_by_side::timed()), annotated::task);
    group.call("untimed", Some(&side_by_side::untimed()), annotated::task);
    group.contender(HANDLES);
}

criterion_group!(benches, metrics);
criterion_main!(benches);
