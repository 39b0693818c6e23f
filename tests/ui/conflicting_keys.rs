use instrument_task::instrument_task;

#[instrument_task(ok_if = Option::is_some, error_if = Option::is_none)]
fn run() -> Option<u8> {
    None
}

fn main() {
    run();
}
