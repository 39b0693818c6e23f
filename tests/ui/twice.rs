use instrument_task::instrument_task;

#[instrument_task]
#[instrument_task]
fn run() {}

fn main() {
    run();
}
