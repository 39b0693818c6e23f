//! System calls of a call: none, once its thread has called that task. Seen by `strace`, thread by thread.
#![cfg(target_os = "linux")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{self, Command},
};

use instrument_task_tests::{bounds, children};

/// How often each part of the program ran, and the system calls made in it.
type Parts = BTreeMap<String, (u32, Vec<String>)>;

/// A directory for the traces, one file a thread.
struct Traces(PathBuf);

impl Traces {
    fn new() -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("system_calls-{}", process::id()));
        fs::create_dir_all(&path).expect("cargo's own directory can be written to");
        Self(path)
    }

    /// The system calls between the two markers of each part.
    fn parts(&self) -> Parts {
        let mut parts = Parts::new();
        for file in fs::read_dir(&self.0).expect("it was made above") {
            let trace = fs::read_to_string(file.expect("it is there").path()).expect("strace writes text");
            let mut within: Option<String> = None;
            for line in trace.lines() {
                if let Some(name) = marker("begin-", line) {
                    parts.entry(name.to_owned()).or_default().0 += 1;
                    within = Some(name.to_owned());
                } else if marker("end-", line).is_some() {
                    within = None;
                } else if let Some(name) = &within {
                    parts.entry(name.clone()).or_default().1.push(line.to_owned());
                }
            }
            assert_eq!(within, None, "a part that has no end");
        }
        parts
    }
}

impl Traces {
    /// How often the flusher yielded its processor to look again.
    fn yields_of_the_flusher(&self) -> usize {
        let traces = fs::read_dir(&self.0).expect("it was made above");
        let traces = traces.map(|file| fs::read_to_string(file.expect("it is there").path()));
        let flushers: Vec<_> = traces
            .map(|trace| trace.expect("strace writes text"))
            .filter(|trace| trace.contains("PR_SET_NAME, \"instrument-task\""))
            .collect();
        assert!(!flushers.is_empty(), "there is a flusher");
        flushers
            .iter()
            .map(|trace| trace.matches("sched_yield").count())
            .sum()
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        // A failed test leaves nothing behind that the next one would mind.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The name behind `kind` in the path that a line of a trace holds.
fn marker<'a>(kind: &str, line: &'a str) -> Option<&'a str> {
    let (_, rest) = line.split_once(&format!("\"{kind}"))?;
    Some(rest.split_once('"')?.0)
}

/// Whether `strace` is here and may trace; why not, if it may not.
fn can_trace() -> Result<(), String> {
    let mut probe = Command::new("strace");
    let probe = probe.args(["-f", "-o", "/dev/null", "true"]).output();
    let probe = probe.map_err(|error| format!("strace does not start: {error}"))?;
    if probe.status.success() {
        return Ok(());
    }
    Err(format!(
        "strace may not trace here: {}",
        String::from_utf8_lossy(&probe.stderr)
    ))
}

#[test]
fn a_million_calls_make_no_system_call() {
    if let Err(why) = can_trace() {
        println!("skipped: {why}");
        return;
    }
    let traces = Traces::new();
    let ended = children::run(
        Command::new("strace")
            .args(["-ff", "-o"])
            .arg(traces.0.join("thread"))
            .arg(env!("CARGO_BIN_EXE_overhead_system_calls")),
    );
    assert!(ended.status.success(), "{}", ended.errors);

    let parts = traces.parts();
    let ran: Vec<_> = parts.iter().map(|(name, (times, _))| (&**name, *times)).collect();
    let expected = [
        ("attempts", 4),
        ("clock", 1),
        ("off", 1),
        ("pausing", 4),
        ("plain", 4),
    ];
    assert_eq!(ran, expected);
    if !parts["clock"].1.is_empty() {
        println!("skipped: reading the clock is a system call on this machine");
        return;
    }
    for (name, (_, calls)) in &parts {
        assert_eq!(calls.len(), bounds::SYSTEM_CALLS, "{name}: {calls:?}");
    }
    assert_eq!(
        traces.yields_of_the_flusher(),
        0,
        "it sleeps until there is something to do"
    );
}
