use instrument_task::instrument_task;

#[instrument_task(skip)]
fn run() {}

fn main() {
    run();
}
