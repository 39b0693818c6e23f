//! Instructions of a call, by what it is measured against: the same function without the attribute. Counted by
//! `valgrind --tool=callgrind`, which is exact and the same on every machine; how long they take, the benches tell.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{self, Command},
};

use instrument_task_tests::children;

/// What a call may execute besides its body.
struct Bound {
    mode: &'static str,
    /// Of a function.
    plain: u64,
    /// Of a function without a value that may be left early: its end is a drop, which may be a panic's, so it is asked for.
    guarded: u64,
    /// Of a future: it is looked at once more when it is polled and when it is dropped, because it keeps in memory what a
    /// function has in its frame.
    future: u64,
    /// Of a future in the future of an `async fn`.
    kept: u64,
    /// Whether it counts and times, per thousand calls.
    recorded: u64,
    timed: u64,
}

const BOUNDS: [Bound; 3] = [
    // One load and a branch at the start, a branch at the end, and what the stack frame takes.
    Bound {
        mode: "off",
        plain: 12,
        guarded: 18,
        future: 20,
        kept: 28,
        recorded: 0,
        timed: 0,
    },
    // Two looks for the thread's cells, and an increment of each half.
    Bound {
        mode: "untimed",
        plain: 48,
        guarded: 58,
        future: 56,
        kept: 64,
        recorded: 2_000,
        timed: 0,
    },
    // Two readings of the counter, and a value on the ring.
    Bound {
        mode: "timed",
        plain: 72,
        guarded: 81,
        future: 80,
        kept: 88,
        recorded: 2_000,
        timed: 1_000,
    },
];

/// The functions that are called, one for each form that the attribute writes.
const FUNCTIONS: [&str; 4] = [
    // A body that stays in place, and calls nothing itself.
    "leaf",     // One that stays in place, with a value that is looked at.
    "fallible", // One that may be left by `?`, and so becomes a closure.
    "question", // One whose `?` is written anew, because it knows its caller.
    "tracked",
];

/// One that may be left early and returns nothing.
const GUARDED: [&str; 1] = ["guarded"];

/// Asynchronous ones, ready at once: a flat one, and one that makes the box itself.
const FUTURES: [&str; 2] = ["ready", "boxed"];

/// One that keeps the word, so that there is one more future around the one that counts.
const KEPT: [&str; 1] = ["kept"];

/// Enough that a single call more or less cannot hide, and that the rare stride's pick is paid.
const CALLS: u64 = 10_000;

/// The program that makes the calls, optimised as a user's would be.
fn program() -> PathBuf {
    let built = Path::new(env!("CARGO_BIN_EXE_overhead_instructions"));
    if !cfg!(debug_assertions) {
        return built.to_owned();
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("optimised");
    let status = Command::new(env!("CARGO"))
        .args(["build", "--release", "--quiet", "--bin", "overhead_instructions"])
        .args(["--package", env!("CARGO_PKG_NAME"), "--target-dir"])
        .arg(&target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .expect("cargo starts: it started this test");
    assert!(status.success(), "the program builds");
    target.join("release").join("overhead_instructions")
}

/// What `calls` calls executed in all, how many increments they recorded, and how many durations.
fn count(program: &Path, mode: &str, shape: &str, calls: u64) -> [u64; 3] {
    let name = format!("callgrind-{}-{mode}-{shape}-{calls}", process::id());
    let profile = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let ended = children::run(
        Command::new("valgrind")
            .args([
                "--tool=callgrind",
                "--collect-atstart=no",
                "--toggle-collect=*measured*",
            ])
            .arg(format!("--callgrind-out-file={}", profile.display()))
            .arg(program)
            .args([mode, shape, &calls.to_string()]),
    );
    assert!(ended.status.success(), "{}", ended.errors);
    let text = fs::read_to_string(&profile).expect("callgrind writes its profile");
    // It is of no use any more, and a file that stays does no harm.
    let _ = fs::remove_file(&profile);
    let instructions = text
        .lines()
        .find_map(|line| line.strip_prefix("totals: "))
        .and_then(|total| total.trim().parse().ok())
        .expect("a profile ends with its total");
    let (recorded, timed) = ended.output.trim().split_once(' ').expect("two numbers");
    [
        instructions,
        recorded.parse().expect("a number"),
        timed.parse().expect("a number"),
    ]
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

fn check(shapes: &[&str], limit: impl Fn(&Bound) -> u64) {
    if let Err(error) = Command::new("valgrind").arg("--version").output() {
        println!("skipped: valgrind does not start: {error}");
        return;
    }
    let program = program();
    let mut table = String::new();
    let mut exceeded = false;
    for shape in shapes {
        let [bare, ..] = per_thousand(&program, "bare", shape);
        let _ = write!(table, "\n{shape:9} bare {:3}", bare / 1_000);
        for bound in BOUNDS {
            let Bound {
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
