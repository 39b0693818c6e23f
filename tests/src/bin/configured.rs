//! A worker that is configured by its environment. Its argument says how it starts; it prints what it logs, and how much it
//! counted.

use std::env;

use instrument_task::{Error, Guard, instrument_task};
use instrument_task_tests::log::{Line, Log};

#[instrument_task]
fn step() {}

fn start() -> Result<Guard, Error> {
    match env::args().nth(1).as_deref() {
        Some("or_disabled") => Ok(instrument_task::init_or_disabled()),
        _ => instrument_task::init(),
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing::subscriber::set_global_default(Log(|line: Line| {
        println!("{} {} {}", line.level, line.target, line.text);
    }))?;
    let metrics = match start() {
        Ok(metrics) => metrics,
        Err(error) => {
            println!("error: {error}");
            return Ok(());
        }
    };
    (0..100).for_each(|_| step());
    println!(
        "enabled: {}, recorded: {}",
        metrics.is_enabled(),
        metrics.ledger().counters.recorded
    );
    Ok(())
}
