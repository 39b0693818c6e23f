//! What the documentation names as the one lint that cannot be forbidden.
#![forbid(unreachable_code)]

use instrument_task::instrument_task;

#[instrument_task]
fn plain() {}

fn main() {
    plain();
}
