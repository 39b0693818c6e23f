//! What can go wrong when a client is set up.

use std::{error, fmt, io};

/// Characters of a rejected value that a message shows.
const SHOWN: usize = 120;

/// Why a client could not be set up. Once it is, nothing that happens to it is an error to the caller.
///
/// It prints as one line, which names the setter or the environment variable at fault and its value. What the
/// operating system said, where it is to blame, is the [`source`](error::Error::source).
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: Box<str>,
    source: Option<io::Error>,
}

/// The kinds of [`Error`], for code that treats them differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A setter or an environment variable holds a value that makes no sense.
    Configuration,
    /// The process has a global client, and its guard is still alive.
    AlreadyInstalled,
    /// The operating system refused a socket.
    Socket,
    /// The operating system refused a thread.
    Thread,
}

impl Error {
    /// What kind of error this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// `what` (a setter or a variable) holds `value`, and `why` that cannot be.
    pub(crate) fn configuration(what: &str, value: &str, why: &str) -> Self {
        let mut shown: String = value.chars().take(SHOWN).collect();
        if shown.len() < value.len() {
            shown.push('…');
        }
        // The debug form has no line end, whatever the value holds.
        Self::new(ErrorKind::Configuration, format!("{what}={shown:?}: {why}"))
    }

    /// A second global client was asked for.
    pub(crate) fn already_installed() -> Self {
        let message = "a global client is installed already; drop its guard before you install another";
        Self::new(ErrorKind::AlreadyInstalled, message.into())
    }

    /// The operating system refused what `context` says.
    pub(crate) fn io(kind: ErrorKind, context: &str, source: io::Error) -> Self {
        Self {
            source: Some(source),
            ..Self::new(kind, context.into())
        }
    }

    fn new(kind: ErrorKind, message: String) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error as _;

    #[test]
    fn a_configuration_error_names_the_culprit_in_one_line() {
        let error = Error::configuration("STATSD_PORT", "81\n25", "not a port");
        assert_eq!(error.to_string(), r#"STATSD_PORT="81\n25": not a port"#);
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.source().is_none());
        let long = Error::configuration("STATSD_URL", &"ü".repeat(5_000), "too long").to_string();
        assert!(long.chars().count() < 200 && long.contains('…'));
    }

    #[test]
    fn an_io_error_keeps_its_source() {
        let cause = io::Error::from(io::ErrorKind::PermissionDenied);
        let error = Error::io(ErrorKind::Socket, "cannot open a UDP socket", cause);
        assert_eq!(error.to_string(), "cannot open a UDP socket");
        assert_eq!(error.source().unwrap().to_string(), "permission denied");
        assert_eq!(error.kind(), ErrorKind::Socket);
    }

    #[test]
    fn errors_cross_threads() {
        fn crosses<T: Send + Sync + 'static>() {}
        crosses::<Error>();
        assert_eq!(Error::already_installed().kind(), ErrorKind::AlreadyInstalled);
    }
}
