use instrument_task::instrument_task;

#[instrument_task]
struct Job;

fn main() {
    let _ = Job;
}
