use instrument_task::instrument_task;

#[instrument_task]
const fn one() -> u8 {
    1
}

fn main() {
    one();
}
