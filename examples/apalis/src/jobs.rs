//! The jobs: letters that are sent, or fail in every way that a job can.

use std::{
    future,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use apalis::prelude::{AbortError, Attempt, BoxDynError};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

/// How often the worker itself tries again.
pub const RETRIES: usize = 2;
/// How often the store has a job tried at most, whoever does it.
pub const MAX_ATTEMPTS: usize = 5;
/// Jobs that are done at a time.
pub const CONCURRENCY: usize = 16;

/// What becomes of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fate {
    /// It is sent.
    Sent,
    /// It is sent at the second attempt.
    SentLater,
    /// It is never sent, however often it is tried.
    Hopeless,
    /// It has no address: there is no use in trying again.
    NoAddress,
    /// Its picture is corrupt: the code that reads it panics.
    Corrupt,
    /// It is so long that it runs into the time limit.
    TooLong,
}

/// A letter to be sent.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Letter {
    /// Its number.
    pub number: u64,
    /// What becomes of it.
    pub fate: Fate,
}

impl Letter {
    /// The letter of this number. A tenth fails in one way or another; few are hopeless.
    #[must_use]
    pub fn new(number: u64) -> Self {
        let fate = match number % 100 {
            3 | 53 | 83 => Fate::SentLater,
            21 => Fate::Hopeless,
            37 | 67 => Fate::NoAddress,
            42 | 92 => Fate::Corrupt,
            77 if number % 500 == 77 => Fate::TooLong,
            _ => Fate::Sent,
        };
        Self { number, fate }
    }
}

/// Sends a letter, and says when it began to, in milliseconds since the Unix epoch.
///
/// # Errors
/// As its fate has it.
///
/// # Panics
/// As its fate has it.
pub async fn send_letter(letter: Letter, attempt: Attempt) -> Result<u64, BoxDynError> {
    let began = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    sleep(Duration::from_micros(500 + letter.number % 7 * 300)).await;
    match letter.fate {
        Fate::Sent => {}
        Fate::SentLater if attempt.current() > 1 => {}
        Fate::SentLater | Fate::Hopeless => return Err("the server is busy".into()),
        Fate::NoAddress => return Err(AbortError::new("no such mailbox").into()),
        Fate::Corrupt => panic!("corrupt picture in letter {}", letter.number),
        Fate::TooLong => future::pending().await,
    }
    Ok(u64::try_from(began)?)
}

/// What kind of exception an error is.
#[must_use]
pub fn error_kind(error: &BoxDynError) -> &'static str {
    if error.is::<AbortError>() {
        "no_address"
    } else {
        "busy"
    }
}
