//! The queue's own account of its jobs, kept by a plugin: what the metrics are compared with.

use graphile_worker::{AfterJobRun, HookRegistry, HookResult, JobStart, Plugin};
use instrument_task_examples::tally::{End, Tally};

use crate::handlers::NAMES;

/// What became of the jobs, by what the queue told its plugin.
pub static TALLY: Tally<{ NAMES.len() }> = Tally::new(NAMES);

/// Counts the attempts of each task.
pub struct Account;

impl Plugin for Account {
    fn register(self, hooks: &mut HookRegistry) {
        hooks.on(JobStart, async |context| {
            TALLY.start(context.job.task_identifier());
        });
        hooks.on(AfterJobRun, async |context| {
            TALLY.end(context.job.task_identifier(), end(&context.result));
            HookResult::Continue
        });
    }
}

/// What an attempt came to. The queue tells its errors apart by their first word.
fn end(result: &Result<(), String>) -> End {
    match result {
        Ok(()) => End::Success,
        Err(error) if error.starts_with("TaskPanic") => End::Panic,
        // At the end of the grace period of a shutdown.
        Err(error) if error.starts_with("TaskAborted") => End::Cancelled,
        Err(_) => End::Exception,
    }
}
