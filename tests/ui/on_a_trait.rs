use instrument_task::instrument_task;

#[instrument_task]
trait Job {
    fn run(&self) {}
}

impl Job for u8 {}

fn main() {
    1_u8.run();
}
