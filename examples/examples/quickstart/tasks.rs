//! The tasks of the worker. This is all that a program needs in order to be measured: one line on a function.

use std::{fmt, time::Duration};

use instrument_task::instrument_task;
use tokio::time::sleep;

/// The tasks, by the names that they report under.
pub const NAMES: [&str; 4] = ["resize_image", "send_email", "fetch_report", "cleaner.run"];

/// Why a task could not be done.
#[derive(Debug)]
pub enum TaskError {
    /// The picture is in a format that nobody reads.
    UnknownFormat,
    /// The mail server does not know the address.
    NoSuchMailbox,
}

impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownFormat => "unknown picture format",
            Self::NoSuchMailbox => "no such mailbox",
        })
    }
}

impl std::error::Error for TaskError {}

/// A plain function. An `Err` counts as an exception, and so does a panic.
#[instrument_task]
pub fn resize_image(image: u64) -> Result<u64, TaskError> {
    assert!(image % 31 != 30, "corrupt image {image}");
    if image % 10 == 7 {
        return Err(TaskError::UnknownFormat);
    }
    // Some work for the processor, a few microseconds of it and not always the same.
    Ok((0..500 + 50 * (image % 16)).fold(image, |pixel, row| pixel.rotate_left(7) ^ row))
}

/// An async function: timed from its first poll to its end.
#[instrument_task]
pub async fn send_email(user: u64) -> Result<(), TaskError> {
    sleep(Duration::from_millis(1 + user % 4)).await;
    if user % 12 == 5 {
        return Err(TaskError::NoSuchMailbox);
    }
    Ok(())
}

/// What a report says.
pub struct Report {
    /// How many lines it has.
    pub lines: u64,
}

/// An async function that cannot fail, but that its caller may give up on: a future that is dropped before its end
/// counts as cancelled.
#[instrument_task]
pub async fn fetch_report(number: u64) -> Report {
    let slow = number % 8 == 3;
    sleep(Duration::from_millis(if slow { 200 } else { 3 })).await;
    Report { lines: number % 100 }
}

/// Methods are annotated in the same way; a name of its own keeps two tasks called `run` apart.
pub struct Cleaner {
    /// How many files it removes at once.
    pub files: u64,
}

impl Cleaner {
    /// Without a `Result`, whatever returns is a success.
    #[instrument_task(name = "cleaner.run")]
    pub fn run(&self) -> u64 {
        (0..self.files).map(|file| file.wrapping_mul(file)).sum()
    }
}
