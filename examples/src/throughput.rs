//! The throughput of workers with metrics and without, compared in one run.

use std::{
    error::Error,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
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

/// Has a worker work off `jobs` jobs with metrics and without, in turns, and prints the ratios of their throughput. `work` is
/// told whether with metrics, and says how long it took.
///
/// # Errors
/// That of `work`.
pub fn compare(
    jobs: u64,
    pairs: u32,
    mut work: impl FnMut(bool) -> Result<Duration, Box<dyn Error>>,
) -> Result<bool, Box<dyn Error>> {
    println!("{jobs} jobs each time, in jobs a second:\n  without      with     ratio");
    // What is done for the first time takes longer.
    work(false)?;
    work(true)?;
    let mut ratios = Vec::new();
    for pair in 0..pairs {
        // Each one goes first as often as the other.
        let first = pair % 2 == 1;
        let one = work(first)?;
        let other = work(!first)?;
        let (without, with) = if first { (other, one) } else { (one, other) };
        let ratio = without.as_secs_f64() / with.as_secs_f64();
        let [without, with] = [without, with].map(|took| jobs as f64 / took.as_secs_f64());
        println!("{without:9.0} {with:9.0} {ratio:9.4}");
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    let median = ratios.get(ratios.len() / 2).copied().unwrap_or(1.0);
    println!("ratio of the throughput with metrics to that without, median: {median:.4}");
    Ok(true)
}
