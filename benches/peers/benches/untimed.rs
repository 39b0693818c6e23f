//! A call that is counted and not timed costs a third of reading the clock twice.

use criterion::{Criterion, criterion_group, criterion_main};
use instrument_task_benches::{annotated, bare};
use instrument_task_peers::{
    contenders::tracing,
    side_by_side::{self, Group},
};

fn untimed(criterion: &mut Criterion) {
    let mut group = Group::new(criterion, "untimed");
    group.call("bare call", None, bare::task);
    group.raw_reads();
    group.contender(tracing::DISABLED);
    group.call("untimed", Some(&side_by_side::untimed()), annotated::task);
}

criterion_group!(benches, untimed);
criterion_main!(benches);
