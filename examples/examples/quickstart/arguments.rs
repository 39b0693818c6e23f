//! The command line.

use std::time::Duration;

/// What `--help` prints.
pub const HELP: &str = "\
A small worker that reports its tasks to statsd.

  --seconds N   how long it works (3)
  --rate N      tasks a second (200)
  --json        as its last line, print what the worker counted by itself, and the ledger
  --help

It brings a server of its own. With STATSD_HOST and STATSD_PORT, or any other variable that names a statsd
server, it sends there.";

/// What the user asked for.
pub struct Arguments {
    pub duration: Duration,
    pub rate: f64,
    pub json: bool,
    pub help: bool,
}

impl Arguments {
    /// Reads the command line, the program's name aside; what is wrong with it comes back as a sentence.
    pub fn parse(words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut arguments = Self {
            duration: Duration::from_secs(3),
            rate: 200.0,
            json: false,
            help: false,
        };
        // `--seconds=5` is `--seconds 5`.
        let mut words = words.flat_map(|word| match word.split_once('=') {
            Some((key, value)) => vec![key.to_owned(), value.to_owned()],
            None => vec![word],
        });
        while let Some(word) = words.next() {
            match word.as_str() {
                "--seconds" => {
                    let seconds = number(&word, words.next(), 86_400.0)?;
                    arguments.duration = Duration::from_secs_f64(seconds);
                }
                "--rate" => arguments.rate = number(&word, words.next(), 1e6)?,
                "--json" => arguments.json = true,
                "--help" | "-h" => arguments.help = true,
                _ => return Err(format!("{word} is not an option; see --help")),
            }
        }
        Ok(arguments)
    }
}

fn number(key: &str, value: Option<String>, most: f64) -> Result<f64, String> {
    let value = value.ok_or_else(|| format!("{key} needs a number"))?;
    match value.parse() {
        Ok(number) if 0.0 < number && number <= most => Ok(number),
        _ => Err(format!("{key} {value}: not a number above 0 and up to {most}")),
    }
}
