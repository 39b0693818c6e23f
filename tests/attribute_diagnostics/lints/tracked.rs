//! Lints about functions whose exits are written anew.
#![warn(clippy::pedantic)]

use instrument_task::instrument_task;

#[instrument_task]
#[track_caller]
fn never_called(n: Option<u8>) -> Result<u8, u8> {
    n.ok_or(1)?;
    Ok(1)
}

#[instrument_task]
#[track_caller]
pub fn spare(used: Option<u8>, spare: u8, mut changeless: u8, mut changed: u8) -> Option<u8> {
    let local = 1;
    let mut also = 2;
    changed += 1;
    Some(used? + changeless + also + changed)
}

#[instrument_task]
#[track_caller]
pub fn undocumented(n: Result<u8, u8>) -> Result<u8, u8> {
    let n = n?;
    let shadowed = n;
    let shadowed = shadowed + 1;
    Ok((shadowed))
}

#[instrument_task]
#[track_caller]
pub fn by_value(text: String) -> Result<usize, u8> {
    let len = Some(text.len()).filter(|len| *len > 0).ok_or(1)?;
    Ok(len)
}

#[instrument_task]
#[track_caller]
pub fn late(n: u8) -> Result<u8, u8> {
    if n == 1 {
        return Err(1);
        drop(n);
    }
    if n == 2 {
        return Err((2));
    }
    Err::<(), u8>(3)?;
    panic!("no way");
    Ok(n)
}

#[instrument_task]
#[track_caller]
pub fn parentheses(n: Option<u8>) -> Option<u8> {
    let n = (n)?;
    let n = (Some(n)?);
    Some(1).ok_or(())
        .ok()?;
    Some(n)
}

#[instrument_task]
#[track_caller]
pub fn unread(text: &str, n: Option<u8>) -> Result<u8, std::num::ParseIntError> {
    let parsed = text.parse::<u8>()?;
    let mut last = 1;
    last = text.parse::<u8>()?;
    let n = n.unwrap_or(1);
    Ok(n)
}

#[instrument_task]
#[track_caller]
#[warn(unused_results)]
pub fn ignored(n: Option<u8>) -> Option<u8> {
    n?;
    Some(1)
}

fn main() {}

#[instrument_task]
pub fn panics(n: u8) -> Result<u8, u8> {
    let text = n.to_string();
    panic!("{text}")
}

#[instrument_task]
pub fn exits(n: i32) -> u8 {
    std::process::exit(n)
}

#[instrument_task]
pub fn later() -> Option<u8> {
    unimplemented!()
}
