//! What the tests of the overhead share: tools that may be missing, and children with a bound.

use std::{
    io::Read,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// The longest that a child may take, under a tracer on a busy machine.
const BOUND: Duration = Duration::from_secs(300);

/// Kills a child that outlives its test.
struct Leash(Child);

impl Drop for Leash {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs `command` to its end and gives back what it printed.
///
/// # Errors
/// What went wrong, in words, with what it said on standard error.
pub fn run(command: &mut Command) -> Result<String, String> {
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = Leash(child.map_err(|error| format!("{}: {error}", command.get_program().display()))?);
    let (output, errors) = (child.0.stdout.take(), child.0.stderr.take());
    let readers = [read_all(output), read_all(errors)];
    let start = Instant::now();
    let status = loop {
        match child.0.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if start.elapsed() < BOUND => thread::sleep(Duration::from_millis(5)),
            other => return Err(format!("no end within {BOUND:?}: {other:?}")),
        }
    };
    let [output, errors] = readers.map(|reader| reader.join().expect("it only reads"));
    if status.success() {
        Ok(output)
    } else {
        Err(format!("{status}: {errors}"))
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
