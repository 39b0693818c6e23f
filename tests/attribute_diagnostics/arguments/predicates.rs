//! A caret marks where each error has to be.

use instrument_task::instrument_task;

#[instrument_task(ok_if = Option::is_some)]
//                        ^ E0631
fn another_type() -> Result<u8, ()> {
    Ok(1)
}

#[instrument_task(ok_if = |n| n + 1)]
//                            ^ E0308
fn no_bool() -> u8 {
    1
}

#[instrument_task(error_if = u8::is_power_of_two)]
//                           ^ E0631
async fn by_value() -> u8 {
    1
}

#[instrument_task(error_if = |n: &u16| *n == 0)]
//                           ^ E0631
fn another_reference() -> u8 {
    1
}

#[instrument_task(error_if = |n| n.missing())]
//                                 ^ E0599
async fn no_method() -> u8 {
    1
}

#[instrument_task(error_if = missing)]
//                           ^ E0425
fn no_function(n: Option<u8>) -> Option<u8> {
    Some(n?)
}

fn main() {}
