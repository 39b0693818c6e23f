//! A process of 1 000 short-lived threads, ten at a time. Prints how much memory it holds as it goes.

use std::{fs, thread, time::Duration};

use instrument_task::instrument_task;

const THREADS: u32 = 1_000;
const AT_ONCE: u32 = 10;
const CALLS: u32 = 1_000;

#[instrument_task]
fn step(number: u32) -> Result<u32, u32> {
    if number % 10 == 3 { Err(number) } else { Ok(number) }
}

/// The resident memory of this process in KiB; none where the system does not tell it in this way.
fn resident() -> Option<u64> {
    let pages: u64 = fs::read_to_string("/proc/self/statm")
        .ok()?
        .split(' ')
        .nth(1)?
        .parse()
        .ok()?;
    Some(pages * 4)
}

fn main() -> Result<(), instrument_task::Error> {
    let metrics = instrument_task::init()?;
    for round in 1..=THREADS / AT_ONCE {
        thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                scope.spawn(|| (0..CALLS).filter(|number| step(*number).is_ok()).count());
            }
        });
        if round % (100 / AT_ONCE) == 0 {
            // So that what the flusher needs for itself is in the first figure already.
            metrics.flush(Duration::from_secs(10));
            if let Some(kib) = resident() {
                println!("{kib}");
            }
        }
    }
    Ok(())
}
