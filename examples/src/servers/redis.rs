//! A Redis server.

use std::{
    fmt::Write as _,
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
};

use super::{Folder, Process, TRIES, free_port, missing, program, silent, within};

/// A Redis server on a free port of this machine, which keeps nothing on disk.
pub struct Redis {
    // Ends before its folder goes.
    _process: Process,
    _folder: Folder,
    address: SocketAddr,
}

impl Redis {
    /// How much it does for what it stores to survive.
    pub(super) const SETTINGS: &str = "Redis, nothing on disk";

    /// Starts one.
    ///
    /// # Errors
    /// If there is no `redis-server` on this machine (Debian's package of that name has it), or it does not start.
    pub fn start() -> io::Result<Self> {
        let server = program("redis-server", ["/usr/bin".into()])
            .ok_or_else(|| missing("redis-server", "the package redis-server"))?;
        let server = server.to_string_lossy();
        for _ in 0..TRIES {
            let folder = Folder::new("redis")?;
            let place = folder.0.to_string_lossy().into_owned();
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
            let port = address.port().to_string();
            let log = folder.0.join("log");
            let command = [
                &*server,
                "--bind",
                "127.0.0.1",
                "--port",
                &port,
                "--dir",
                &place,
                "--save",
                "",
                "--appendonly",
                "no",
                "--daemonize",
                "no",
            ];
            let process = Process::start(&command, "TERM", &log)?;
            // Its folder tells it from another one that has taken the port.
            let ours = within(|| {
                let dir = ask(address, &["CONFIG", "GET", "dir"]);
                Ok(dir.is_ok_and(|dir| dir.contains(&place)))
            })?;
            if ours {
                return Ok(Self {
                    _process: process,
                    _folder: folder,
                    address,
                });
            }
            drop(process);
            eprintln!("{}; trying once more", silent("redis-server", &log));
        }
        Err(io::Error::other("redis-server does not start"))
    }

    /// Where it is, as a URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}/", self.address)
    }

    /// Runs a command, and gives what the server answers, as it stands on the wire.
    ///
    /// # Errors
    /// If it does not answer.
    pub fn command(&self, words: &[&str]) -> io::Result<String> {
        ask(self.address, words)
    }

    /// How many elements a list has; 0 if there is none of that name.
    ///
    /// # Errors
    /// If the server does not answer with a number.
    pub fn length(&self, list: &str) -> io::Result<u64> {
        let answer = self.command(&["LLEN", list])?;
        let number = answer
            .trim()
            .strip_prefix(':')
            .and_then(|number| number.parse().ok());
        number.ok_or_else(|| io::Error::other(answer))
    }
}

/// Asks one question on a connection of its own.
fn ask(address: SocketAddr, words: &[&str]) -> io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    let mut question = format!("*{}\r\n", words.len());
    for word in words {
        // Writing to a string cannot fail.
        let _ = write!(question, "${}\r\n{word}\r\n", word.len());
    }
    // The server closes after the second answer, so that the first one has an end.
    question.push_str("*1\r\n$4\r\nQUIT\r\n");
    stream.write_all(question.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer
        .strip_suffix("+OK\r\n")
        .map(str::to_owned)
        .unwrap_or(answer))
}
