//! The processes of the contenders, and the rounds in which each is asked once.

use std::{
    env,
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    thread,
    time::Duration,
};

use instrument_task_benches::figures::Samples;
use instrument_task_peers::{
    Contender, Error,
    contenders::{self, cadence, limits, metrics, ours},
    sink::Sink,
};

use super::child;

/// A contender's process, with a server of its own to send to.
#[derive(Debug)]
pub struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// What it sends to.
    pub sink: Sink,
}

impl Process {
    /// Starts the contender called `name`.
    pub fn start(name: &str, series: Option<usize>) -> Result<Self, Error> {
        let sink = Sink::start()?;
        let mut child = Command::new(env::current_exe()?)
            .args([child::FLAG, name, &sink.address().to_string()])
            .args(series.map(|series| series.to_string()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = child.stdin.take().ok_or("no input")?;
        let output = BufReader::new(child.stdout.take().ok_or("no output")?);
        Ok(Self {
            child,
            input,
            output,
            sink,
        })
    }

    /// Has it do something, and reads its answer.
    pub fn ask(&mut self, command: &str) -> Result<Vec<f64>, Error> {
        self.tell(command)?;
        self.hear(command)
    }

    /// Has it do something.
    fn tell(&mut self, command: &str) -> Result<(), Error> {
        writeln!(self.input, "{command}")?;
        Ok(())
    }

    /// Reads its answer to that.
    fn hear(&mut self, command: &str) -> Result<Vec<f64>, Error> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            return Err(format!("no answer to {command}").into());
        }
        line.split_whitespace()
            .map(|number| Ok(number.parse()?))
            .collect()
    }

    /// Has it deliver what it has, and waits for its end.
    pub fn end(mut self) -> Result<Sink, Error> {
        let _ = writeln!(self.input, "end");
        self.child.wait()?;
        Ok(self.sink)
    }

    /// Has it end, whatever it has not delivered.
    fn quit(mut self) -> Result<(), Error> {
        let _ = writeln!(self.input, "quit");
        self.child.wait()?;
        Ok(())
    }
}

/// Nanoseconds of a call of each contender.
#[derive(Debug)]
pub struct Calls(Vec<(Contender, Samples)>);

impl Calls {
    /// Its figures, one for each round.
    pub fn of(&self, name: &str) -> &Samples {
        self.0
            .iter()
            .find_map(|(contender, samples)| (contender.name == name).then_some(samples))
            .expect("every contender was asked")
    }

    /// What it costs over what it is measured against.
    pub fn over_base(&self, contender: &Contender) -> Samples {
        self.of(contender.name).over(self.of(contender.base))
    }

    /// The contenders that measure something.
    pub fn contenders(&self) -> impl Iterator<Item = &Contender> {
        self.0
            .iter()
            .map(|(contender, _)| contender)
            .filter(|contender| contender.name != contender.base)
    }

    /// The task by itself, and the limits.
    pub fn limits(&self) -> impl Iterator<Item = &Contender> {
        self.0
            .iter()
            .map(|(contender, _)| contender)
            .filter(|contender| contender.name == contender.base)
    }
}

/// Asks every contender for a batch in each round.
pub fn calls(rounds: usize) -> Result<Calls, Error> {
    let mut all = Vec::new();
    for contender in contenders::all() {
        all.push((
            contender,
            Process::start(contender.name, None)?,
            Samples::default(),
        ));
    }
    for _ in 0..rounds {
        for (_, process, samples) in &mut all {
            samples.0.push(process.ask("batch")?[0]);
        }
    }
    all.into_iter()
        .map(|(contender, process, samples)| {
            process.quit()?;
            Ok((contender, samples))
        })
        .collect::<Result<_, _>>()
        .map(Calls)
}

/// How many threads call at once.
pub const THREADS: [usize; 3] = [1, 2, 4];

/// What a call costs with so many threads, beside one: for each contender, each number of threads and each round.
pub type Threads = Vec<(&'static str, [Samples; THREADS.len()])>;

/// Asks some for batches on several threads at once.
pub fn threads(rounds: usize, quick: bool) -> Result<Threads, Error> {
    let inner = if quick { 2 } else { 60 };
    let mut all = Vec::new();
    for name in [
        limits::BARE,
        limits::FETCH_ADD,
        ours::UNTIMED,
        ours::TIMED,
        metrics::HANDLES,
        cadence::BUFFERED,
    ] {
        all.push((name, Process::start(name, None)?, <[Samples; 3]>::default()));
    }
    for _ in 0..rounds {
        for (_, process, samples) in &mut all {
            for (count, samples) in THREADS.into_iter().zip(samples) {
                samples
                    .0
                    .push(process.ask(&format!("threads {count} {inner}"))?[0]);
            }
        }
    }
    all.into_iter()
        .map(|(name, process, samples)| process.quit().map(|()| (name, samples)))
        .collect()
}

/// How many names are called in turn.
pub const SERIES: [usize; 5] = [1, 10, 100, 1_000, 10_000];

/// What an annotated call costs over a bare one under so many names.
pub fn series(rounds: usize) -> Result<Vec<(usize, Samples)>, Error> {
    let mut all = Vec::new();
    for series in SERIES {
        all.push((
            series,
            Process::start(child::MANY, Some(series))?,
            Samples::default(),
        ));
    }
    for _ in 0..rounds {
        for (_, process, samples) in &mut all {
            let took = process.ask("batch")?;
            samples.0.push(took[1] - took[0]);
        }
    }
    all.into_iter()
        .map(|(series, process, samples)| process.quit().map(|()| (series, samples)))
        .collect()
}

/// What a single call costs over a bare one when nothing of it is in the caches.
pub fn cold(rounds: usize) -> Result<Vec<(&'static str, Samples)>, Error> {
    let mut all = Vec::new();
    for contender in contenders::all() {
        if contender.base == limits::BARE {
            let process = Process::start(contender.name, None)?;
            all.push((contender.name, process, Samples::default()));
        }
    }
    for _ in 0..rounds {
        for (_, process, samples) in &mut all {
            samples.0.push(process.ask("cold")?[0]);
        }
    }
    let bare = all[0].2.clone();
    all.into_iter()
        .skip(1)
        .map(|(name, process, samples)| process.quit().map(|()| (name, samples.over(&bare))))
        .collect()
}

/// Calls a second.
pub const RATES: [u32; 5] = [1, 1_000, 10_000, 100_000, 1_000_000];

/// Nanoseconds of a call for each contender, by rate.
pub type Rates = Vec<(&'static str, Vec<f64>)>;

/// What a call costs at so many a second, over the bare one. All work side by side, a moment apart, where each makes a few calls only.
pub fn rates(quick: bool) -> Result<Rates, Error> {
    let names = [
        limits::BARE,
        ours::UNTIMED,
        ours::DEFAULT,
        ours::TIMED,
        metrics::HANDLES,
        metrics::MACROS,
        cadence::BUFFERED,
    ];
    let mut all = Vec::new();
    for name in names {
        all.push((name, Process::start(name, None)?, Vec::new()));
    }
    for rate in RATES {
        let is_rare = rate == 1;
        let seconds = match (quick, is_rare) {
            (true, _) => 0.0,
            (_, true) => 6.5,
            _ => 0.7,
        };
        let command = format!("rate {rate} {seconds}");
        let at_once = if is_rare { all.len() } else { 1 };
        for some in all.chunks_mut(at_once) {
            for (_, process, _) in &mut *some {
                process.tell(&command)?;
                if is_rare {
                    thread::sleep(Duration::from_millis(50));
                }
            }
            for (_, process, seen) in some {
                seen.push(process.hear(&command)?[0]);
            }
        }
    }
    let bare = all[0].2.clone();
    all.into_iter()
        .map(|(name, process, seen)| {
            let over = seen.iter().zip(&bare).map(|(own, bare)| own - bare);
            let figures = if name == limits::BARE {
                bare.clone()
            } else {
                over.collect()
            };
            process.quit().map(|()| (name, figures))
        })
        .collect()
}
