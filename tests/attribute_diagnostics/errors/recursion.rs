use instrument_task::instrument_task;

#[instrument_task]
async fn endless(n: u8) -> u8 {
    if n == 0 { 0 } else { endless(n - 1).await }
}

fn main() {}
