use instrument_task::instrument_task;

#[instrument_task(nmae = "job")]
fn near() {}

#[instrument_task(level = "info")]
fn far() {}

#[instrument_task(name = "job", err)]
fn second() {}

fn main() {
    near();
    far();
    second();
}
