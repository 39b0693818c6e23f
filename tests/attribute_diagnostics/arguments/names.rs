//! A caret marks where each error has to be.

use instrument_task::instrument_task;

const SPACE: &str = "send mail";
const NUMBER: u8 = 5;

#[instrument_task(name = SPACE)]
//                       ^ E0080
fn space() {}

#[instrument_task(name = NUMBER)]
//                       ^ E0308
fn number() {}

#[instrument_task(name = MISSING)]
//                       ^ E0425
fn missing() {}

fn main() {}
