//! One task under many names, called one after another, as a worker with many kinds of task does.

use std::hint::black_box;

use instrument_task::__private::{Call, Site, Token};

use crate::work::{Refused, body};

/// Call sites made at run time. What calls them is what an expansion does.
#[derive(Debug)]
pub struct Many(Vec<&'static Site>);

impl Many {
    /// `series` sites, each with a name of its own. They stay until the process ends, as those of functions do.
    #[must_use]
    pub fn new(series: usize) -> Self {
        let site = |number| -> &'static Site {
            let name: &'static str = String::leak(format!("task_{number}"));
            Box::leak(Box::new(Site::new(name)))
        };
        Self((0..series).map(site).collect())
    }

    /// How many they are.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "there is at least one")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Calls all of them in turn, `calls` calls in all, from where `at` says, and leaves there where to go on.
    pub fn annotated(&self, at: &mut usize, calls: u32) {
        for n in 0..u64::from(calls) {
            *at = if *at + 1 < self.0.len() { *at + 1 } else { 0 };
            let _ = black_box(annotated(black_box(self.0[*at]), black_box(n)));
        }
    }

    /// The same for the bare task.
    pub fn bare(&self, at: &mut usize, calls: u32) {
        for n in 0..u64::from(calls) {
            *at = if *at + 1 < self.0.len() { *at + 1 } else { 0 };
            let _ = black_box(bare(black_box(self.0[*at]), black_box(n)));
        }
    }
}

#[inline(never)]
fn bare(_: &'static Site, n: u64) -> Result<u64, Refused> {
    body(n)
}

#[inline(never)]
fn annotated(site: &'static Site, n: u64) -> Result<u64, Refused> {
    let mut token = Token::off();
    let call = Call::start(site, &mut token);
    let result = body(n);
    call.succeed();
    result
}

/// What the metrics of one task are called where each metric has a name.
#[derive(Clone, Copy, Debug)]
pub struct Names {
    /// The counter of its starts.
    pub started: &'static str,
    /// The counter of its successes.
    pub success: &'static str,
    /// The timer of its durations.
    pub duration: &'static str,
}

/// The names of so many tasks. They stay until the process ends, as literals do.
#[must_use]
pub fn names(tasks: usize) -> Vec<Names> {
    let name =
        |number, kind, end| -> &'static str { String::leak(format!("tasks.{kind}.task_{number}.{end}")) };
    (0..tasks)
        .map(|number| Names {
            started: name(number, "status", "started"),
            success: name(number, "status", "success"),
            duration: name(number, "duration", "success"),
        })
        .collect()
}
