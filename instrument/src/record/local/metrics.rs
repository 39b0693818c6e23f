//! What metrics of one's own record: not calls, which have a start and an end.

use std::{mem, sync::atomic::Ordering};

use super::{
    super::{
        busy::Busy,
        gauges::Read,
        series::Series,
        shard::{End, Here, Shard, Token},
    },
    EPOCH, INSTALLED, epoch, find, revive, with_shard_of,
};

/// The id of the recorder that a call which starts now counts in; 0 if there is none.
pub(crate) fn current() -> u32 {
    if epoch() == 0 {
        return 0;
    }
    revive();
    // As in `started`: whoever knows the epoch knows at least what was installed then.
    EPOCH.load(Ordering::Acquire);
    match Here.shard().map(Shard::terms) {
        Some(terms) if terms.scoped => terms.recorder,
        _ => INSTALLED.load(Ordering::Relaxed),
    }
}

/// Adds `more` to the counter `series` in the recorder `id`. Does nothing if that is gone.
pub(crate) fn add(id: u32, series: &'static Series, more: usize) {
    in_cells_of(
        id,
        series,
        |shard, slot| shard.allocate(slot).add(more),
        || series.late_add(id, more),
    );
}

/// Puts a value of the timer `series` into the recorder `id`. Does nothing if that is gone, or if the thread is inside this
/// library already.
pub(crate) fn record(id: u32, series: &'static Series, nanos: u64) {
    in_cells_of(id, series, |shard, slot| shard.record(slot, nanos), || ());
}

/// Ends the call that `token` stands for in the timer `series` instead of in its own, if its client has every outcome timed. If not,
/// nothing knows of the series.
pub(crate) fn end_beside(series: &'static Series, token: &mut Token) {
    let mut token = mem::replace(token, Token::off());
    if !token.is_on() || Busy::is() {
        return;
    }
    let _busy = Busy::new();
    with_shard_of(token.recorder(), |shard| {
        if shard.terms().time_every_outcome {
            shard.end_at(series.known(series.slot()), &mut token, End::Success);
        }
    });
}

/// Calls `f` with the slot of `series` and a shard of the recorder `id`, or `late` where the thread can have no shard.
fn in_cells_of(id: u32, series: &'static Series, f: impl FnOnce(&Shard, usize), late: impl FnOnce()) {
    if id == 0 {
        return;
    }
    if Busy::is() {
        if id == INSTALLED.load(Ordering::Relaxed) {
            late();
        }
        return;
    }
    let _busy = Busy::new();
    let slot = series.known(series.slot());
    with_shard_of(id, |shard| f(shard, slot));
}

/// Has the recorder `id` read a gauge at each drain, until `read` says that it is gone.
pub(crate) fn observe(id: u32, series: &'static Series, read: Read) {
    if Busy::is() {
        return;
    }
    let _busy = Busy::new();
    if let Some(recorder) = find(id) {
        recorder.gauges().observe(series.register(), read);
    }
}
