//! Instructions of a call, by what it is measured against: the same function without the attribute. Counted by
//! `valgrind --tool=callgrind`, which is exact and the same on every machine; how long they take, the benches tell.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use std::{fmt::Write as _, fs, path::Path};

use instrument_task_tests::{
    bounds::{INSTRUCTIONS, Instructions},
    callgrind,
    instructions::{self, ATTEMPTS, Executed, FUNCTIONS, FUTURES, GUARDED, KEPT},
};

fn scratch() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
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

#[test]
fn an_attempt_at_a_job_keeps_within_its_instructions() {
    check(&ATTEMPTS, |bound| bound.attempt);
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
        let count = |mode| instructions::of_a_thousand(&program, mode, shape, scratch());
        let [bare, tracing] = ["bare", "tracing"].map(|mode| count(mode).instructions);
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
            let seen = count(mode);
            assert_eq!((seen.recorded, seen.timed), (recorded, timed), "{mode} {shape}");
            let (
                Executed {
                    instructions: all, ..
                },
                instructions,
            ) = (seen, limit(&bound));
            let more = all.saturating_sub(bare);
            // To the nearest whole one: the rare pick, or look at the ring, is shared by thousands of calls.
            exceeded |= (more + 500) / 1_000 > instructions;
            let is_like_tracing = !GUARDED.contains(shape) && !ATTEMPTS.contains(shape);
            exceeded |= mode == "off" && all > tracing && is_like_tracing;
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
