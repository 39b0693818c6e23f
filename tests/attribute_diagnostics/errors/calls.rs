use instrument_task::instrument_task;

#[instrument_task]
fn sync(n: u8, _: &str) -> Result<u8, ()> {
    if n == 0 {
        return Err(());
    }
    Ok(n)
}

#[instrument_task]
async fn asynchronous(n: u8) -> u8 {
    n
}

fn main() {
    sync(1);
    sync("", "");
    let _: u8 = asynchronous(1);
    asynchronous();
}
