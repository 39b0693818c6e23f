//! The throughput of workers with metrics and without, compared in one run.

use std::{
    error::Error,
    fs,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Instant,
};

use tokio::sync::Notify;

/// Tells when the last of some jobs is done.
pub struct Countdown {
    left: AtomicU64,
    done: Notify,
}

impl Countdown {
    /// With no jobs to wait for.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            left: AtomicU64::new(0),
            done: Notify::const_new(),
        }
    }

    /// Waits for so many jobs from now on.
    pub fn set(&self, jobs: u64) {
        self.left.store(jobs, Relaxed);
    }

    /// One is done.
    pub fn one_less(&self) {
        if self.left.fetch_sub(1, Relaxed) == 1 {
            self.done.notify_one();
        }
    }

    /// Comes back when all are done.
    pub async fn end(&self) {
        self.done.notified().await;
    }
}

impl Default for Countdown {
    fn default() -> Self {
        Self::new()
    }
}

/// Times some work.
pub struct Stopwatch {
    start: Instant,
    processor: Option<f64>,
}

impl Stopwatch {
    /// Starts.
    #[must_use]
    pub fn start() -> Self {
        Self {
            start: Instant::now(),
            processor: processor_seconds(),
        }
    }

    /// What has passed since.
    #[must_use]
    pub fn read(&self) -> Took {
        Took {
            seconds: self.start.elapsed().as_secs_f64(),
            processor: processor_seconds()
                .zip(self.processor)
                .map(|(now, then)| now - then),
        }
    }
}

/// What some work took.
#[derive(Clone, Copy, Debug)]
pub struct Took {
    /// By the clock on the wall.
    pub seconds: f64,
    /// The processor's time of all threads, where the system tells it: less noisy on a machine with other work.
    pub processor: Option<f64>,
}

/// The processor's time that this process has used, on Linux.
fn processor_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // Behind the program's name, which may hold anything: the fields from the third on. User and system time are 14 and 15.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_ascii_whitespace().skip(11);
    let mut next = || times.next()?.parse::<f64>().ok();
    // In hundredths of a second for every program, whatever the kernel counts in.
    Some((next()? + next()?) / 100.0)
}

/// Has a worker work off `jobs` jobs with metrics and without, in turns, and prints the ratios of their throughput. `work` is
/// told whether with metrics, and says what it took.
///
/// # Errors
/// That of `work`.
pub fn compare(
    jobs: u64,
    pairs: u32,
    mut work: impl FnMut(bool) -> Result<Took, Box<dyn Error>>,
) -> Result<bool, Box<dyn Error>> {
    println!("{jobs} jobs each time, in jobs a second, and in jobs a second of the processor:");
    println!("  without      with     ratio |   without      with     ratio");
    // What is done for the first time takes longer.
    work(false)?;
    work(true)?;
    let (mut ratios, mut processor_ratios) = (Vec::new(), Vec::new());
    for pair in 0..pairs {
        // Each one goes first as often as the other.
        let first = pair % 2 == 1;
        let one = work(first)?;
        let other = work(!first)?;
        let (without, with) = if first { (other, one) } else { (one, other) };
        let jobs = jobs as f64;
        let ratio = without.seconds / with.seconds;
        let [before, after] = [without, with].map(|took| jobs / took.seconds);
        print!("{before:9.0} {after:9.0} {ratio:9.4} |");
        ratios.push(ratio);
        if let Some((without, with)) = without.processor.zip(with.processor) {
            let ratio = without / with;
            print!(" {:9.0} {:9.0} {ratio:9.4}", jobs / without, jobs / with);
            processor_ratios.push(ratio);
        }
        println!();
    }
    println!(
        "throughput with metrics over that without, median: {:.4}; by the processor's time: {:.4}",
        median(ratios),
        median(processor_ratios)
    );
    Ok(true)
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}
