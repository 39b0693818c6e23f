//! How many cache lines a call needs of its own: two, the call site's and the one with the series' cells. Counted in a
//! simulated cache that holds none of a series when its turn comes again.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use std::path::Path;

use instrument_task_tests::{
    bounds::{LINES_OF_A_CALL, LINES_OF_A_SERIES},
    callgrind,
};

const CALLS: u64 = 20_000;

/// Lines of a call, in hundredths: what twice as many calls need more.
fn lines(program: &Path, mode: &str, series: &str) -> u64 {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let [once, twice] = [CALLS, 2 * CALLS]
        .map(|calls| callgrind::count(program, &[mode, series, &calls.to_string()], true, scratch).lines);
    twice.saturating_sub(once) / (CALLS / 100)
}

#[test]
fn a_call_needs_two_cache_lines() {
    if let Err(why) = callgrind::available() {
        println!("skipped: {why}");
        return;
    }
    let program = callgrind::optimised(
        "overhead_cache_lines",
        env!("CARGO_BIN_EXE_overhead_cache_lines"),
        Path::new(env!("CARGO_TARGET_TMPDIR")),
    );
    for mode in ["untimed", "timed"] {
        let over = |series| lines(&program, mode, series).saturating_sub(lines(&program, "bare", series));
        let (one, many) = (over("1"), over("10000"));
        println!("hundredths of a line, {mode}: {one} of one task, {many} of 10 000 in turn");
        assert!(one <= LINES_OF_A_CALL, "{mode}: {one}");
        assert!(many.saturating_sub(one) <= LINES_OF_A_SERIES, "{mode}: {many}");
    }
}
