//! The servers that some queues need, started for as long as a value lives: a Redis or a `PostgreSQL` of its own, with its
//! files in a folder that goes too.

mod postgres;
mod redis;

pub use postgres::Postgres;
pub use redis::Redis;

use std::{
    env, fs, io,
    net::{Ipv4Addr, TcpListener},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{self, Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

/// The longest that a server may take to start or to end.
const BOUND: Duration = Duration::from_secs(30);

/// Which port is free is found by trying: another process may take it between our look and the server's start.
const TRIES: usize = 5;

/// The server of an example's queue: the one that the environment names, or one that ends with this.
pub struct Server<S> {
    url: String,
    settings: &'static str,
    own: Option<S>,
}

impl Server<Redis> {
    /// The Redis of `REDIS_URL`, or one of its own. Says which.
    ///
    /// # Errors
    /// Those of [`Redis::start`].
    pub fn redis() -> io::Result<Self> {
        Self::find("Redis", "REDIS_URL", Redis::SETTINGS, Redis::start, Redis::url)
    }
}

impl Server<Postgres> {
    /// The `PostgreSQL` of `DATABASE_URL`, or one of its own. Says which.
    ///
    /// # Errors
    /// Those of [`Postgres::start`].
    pub fn postgres() -> io::Result<Self> {
        Self::find(
            "PostgreSQL",
            "DATABASE_URL",
            Postgres::SETTINGS,
            Postgres::start,
            Postgres::url,
        )
    }
}

impl<S> Server<S> {
    fn find(
        what: &str,
        variable: &str,
        settings: &'static str,
        start: impl Fn() -> io::Result<S>,
        url_of: impl Fn(&S) -> String,
    ) -> io::Result<Self> {
        // An empty variable counts as unset.
        if let Some(url) = env::var(variable).ok().filter(|url| !url.is_empty()) {
            // Not the URL, which may hold a password.
            println!("Queueing in the {what} that the environment names in {variable}");
            return Ok(Self {
                url,
                settings: "as the server is set up",
                own: None,
            });
        }
        let own = start()?;
        let url = url_of(&own);
        println!("No {variable} in the environment; started a {what} at {url}");
        Ok(Self {
            url,
            settings,
            own: Some(own),
        })
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How much it does for what it stores to survive.
    #[must_use]
    pub fn settings(&self) -> &'static str {
        self.settings
    }

    /// The server, if it is one of its own.
    #[must_use]
    pub fn own(&self) -> Option<&S> {
        self.own.as_ref()
    }
}

/// A folder of temporary files that goes when this is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(kind: &str) -> io::Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("instrument-task-{kind}-{}-{number}", process::id());
        let folder = env::temp_dir().join(name);
        fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Left to the system's own cleaning if it cannot be.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A server's process. It ends when this is dropped, and also if this very process dies.
struct Process(Child);

/// Starts the server in the background, waits for the end of its input, and ends it.
const KEEPER: &str = r#""$@" & server=$!; cat >/dev/null; kill -s "$SIGNAL" "$server"; wait "$server""#;

impl Process {
    /// Starts `command`; `signal` is how it is told to end, and its output goes to `log`.
    fn start(command: &[&str], signal: &str, log: &Path) -> io::Result<Self> {
        let output = fs::File::create(log)?;
        let child = Command::new("sh")
            .args(["-c", KEEPER, "sh"])
            .args(command)
            .env("SIGNAL", signal)
            // What the terminal sends us is not for the server: there is still work to end.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()?;
        Ok(Self(child))
    }

    fn end(&mut self) -> io::Result<Option<ExitStatus>> {
        drop(self.0.stdin.take());
        let mut status = None;
        within(|| {
            status = self.0.try_wait()?;
            Ok(status.is_some())
        })?;
        Ok(status)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !matches!(self.end(), Ok(Some(_))) {
            // It does not listen: the keeper goes, and the server is left to whoever looks at the machine.
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}

/// A port that is free at the moment.
fn free_port() -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

/// Asks until the answer is yes, or time is up.
fn within(mut ready: impl FnMut() -> io::Result<bool>) -> io::Result<bool> {
    let start = Instant::now();
    loop {
        if ready()? {
            return Ok(true);
        }
        if start.elapsed() > BOUND {
            return Ok(false);
        }
        // Between two questions to another process, which cannot notify us.
        thread::sleep(Duration::from_millis(5));
    }
}

/// The program of this name in `PATH`, or in one of these folders besides.
fn program(name: &str, folders: impl IntoIterator<Item = PathBuf>) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let path: Vec<_> = env::split_paths(&path).collect();
    folders
        .into_iter()
        .chain(path)
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
}

fn missing(what: &str, package: &str) -> io::Error {
    let how = format!("there is no {what} on this machine: install {package}");
    io::Error::new(io::ErrorKind::NotFound, how)
}

fn silent(what: &str, log: &Path) -> io::Error {
    let log = fs::read_to_string(log).unwrap_or_default();
    io::Error::other(format!("{what} does not start: {log}"))
}
