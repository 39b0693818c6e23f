//! The expansion allows nothing that a crate may well forbid.
#![forbid(unused_imports, unused_variables, unused_mut, unused_assignments, dead_code, unused_must_use)]

use instrument_task::instrument_task;

#[instrument_task]
pub fn judged(n: u8) -> Result<u8, std::fmt::Error> {
    if n == 0 {
        return Err(std::fmt::Error);
    }
    Ok(n)
}

#[instrument_task]
pub async fn later(n: u8, _spare: String) -> Result<u8, std::fmt::Error> {
    std::future::ready(Ok(n)).await
}

#[instrument_task]
#[track_caller]
pub fn tracked(n: Option<u8>) -> Option<u8> {
    Some(n? + 1)
}

#[instrument_task]
pub fn warned() -> Option<u8> {
    let unit = ();
    let () = unit;
    return Some(1);
}

fn main() {}
