//! Loom models of tag sets: shards that open, close and use again their cells while the flusher reads and judges.
//!
//! They run with those of `models`.

use std::{collections::BTreeMap, sync::Arc};

use loom::thread;

use super::{
    recorder::{Options, Recorder},
    registry::{Description, Identity},
    shard::{End, STRIDE_ONE, Shard},
    slot,
    snapshot::{Drained, Reader},
    tag_set::TagSet,
};

fn recorder() -> Arc<Recorder> {
    Arc::new(Recorder::new(Options {
        scoped: true,
        time_every_outcome: false,
        base_stride: STRIDE_ONE,
    }))
}

fn set(number: usize) -> Arc<TagSet> {
    let description = Description {
        identity: Identity {
            task: number.to_string().into(),
            ..Identity::default()
        },
        is_tag_set: true,
        is_overflow: false,
        ..Description::default()
    };
    Arc::new(TagSet::new(slot::of_tag_set(number), Arc::new(description)))
}

fn start(shard: &Shard, set: &Arc<TagSet>) -> super::shard::Token {
    assert!(shard.open(set));
    shard.start_at(set.slot())
}

fn call(shard: &Shard, set: &Arc<TagSet>) {
    let mut token = start(shard, set);
    shard.end_at(set.slot(), &mut token, End::Success);
}

fn sweep(shard: &Shard) {
    shard.sets.begin_sweep();
    shard.sets.sweep(usize::MAX);
}

/// What the flusher makes of its drains.
#[derive(Default)]
struct Books {
    drained: Drained,
    /// By row, what was taken in of it.
    seen: Vec<(usize, usize)>,
    /// By set: started, ended, values.
    sets: BTreeMap<String, (usize, usize, usize)>,
}

impl Books {
    /// A drain, and the verdict that no call is in flight of those that have none.
    fn drain(&mut self, reader: &mut Reader) {
        reader.drain(&mut self.drained);
        let Drained {
            series,
            totals,
            moved,
            gone,
            values,
            ..
        } = &self.drained;
        self.seen.resize(series.len(), (0, 0));
        for row in moved {
            let now = (
                totals[*row].started,
                totals[*row].ended.outcomes.iter().sum::<usize>(),
            );
            let before = std::mem::replace(&mut self.seen[*row], now);
            assert!(now.0 >= now.1, "{now:?}: more ended than started");
            let books = self
                .sets
                .entry(series[*row].identity.task.to_string())
                .or_default();
            books.0 += now.0 - before.0;
            books.1 += now.1 - before.1;
        }
        for value in values {
            let books = self
                .sets
                .entry(series[value.series].identity.task.to_string())
                .or_default();
            books.2 += 1;
        }
        for row in gone {
            let (started, ended) = std::mem::take(&mut self.seen[*row]);
            assert_eq!(started, ended, "a set goes with nothing in flight");
        }
        let idle = (0..series.len())
            .filter(|row| series[*row].is_tag_set && totals[*row].is_quiet())
            .collect::<Vec<_>>();
        reader.retire(&idle);
    }

    fn of(&self, set: &TagSet) -> (usize, usize, usize) {
        let name = &*set.description().identity.task;
        self.sets.get(name).copied().unwrap_or_default()
    }
}

/// Every interleaving with so many switches between threads that no thread asked for.
fn model(switches: usize, f: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(switches);
    builder.check(f);
}

#[test]
fn cells_that_change_from_set_to_set_mix_nothing_up() {
    model(2, || {
        let (first, second) = (set(1), set(2));
        let recorder = recorder();
        let shard = recorder.acquire();
        let mut reader = Reader::new(Arc::clone(&recorder));
        let caller = {
            let (first, second) = (Arc::clone(&first), Arc::clone(&second));
            thread::spawn(move || {
                call(&shard, &first);
                sweep(&shard);
                call(&shard, &second);
                shard
            })
        };
        let mut books = Books::default();
        books.drain(&mut reader);
        let shard = caller.join().unwrap();
        books.drain(&mut reader);
        sweep(&shard);
        books.drain(&mut reader);
        // In cells that one of them had before, if not both.
        call(&shard, &first);
        books.drain(&mut reader);
        sweep(&shard);
        books.drain(&mut reader);
        let (of_first, of_second) = (books.of(&first), books.of(&second));
        assert_eq!((of_first.0, of_first.1), (2, 2));
        assert_eq!((of_second.0, of_second.1), (1, 1));
        assert_eq!((of_first.2, of_second.2), (2, 1), "values");
        assert_eq!(reader.open_sets(), 0, "both are let go of");
    });
}

#[test]
fn a_call_that_moves_between_threads_keeps_its_set() {
    model(2, || {
        let set = set(1);
        let recorder = recorder();
        let (first, second) = (recorder.acquire(), recorder.acquire());
        let mut reader = Reader::new(Arc::clone(&recorder));
        let callers = {
            let set = Arc::clone(&set);
            thread::spawn(move || {
                call(&first, &set);
                let mut token = start(&first, &set);
                let other = {
                    let set = Arc::clone(&set);
                    thread::spawn(move || {
                        assert!(second.open(&set));
                        second.end_at(set.slot(), &mut token, End::Success);
                        sweep(&second);
                    })
                };
                sweep(&first);
                other.join().unwrap();
            })
        };
        let mut books = Books::default();
        books.drain(&mut reader);
        callers.join().unwrap();
        books.drain(&mut reader);
        assert_eq!(books.of(&set), (2, 2, 2));
    });
}

#[test]
fn a_shard_that_nobody_holds_is_swept_and_goes_on() {
    model(2, || {
        let set = set(1);
        let recorder = recorder();
        let mut reader = Reader::new(Arc::clone(&recorder));
        let caller = {
            let (set, recorder) = (Arc::clone(&set), Arc::clone(&recorder));
            thread::spawn(move || {
                for _ in 0..2 {
                    let shard = recorder.acquire();
                    call(&shard, &set);
                    recorder.release(shard);
                }
            })
        };
        let mut books = Books::default();
        books.drain(&mut reader);
        caller.join().unwrap();
        books.drain(&mut reader);
        assert_eq!(books.of(&set), (2, 2, 2));
        books.drain(&mut reader);
        assert_eq!(reader.open_sets(), 0);
    });
}
