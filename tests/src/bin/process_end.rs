//! A process that ends right after its last call, in the way that its argument says.

use std::{env, process, thread};

use instrument_task::instrument_task;

#[instrument_task]
fn step(number: u32) -> Result<u32, u32> {
    if number % 10 == 3 { Err(number) } else { Ok(number) }
}

fn work() {
    for number in 0..500 {
        // What it returns is the parent's to know.
        let _ = step(number);
    }
}

fn main() -> Result<(), instrument_task::Error> {
    let _metrics = instrument_task::init()?;
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(work);
        }
    });
    work();
    match env::args().nth(1).as_deref() {
        Some("panic") => panic!("the end of main"),
        Some("exit") => process::exit(0),
        _ => Ok(()),
    }
}
