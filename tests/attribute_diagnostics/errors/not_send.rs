use instrument_task::instrument_task;
use std::rc::Rc;

fn spawn<T: Send>(_: T) {}

#[instrument_task]
async fn holds(n: u8) -> u8 {
    let rc = Rc::new(n);
    std::future::ready(()).await;
    *rc
}

#[instrument_task]
#[must_use]
async fn kept(n: u8) -> u8 {
    let rc = Rc::new(n);
    std::future::ready(()).await;
    *rc
}

fn main() {
    spawn(holds(1));
    spawn(kept(1));
}
