//! A child process that is told things line by line, and answers so.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
};

use crate::wait::{BOUND, until};

/// The child. It is killed when this is dropped, unless it has ended.
#[derive(Debug)]
pub struct Dialog {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Dialog {
    /// Starts `command`. What it writes to standard error goes to ours.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    #[track_caller]
    pub fn start(command: &mut Command) -> Self {
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.expect("the child starts");
        let (sender, lines) = mpsc::channel();
        if let Some(output) = child.stdout.take() {
            thread::spawn(move || {
                let lines = BufReader::new(output).lines().map_while(Result::ok);
                // Nobody may be left to hear it.
                lines
                    .map(|line| sender.send(line))
                    .take_while(Result::is_ok)
                    .for_each(drop);
            });
        }
        Self {
            input: child.stdin.take(),
            child,
            lines,
        }
    }

    /// The child's process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Tells the child something.
    ///
    /// # Panics
    /// If it is gone.
    #[track_caller]
    pub fn tell(&mut self, line: &str) {
        let told = self.input.as_mut().map(|input| writeln!(input, "{line}"));
        assert!(matches!(told, Some(Ok(()))), "{line}: {told:?}");
    }

    /// The next line that it says; `None` if it has ended.
    ///
    /// # Panics
    /// If it says nothing within [`BOUND`].
    #[must_use]
    #[track_caller]
    pub fn hear(&self) -> Option<String> {
        match self.lines.recv_timeout(BOUND) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("the child says nothing"),
        }
    }

    /// Tells it something, and hears its answer.
    ///
    /// # Panics
    /// If it ends, or says nothing within [`BOUND`].
    #[track_caller]
    pub fn ask(&mut self, line: &str) -> String {
        self.tell(line);
        self.hear().expect("an answer")
    }

    /// Closes its standard input and waits for its end.
    ///
    /// # Panics
    /// If it does not end within [`BOUND`].
    #[must_use]
    #[track_caller]
    pub fn end(mut self) -> ExitStatus {
        self.input = None;
        until("the child ends", || self.child.try_wait().expect("our own child"))
    }
}

impl Drop for Dialog {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
