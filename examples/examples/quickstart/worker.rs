//! The worker: calls the tasks as a queue would, and counts by hand what came of each call.

use std::{
    panic::{self, AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use tokio::time::timeout;

use instrument_task_examples::tally::{self, End};

use super::tasks::{self, Cleaner};

/// The calls of the worker's tasks.
pub type Tally = tally::Tally<{ tasks::NAMES.len() }>;

/// How long the worker waits for a report.
const PATIENCE: Duration = Duration::from_millis(20);

/// Does one job. Each kind of task has its turn.
pub async fn job(number: u64, tally: &Tally) {
    let (round, task) = (number / 4, number % 4);
    let name = tasks::NAMES[(number % 4) as usize];
    tally.start(name);
    let end = match task {
        0 => match catch_unwind(AssertUnwindSafe(|| tasks::resize_image(round))) {
            Ok(result) => result.into(),
            Err(_) => End::Panic,
        },
        1 => tasks::send_email(round).await.into(),
        2 => match timeout(PATIENCE, tasks::fetch_report(round)).await {
            Ok(report) if report.lines < 100 => End::Success,
            Ok(_) => unreachable!("a report has at most 99 lines"),
            Err(_elapsed) => End::Cancelled,
        },
        _ => {
            Cleaner { files: round % 500 }.run();
            End::Success
        }
    };
    tally.end(name, end);
}

/// Keeps the panics of `resize_image`, which are meant to be, off the screen.
pub fn hide_expected_panics() {
    let show = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let message = info.payload().downcast_ref::<String>();
        if !message.is_some_and(|text| text.starts_with("corrupt image")) {
            show(info);
        }
    }));
}
