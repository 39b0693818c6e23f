//! A timed call costs little more than reading the clock twice.

use criterion::{Criterion, criterion_group, criterion_main};
use instrument_task_benches::{annotated, bare, two_instants};
use instrument_task_peers::side_by_side::{self, Group};

fn timed(criterion: &mut Criterion) {
    let mut group = Group::new(criterion, "timed");
    group.call("bare call", None, bare::task);
    group.raw_reads();
    group.call("two Instant::now()", None, two_instants);
    group.call("timed", Some(&side_by_side::timed()), annotated::task);
}

criterion_group!(benches, timed);
criterion_main!(benches);
