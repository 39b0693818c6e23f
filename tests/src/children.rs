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
    start(command).end_within(bound)
}

/// Starts `command`, as [`run`] does, and comes back while it runs.
///
/// # Panics
/// If it does not start.
#[track_caller]
pub fn start(command: &mut Command) -> Running {
    without_configuration(command);
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = Leash(child.expect("the child starts"));
    let (output, errors) = (child.0.stdout.take(), child.0.stderr.take());
    Running {
        child,
        output: read_all(output),
        errors: read_all(errors),
    }
}

/// A child that runs. It is killed if this is dropped.
pub struct Running {
    child: Leash,
    output: thread::JoinHandle<String>,
    errors: thread::JoinHandle<String>,
}

impl Running {
    /// Sends it a signal, called as `kill` calls it: `TERM`.
    ///
    /// # Panics
    /// If there is no `kill`, or it fails.
    pub fn signal(&self, name: &str) {
        let child = self.child.0.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &child]).status();
        assert!(
            sent.is_ok_and(|status| status.success()),
            "kill -s {name} {child}"
        );
    }

    /// Whether it has ended already.
    ///
    /// # Panics
    /// If the system cannot tell.
    pub fn has_ended(&mut self) -> bool {
        self.child.0.try_wait().expect("our own child").is_some()
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// If it does not end within the bound.
    #[must_use]
    #[track_caller]
    pub fn end(self) -> Ended {
        self.end_within(BOUND)
    }

    #[track_caller]
    fn end_within(mut self, bound: Duration) -> Ended {
        let status = until_within(bound, "the child ends", || {
            self.child.0.try_wait().expect("our own child")
        });
        let [output, errors] = [self.output, self.errors].map(|reader| reader.join().expect("it only reads"));
        Ended {
            status,
            output,
            errors,
        }
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
