//! A timed call when many tasks are called in turn: it grows by what the caches miss.

use std::{hint::black_box, time::Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use instrument_task::with_client;
use instrument_task_benches::BATCH;
use instrument_task_peers::{
    many::Many,
    side_by_side::{self, Group},
};

fn series(criterion: &mut Criterion) {
    let guard = side_by_side::timed();
    let mut group = Group::new(criterion, "series");
    for count in [1, 100, 10_000] {
        let many = Many::new(count);
        let mut at = 0;
        group.batches("bare", Some(count), || {
            let begun = Instant::now();
            many.bare(&mut at, black_box(BATCH));
            begun.elapsed()
        });
        group.batches("timed", Some(count), || {
            let took = with_client(&guard, || {
                let begun = Instant::now();
                many.annotated(&mut at, black_box(BATCH));
                begun.elapsed()
            });
            // Reading the books drains the rings.
            black_box(guard.ledger());
            took
        });
    }
}

criterion_group!(benches, series);
criterion_main!(benches);
