use instrument_task::instrument_task;

#[instrument_task(name = "one", name = "two")]
fn keys() {}

#[instrument_task("one", name = "two")]
fn literal_and_key() {}

#[instrument_task("one", "two")]
fn literals() {}

fn main() {
    keys();
    literal_and_key();
    literals();
}
