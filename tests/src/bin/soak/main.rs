//! A soak: a process that makes a million calls a second while its server is restarted again and again.
//!
//! ```text
//! cargo run --release -p instrument-task-tests --bin soak -- --seconds 600
//! ```
//!
//! It prints a line a minute, and a verdict: whether memory, threads and descriptors stayed the same, and whether the sums over all
//! lives of the server are the calls. The exit code is 0 if so. With `ETSY_STATSD` (the folder of the npm package `statsd`) the
//! server is Etsy's, else the library's own receiver.
//!
//! | option | |
//! |---|---|
//! | `--seconds N` | how long (600). From 300 s on the server is restarted each minute, else six times in all |
//! | `--rate N` | calls a second (1000000) |
//! | `--way W` | `udp` (the default), `tcp`, `unixgram` or `unixstream` |

#[cfg(unix)]
mod supervisor;
#[cfg(unix)]
mod worker;

#[cfg(unix)]
fn main() -> Result<std::process::ExitCode, Box<dyn std::error::Error>> {
    let words: Vec<_> = std::env::args().skip(1).collect();
    if let [role, url, rate] = &words[..]
        && role == "worker"
    {
        worker::run(url, rate.parse()?)?;
        return Ok(std::process::ExitCode::SUCCESS);
    }
    supervisor::run(&words)
}

#[cfg(not(unix))]
fn main() {
    println!("skipped: it looks at a process as Unix systems show it");
}
