//! A process of 1 000 short-lived threads, ten at a time. Prints how much memory it holds as it goes.

use std::{process, sync::Barrier, thread, time::Duration};

use instrument_task::instrument_task;
use instrument_task_tests::process::Figures;

const THREADS: usize = 1_000;
const AT_ONCE: usize = 10;
const CALLS: u32 = 1_000;

#[instrument_task]
fn step(number: u32) -> Result<u32, u32> {
    if number % 10 == 3 { Err(number) } else { Ok(number) }
}

/// A thread's life. All of a round have made a call before any goes on: how many of them live at once would else be up to the
/// scheduler, and with it the memory of the first rounds.
fn work(all_are_here: &Barrier) -> usize {
    let first = usize::from(step(0).is_ok());
    all_are_here.wait();
    first + (1..CALLS).filter(|number| step(*number).is_ok()).count()
}

fn main() -> Result<(), instrument_task::Error> {
    let metrics = instrument_task::init()?;
    let all_are_here = Barrier::new(AT_ONCE);
    for round in 1..=THREADS / AT_ONCE {
        thread::scope(|scope| {
            let threads = [(); AT_ONCE].map(|()| scope.spawn(|| work(&all_are_here)));
            // The scope alone ends with the threads' work, while they still hold what they counted in, and their stacks.
            for thread in threads {
                thread.join().expect("calls do not panic");
            }
        });
        if round % (100 / AT_ONCE) == 0 {
            // So that what the flusher needs for itself is in the first figure already.
            metrics.flush(Duration::from_secs(10));
            if let Some(figures) = Figures::of(process::id()) {
                println!("{}", figures.anonymous);
            }
        }
    }
    Ok(())
}
