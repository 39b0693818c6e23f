//! A process that makes calls at full speed while there is no server: what it holds meanwhile, what its calls cost, and what
//! arrives when the server comes up.
//!
//! ```text
//! cargo run --release -p instrument-task-tests --bin outage -- --seconds 30
//! cargo run --release -p instrument-task-tests --bin outage -- --cost 15
//! ```
//!
//! | option | |
//! |---|---|
//! | `--seconds N` | how long there is no server (30) |
//! | `--way W` | `udp` (the default), `tcp`, `unixgram` or `unixstream` |
//! | `--cost N` | instead: what a call costs without a server and with one, in N pairs of rounds of a second each |
//!
//! The exit code is 0 if the bounds hold.

#[cfg(unix)]
mod supervisor;
#[cfg(unix)]
mod worker;

#[cfg(unix)]
fn main() -> Result<std::process::ExitCode, Box<dyn std::error::Error>> {
    let words: Vec<_> = std::env::args().skip(1).collect();
    match &words[..] {
        [role, url] if role == "worker" => worker::run(url).map(|()| std::process::ExitCode::SUCCESS),
        _ => supervisor::run(&words),
    }
}

#[cfg(not(unix))]
fn main() {
    println!("skipped: it looks at a process as Unix systems show it");
}
