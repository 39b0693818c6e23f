//! Functions with something to say about each.
#![warn(clippy::pedantic)]
#![allow(clippy::missing_errors_doc)]

use instrument_task::instrument_task;
use std::{collections::HashMap, future::Future, sync::Mutex};

#[instrument_task]
fn never_called() {}

#[instrument_task]
fn never_called_judged(n: u8) -> Result<u8, String> {
    Ok("".parse::<u8>().map_err(|e| e.to_string())? + n)
}

#[instrument_task]
async fn never_called_async(n: u8) -> u8 {
    pause(n).await
}

struct Unused;

impl Unused {
    #[instrument_task]
    fn method(&self) -> u8 {
        1
    }
}

#[instrument_task]
pub fn spare_plain(used: u8, spare: u8, mut changeless: u8) -> u8 {
    let local = 1;
    let mut also = 2;
    used + changeless + also
}

#[instrument_task]
pub fn spare_judged(used: u8, spare: u8, mut changeless: u8, (first, second): (u8, u8)) -> Result<u8, std::fmt::Error> {
    let local = 1;
    let mut also = 2;
    if used == 0 {
        return Err(std::fmt::Error);
    }
    Ok(used + changeless + also + first)
}

#[instrument_task]
pub async fn spare_async(used: u8, spare: u8, mut changeless: u8) -> Result<u8, std::fmt::Error> {
    let local = 1;
    let mut also = pause(2).await;
    Ok(used + changeless + also)
}

#[instrument_task]
pub async fn spare_pattern_async((first, second): (u8, u8), spare: u8) -> u8 {
    pause(first).await
}

#[instrument_task]
#[must_use]
pub async fn spare_kept(used: u8, spare: u8) -> u8 {
    let local = 1;
    pause(used).await
}

async fn pause(n: u8) -> u8 {
    std::future::ready(n).await
}

#[instrument_task]
pub fn assigned(mut n: u8) -> Result<u8, std::fmt::Error> {
    n = 3;
    n = 4;
    if n == 0 {
        return Err(std::fmt::Error);
    }
    let mut last = 1;
    last = 2;
    Ok(n)
}

#[must_use]
#[instrument_task]
pub fn important() -> u8 {
    1
}

#[must_use]
#[instrument_task]
pub async fn important_async() -> u8 {
    pause(1).await
}

#[instrument_task]
pub async fn fallible_async() -> Result<u8, std::fmt::Error> {
    Ok(pause(1).await)
}

#[instrument_task]
pub fn ignores() {
    important();
    spare_judged(1, 1, 1, (1, 1));
    important_async();
    fallible_async();
    spare_async(1, 1, 1);
    Ok::<u8, u8>(1);
}

#[instrument_task]
pub async fn ignores_async() {
    important();
    important_async().await;
    fallible_async().await;
    spare_kept(1, 1).await;
}

#[instrument_task]
pub fn unreachable(n: u8) -> Result<u8, std::fmt::Error> {
    if n == 0 {
        return Err(std::fmt::Error);
        drop(n);
    }
    panic!("no way");
    Ok(n)
}

#[deprecated]
#[instrument_task]
pub fn old() {}

#[instrument_task]
pub fn uses_old() -> Result<(), std::fmt::Error> {
    old();
    use std::mem;
    (1 == 1).then_some(()).ok_or(std::fmt::Error)?;
    Ok(())
}

#[instrument_task]
pub fn BadName(BadArgument: u8) -> Result<u8, std::fmt::Error> {
    let BadLocal = BadArgument;
    if BadLocal == 0 {
        return Err(std::fmt::Error);
    }
    Ok(BadLocal)
}

#[instrument_task]
pub async fn BadAsync(BadArgument: u8) -> u8 {
    pause(BadArgument).await
}

#[instrument_task]
pub fn unused_unsafe() -> u8 {
    unsafe { 1 }
}

#[instrument_task]
pub fn needless(n: u8) -> u8 {
    return n;
}

#[instrument_task]
pub fn needless_judged(n: u8) -> Result<u8, std::fmt::Error> {
    if n == 0 {
        return Err(std::fmt::Error);
    }
    return Ok(n);
}

#[instrument_task]
pub async fn needless_async(n: u8) -> u8 {
    return pause(n).await;
}

#[instrument_task]
pub fn eight(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8) -> Result<u8, std::fmt::Error> {
    if a == 0 {
        return Err(std::fmt::Error);
    }
    Ok(a + b + c + d + e + f + g + h)
}

#[instrument_task]
pub fn many_bools(a: bool, b: bool, c: bool, d: bool) -> Result<bool, std::fmt::Error> {
    if a {
        return Err(std::fmt::Error);
    }
    Ok(b && c && d)
}

#[instrument_task]
pub fn vec_argument(all: &Vec<u8>, map: &HashMap<u8, u8>, small: &u8) -> Option<u8> {
    let first = all.first()?;
    Some(first + map.len() as u8 + *small)
}

#[instrument_task]
pub fn question(n: Option<u8>) -> Option<u8> {
    let n = match n {
        Some(n) => n,
        None => return None,
    };
    Some(n)
}

#[instrument_task]
pub async fn holds_lock(lock: &Mutex<u8>) -> u8 {
    let guard = lock.lock().unwrap();
    pause(*guard).await
}

pub struct Thing(u8);

#[instrument_task]
impl Thing {
    pub fn new() -> Self {
        Self(1)
    }

    pub fn len(&self) -> usize {
        1
    }

    pub fn to_thing(self) -> Self {
        self
    }

    pub fn no_self(&self) -> Result<u8, std::fmt::Error> {
        let n = "1".parse::<u8>().map_err(|_| std::fmt::Error)?;
        Ok(n)
    }

    pub fn undocumented_panic(&self) -> u8 {
        Some(self.0).unwrap()
    }

    fn dead(&self) -> u8 {
        let unused = 1;
        self.0
    }
}

#[instrument_task]
pub fn with_lifetime<'a>(text: &'a str) -> Result<&'a str, std::fmt::Error> {
    if text.is_empty() {
        return Err(std::fmt::Error);
    }
    Ok(text)
}

#[instrument_task]
pub async fn async_lifetime<'a>(text: &'a str) -> &'a str {
    pause(1).await;
    text
}

#[instrument_task]
pub fn clones(text: &String) -> Result<String, std::fmt::Error> {
    if text.is_empty() {
        return Err(std::fmt::Error);
    }
    let copy = text.to_string().clone();
    Ok(copy.into())
}

#[instrument_task]
pub fn opaque_lifetime<'a>(text: &'a str) -> impl Future<Output = &'a str> + 'a {
    std::future::ready(text)
}

#[instrument_task]
pub fn boxed_lifetime<'a>(text: &'a str) -> BoxFuture<'a, u8> {
    Box::pin(async move { pause(text.len() as u8).await })
}

type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;

#[instrument_task]
#[warn(clippy::future_not_send)]
pub async fn stays_here(n: std::rc::Rc<u8>) -> u8 {
    pause(*n).await
}

#[instrument_task]
#[warn(clippy::future_not_send)]
pub async fn stays_here_for_nothing(n: std::rc::Rc<u8>) {
    pause(*n).await;
}

pub trait Trait {
    #[instrument_task]
    fn provided(&self, spare: u8) -> u8 {
        let local = 1;
        1
    }
}

impl Trait for Thing {
    #[instrument_task]
    fn provided(&self, spare: u8) -> u8 {
        let local = 1;
        2
    }
}

fn main() {}
