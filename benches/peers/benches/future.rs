//! A timed future that is ready at once costs what a timed call does.

use criterion::{Criterion, criterion_group, criterion_main};
use instrument_task_benches::{annotated, bare, poll_annotated, poll_bare};
use instrument_task_peers::side_by_side::{self, Group};

fn future(criterion: &mut Criterion) {
    let guard = side_by_side::timed();
    let mut group = Group::new(criterion, "future");
    group.call("bare call", None, bare::task);
    group.call("timed call", Some(&guard), annotated::task);
    group.call("bare future", None, poll_bare);
    group.call("timed future", Some(&guard), poll_annotated);
}

criterion_group!(benches, future);
criterion_main!(benches);
