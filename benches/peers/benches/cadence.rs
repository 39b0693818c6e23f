//! A timed call beside cadence, queuing and buffered: a thirtieth of it.

use criterion::{Criterion, criterion_group, criterion_main};
use instrument_task_benches::{annotated, bare};
use instrument_task_peers::{
    contenders::cadence::QUEUING,
    side_by_side::{self, Group},
};

fn cadence(criterion: &mut Criterion) {
    let mut group = Group::new(criterion, "cadence");
    group.call("bare call", None, bare::task);
    group.call("timed", Some(&side_by_side::timed()), annotated::task);
    group.raw_reads();
    group.contender(QUEUING);
}

criterion_group!(benches, cadence);
criterion_main!(benches);
