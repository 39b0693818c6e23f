//! The producer: puts jobs into the queue, and knows what is to become of them.

use std::error::Error;

use graphile_worker::{JobSpec, WorkerUtils};
use instrument_task_examples::tally::{Calls, End};

use crate::handlers::{NAMES, ResizeImage, SendEmail, Wish};

/// What the metrics are to say in the end, task by task.
pub type Plan = [(&'static str, Calls); NAMES.len()];

/// The job of this number: its task, and what is to become of it. Of a hundred jobs ten fail; few are retried, or panic.
fn job(number: u64) -> (&'static str, Wish) {
    let (task, turn) = (NAMES[(number % 2) as usize], number / 2);
    let wish = match (task, turn % 100) {
        (_, turn) if turn % 10 == 7 => Wish::Fail,
        ("resize_image", 50) => Wish::Panic,
        ("send_email", 20 | 40) => Wish::Retry,
        _ => Wish::Succeed,
    };
    (task, wish)
}

/// How the attempts end that such a job takes, one after the other.
fn ends(wish: Wish) -> &'static [End] {
    match wish {
        Wish::Succeed => &[End::Success],
        Wish::Fail => &[End::Exception],
        Wish::Retry => &[End::Exception, End::Success],
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

/// Adds the jobs.
pub async fn produce(queue: &WorkerUtils, jobs: u64) -> Result<(), Box<dyn Error>> {
    for number in 0..jobs {
        let (task, wish) = job(number);
        let attempts = if matches!(wish, Wish::Retry) { 2 } else { 1 };
        let spec = JobSpec {
            max_attempts: Some(attempts),
            ..JobSpec::default()
        };
        if task == "resize_image" {
            let job = ResizeImage { image: number, wish };
            queue.add_job(job, spec).await?;
        } else {
            let job = SendEmail { user: number, wish };
            queue.add_job(job, spec).await?;
        }
    }
    Ok(())
}
