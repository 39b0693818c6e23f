//! Processes that a test starts and waits for.

use std::{
    io::Read,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::Duration,
};

use crate::wait::{BOUND, until_within};

/// How a child process ended, and what it said.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code, or signal.
    pub status: ExitStatus,
    /// What it wrote to standard output.
    pub output: String,
    /// What it wrote to standard error.
    pub errors: String,
}

/// Kills a child that outlives its test.
struct Leash(Child);

impl Drop for Leash {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// How long a build may take, from nothing and on a busy machine.
const BUILD_BOUND: Duration = Duration::from_secs(900);

/// Runs `cargo` with `arguments`, which may build, in `folder`.
///
/// # Panics
/// If it does not end within a quarter of an hour.
#[must_use]
#[track_caller]
pub fn cargo(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
    let mut command = Command::new(env!("CARGO"));
    run_within(
        BUILD_BOUND,
        command
            .args(arguments)
            .envs(variables.iter().copied())
            .current_dir(folder),
    )
}

/// Runs `command` to its end. The child sees none of the variables that configure a client, unless `command` sets them.
///
/// # Panics
/// If it does not start, or does not end within the bound.
#[track_caller]
pub fn run(command: &mut Command) -> Ended {
    run_within(BOUND, command)
}

/// Keeps the variables that configure a client from `command`, unless it sets them.
pub fn without_configuration(command: &mut Command) {
    let set: Vec<_> = command.get_envs().map(|(name, _)| name.to_owned()).collect();
    for (name, _) in std::env::vars_os() {
        let configures = ["STATSD_", "DD_"]
            .iter()
            .any(|prefix| name.to_string_lossy().starts_with(prefix));
        if configures && !set.contains(&name) {
            command.env_remove(name);
        }
    }
}

#[track_caller]
fn run_within(bound: Duration, command: &mut Command) -> Ended {
    without_configuration(command);
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = Leash(child.expect("the child starts"));
    let (output, errors) = (child.0.stdout.take(), child.0.stderr.take());
    let [output, errors] = [read_all(output), read_all(errors)];
    let status = until_within(bound, "the child ends", || {
        child.0.try_wait().expect("our own child")
    });
    let [output, errors] = [output, errors].map(|reader| reader.join().expect("it only reads"));
    Ended {
        status,
        output,
        errors,
    }
}

/// Reads on a thread of its own, so that a full pipe never stops the child.
fn read_all(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What was read before an error still helps.
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
