//! The throughput of workers with metrics and without, compared in one run.
//!
//! What a machine does besides, and how its threads happen to fall into step, changes a worker's throughput by several percent from one start to
//! the next. So the two kinds of jobs take turns in short blocks, of one worker where it can be: without, with, with, without, and so on, after a
//! block that is not timed. A pair is the median of such turns, and every other pair is the other way round. What the thread takes that sends
//! the metrics is looked up, and counted as if it held up the jobs with metrics.

use std::{
    error::Error,
    fmt, fs, iter, process,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use instrument_task_tests::bounds::WORKER_THROUGHPUT;
use tokio::sync::Notify;

/// Counts jobs down, and times them block by block.
pub struct Countdown {
    left: AtomicU64,
    /// Jobs of a block.
    block: AtomicU64,
    ends: Mutex<Vec<Reading>>,
    done: Notify,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Countdown {
    /// With no jobs to wait for.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            left: AtomicU64::new(0),
            block: AtomicU64::new(1),
            ends: Mutex::new(Vec::new()),
            done: Notify::const_new(),
        }
    }

    /// Waits for the jobs of these blocks from now on.
    pub fn set(&self, blocks: &Blocks) {
        self.block.store(blocks.jobs, Relaxed);
        self.left.store(blocks.jobs * blocks.order.len() as u64, Relaxed);
        lock(&self.ends).clear();
    }

    /// One is done.
    pub fn one_less(&self) {
        let left = self.left.fetch_sub(1, Relaxed).wrapping_sub(1);
        if left.is_multiple_of(self.block.load(Relaxed)) {
            lock(&self.ends).push(Reading::now());
        }
        if left == 0 {
            self.done.notify_one();
        }
    }

    /// Comes back when all are done.
    pub async fn end(&self) {
        self.done.notified().await;
    }

    /// What each of `blocks` took, but for the first.
    ///
    /// # Errors
    /// If they are not done.
    pub fn took(&self, blocks: &Blocks) -> Result<Took, &'static str> {
        let ends = lock(&self.ends);
        if ends.len() != blocks.order.len() {
            return Err("some of the jobs were not done");
        }
        let each = ends.windows(2).zip(&blocks.order[1..]);
        let block = |(ends, with): (&[Reading], &bool)| ends[0].until(ends[1], *with, blocks.jobs);
        Ok(Took(each.map(block).collect()))
    }
}

impl Default for Countdown {
    fn default() -> Self {
        Self::new()
    }
}

/// What a worker is to do: blocks of jobs, one after the other.
#[derive(Clone, Debug)]
pub struct Blocks {
    /// Jobs of a block.
    pub jobs: u64,
    /// Whether each block is with metrics. The first one is not timed.
    pub order: Vec<bool>,
}

impl Blocks {
    /// All jobs in their order: whether each is with metrics.
    pub fn all(&self) -> impl Iterator<Item = bool> {
        let jobs = usize::try_from(self.jobs).unwrap_or(usize::MAX);
        self.order
            .iter()
            .flat_map(move |with| iter::repeat_n(*with, jobs))
    }
}

/// The clock on the wall, and the processor's.
#[derive(Clone, Copy)]
struct Reading {
    wall: Instant,
    processor: f64,
}

impl Reading {
    fn now() -> Self {
        Self {
            wall: Instant::now(),
            processor: processor_seconds(),
        }
    }

    fn until(self, end: Self, with: bool, jobs: u64) -> Block {
        Block {
            with,
            seconds: (end.wall - self.wall).as_secs_f64() / jobs as f64,
            processor: (end.processor - self.processor) / jobs as f64,
        }
    }
}

/// What a job of a block took.
#[derive(Clone, Copy, Debug)]
struct Block {
    with: bool,
    /// By the clock on the wall.
    seconds: f64,
    /// By the processor's, of all of the process's threads.
    processor: f64,
}

impl Block {
    fn mean(self, other: Self) -> Self {
        Self {
            with: self.with,
            seconds: f64::midpoint(self.seconds, other.seconds),
            processor: f64::midpoint(self.processor, other.processor),
        }
    }
}

/// The blocks of a turn: the order is as fair to the one as to the other, whatever comes with time.
const BLOCKS: [bool; 4] = [false, true, true, false];

/// What blocks took, in their order.
#[derive(Clone, Debug, Default)]
pub struct Took(Vec<Block>);

impl Took {
    /// And those of another worker, which came later.
    pub fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    /// The blocks of each turn, without metrics and with.
    fn turns(&self) -> impl Iterator<Item = [Block; 2]> {
        self.0.chunks_exact(BLOCKS.len()).map(|turn| {
            let [first, second, third, last] = [turn[0], turn[1], turn[2], turn[3]];
            let (outer, inner) = (first.mean(last), second.mean(third));
            if outer.with {
                [inner, outer]
            } else {
                [outer, inner]
            }
        })
    }

    /// The median over the turns of what `figure` says of one.
    fn median(&self, figure: impl Fn([Block; 2]) -> f64) -> f64 {
        Spread::of(self.turns().map(figure).collect()).median
    }
}

/// The processor's time that this process has used; 0 where the system does not tell.
fn processor_seconds() -> f64 {
    #[cfg(unix)]
    {
        use rustix::time::{ClockId, clock_gettime};

        let time = clock_gettime(ClockId::ProcessCPUTime);
        time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
    }
    #[cfg(not(unix))]
    0.0
}

/// The processor's time of the thread that sends the metrics, on Linux; else 0.
fn sender_seconds() -> f64 {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let times = threads.filter_map(|thread| {
        // The main thread has the program's name, cut to the same.
        let is_main = thread.file_name().to_str()? == process::id().to_string();
        let name = fs::read_to_string(thread.path().join("comm")).ok()?;
        // Nanoseconds on a processor come first.
        let times = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        let nanos: f64 = times.split_ascii_whitespace().next()?.parse().ok()?;
        (!is_main && name.trim() == "instrument-task").then_some(nanos / 1e9)
    });
    times.sum()
}

/// Has workers work off jobs with metrics and without, in turns, and prints what came of it, the store's `settings` with it. A pair is
/// `jobs` jobs in so many `turns` of four blocks. `work` is given the blocks, and says what they took. True if the median of all pairs is not
/// below the bound.
///
/// # Errors
/// That of `work`.
pub fn compare(
    jobs: u64,
    pairs: u32,
    turns: u32,
    settings: &str,
    mut work: impl FnMut(&Blocks) -> Result<Took, Box<dyn Error>>,
) -> Result<bool, Box<dyn Error>> {
    let in_pair = BLOCKS.len() * turns as usize;
    let block = (jobs / in_pair as u64).max(1);
    println!(
        "{in_pair} blocks of {block} jobs in each pair; the store: {settings}\n\
         jobs a second                 | processor time a job, in µs\n  \
         without      with     ratio |   without      with   sending"
    );
    let (mut ratios, mut processor) = (Vec::new(), Vec::new());
    for pair in 0..pairs {
        let first = pair % 2 == 1;
        let blocks = Blocks {
            jobs: block,
            order: iter::once(first)
                .chain((0..turns).flat_map(|_| BLOCKS.map(|with| with != first)))
                .collect(),
        };
        let sent = sender_seconds();
        let took = work(&blocks)?;
        let measured = blocks.all().filter(|with| *with).count();
        // It falls into few blocks, of either kind: as if all of it held up those with metrics.
        let sending = (sender_seconds() - sent) / measured as f64;
        let each = |figure: fn(Block) -> f64, kind: usize| took.median(|turn| figure(turn[kind]));
        let [seconds, seconds_with] = [0, 1].map(|kind| each(|block| block.seconds, kind));
        let [time, time_with] = [0, 1].map(|kind| each(|block| block.processor, kind));
        let ratio = took.median(|[without, with]| without.seconds / (with.seconds + sending));
        processor.push(took.median(|[without, with]| without.processor / (with.processor + sending)));
        println!(
            "{:9.0} {:9.0} {ratio:9.4} | {:9.2} {:9.2} {:9.3}",
            1.0 / seconds,
            1.0 / (seconds_with + sending),
            time * 1e6,
            time_with * 1e6,
            sending * 1e6,
        );
        ratios.push(ratio);
    }
    let [ratios, processor] = [ratios, processor].map(Spread::of);
    let holds = ratios.median >= WORKER_THROUGHPUT;
    println!(
        "throughput with metrics over that without: {ratios}; by the processor's time: {processor}\n\
         at least {WORKER_THROUGHPUT}: {}",
        if holds { "holds" } else { "FALLS SHORT" }
    );
    Ok(holds)
}

/// The median of some figures, and how far they lie apart.
struct Spread {
    median: f64,
    least: f64,
    most: f64,
}

impl Spread {
    fn of(mut figures: Vec<f64>) -> Self {
        figures.sort_by(f64::total_cmp);
        let at = |at: usize| figures.get(at).copied().unwrap_or(f64::NAN);
        let last = figures.len().saturating_sub(1);
        Self {
            median: f64::midpoint(at(last / 2), at(last.div_ceil(2))),
            least: at(0),
            most: at(last),
        }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { median, least, most } = self;
        write!(f, "median {median:.4} ({least:.4} to {most:.4})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a worker would take whose jobs take `seconds` of their number and kind.
    fn worker(blocks: &Blocks, mut seconds: impl FnMut(bool) -> f64) -> Took {
        let each = blocks.order[1..].iter().map(|with| {
            let seconds = seconds(*with);
            Block {
                with: *with,
                seconds,
                processor: seconds,
            }
        });
        Took(each.collect())
    }

    #[test]
    fn a_drift_favours_nobody_and_the_bound_is_kept() {
        // Each block takes longer than the one before, and those with metrics by a part of what they take.
        let compare_with = |part: f64| {
            let mut now = 1.0;
            compare(80, 5, 4, "none", |blocks| {
                Ok(worker(blocks, |with| {
                    now += 0.01;
                    now * if with { 1.0 + part } else { 1.0 }
                }))
            })
        };
        assert!(compare_with(0.0).unwrap() && compare_with(0.009).unwrap());
        assert!(!compare_with(0.012).unwrap());
        // A wild block in each pair changes nothing.
        let wild = compare(80, 5, 4, "none", |blocks| {
            let mut took = worker(blocks, |_| 1.0);
            took.0[2].seconds = 50.0;
            Ok(took)
        });
        assert!(wild.unwrap());
    }

    #[test]
    fn blocks_are_timed_but_for_the_first() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let jobs = Countdown::new();
        let blocks = Blocks {
            jobs: 10,
            order: vec![true, false, true, true, false],
        };
        assert_eq!(blocks.all().filter(|with| *with).count(), 30);
        for _ in 0..2 {
            jobs.set(&blocks);
            assert!(jobs.took(&blocks).is_err());
            (0..50).for_each(|_| jobs.one_less());
            runtime.block_on(jobs.end());
            let took = jobs.took(&blocks).unwrap();
            let kinds: Vec<_> = took.0.iter().map(|block| block.with).collect();
            assert_eq!(kinds, blocks.order[1..]);
            assert!(took.turns().all(|[without, with]| !without.with && with.with));
        }
    }
}
