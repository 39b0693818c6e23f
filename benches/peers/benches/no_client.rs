//! Without a client a call costs what a disabled attribute of tracing's does.

use criterion::{Criterion, criterion_group, criterion_main};
use instrument_task_benches::{annotated, bare, poll_annotated, poll_bare};
use instrument_task_peers::{contenders::tracing, side_by_side::Group};

fn no_client(criterion: &mut Criterion) {
    let mut group = Group::new(criterion, "no client");
    group.call("bare call", None, bare::task);
    group.call("no client", None, annotated::task);
    group.contender(tracing::DISABLED);
    group.call("bare future", None, poll_bare);
    group.call("no client, future", None, poll_annotated);
}

criterion_group!(benches, no_client);
criterion_main!(benches);
