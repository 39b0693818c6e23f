//! Instructions of a call, by what it is measured against: the same function without the attribute. Counted by
//! `valgrind --tool=callgrind`, which is exact and the same on every machine; how long they take, the benches tell.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use std::{fmt::Write as _, fs, path::Path};

use instrument_task_tests::{
    bounds::{INSTRUCTIONS, Instructions},
    callgrind,
};

/// The functions that are called, one for each form that the attribute writes.
const FUNCTIONS: [&str; 4] = [
    // A body that stays in place, and calls nothing itself.
    "leaf",     // One that stays in place, with a value that is looked at.
    "fallible", // One that may be left by `?`, and so becomes a closure.
    "question", // One whose `?` is written anew, because it knows its caller.
    "tracked",
];

/// One that may be left early and returns nothing. It ends in a drop, and so in no call of another function; tracing's goes on to do so.
const GUARDED: [&str; 1] = ["guarded"];

/// Asynchronous ones, ready at once: a flat one, and one that makes the box itself.
const FUTURES: [&str; 2] = ["ready", "boxed"];

/// One that keeps the word, so that there is one more future around the one that counts.
const KEPT: [&str; 1] = ["kept"];

/// Enough that a single call more or less cannot hide, and that the rare stride's pick is paid.
const CALLS: u64 = 10_000;

/// What `calls` calls executed in all, how many increments they recorded, and how many durations.
fn count(program: &Path, mode: &str, shape: &str, calls: u64) -> [u64; 3] {
    let counts = callgrind::count(program, &[mode, shape, &calls.to_string()], false, scratch());
    let (recorded, timed) = counts.output.trim().split_once(' ').expect("two numbers");
    [
        counts.instructions,
        recorded.parse().expect("a number"),
        timed.parse().expect("a number"),
    ]
}

fn scratch() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

/// The same for one call, in thousandths: what twice as many execute more.
fn per_thousand(program: &Path, mode: &str, shape: &str) -> [u64; 3] {
    let [once, twice] = [CALLS, 2 * CALLS].map(|calls| count(program, mode, shape, calls));
    std::array::from_fn(|at| (twice[at] - once[at]) / (CALLS / 1_000))
}

/// Whether timed calls read the processor's counter here, as they do wherever the kernel itself keeps time by it.
fn has_raw_clock() -> bool {
    fs::read_to_string("/sys/devices/system/clocksource/clocksource0/current_clocksource")
        .is_ok_and(|name| name.trim() == "tsc")
}

#[test]
fn a_call_of_a_function_keeps_within_its_instructions() {
    check(&FUNCTIONS, |bound| bound.plain);
    check(&GUARDED, |bound| bound.guarded);
}

#[test]
fn a_call_of_a_future_keeps_within_its_instructions() {
    check(&FUTURES, |bound| bound.future);
    check(&KEPT, |bound| bound.kept);
}

fn check(shapes: &[&str], limit: impl Fn(&Instructions) -> u64) {
    if let Err(why) = callgrind::available() {
        println!("skipped: {why}");
        return;
    }
    let program = callgrind::optimised(
        "overhead_instructions",
        env!("CARGO_BIN_EXE_overhead_instructions"),
        scratch(),
    );
    let mut table = String::new();
    let mut exceeded = false;
    for shape in shapes {
        let [bare, ..] = per_thousand(&program, "bare", shape);
        let [tracing, ..] = per_thousand(&program, "tracing", shape);
        let _ = write!(
            table,
            "\n{shape:9} bare {:3}  a disabled tracing::instrument +{:.2}",
            bare / 1_000,
            tracing.saturating_sub(bare) as f64 / 1_000.0
        );
        for bound in INSTRUCTIONS {
            let Instructions {
                mode,
                recorded,
                timed,
                ..
            } = bound;
            if timed > 0 && !has_raw_clock() {
                println!("skipped: timed calls, this machine's counter is not trusted by its kernel");
                continue;
            }
            let [all, really_recorded, really_timed] = per_thousand(&program, mode, shape);
            assert_eq!(
                (really_recorded, really_timed),
                (recorded, timed),
                "{mode} {shape}"
            );
            let instructions = limit(&bound);
            let more = all.saturating_sub(bare);
            // To the nearest whole one: the rare pick, or look at the ring, is shared by thousands of calls.
            exceeded |= (more + 500) / 1_000 > instructions;
            exceeded |= mode == "off" && all > tracing && !GUARDED.contains(shape);
            let _ = write!(
                table,
                "  {mode} +{:.2} (at most {instructions})",
                more as f64 / 1_000.0
            );
        }
    }
    println!("instructions of a call:{table}");
    assert!(!exceeded, "instructions of a call:{table}");
}
