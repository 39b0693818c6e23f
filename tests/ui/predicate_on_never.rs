use instrument_task::instrument_task;

#[instrument_task(ok_if = |_| true)]
fn never() -> ! {
    loop {}
}

fn main() {
    if std::env::args().count() > 100 {
        never();
    }
}
