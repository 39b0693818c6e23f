//! A caret marks where each error has to be.

use instrument_task::instrument_task;

struct NotShown;

#[instrument_task(tags(value = value))]
//                             ^ E0277
fn tag(value: NotShown) {
    drop(value);
}

#[instrument_task(tags(value = missing))]
//                             ^ E0425
fn no_argument() {}

const TWICE: f64 = 2.0;

#[instrument_task(sample_rate = TWICE)]
//                              ^ E0080
fn rate() {}

#[instrument_task(client = 5)]
//                         ^ E0308
fn client() {}

#[instrument_task(error_kind = u8::to_string)]
//                             ^ E0271
fn kind() -> Result<(), u8> {
    Ok(())
}

fn main() {}
