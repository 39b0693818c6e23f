//! What a process holds in memory at most, by its threads and the names that each of them uses.

use std::{
    env, fs,
    process::{Command, Stdio},
    sync::Barrier,
    thread,
    time::Duration,
};

use instrument_task_peers::{
    Error,
    contenders::{self, cadence, limits, metrics, ours},
    many::{self, Many},
    sink::Sink,
};

/// The first argument of a process that is measured.
pub const FLAG: &str = "--memory";

/// Those that are measured; the first uses all names and measures nothing.
pub const CONTENDERS: [&str; 4] = [limits::BARE, ours::TIMED, metrics::MACROS, cadence::QUEUING];

/// Threads and names.
pub const SIZES: [(usize, usize); 6] = [(1, 1), (1, 100), (1, 10_000), (16, 1), (16, 100), (16, 10_000)];

/// How long a process lives: some flush intervals, so that what is flushed has been held by then.
const LIFE: u64 = 2_500;

/// KiB by which a process grew at most: of each contender, by size.
pub type Memory = Vec<(&'static str, Vec<f64>)>;

/// Measures all, those of one size at once.
pub fn all(quick: bool) -> Result<Memory, Error> {
    let life = if quick { 0 } else { LIFE };
    let sink = Sink::start()?;
    let mut all: Memory = CONTENDERS.map(|name| (name, Vec::new())).into();
    for (threads, names) in SIZES {
        let mut running = Vec::new();
        for name in CONTENDERS {
            let child = Command::new(env::current_exe()?)
                .args([FLAG, name, &sink.address().to_string()])
                .args([threads.to_string(), names.to_string(), life.to_string()])
                .stdout(Stdio::piped())
                .spawn()?;
            running.push(child);
        }
        for (child, (_, seen)) in running.into_iter().zip(&mut all) {
            let output = child.wait_with_output()?;
            seen.push(String::from_utf8(output.stdout)?.trim().parse()?);
        }
    }
    Ok(all)
}

/// Is such a process.
pub fn run(arguments: &[String]) -> Result<(), Error> {
    let [name, to, threads, names, life] = arguments else {
        return Err("a contender, an address, threads, names and milliseconds are wanted".into());
    };
    let contender = contenders::named(name).ok_or("no such contender")?;
    let _running = (contender.set_up)(to.parse()?)?;
    let (threads, count): (usize, usize) = (threads.parse()?, names.parse()?);
    let life = Duration::from_millis(life.parse()?);
    // The names are the program's own.
    let (sites, names) = (Many::new(count), many::names(count));
    let calls = u32::try_from(count)?;
    let work = || match contender.name {
        ours::TIMED => sites.annotated(&mut 0, calls),
        metrics::MACROS => names.iter().for_each(metrics::count),
        cadence::QUEUING => names.iter().for_each(cadence::count),
        _ => sites.bare(&mut 0, calls),
    };
    let before = status("VmRSS:");
    let barrier = Barrier::new(threads + 1);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                for _ in 0..2 {
                    work();
                }
                barrier.wait();
            });
        }
        thread::sleep(life);
        barrier.wait();
    });
    println!("{}", status("VmHWM:") - before);
    Ok(())
}

/// A figure of this process in KiB; 0 where it is not known.
pub fn status(key: &str) -> f64 {
    fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|status| {
            let line = status.lines().find_map(|line| line.strip_prefix(key))?;
            line.trim().trim_end_matches(" kB").parse().ok()
        })
        .unwrap_or(0.0)
}
