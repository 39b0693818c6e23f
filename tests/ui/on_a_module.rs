use instrument_task::instrument_task;

#[instrument_task]
mod jobs {
    pub fn run() {}
}

fn main() {
    jobs::run();
}
