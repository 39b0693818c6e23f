use instrument_task::instrument_task;

trait Job {
    #[instrument_task]
    fn run(&self);
}

impl Job for u8 {
    fn run(&self) {}
}

fn main() {
    1_u8.run();
}
