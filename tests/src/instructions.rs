//! What a call executes, by what it is measured against: the same function without the attribute. The program that is counted is
//! `overhead_instructions`.

use std::path::Path;

use crate::callgrind;

/// The functions that are called, one for each form that the attribute writes.
pub const FUNCTIONS: [&str; 4] = [
    // A body that stays in place, and calls nothing itself.
    "leaf",     // One that stays in place, with a value that is looked at.
    "fallible", // One that may be left by `?`, and so becomes a closure.
    "question", // One whose `?` is written anew, because it knows its caller.
    "tracked",
];

/// One that may be left early and returns nothing. It ends in a drop, and so in no call of another function; tracing's goes on to do so.
pub const GUARDED: [&str; 1] = ["guarded"];

/// Asynchronous ones, ready at once: a flat one, and one that makes the box itself.
pub const FUTURES: [&str; 2] = ["ready", "boxed"];

/// One that keeps the word, so that there is one more future around the one that counts.
pub const KEPT: [&str; 1] = ["kept"];

/// An attempt of [`worker::Metrics`](instrument_task::worker::Metrics), which is what every layer of a job queue makes.
pub const ATTEMPTS: [&str; 1] = ["attempt"];

/// Enough that a single call more or less cannot hide, and that the rare stride's pick is paid.
const CALLS: u64 = 10_000;

/// What calls did.
#[derive(Clone, Copy, Debug)]
pub struct Executed {
    /// Instructions.
    pub instructions: u64,
    /// Increments that were counted.
    pub recorded: u64,
    /// Durations that were taken.
    pub timed: u64,
}

/// What a thousand calls do: what twice as many do more. `program` is built as [`callgrind::optimised`] does it.
///
/// # Panics
/// If the program fails, or does not know the mode or the shape.
#[must_use]
pub fn of_a_thousand(program: &Path, mode: &str, shape: &str, scratch: &Path) -> Executed {
    let count = |calls: u64| {
        let counts = callgrind::count(program, &[mode, shape, &calls.to_string()], false, scratch);
        let (recorded, timed) = counts.output.trim().split_once(' ').expect("two numbers");
        [
            counts.instructions,
            recorded.parse().expect("a number"),
            timed.parse().expect("a number"),
        ]
    };
    let [once, twice] = [CALLS, 2 * CALLS].map(count);
    let [instructions, recorded, timed] = std::array::from_fn(|at| (twice[at] - once[at]) / (CALLS / 1_000));
    Executed {
        instructions,
        recorded,
        timed,
    }
}
