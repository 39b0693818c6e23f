//! The one that has the server come up, looks at the worker, and judges.

use std::{
    env,
    error::Error,
    process::{Command, ExitCode},
    thread,
    time::{Duration, Instant},
};

use instrument_task_tests::{
    dialog::Dialog,
    lives::{Lives, Way},
    process::Figures,
};

/// KiB that the worker may grow by, in heap and stacks, after a second of work without a server.
const GROWTH: u64 = 64;
/// What a call may cost without a server, as a multiple of what it costs with one.
const COST: f64 = 1.05;
/// How often the worker is looked at.
const LOOK: Duration = Duration::from_millis(100);

enum Task {
    Hold { seconds: u64 },
    Cost { pairs: usize },
}

pub fn run(words: &[String]) -> Result<ExitCode, Box<dyn Error>> {
    let (mut task, mut way) = (Task::Hold { seconds: 30 }, Way::Udp);
    for pair in words.chunks(2) {
        match pair {
            [key, value] if key == "--seconds" => {
                task = Task::Hold {
                    seconds: value.parse()?,
                }
            }
            [key, value] if key == "--cost" => {
                task = Task::Cost {
                    pairs: value.parse()?,
                }
            }
            [key, value] if key == "--way" => way = value.parse()?,
            _ => return Err(format!("{pair:?} is not an option with a value").into()),
        }
    }
    let lives = Lives::new(way);
    let worker = Dialog::start(Command::new(env::current_exe()?).args(["worker", &lives.url()]));
    let faults = match task {
        Task::Hold { seconds } => hold(lives, worker, Duration::from_secs(seconds.max(2)))?,
        Task::Cost { pairs } => cost(lives, worker, pairs.max(1))?,
    };
    for fault in &faults {
        println!("fault: {fault}");
    }
    println!("{}", if faults.is_empty() { "passed" } else { "FAILED" });
    Ok(if faults.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Full speed without a server, then a server.
fn hold(mut lives: Lives, mut worker: Dialog, time: Duration) -> Result<Vec<String>, Box<dyn Error>> {
    let mut faults = Vec::new();
    // From when it is at work, however long that takes on a busy machine.
    let answer = worker.ask("work");
    if answer != "working" {
        return Err(answer.into());
    }
    let start = Instant::now();
    thread::sleep(Duration::from_secs(1));
    let first = Figures::of(worker.id());
    let (mut most, mut anonymous) = (0, 0);
    while start.elapsed() < time {
        thread::sleep(LOOK);
        if let Some(now) = Figures::of(worker.id()) {
            (most, anonymous) = (most.max(now.resident), anonymous.max(now.anonymous));
        }
    }
    let calls: u64 = worker.ask("stop").parse()?;
    println!(
        "{calls} calls in {} s without a server at {}",
        time.as_secs(),
        lives.url()
    );
    if let Some(first) = first {
        // The rest is code, which is read in when it runs for the first time.
        let growth = anonymous.saturating_sub(first.anonymous);
        println!(
            "heap and stacks: {} KiB after a second, {anonymous} KiB at most since: grown by {growth} KiB (resident {} → {most})",
            first.anonymous, first.resident
        );
        if growth > GROWTH {
            faults.push("memory grew".into());
        }
    } else {
        faults.push("skipped: this system does not tell what a process holds".into());
    }
    let pending = worker.ask("flush");
    if pending.starts_with("0 ") {
        faults.push(format!("without a server something went: {pending}"));
    }
    lives.start();
    let books = worker.ask("flush");
    if books != "0 0 0 true" {
        faults.push(format!("pending, dropped, refused late, balanced: {books}"));
    }
    lives.wait_for(2 * calls);
    let sums = lives.sums();
    lives.stop();
    let expected = [
        ("started", calls),
        ("success", calls / 10 * 9),
        ("exceptions", calls / 10),
    ];
    for (what, count) in expected {
        let arrived = sums
            .get(&format!("tasks.status.step.{what}"))
            .copied()
            .unwrap_or(0);
        println!("  {what}: {count} counted, {arrived} arrived");
        if arrived != count {
            faults.push(format!("{what} is not exact"));
        }
    }
    if !worker.end().success() {
        faults.push("the worker failed".into());
    }
    Ok(faults)
}

/// What a call costs, without a server and with one by turns.
fn cost(mut lives: Lives, mut worker: Dialog, pairs: usize) -> Result<Vec<String>, Box<dyn Error>> {
    let mut rounds = [Vec::new(), Vec::new()];
    // Until the flusher has found its strides.
    worker.ask("round");
    for pair in 0..pairs {
        // Either comes first in every other pair.
        for server in [pair % 2 == 0, pair % 2 == 1] {
            lives.stop();
            if server {
                lives.start();
            }
            rounds[usize::from(server)].push(worker.ask("round").parse::<f64>()?);
        }
    }
    let [without, with] = rounds.map(|mut rounds| {
        rounds.sort_by(f64::total_cmp);
        rounds[rounds.len() / 2]
    });
    let ratio = without / with;
    println!(
        "ns a call, medians of {pairs} rounds each: {without:.2} without a server, {with:.2} with one: {ratio:.3} × as much"
    );
    if !worker.end().success() {
        return Err("the worker failed".into());
    }
    Ok(if ratio <= COST {
        Vec::new()
    } else {
        vec![format!("calls cost more than {COST} × as much")]
    })
}
