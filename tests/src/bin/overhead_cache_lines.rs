//! Calls for a simulated cache: `overhead_cache_lines MODE SERIES CALLS`, where MODE is bare, untimed or timed.
//!
//! So many tasks are called in turn that nothing of one is left in the cache when its turn comes again.

use std::{env, hint::black_box, process::ExitCode, time::Duration};

use instrument_task::{
    __private::{Call, Site, Token},
    Client, Guard,
};

/// Calls between two drains of the timed mode: few enough that the ring never asks for sampling.
const TIMED_BATCH: u64 = 400;

#[inline(never)]
fn work(n: u64) -> u64 {
    n.rotate_left(7) ^ 0x9E37
}

#[inline(never)]
fn bare(_: &'static Site, n: u64) -> u64 {
    work(n)
}

/// What an expansion does, with a call site that is not a `static` of its own.
#[inline(never)]
fn annotated(site: &'static Site, n: u64) -> u64 {
    let mut token = Token::off();
    let call = Call::start(site, &mut token);
    let value = work(n);
    call.succeed();
    value
}

/// The calls whose misses are counted.
#[inline(never)]
fn measured(call: fn(&'static Site, u64) -> u64, sites: &[&'static Site], from: u64, calls: u64) {
    let mut turn = sites
        .iter()
        .cycle()
        .skip(usize::try_from(from).unwrap_or(0) % sites.len());
    for n in 0..calls {
        if let Some(site) = turn.next() {
            black_box(call(black_box(site), black_box(n)));
        }
    }
}

fn client(mode: &str) -> Option<Guard> {
    let rate = match mode {
        "untimed" => 0.0001,
        "timed" => 1.0,
        _ => return None,
    };
    // Nothing leaves while the calls run.
    let hour = Duration::from_secs(3_600);
    Client::builder()
        .ignore_environment()
        .sample_rate(rate)
        .timer_budget(u32::MAX)
        .client_timer_budget(u32::MAX)
        .flush_interval(hour)
        .drain_interval(Duration::from_secs(60))
        .shutdown_deadline(Duration::ZERO)
        .install()
        .ok()
}

fn run(mode: &str, series: usize, calls: u64) -> Option<()> {
    let guard = client(mode);
    if guard.is_none() && mode != "bare" {
        return None;
    }
    let call = if guard.is_some() { annotated } else { bare };
    let batch = if mode == "timed" { TIMED_BATCH } else { calls };
    let sites: Vec<&'static Site> = (0..series)
        .map(|number| -> &'static Site {
            let name: &'static str = String::leak(format!("task_{number}"));
            Box::leak(Box::new(Site::new(name)))
        })
        .collect();
    // The first calls resolve the names.
    for site in &sites {
        black_box(call(site, 0));
    }
    let mut done = 0;
    while done < calls {
        let now = batch.min(calls - done);
        measured(call, &sites, done, now);
        done += now;
        if let Some(client) = &guard {
            // Reading the books drains the rings.
            let _ = client.ledger();
        }
    }
    let ledger = guard.as_deref().map(Client::ledger).unwrap_or_default();
    println!("{} {}", ledger.counters.recorded, ledger.timers.recorded);
    Some(())
}

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    if let [mode, series, calls] = &arguments[..]
        && let (Ok(series), Ok(calls)) = (series.parse(), calls.parse())
        && run(mode, series, calls).is_some()
    {
        return ExitCode::SUCCESS;
    }
    eprintln!("usage: overhead_cache_lines bare|untimed|timed SERIES CALLS");
    ExitCode::FAILURE
}
