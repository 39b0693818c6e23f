use instrument_task::instrument_task;

#[instrument_task]
fn awaits() -> Result<(), ()> {
    std::future::ready(()).await;
    Ok(())
}

#[instrument_task]
fn continues(n: u8) -> u8 {
    if n == 0 {
        continue;
    }
    n
}

fn main() {}
