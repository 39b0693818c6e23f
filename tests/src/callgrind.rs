//! Programs under `valgrind --tool=callgrind`, which counts exactly and the same on every machine.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{self, Command},
    sync::atomic::{AtomicUsize, Ordering},
};

use crate::children;

/// What a program executed within the functions that are called `measured`.
#[derive(Debug)]
pub struct Counts {
    /// Instructions.
    pub instructions: u64,
    /// Cache lines that were not in a first-level cache of 32 KiB when data was read or written, if that was simulated.
    pub lines: u64,
    /// What the program printed.
    pub output: String,
}

/// Whether it can be had here: if not, the reason.
///
/// # Errors
/// If valgrind does not start.
pub fn available() -> Result<(), String> {
    match Command::new("valgrind").arg("--version").output() {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("valgrind does not start: {error}")),
    }
}

/// A program of this package, optimised as a user's would be. `built` is where this build has it.
///
/// # Panics
/// If it does not build.
#[must_use]
pub fn optimised(name: &str, built: &str, scratch: &Path) -> PathBuf {
    if cfg!(debug_assertions) {
        build(name, scratch)
    } else {
        PathBuf::from(built)
    }
}

/// Builds a program of this package, optimised, in a folder of its own.
///
/// # Panics
/// If it does not build.
#[must_use]
pub fn build(name: &str, scratch: &Path) -> PathBuf {
    let target = scratch.join("optimised");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--release", "--quiet", "--bin", name])
        .args(["--package", env!("CARGO_PKG_NAME"), "--target-dir"])
        .arg(&target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .expect("cargo starts: it started this test");
    assert!(status.success(), "the program builds");
    target.join("release").join(name)
}

/// Runs the program and counts; its cache too if `cache`.
///
/// # Panics
/// If it fails.
#[must_use]
pub fn count(program: &Path, arguments: &[&str], cache: bool, scratch: &Path) -> Counts {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    let run = RUNS.fetch_add(1, Ordering::Relaxed);
    let profile = scratch.join(format!("callgrind-{}-{run}", process::id()));
    let mut valgrind = Command::new("valgrind");
    valgrind.args([
        "--tool=callgrind",
        "--collect-atstart=no",
        "--toggle-collect=*measured*",
    ]);
    if cache {
        valgrind.args(["--cache-sim=yes", "--D1=32768,8,64"]);
    }
    valgrind.arg(format!("--callgrind-out-file={}", profile.display()));
    let ended = children::run(valgrind.arg(program).args(arguments));
    assert!(ended.status.success(), "{}", ended.errors);
    let text = fs::read_to_string(&profile).expect("callgrind writes its profile");
    // It is of no use any more, and a file that stays does no harm.
    let _ = fs::remove_file(&profile);
    let words = |key: &str| -> Vec<String> {
        let line = text.lines().find_map(|line| line.strip_prefix(key));
        line.expect("a profile has its events and totals")
            .split_whitespace()
            .map(str::to_owned)
            .collect()
    };
    let (events, totals) = (words("events:"), words("totals:"));
    let total = |event: &str| -> u64 {
        let at = events.iter().position(|name| name == event);
        at.and_then(|at| totals.get(at)?.parse().ok()).unwrap_or(0)
    };
    Counts {
        instructions: total("Ir"),
        lines: total("D1mr") + total("D1mw"),
        output: ended.output,
    }
}
