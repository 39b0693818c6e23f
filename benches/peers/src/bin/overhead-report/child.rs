//! A contender's process: does what it reads on its standard input, a line each, and answers with a line of numbers.

use std::{
    hint::black_box,
    io::{self, BufRead as _, Write as _},
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use cpu_time::{ProcessTime, ThreadTime};
use instrument_task_benches::{BATCH, WARM};
use instrument_task_peers::{Error, Running, contenders, many::Many};

use super::memory::status;

/// The first argument of such a process.
pub const FLAG: &str = "--contender";
/// In the place of a contender's name: one task under many names.
pub const MANY: &str = "many names";

/// Reads commands until there are no more.
pub fn run(arguments: &[String]) -> Result<(), Error> {
    let [name, to, series @ ..] = arguments else {
        return Err("a contender and an address are wanted".into());
    };
    let to = to.parse()?;
    let contender = if name == MANY {
        contenders::named(contenders::ours::TIMED)
    } else {
        contenders::named(name)
    }
    .ok_or("no such contender")?;
    let running = (contender.set_up)(to)?;
    let mut series = match series.first() {
        Some(series) => Some((Many::new(series.parse()?), [0; 2])),
        None => None,
    };
    let mut output = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split(' ').collect();
        let numbers = match (words.as_slice(), &mut series) {
            (["batch"], None) => vec![batch(&running)],
            (["batch"], Some((many, at))) => batch_of_many(many, at, &running).into(),
            (["threads", count, rounds], _) => vec![threads(&running, count.parse()?, rounds.parse()?)],
            (["cold"], _) => vec![cold(&running)],
            (["paced", rate, seconds], _) => paced(&running, rate.parse()?, seconds.parse()?),
            (["rate", rate, seconds], _) => vec![self::rate(&running, rate.parse()?, seconds.parse()?)],
            (["end"], _) => break,
            (["quit"], _) => return Ok(()),
            _ => return Err(format!("no such command: {line}").into()),
        };
        let numbers: Vec<String> = numbers.iter().map(f64::to_string).collect();
        writeln!(output, "{}", numbers.join(" "))?;
        output.flush()?;
    }
    (running.end)();
    // What the libraries' own threads still hold goes with the process.
    Ok(())
}

fn per_call(took: Duration, calls: u32) -> f64 {
    took.as_nanos() as f64 / f64::from(calls)
}

/// A batch that counts, after others: all of a contender's buffers are to have been through the caches since another had its turn.
fn batch(running: &Running) -> f64 {
    last_of(WARM as usize, || (running.batch)(BATCH), &running.settle)
}

/// The bare task and the annotated one, under so many names in turn. A whole round of all names warms up as far as the caches go.
fn batch_of_many(many: &Many, at: &mut [usize; 2], running: &Running) -> [f64; 2] {
    let [bare, annotated] = at;
    let round = many.len().div_ceil(BATCH as usize);
    [
        last_of(round, || many.bare(bare, BATCH), || {}),
        last_of(round, || many.annotated(annotated, BATCH), &running.settle),
    ]
}

/// What the batch after so many others takes.
fn last_of(others: usize, mut batch: impl FnMut(), settle: impl Fn()) -> f64 {
    let mut time = || {
        let begun = Instant::now();
        batch();
        let took = begun.elapsed();
        settle();
        per_call(took, BATCH)
    };
    for _ in 0..others {
        time();
    }
    time()
}

/// The median of what a batch takes while so many threads run batches at once.
fn threads(running: &Running, count: usize, rounds: usize) -> f64 {
    let barrier = Barrier::new(count);
    let mut seen: Vec<f64> = thread::scope(|scope| {
        let workers: Vec<_> = (0..count)
            .map(|number| {
                let barrier = &barrier;
                scope.spawn(move || {
                    let mut seen = Vec::with_capacity(rounds);
                    for _ in 0..rounds {
                        barrier.wait();
                        // One batch to warm up, so that the others have begun too.
                        (running.batch)(BATCH);
                        let begun = Instant::now();
                        (running.batch)(BATCH);
                        seen.push(per_call(begun.elapsed(), BATCH));
                        barrier.wait();
                        if number == 0 {
                            (running.settle)();
                        }
                    }
                    seen
                })
            })
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap_or_default())
            .collect()
    });
    seen.sort_by(f64::total_cmp);
    seen[seen.len() / 2]
}

/// A single call after everything else has gone through the caches, as in a worker that calls now and then.
fn cold(running: &Running) -> f64 {
    const REPEATS: usize = 31;
    const LINE: usize = 64;
    let mut flood = vec![0_u8; 16 << 20];
    let mut seen: Vec<f64> = (0..REPEATS)
        .map(|_| {
            for line in flood.chunks_mut(LINE) {
                line[0] = line[0].wrapping_add(1);
            }
            black_box(&mut flood);
            let begun = Instant::now();
            (running.batch)(1);
            let took = begun.elapsed();
            (running.settle)();
            per_call(took, 1)
        })
        .collect();
    seen.sort_by(f64::total_cmp);
    seen[seen.len() / 2]
}

/// Works at `rate` calls a second if it can, in portions of a millisecond. Answers with all its calls, and for what came after the
/// first second: the calls, the processor time of the process and of the calling thread in nanoseconds, and by how many KiB the
/// process grew.
fn paced(running: &Running, rate: u32, seconds: f64) -> Vec<f64> {
    let portion = (rate / 1_000).max(1);
    let pause = Duration::from_secs_f64(f64::from(portion) / f64::from(rate));
    let work = |seconds: f64| {
        let begun = Instant::now();
        let (mut calls, mut next) = (0.0, begun);
        while begun.elapsed().as_secs_f64() < seconds {
            (running.batch)(portion);
            calls += f64::from(portion);
            next += pause;
            // Who cannot keep the pace goes on without a pause.
            thread::sleep(next.saturating_duration_since(Instant::now()));
        }
        calls
    };
    let first = work(seconds.min(1.0));
    let memory = status("VmRSS:");
    let (process, thread) = (ProcessTime::now(), ThreadTime::now());
    let calls = work(seconds);
    let (process, thread) = (process.elapsed(), thread.elapsed());
    vec![
        first + calls,
        calls,
        process.as_nanos() as f64,
        thread.as_nanos() as f64,
        status("VmRSS:") - memory,
    ]
}

/// What a call costs a caller that makes so many a second and is idle between them: the median over its portions.
fn rate(running: &Running, rate: u32, seconds: f64) -> f64 {
    let portion = (rate / 1_000).max(1);
    let pause = Duration::from_secs_f64(f64::from(portion) / f64::from(rate));
    let begun = Instant::now();
    let (mut seen, mut next) = (Vec::new(), begun);
    while seen.is_empty() || begun.elapsed().as_secs_f64() < seconds {
        thread::sleep(next.saturating_duration_since(Instant::now()));
        next += pause;
        let at = Instant::now();
        (running.batch)(portion);
        seen.push(per_call(at.elapsed(), portion));
    }
    seen.sort_by(f64::total_cmp);
    seen[seen.len() / 2]
}
