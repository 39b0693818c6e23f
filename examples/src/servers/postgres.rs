//! A `PostgreSQL` server.

use std::{
    fs, io,
    net::{Ipv4Addr, SocketAddr, TcpStream},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::Command,
};

use super::{Folder, Process, TRIES, free_port, missing, program, silent, within};

/// A `PostgreSQL` server on a free port of this machine, with an empty database. It takes nobody who is not on this machine, and
/// asks nobody for a password.
pub struct Postgres {
    // Ends before its folder goes.
    _process: Process,
    _folder: Folder,
    address: SocketAddr,
}

/// It does not outlive the process anyway, and what it does by itself now and then is not for times that are compared.
const OPTIONS: [&str; 6] = [
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "autovacuum=off",
    "checkpoint_timeout=1h",
    "max_wal_size=4GB",
];

impl Postgres {
    /// How much it does for what it stores to survive.
    pub(super) const SETTINGS: &str =
        "PostgreSQL, without fsync, synchronous_commit, full_page_writes, autovacuum and checkpoints";

    /// Starts one. It refuses to run as root: then it runs as the user `postgres`.
    ///
    /// # Errors
    /// If there is no `PostgreSQL` on this machine (Debian's package `postgresql` has it), or it does not start.
    pub fn start() -> io::Result<Self> {
        let tool =
            |name| program(name, folders()).ok_or_else(|| missing("PostgreSQL", "the package postgresql"));
        let (initdb, server) = (tool("initdb")?, tool("postgres")?);
        for _ in 0..TRIES {
            let folder = Folder::new("postgres")?;
            let data = folder.0.join("data");
            let user = user_for(&folder.0)?;
            let made = Command::new(user[0])
                .args(&user[1..])
                .arg(&initdb)
                .args([
                    "--username=postgres",
                    "--auth=trust",
                    "--no-sync",
                    "--locale=C",
                    "--encoding=UTF8",
                ])
                .arg("--pgdata")
                .arg(&data)
                .current_dir(&folder.0)
                .output()?;
            if !made.status.success() {
                return Err(io::Error::other(
                    String::from_utf8_lossy(&made.stderr).into_owned(),
                ));
            }
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
            let (port, log) = (address.port().to_string(), folder.0.join("log"));
            let [server, data, socket] = [&server, &data, &folder.0].map(|path| path.to_string_lossy());
            let command = [
                user,
                &[
                    &*server,
                    "-D",
                    &data,
                    "-p",
                    &port,
                    "-k",
                    &socket,
                    "-c",
                    "listen_addresses=127.0.0.1",
                ],
                &OPTIONS.map(|option| ["-c", option]).concat(),
            ]
            .concat();
            // INT is its fast shutdown, which waits for no client.
            let process = Process::start(&command, "INT", &log)?;
            // Its socket's name says that it is this one that has the port; it stands there once clients are let in.
            let socket = folder.0.join(format!(".s.PGSQL.{port}"));
            let ready = within(|| {
                let says_so =
                    fs::read_to_string(&log).is_ok_and(|log| log.contains("ready to accept connections"));
                Ok(says_so && socket.exists() && TcpStream::connect(address).is_ok())
            })?;
            if ready {
                return Ok(Self {
                    _process: process,
                    _folder: folder,
                    address,
                });
            }
            drop(process);
            eprintln!("{}; trying once more", silent("postgres", &log));
        }
        Err(io::Error::other("PostgreSQL does not start"))
    }

    /// What a query gives, a row a line.
    ///
    /// # Errors
    /// If there is no `psql` on this machine, or the query fails.
    pub fn query(&self, sql: &str) -> io::Result<String> {
        let psql = program("psql", folders()).ok_or_else(|| missing("psql", "the package postgresql"))?;
        let answer = Command::new(psql)
            .args([
                "--no-psqlrc",
                "--tuples-only",
                "--no-align",
                "--command",
                sql,
                &self.url(),
            ])
            .output()?;
        if !answer.status.success() {
            return Err(io::Error::other(
                String::from_utf8_lossy(&answer.stderr).into_owned(),
            ));
        }
        Ok(String::from_utf8_lossy(&answer.stdout).into_owned())
    }

    /// Where it is, as a URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://postgres@{}/postgres", self.address)
    }
}

/// Debian keeps the server's programs out of `PATH`: the newest version's.
fn folders() -> Vec<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut folders: Vec<_> = versions.map(|version| version.path()).collect();
    folders.sort_by_key(|folder| {
        folder
            .file_name()
            .and_then(|name| name.to_str()?.parse::<u32>().ok())
    });
    folders
        .into_iter()
        .rev()
        .map(|folder| folder.join("bin"))
        .collect()
}

/// What a command begins with in order to run as a user whom `PostgreSQL` accepts, to whom `folder` is given.
fn user_for(folder: &Path) -> io::Result<&'static [&'static str]> {
    const AS_POSTGRES: &[&str] = &[
        "setpriv",
        "--reuid=postgres",
        "--regid=postgres",
        "--clear-groups",
    ];
    const AS_IT_IS: &[&str] = &["env"];
    if fs::metadata("/proc/self").is_ok_and(|process| process.uid() != 0) {
        return Ok(AS_IT_IS);
    }
    let given = Command::new("chown").arg("postgres").arg(folder).status()?;
    if !given.success() {
        return Err(missing("user postgres", "the package postgresql"));
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    Ok(AS_POSTGRES)
}
