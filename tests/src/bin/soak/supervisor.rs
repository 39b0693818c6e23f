//! The one that restarts the server, looks at the worker, and judges.

use std::{
    env,
    error::Error,
    process::{Command, ExitCode},
    thread,
    time::{Duration, Instant},
};

use instrument_task_tests::{
    dialog::Dialog,
    lives::{Lives, Sums, Way},
    process::Figures,
};

/// KiB that the worker may grow by, in heap and stacks, once it has seen two restarts.
const GROWTH: u64 = 64;
/// How long the server is down each time.
const OUTAGE: Duration = Duration::from_secs(2);
/// Time from one flush to the next.
const INTERVAL: Duration = Duration::from_secs(1);

/// What the user asked for.
struct Arguments {
    seconds: u64,
    rate: u64,
    way: Way,
}

impl Arguments {
    fn parse(words: &[String]) -> Result<Self, Box<dyn Error>> {
        let mut arguments = Self {
            seconds: 600,
            rate: 1_000_000,
            way: Way::Udp,
        };
        for pair in words.chunks(2) {
            match pair {
                [key, value] if key == "--seconds" => arguments.seconds = value.parse()?,
                [key, value] if key == "--rate" => arguments.rate = value.parse()?,
                [key, value] if key == "--way" => arguments.way = value.parse()?,
                _ => return Err(format!("{pair:?} is not an option with a value").into()),
            }
        }
        if arguments.seconds < 30 {
            return Err("there is nothing to see in less than 30 seconds".into());
        }
        Ok(arguments)
    }
}

/// What the worker says at a flush.
struct Said {
    calls: u64,
    sent: u64,
    pending: u64,
}

/// The worker, and what was seen of it.
struct Watch {
    worker: Dialog,
    /// Before it had a client.
    bare: Option<Figures>,
    /// The most of each figure until it had seen two restarts, and since. Memory is not judged by its most but by what it was
    /// when that time was over.
    settling: Option<Figures>,
    settled: Option<Figures>,
    after: Option<Figures>,
    faults: Vec<String>,
}

impl Watch {
    fn start(url: &str, rate: u64) -> Result<Self, Box<dyn Error>> {
        let worker =
            Dialog::start(Command::new(env::current_exe()?).args(["worker", url, &rate.to_string()]));
        worker.hear().ok_or("the worker does not start")?;
        Ok(Self {
            bare: Figures::of(worker.id()),
            worker,
            settling: None,
            settled: None,
            after: None,
            faults: Vec::new(),
        })
    }

    /// Takes a look; `settling` while restarts are still new to the worker.
    fn look(&mut self, settling: bool) -> Option<Figures> {
        let now = Figures::of(self.worker.id())?;
        if settling {
            self.settling = Some(most(self.settling, now));
            self.settled = Some(now);
        } else {
            self.after = Some(most(self.after, now));
        }
        Some(now)
    }

    fn flush(&mut self) -> Result<Said, Box<dyn Error>> {
        let answer = self.worker.ask("flush");
        let words: Vec<_> = answer.split(' ').collect();
        let [calls, sent, pending, sound] = words[..] else {
            return Err(answer.into());
        };
        if sound != "true" {
            self.faults
                .push(format!("books that do not balance, or a loss: {answer}"));
        }
        Ok(Said {
            calls: calls.parse()?,
            sent: sent.parse()?,
            pending: pending.parse()?,
        })
    }

    /// Ends the worker's calls; what it counted by itself, and how many increments it sent.
    fn end(&mut self) -> Result<(Sums, u64), Box<dyn Error>> {
        let books = self.worker.ask("end");
        if books != "0 0 0 true" {
            self.faults
                .push(format!("pending, dropped, refused late, balanced: {books}"));
        }
        let sent = self.worker.hear().ok_or("no sum")?.parse()?;
        let mut sums = Sums::new();
        while let Some(line) = self.worker.hear().filter(|line| line != "end") {
            let (name, sum) = line.split_once(' ').ok_or("no sum")?;
            sums.insert(name.into(), sum.parse()?);
        }
        Ok((sums, sent))
    }

    /// Judges what was seen; the worker has no client any more.
    fn judge(&mut self) {
        let last = Figures::of(self.worker.id());
        let (Some(bare), Some(settling), Some(settled), Some(after), Some(last)) =
            (self.bare, self.settling, self.settled, self.after, last)
        else {
            self.faults
                .push("skipped: this system does not tell what a process holds".into());
            return;
        };
        // The rest is code, which is read in when it runs for the first time.
        let growth = after.anonymous.saturating_sub(settled.anonymous);
        println!(
            "heap and stacks: {} KiB after two restarts, {} KiB at most since: grown by {growth} KiB (resident {} → {})",
            settled.anonymous, after.anonymous, settled.resident, after.resident
        );
        println!(
            "threads: {} at most, then {}; descriptors: {}, then {}; without a client: {} and {}, before {} and {}",
            settling.threads,
            after.threads,
            settling.descriptors,
            after.descriptors,
            last.threads,
            last.descriptors,
            bare.threads,
            bare.descriptors
        );
        let mut check = |held: bool, what: &str| {
            if !held {
                self.faults.push(what.to_owned());
            }
        };
        check(growth <= GROWTH, "memory grew");
        check(after.threads <= settling.threads, "threads leak");
        check(after.descriptors <= settling.descriptors, "descriptors leak");
        check(last.threads == bare.threads, "a thread is left after the guard");
        check(
            last.descriptors == bare.descriptors,
            "a descriptor is left after the guard",
        );
    }
}

fn most(before: Option<Figures>, now: Figures) -> Figures {
    before.map_or(now, |before| Figures {
        resident: before.resident.max(now.resident),
        anonymous: before.anonymous.max(now.anonymous),
        threads: before.threads.max(now.threads),
        descriptors: before.descriptors.max(now.descriptors),
    })
}

pub fn run(words: &[String]) -> Result<ExitCode, Box<dyn Error>> {
    let Arguments { seconds, rate, way } = Arguments::parse(words)?;
    let period = Duration::from_secs(if seconds >= 300 { 60 } else { seconds / 6 });
    let mut lives = Lives::real_if_any(way);
    println!(
        "{rate} calls a second for {seconds} s to {} over {}; it is restarted every {} s",
        lives.kind(),
        lives.url(),
        period.as_secs()
    );
    let mut watch = Watch::start(&lives.url(), rate)?;
    lives.start();
    watch.worker.tell("start");

    let start = Instant::now();
    let (mut restarts, mut line) = (0, 1);
    let mut next = start;
    while start.elapsed() < Duration::from_secs(seconds) {
        next += INTERVAL;
        thread::sleep(next.saturating_duration_since(Instant::now()));
        let said = watch.flush()?;
        let figures = watch.look(start.elapsed() < 2 * period);
        if start.elapsed() >= 60 * line * Duration::from_secs(1) {
            let arrived: u64 = lives.sums().values().sum();
            println!(
                "minute {line}: {} calls, {arrived} increments arrived, {} pending, {restarts} restarts, {figures:?}",
                said.calls, said.pending
            );
            line += 1;
        }
        if start.elapsed() + OUTAGE >= period * (restarts + 1) {
            // Between two flushes: what a server took in and did not read is the one loss that no sender can see.
            lives.wait_for(said.sent);
            lives.stop();
            let end = Instant::now() + OUTAGE;
            while Instant::now() < end {
                let refused = watch.flush()?;
                if refused.sent != said.sent || refused.pending == 0 {
                    watch
                        .faults
                        .push(format!("{} were sent to nobody", refused.sent - said.sent));
                }
                watch.look(start.elapsed() < 2 * period);
                thread::sleep(INTERVAL / 2);
            }
            lives.start();
            restarts += 1;
            next = Instant::now();
        }
    }
    let (expected, sent) = watch.end()?;
    let took = start.elapsed();
    lives.wait_for(sent);
    let sums = lives.sums();
    lives.stop();
    watch.judge();

    let calls: u64 = expected
        .iter()
        .filter(|(name, _)| name.contains(".started"))
        .map(|(_, sum)| sum)
        .sum();
    println!(
        "{calls} calls, {:.0} a second; {restarts} restarts",
        calls as f64 / took.as_secs_f64()
    );
    for (name, sum) in &expected {
        println!(
            "  {name}: {sum} counted, {} arrived",
            sums.get(name).unwrap_or(&0)
        );
    }
    if sums != expected {
        watch
            .faults
            .push("the sums that arrived are not the calls".into());
    }
    let faults = std::mem::take(&mut watch.faults);
    if !watch.worker.end().success() {
        return Err("the worker failed".into());
    }
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
