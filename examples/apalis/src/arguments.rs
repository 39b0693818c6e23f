//! The example's command line.

/// What it can be asked for.
pub const USAGE: &str = "\
Jobs of apalis that report to statsd.

  --jobs N       how many jobs there are (default 1000)
  --redis URL    queue them in this Redis, instead of in SQLite in memory
  --throughput   compare the throughput of a worker with metrics and without (on SQLite)
  --pairs N      how often (default 5)";

/// What it was asked for.
pub struct Arguments {
    pub jobs: u64,
    pub redis: Option<String>,
    pub throughput: bool,
    pub pairs: u32,
}

impl Arguments {
    /// Reads them; `None` if help is all that is wanted.
    pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Option<Self>, String> {
        let mut parsed = Self {
            jobs: 1_000,
            redis: None,
            throughput: false,
            pairs: 5,
        };
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
            let number = |text: String| text.parse().map_err(|_| format!("{text:?} is no number"));
            match &*argument {
                "--jobs" => parsed.jobs = value().and_then(number)?,
                "--pairs" => parsed.pairs = u32::try_from(value().and_then(number)?).unwrap_or(u32::MAX),
                "--redis" => parsed.redis = Some(value()?),
                "--throughput" => parsed.throughput = true,
                "--help" | "-h" => return Ok(None),
                other => return Err(format!("unknown argument {other:?}")),
            }
        }
        Ok(Some(parsed))
    }
}
