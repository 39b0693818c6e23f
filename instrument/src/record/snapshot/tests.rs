use std::{
    future::Future,
    pin::pin,
    task::{Context, Waker},
    thread,
};

use super::*;
use crate::{
    record::{local, recorder::Options},
    task::{
        future::future,
        guard::Call,
        place::{Tagged, tagged},
        site::{End, Site, Token},
    },
};

type Place = Tagged<&'static Site>;

fn reader() -> (Arc<Recorder>, Reader, Drained) {
    let recorder = Arc::new(Recorder::new(Options {
        scoped: true,
        time_every_outcome: false,
        base_stride: STRIDE_ONE,
    }));
    local::admit(&recorder);
    let reader = Reader::new(Arc::clone(&recorder));
    (recorder, reader, Drained::default())
}

fn call(place: Place) {
    let mut token = Token::off();
    Call::start(place, &mut token).succeed();
}

/// A drain, and the verdict that all is idle of which no call is in flight.
fn drain(reader: &mut Reader, drained: &mut Drained) {
    reader.drain(drained);
    let is_idle = |row: &usize| drained.series[*row].is_tag_set && drained.totals[*row].is_quiet();
    let idle: Vec<_> = (0..drained.series.len()).filter(is_idle).collect();
    reader.retire(&idle);
}

/// What was ever started of the series of this task and tag value, in the rows as they are.
fn started(drained: &Drained, task: &str, value: &str) -> usize {
    let series = drained.series.iter().zip(&drained.totals);
    let is_it = |description: &Description| {
        let identity = &description.identity;
        &*identity.task == task && identity.tags.iter().any(|(_, tag)| &**tag == value)
    };
    series
        .filter(|(series, _)| is_it(series))
        .map(|(_, totals)| totals.started)
        .sum()
}

#[test]
fn cells_and_rows_are_those_of_the_sets_that_are_alive() {
    static SITE: Site = Site::new("cells_of_those_alive");
    const SETS: usize = 50;
    let (recorder, mut reader, mut drained) = reader();
    let mut counted = 0;
    for round in 0..100 {
        local::within(&recorder, || {
            for n in 0..SETS {
                call(tagged(&SITE, &["n"], &[&(round * SETS + n)]));
            }
        });
        drain(&mut reader, &mut drained);
        for row in &drained.moved {
            counted += drained.totals[*row].ended.outcomes[0];
        }
    }
    // A set moves once with its start and once with its end.
    assert_eq!(counted, 2 * 100 * SETS);
    drain(&mut reader, &mut drained);
    drain(&mut reader, &mut drained);
    assert_eq!(reader.open_sets(), 0);
    assert!(reader.cells() <= 4 * SETS, "{} cells", reader.cells());
    assert!(
        drained.series.len() <= 4 * SETS + 100,
        "{} rows",
        drained.series.len()
    );
    local::dismiss(recorder.id());
}

#[test]
fn whoever_has_the_place_of_a_forgotten_set_counts_in_overflow() {
    static SITE: Site = Site::new("place_of_a_forgotten_set");
    let (recorder, mut reader, mut drained) = reader();
    let made = Arc::clone(&recorder);
    let place = thread::spawn(move || {
        local::within(&made, || {
            let place = tagged(&SITE, &["n"], &[&1]);
            call(place);
            place
        })
    });
    let place = place.join().unwrap();
    for _ in 0..4 {
        drain(&mut reader, &mut drained);
    }
    local::within(&recorder, || {
        // The set is another one now.
        call(tagged(&SITE, &["n"], &[&1]));
        call(place);
    });
    reader.drain(&mut drained);
    assert_eq!(started(&drained, "place_of_a_forgotten_set", "1"), 1);
    assert_eq!(started(&drained, "place_of_a_forgotten_set", "true"), 1);
    local::dismiss(recorder.id());
}

#[test]
fn a_future_that_waits_to_be_polled_keeps_its_set() {
    static SITE: Site = Site::new("future_that_waits");
    let (recorder, mut reader, mut drained) = reader();
    let made = Arc::clone(&recorder);
    let futures = thread::spawn(move || {
        local::within(&made, || {
            [1, 2].map(|n| {
                let place = tagged(&SITE, &["n"], &[&n]);
                call(place);
                (
                    crate::task::place::Place::slot(&place),
                    future(place, std::future::ready(()), |()| End::Success),
                )
            })
        })
    });
    let [(polled_at, polled), (dropped_at, dropped)] = futures.join().unwrap();
    for _ in 0..4 {
        drain(&mut reader, &mut drained);
    }
    assert_eq!(reader.open_sets(), 0, "no cells are kept");
    assert!(tag_set::at(polled_at).is_some() && tag_set::at(dropped_at).is_some());
    local::within(&recorder, || {
        let done = pin!(polled).poll(&mut Context::from_waker(Waker::noop()));
        assert!(done.is_ready());
    });
    drop(dropped);
    reader.drain(&mut drained);
    assert_eq!(started(&drained, "future_that_waits", "1"), 1);
    for _ in 0..4 {
        drain(&mut reader, &mut drained);
    }
    assert!(tag_set::at(polled_at).is_none() && tag_set::at(dropped_at).is_none());
    local::dismiss(recorder.id());
}
