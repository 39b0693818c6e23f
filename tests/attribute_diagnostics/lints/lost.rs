//! What is no longer said about an annotated function: only lints about the whole of a body that the attribute moved.

#![warn(clippy::pedantic)]

use instrument_task::instrument_task;
use std::future::Future;

#[instrument_task]
pub async fn awaits_nothing() {}

#[instrument_task]
pub fn for_ever(n: u8) -> Result<u8, std::fmt::Error> {
    let n = for_ever(n)?;
    Ok(n)
}

#[instrument_task]
#[warn(clippy::missing_const_for_fn)]
pub fn could_be_const(n: u8) -> u8 {
    n
}

#[instrument_task]
#[warn(clippy::needless_pass_by_ref_mut)]
fn changes_nothing(n: &mut u8) -> Result<u8, std::fmt::Error> {
    if *n == 0 {
        return Err(std::fmt::Error);
    }
    Ok(*n)
}

#[instrument_task]
fn never_fails(n: u8) -> Option<u8> {
    Some(n)
}

#[instrument_task]
pub fn consumes_nothing(text: String) -> Result<usize, std::fmt::Error> {
    if text.is_empty() {
        return Err(std::fmt::Error);
    }
    Ok(text.len())
}

#[instrument_task]
pub fn by_hand(n: u8) -> impl Future<Output = u8> {
    async move { n }
}

#[instrument_task]
pub fn by_reference(ref n: String) -> Result<usize, std::fmt::Error> {
    if n.is_empty() {
        return Err(std::fmt::Error);
    }
    Ok(n.len())
}

#[instrument_task]
pub fn _underscored(_used: String) -> Result<String, std::fmt::Error> {
    if _used.is_empty() {
        return Err(std::fmt::Error);
    }
    Ok(_used)
}

#[instrument_task]
pub async fn fails_undocumented(n: u8) -> Result<u8, std::fmt::Error> {
    std::future::ready(Ok(n)).await
}

pub trait Provided {
    #[instrument_task]
    async fn provided(&self) -> u8 {
        std::future::ready(1).await
    }
}

#[instrument_task]
#[track_caller]
pub fn returns_last(n: Option<u8>) -> Option<u8> {
    return Some(n?.max(1));
}

#[instrument_task]
#[track_caller]
pub fn by_match(n: Option<u8>) -> Option<u8> {
    let n = match n {
        Some(n) => n,
        None => return None,
    };
    Some(n + 1)
}

#[instrument_task]
#[track_caller]
pub fn wraps_again(n: Option<u8>) -> Option<u8> {
    if n == Some(1) {
        return Some(2);
    }
    Some(n?)
}

fn main() {
    never_fails(1);
    drop(changes_nothing(&mut 1));
}
