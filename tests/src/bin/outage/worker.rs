//! The process that is looked at. It does what it is told on standard input, and is quiet otherwise.

use std::{
    error::Error,
    hint::black_box,
    io::{BufRead, stdin},
    sync::{
        Barrier,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use instrument_task::{Client, instrument_task};

const THREADS: usize = 2;
/// Calls between two looks at the time, or at whether to stop.
const BATCH: u64 = 1_000;
/// How long a round takes whose calls are timed: as long as from one flush to the next.
const ROUND: Duration = Duration::from_secs(1);
/// How long a flush is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

#[instrument_task]
fn step(number: u64) -> Result<u64, u64> {
    if number % 10 == 3 { Err(number) } else { Ok(number) }
}

fn batch() {
    for number in 0..BATCH {
        // One in ten is an error, and that is all there is to know.
        let _ = black_box(step(black_box(number)));
    }
}

/// Calls at full speed until told to stop; how many.
fn work(stop: &AtomicBool) -> u64 {
    let mut calls = 0;
    while !stop.load(Ordering::Relaxed) {
        batch();
        calls += BATCH;
    }
    calls
}

/// Does what standard input says, with a client of `url`.
pub fn run(url: &str) -> Result<(), Box<dyn Error>> {
    // As it comes out of the box.
    let metrics = Client::builder().ignore_environment().address(url).install()?;
    let mut orders = stdin().lock().lines();
    while let Some(order) = orders.next().transpose()? {
        match &*order {
            "work" => {
                let (stop, at_work) = (AtomicBool::new(false), Barrier::new(THREADS + 1));
                let calls: u64 = thread::scope(|scope| {
                    let threads = [(); THREADS].map(|()| {
                        scope.spawn(|| {
                            batch();
                            at_work.wait();
                            BATCH + work(&stop)
                        })
                    });
                    at_work.wait();
                    // What the flusher needs to be refused belongs to the start, too.
                    metrics.flush(Duration::ZERO);
                    println!("working");
                    // Whatever comes next.
                    orders.next();
                    stop.store(true, Ordering::Relaxed);
                    threads
                        .map(|thread| thread.join().expect("calls do not panic"))
                        .iter()
                        .sum()
                });
                println!("{calls}");
            }
            "round" => {
                let (start, mut calls) = (Instant::now(), 0);
                while start.elapsed() < ROUND {
                    batch();
                    calls += BATCH;
                }
                println!("{}", start.elapsed().as_nanos() as f64 / calls as f64);
            }
            "flush" => {
                let report = metrics.flush(PATIENCE);
                println!(
                    "{} {} {} {}",
                    report.pending,
                    report.ledger.counters.dropped,
                    report.ledger.refused_late,
                    report.ledger.is_balanced()
                );
            }
            _ => break,
        }
    }
    Ok(())
}
