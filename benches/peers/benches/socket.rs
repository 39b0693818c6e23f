//! A timed call beside one that opens a socket: hundreds of them for one.

use criterion::{Criterion, criterion_group, criterion_main};
use instrument_task_benches::{annotated, bare};
use instrument_task_peers::{
    contenders::socket::SOCKET,
    side_by_side::{self, Group},
};

fn socket(criterion: &mut Criterion) {
    let mut group = Group::new(criterion, "socket");
    group.call("bare call", None, bare::task);
    group.call("timed", Some(&side_by_side::timed()), annotated::task);
    group.raw_reads();
    group.contender(SOCKET);
}

criterion_group!(benches, socket);
criterion_main!(benches);
