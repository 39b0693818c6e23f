//! A worker of a million tasks a second: what its process spends, and what arrives.

use std::{thread, time::Duration};

use instrument_task_benches::figures::Samples;
use instrument_task_peers::{
    Error,
    contenders::{cadence, dogstatsd, limits, metrics, ours, socket, statsd},
    sink::Arrived,
};

use super::rounds::Process;

/// Calls a second, if the contender can.
pub const RATE: u32 = 1_000_000;

/// How often each has its turn.
const REPEATS: usize = 3;

/// What was seen of one contender.
#[derive(Debug)]
pub struct Paced {
    /// Its name.
    pub name: &'static str,
    /// Its calls a second.
    pub rate: f64,
    /// Milliseconds of the calling thread's processor time for a million calls.
    pub caller: f64,
    /// The same for all other threads of the process.
    pub others: f64,
    /// Datagrams for a million calls.
    pub packets: f64,
    /// Bytes for a million calls.
    pub bytes: f64,
    /// The share of the calls' starts that arrived.
    pub delivered: f64,
    /// The share of the calls' durations that arrived.
    pub durations: f64,
    /// KiB by which the process grew.
    pub memory: f64,
}

/// Has each work at its pace. The first is the bare task.
pub fn all(seconds: u64) -> Result<Vec<Paced>, Error> {
    // Without a second, only to see that it works.
    let (repeats, seconds) = if seconds == 0 {
        (1, 0.05)
    } else {
        (REPEATS, seconds as f64)
    };
    let names = [
        limits::BARE,
        ours::DEFAULT,
        ours::TIMED,
        metrics::HANDLES,
        metrics::MACROS,
        cadence::BUFFERED,
        cadence::QUEUING,
        dogstatsd::BATCHED,
        statsd::STATSD,
        socket::SOCKET,
    ];
    let mut seen = names.map(|_| Vec::new());
    for _ in 0..repeats {
        for (name, seen) in names.iter().zip(&mut seen) {
            seen.push(one(name, seconds)?);
        }
    }
    Ok(names
        .into_iter()
        .zip(seen)
        .map(|(name, seen)| {
            let median = |field: fn(&Paced) -> f64| Samples(seen.iter().map(field).collect()).median();
            Paced {
                name,
                rate: median(|one| one.rate),
                caller: median(|one| one.caller),
                others: median(|one| one.others),
                packets: median(|one| one.packets),
                bytes: median(|one| one.bytes),
                delivered: median(|one| one.delivered),
                durations: median(|one| one.durations),
                memory: median(|one| one.memory),
            }
        })
        .collect())
}

/// Processor time in milliseconds for a million calls, each turn's over that of the bare task just before it.
#[derive(Debug, Default)]
pub struct Share {
    /// Of the calling thread.
    pub caller: Samples,
    /// Of the others.
    pub background: Samples,
}

/// What the library takes by itself, with its default budget. At its pace a caller mostly sleeps and wakes up, and what that takes differs
/// from time to time by as much as the calls do: hence many turns.
pub fn share(seconds: u64) -> Result<Share, Error> {
    const TURNS: usize = 15;
    let (turns, seconds) = if seconds == 0 {
        (1, 0.05)
    } else {
        (TURNS, seconds as f64)
    };
    let mut share = Share::default();
    for _ in 0..turns {
        let (bare, own) = (one(limits::BARE, seconds)?, one(ours::DEFAULT, seconds)?);
        share.caller.0.push(own.caller - bare.caller);
        share.background.0.push(own.others - bare.others);
    }
    Ok(share)
}

fn one(name: &'static str, seconds: f64) -> Result<Paced, Error> {
    let mut process = Process::start(name, None)?;
    let answer = process.ask(&format!("paced {RATE} {seconds}"))?;
    let &[all, calls, process_time, caller_time, memory] = answer.as_slice() else {
        return Err("five numbers are wanted".into());
    };
    let sink = process.end()?;
    let arrived = settled(|| sink.arrived());
    let (millions, all_millions) = (calls / 1e6, all / 1e6);
    Ok(Paced {
        name,
        rate: calls / seconds,
        caller: caller_time / 1e6 / millions,
        // The two clocks are read one after the other.
        others: (process_time - caller_time).max(0.0) / 1e6 / millions,
        packets: arrived.packets as f64 / all_millions,
        bytes: arrived.bytes as f64 / all_millions,
        delivered: arrived.started as f64 / all,
        durations: arrived.durations as f64 / all,
        memory,
    })
}

/// What has arrived once nothing more does. Who sent it has ended, so what is left is in the socket's buffer.
fn settled(arrived: impl Fn() -> Arrived) -> Arrived {
    /// Looks, far more than a default buffer lasts.
    const LOOKS: usize = 100;
    let mut last = arrived();
    for _ in 0..LOOKS {
        thread::sleep(Duration::from_millis(100));
        let now = arrived();
        if now.packets == last.packets {
            break;
        }
        last = now;
    }
    last
}
