#![deny(unreachable_code, unused_variables, unused_mut)]
use instrument_task::instrument_task;

#[instrument_task]
fn plain(n: u8, spare: u8) -> u8 {
    return n;
    drop(n);
}

#[instrument_task]
fn judged(n: u8, mut spare: u8) -> Result<u8, ()> {
    if n == 0 {
        return Err(());
    }
    return Ok(n);
    drop(n);
}

#[instrument_task]
async fn asynchronous(mut n: u8, spare: u8) -> u8 {
    return n;
    drop(n);
}

fn main() {}
