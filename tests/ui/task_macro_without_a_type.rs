use instrument_task::instrument_task;

mod queue {
    // Stands for the attribute of a queue, which would wrap the body in `Ok({ … })`.
    pub use std::prelude::v1::test as task;
}

#[instrument_task]
#[queue::task]
fn parse() {
    let _n: u8 = "1".parse()?;
}

#[instrument_task]
#[queue::task]
fn refuse(n: u8) {
    if n == 0 {
        return Err(n);
    }
}

#[instrument_task]
#[queue::task]
fn fine() {
    if true {
        return;
    }
}

fn main() {}
