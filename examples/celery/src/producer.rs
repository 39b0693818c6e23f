//! The producer: puts jobs into the queue, and knows what is to become of them.

use celery::{Celery, error::CeleryError};
use instrument_task_examples::tally::{Calls, End};

use crate::tasks::{NAMES, Wish, fetch_report, resize_image, send_email, vendor};

/// What the metrics are to say in the end, task by task.
pub type Plan = [(&'static str, Calls); NAMES.len()];

/// The job of this number: its task, and what is to become of it. Of a hundred jobs ten fail and one is retried; few panic, or
/// take too long.
fn job(number: u64) -> (&'static str, Wish) {
    let (task, turn) = (NAMES[(number % 4) as usize], number / 4);
    let wish = match (task, turn % 100) {
        (_, turn) if turn % 10 == 7 => Wish::Fail,
        ("resize_image", 50) | ("purge_cache", 60) => Wish::Panic,
        ("send_email", 0 | 25 | 50 | 75) => Wish::Retry,
        ("fetch_report", 20 | 40) => Wish::Dawdle,
        _ => Wish::Succeed,
    };
    (task, wish)
}

/// How the calls end that such a job makes, one after the other.
fn ends(wish: Wish) -> &'static [End] {
    match wish {
        Wish::Succeed => &[End::Success],
        Wish::Fail => &[End::Exception],
        Wish::Retry => &[End::Exception, End::Success],
        Wish::Dawdle => &[End::Cancelled],
        Wish::Panic => &[End::Panic],
    }
}

/// What becomes of so many jobs.
pub fn plan(jobs: u64) -> Plan {
    let mut plan = NAMES.map(|task| (task, Calls::default()));
    for (task, wish) in (0..jobs).map(job) {
        for (_, calls) in plan.iter_mut().filter(|(name, _)| *name == task) {
            for &end in ends(wish) {
                calls.add(end);
            }
        }
    }
    plan
}

/// The calls of a plan.
pub fn calls(plan: &Plan) -> u64 {
    plan.iter().map(|(_, calls)| calls.started).sum()
}

/// Sends the jobs.
pub async fn produce(app: &Celery, jobs: u64) -> Result<(), CeleryError> {
    for number in 0..jobs {
        let (task, wish) = job(number);
        match task {
            "resize_image" => app.send_task(resize_image::new(number, wish)).await?,
            "send_email" => app.send_task(send_email::new(number, wish)).await?,
            "fetch_report" => app.send_task(fetch_report::new(number, wish)).await?,
            _ => app.send_task(vendor::purge_cache::new(number, wish)).await?,
        };
    }
    Ok(())
}
