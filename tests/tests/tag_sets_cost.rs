//! What tag sets cost a program: memory by the sets that a thread has touched, and a flusher that sleeps while nothing moves.
#![cfg(target_os = "linux")]

use std::{fs, sync::Barrier, thread, time::Duration};

use instrument_task::{Client, instrument_task, with_client};
use instrument_task_tests::{
    process::Figures,
    wait::{turn, until},
};

const SETS: u32 = 90_000;

#[instrument_task(tags(n = number), time = never)]
fn work(number: u32) -> u32 {
    std::hint::black_box(number)
}

/// The memory of this process that is really there, in KiB.
fn resident() -> u64 {
    let figures = Figures::of(std::process::id());
    figures.expect("Linux tells them").resident
}

/// The processor time that the flusher has used, in seconds.
fn flusher_seconds() -> f64 {
    let mut ticks = 0_u32;
    for task in fs::read_dir("/proc/self/task").expect("Linux has it") {
        let Ok(stat) = fs::read_to_string(task.expect("an entry").path().join("stat")) else {
            continue;
        };
        let Some((_, fields)) = stat.split_once("(instrument-task) ") else {
            continue;
        };
        let mut fields = fields.split(' ').skip(11);
        for _ in 0..2 {
            ticks += fields
                .next()
                .and_then(|field| field.parse::<u32>().ok())
                .expect("a number");
        }
    }
    f64::from(ticks) / 100.0
}

#[test]
fn a_thread_pays_for_the_sets_that_it_touches() {
    let _turn = turn();
    let client = Client::builder()
        .ignore_environment()
        .address("127.0.0.1:9")
        .cardinality_cap(1_000_000)
        // Nothing is drained or sent unless asked for, so that nobody takes the flusher's memory for the threads'.
        .drain_interval(Duration::from_secs(60))
        .flush_interval(Duration::from_secs(3_600))
        .shutdown_deadline(Duration::ZERO)
        .install()
        .unwrap();
    // Until the flusher has taken in so many calls, which makes it grow too.
    let taken_in = |calls: u32| {
        until("all is taken in", || {
            (client.ledger().counters.recorded == 2 * u64::from(calls)).then_some(())
        });
    };
    let start = resident();
    (0..SETS).for_each(|n| _ = work(n));
    taken_in(SETS);
    let many = resident();
    println!("{} KiB for {SETS} sets", many - start);
    let threads = Barrier::new(16);
    let each = thread::scope(|scope| {
        for n in 0..15 {
            let threads = &threads;
            scope.spawn(move || {
                work(SETS - 1 - n);
                threads.wait();
                threads.wait();
            });
        }
        threads.wait();
        taken_in(SETS + 15);
        let each = resident().saturating_sub(many) / 15;
        threads.wait();
        each
    });
    println!("{each} KiB for each thread that touches one of them");
    assert!(each < 256, "{each} KiB");
}

#[test]
fn the_flusher_sleeps_while_nothing_moves() {
    let _turn = turn();
    let receiver = instrument_task::testing::Receiver::start().unwrap();
    let client = Client::builder()
        .ignore_environment()
        .address(receiver.address().to_string())
        .cardinality_cap(1_000_000)
        .packet_size(60_000)
        .build()
        .unwrap();
    with_client(&client, || (0..SETS).for_each(|n| _ = work(n)));
    assert_eq!(client.flush(Duration::from_secs(60)).pending, 0);
    let moving = flusher_seconds();
    thread::sleep(Duration::from_secs(4));
    let silent = flusher_seconds() - moving;
    println!(
        "the flusher used {moving:.2} s to send {SETS} sets, and {silent:.2} s in four seconds of their silence"
    );
    // Forty drains and four flushes against the first of each set: so the machine's speed does not matter.
    assert!(silent < moving / 2.0, "{silent} of {moving}");
}
