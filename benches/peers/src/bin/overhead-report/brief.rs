//! The report in a few lines: what the README says, which a test compares with it.

use std::fmt::Write as _;

use instrument_task_peers::contenders::{limits, metrics, ours};
use instrument_task_tests::instructions::{FUNCTIONS, FUTURES, GUARDED, KEPT};

use super::{
    instructions::Instructions,
    memory::{Memory, SIZES},
    rounds::Calls,
    table::{heading, row, short},
};

/// The columns of instructions that the library's own modes have, and who is timed in them: functions and futures.
const MODES: [(usize, &str, &str, &str); 3] = [
    (1, "no client", ours::OFF, ours::FUTURE_OFF),
    (2, "counted, not timed", ours::UNTIMED, ours::FUTURE_UNTIMED),
    (3, "counted and timed", ours::TIMED, ours::FUTURE),
];

/// Nothing where no instructions were counted.
pub fn section(page: &mut String, calls: &Calls, instructions: &Instructions, memory: &Memory) {
    if instructions.is_empty() {
        return;
    }
    heading(
        page,
        "In short",
        "What a call costs over the same function without the attribute.",
        &["", "instructions", "time, in two raw clock readings"],
    );
    let reads = calls.of(limits::RAW_READS);
    let time = |name: &str, base: &str| short(calls.of(name).over(calls.of(base)).by(reads).median());
    for (column, mode, function, _) in MODES {
        let counted = range(instructions, &FUNCTIONS, column);
        row(page, &[mode.into(), counted, time(function, limits::BARE)]);
    }
    row(
        page,
        &[
            "in a tight loop at the default budget: counted, few timed".into(),
            "–".into(),
            time(ours::DEFAULT, limits::BARE),
        ],
    );
    for (column, mode, _, future) in MODES {
        let name = format!("an `async fn` that is ready at once: {mode}");
        let counted = range(instructions, &FUTURES, column);
        row(page, &[name, counted, time(future, limits::FUTURE)]);
    }
    for (name, shapes) in [
        (
            "a function that returns no value and may be left early: no client, not timed, timed",
            &GUARDED,
        ),
        (
            "the dearest form, an `async fn` in a trait or under another macro: the same",
            &KEPT,
        ),
    ] {
        let counted = MODES.map(|(column, ..)| range(instructions, shapes, column));
        row(page, &[name.into(), counted.join(", "), "–".into()]);
    }
    let _ = writeln!(
        page,
        "\nTwo raw readings of the processor's counter took {} ns there, and two `Instant::now()` {} ns.",
        short(reads.median()),
        short(calls.of(limits::INSTANTS).median())
    );
    of_memory(page, memory);
}

/// What the most names take, on one thread and on many.
fn of_memory(page: &mut String, memory: &Memory) {
    let mebibytes = |name: &str, threads: usize| {
        let (_, seen) = memory.iter().find(|(of, _)| *of == name)?;
        let at = SIZES.iter().rposition(|(count, _)| *count == threads)?;
        Some(short(seen[at] / 1_024.0))
    };
    let [Some(one), Some(many), Some(metrics_one), Some(metrics_many)] = [
        mebibytes(ours::TIMED, 1),
        mebibytes(ours::TIMED, 16),
        mebibytes(metrics::MACROS, 1),
        mebibytes(metrics::MACROS, 16),
    ] else {
        return;
    };
    let _ = writeln!(
        page,
        "\nA process with 10 000 tasks grows by {one} MiB if one thread calls them, and by {many} MiB if 16 do, each with counters of its own, which \
         is what keeps them from waiting for each other; with `metrics` and its exporter by {metrics_one} and {metrics_many}."
    );
}

/// What forms of functions take.
fn range(instructions: &Instructions, shapes: &[&str], column: usize) -> String {
    let seen = instructions.iter().filter(|(shape, _)| shapes.contains(shape));
    let counts: Vec<f64> = seen.map(|(_, counts)| counts[column].round()).collect();
    let [least, most] = [f64::min, f64::max].map(|pick| counts.iter().copied().fold(f64::NAN, pick));
    if least < most {
        format!("{least}–{most}")
    } else {
        format!("{most}")
    }
}
