//! Where and when a report was made.

use std::{fs, process::Command, thread};

/// A line about the machine, the compiler, the commit and the day.
#[must_use]
pub fn describe() -> String {
    let cores = thread::available_parallelism().map_or(0, usize::from);
    let processor = fs::read_to_string("/proc/cpuinfo")
        .ok()
        .and_then(|text| {
            let line = text.lines().find(|line| line.starts_with("model name"))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        })
        .unwrap_or_else(|| "a processor without a name".to_owned());
    let output = |program: &str, arguments: &[&str]| {
        Command::new(program)
            .args(arguments)
            .output()
            .ok()
            .and_then(|output| String::from_utf8(output.stdout).ok())
            .map(|text| text.trim().to_owned())
            .unwrap_or_default()
    };
    let compiler = output("rustc", &["--version"]);
    let date = output("date", &["-u", "+%Y-%m-%d"]);
    let mut commit = output("git", &["rev-parse", "--short", "HEAD"]);
    if !output("git", &["status", "--porcelain", "--untracked-files=no"]).is_empty() {
        commit.push_str(" with changes");
    }
    format!("{cores} cores of {processor}, {compiler}, commit {commit}, {date}")
}

/// The versions of what was compared, as the lock file has them.
#[must_use]
pub fn versions() -> Vec<String> {
    let lock = include_str!("../../Cargo.lock");
    let names = [
        "instrument-task",
        "tracing",
        "tracing-subscriber",
        "fastrace",
        "metrics",
        "metrics-exporter-dogstatsd",
        "merni",
        "autometrics",
        "prometheus-client",
        "cadence",
        "dogstatsd",
        "statsd",
    ];
    names
        .into_iter()
        .filter_map(|name| {
            let entry = format!("name = \"{name}\"\nversion = \"");
            let rest = &lock[lock.find(&entry)? + entry.len()..];
            Some(format!("{name} {}", rest.split_once('"')?.0))
        })
        .collect()
}
