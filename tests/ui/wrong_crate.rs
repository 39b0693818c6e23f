use instrument_task::instrument_task;

#[instrument_task(crate = "text")]
fn text() {}

#[instrument_task(crate = a::b<u8>)]
fn generic() {}

fn main() {
    text();
    generic();
}
