//! Examples with a queue, as a user runs them.

use std::{
    collections::BTreeMap,
    io::{self, ErrorKind},
    process::Command,
};

use crate::{
    children::{self, Ended, Running},
    etsy::Etsy,
};

const COUNTS: [&str; 5] = ["started", "success", "exceptions", "cancelled", "panics"];

/// A server that was to start, or a word on standard output that this machine has not got it.
///
/// # Panics
/// If it has, and it did not start.
#[must_use]
#[track_caller]
pub fn or_skip<T>(server: io::Result<T>) -> Option<T> {
    match server {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            println!("skipped: {error} (./test installs it)");
            None
        }
        server => Some(server.expect("it is installed")),
    }
}

/// What an example says in its last line.
#[derive(Debug)]
pub struct Said {
    /// The tasks.
    pub tasks: Vec<String>,
    line: String,
}

/// Starts the program of an example that sends to `server`, with the prefix `celery`.
///
/// # Panics
/// If it does not start.
#[must_use]
#[track_caller]
pub fn start(program: &str, arguments: &[&str], variables: &[(&str, &str)], server: &Etsy) -> Running {
    let address = server.address();
    let (host, port) = address.split_once(':').expect("host and port");
    children::start(
        Command::new(program)
            .args(arguments)
            .arg("--json")
            .envs(variables.iter().copied())
            .env("STATSD_HOST", host)
            .env("STATSD_PORT", port)
            .env("STATSD_PREFIX", "celery"),
    )
}

impl Said {
    /// What an example said that these tasks are the tasks of.
    ///
    /// # Panics
    /// If it failed.
    #[must_use]
    #[track_caller]
    pub fn by(ended: &Ended, tasks: &[&str]) -> Self {
        assert!(ended.status.success(), "{ended:?}");
        Self {
            tasks: tasks.iter().map(ToString::to_string).collect(),
            line: ended.output.lines().last().unwrap_or_default().to_owned(),
        }
    }

    /// The number that follows these names in the last line, one after the other.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    #[track_caller]
    pub fn number(&self, path: &[&str]) -> u64 {
        let rest = path.iter().try_fold(&*self.line, |rest, name| {
            Some(rest.split_once(&format!("\"{name}\":"))?.1)
        });
        let digits = rest.and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next());
        digits
            .and_then(|digits| digits.parse().ok())
            .unwrap_or_else(|| panic!("no {path:?} in {}", self.line))
    }

    /// The sum over all tasks of a count: what was `planned`, or what the `tasks` counted by themselves.
    ///
    /// # Panics
    /// If it is not there.
    #[must_use]
    #[track_caller]
    pub fn sum(&self, of: &str, count: &str) -> u64 {
        let tasks = self.tasks.iter();
        tasks.map(|task| self.number(&[of, task, count])).sum()
    }

    /// The counters that a server has when it has it all.
    ///
    /// # Panics
    /// If they are not there.
    #[must_use]
    #[track_caller]
    pub fn counters(&self, of: &str) -> BTreeMap<String, u64> {
        let all = self
            .tasks
            .iter()
            .flat_map(|task| COUNTS.map(|count| (task, count)));
        all.map(|(task, count)| {
            let name = format!("celery.tasks.status.{task}.{count}");
            (name, self.number(&[of, task, count]))
        })
        .filter(|(_, count)| *count > 0)
        .collect()
    }
}
