//! What a call executes, counted by valgrind: the same on every machine.

use std::{env, path::PathBuf};

use instrument_task_peers::Error;
use instrument_task_tests::{
    callgrind,
    instructions::{self, FUNCTIONS, FUTURES, GUARDED, KEPT},
};

/// How calls are measured, the first without any attribute.
const MODES: [&str; 5] = ["bare", "tracing", "off", "untimed", "timed"];

/// What is counted over the function without an attribute, in the order of the columns.
pub const COLUMNS: [&str; 4] = ["tracing::instrument, disabled", "no client", "untimed", "timed"];

/// Instructions of a call by form of the function, over that of the bare function.
pub type Instructions = Vec<(&'static str, [f64; COLUMNS.len()])>;

/// Counts them, of one form only if it is to be `quick`. Nothing where there is no valgrind.
pub fn all(quick: bool) -> Result<Instructions, Error> {
    if let Err(why) = callgrind::available() {
        eprintln!("no instructions: {why}");
        return Ok(Vec::new());
    }
    let scratch = scratch()?;
    let program = callgrind::build("overhead_instructions", &scratch);
    let shapes = [&FUNCTIONS[..], &GUARDED, &FUTURES, &KEPT].concat();
    let some = if quick { 1 } else { shapes.len() };
    Ok(shapes[..some]
        .iter()
        .map(|shape| {
            let [bare, over @ ..] = MODES
                .map(|mode| instructions::of_a_thousand(&program, mode, shape, &scratch).instructions as f64);
            (*shape, over.map(|all| (all - bare) / 1_000.0))
        })
        .collect())
}

/// What the tests use as well, so that the program is built once.
fn scratch() -> Result<PathBuf, Error> {
    let program = env::current_exe()?;
    let target = program.ancestors().nth(2).ok_or("no target folder")?;
    Ok(target.join("tmp"))
}

/// The most of a column among functions.
pub fn most(instructions: &Instructions, shapes: &[&str], column: usize) -> Option<f64> {
    instructions
        .iter()
        .filter(|(shape, _)| shapes.contains(shape))
        .map(|(_, counts)| counts[column])
        .reduce(f64::max)
}
