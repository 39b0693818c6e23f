//! A caret marks where each error has to be.

use instrument_task::instrument_task;

#[instrument_task(crate = nowhere)]
//                        ^ E0433
fn run() {}

fn main() {}
