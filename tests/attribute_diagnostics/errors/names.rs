use instrument_task::instrument_task;

#[instrument_task]
fn variable() -> u8 {
    missing
}

#[instrument_task]
fn function(n: u8) -> Result<u8, String> {
    missing(n)?;
    Ok(n)
}

#[instrument_task]
fn argument(n: Missing) -> Option<u8> {
    Some(n.field)
}

#[instrument_task]
fn output() -> Missing {
    loop {}
}

#[instrument_task]
async fn output_async() -> Result<Missing, String> {
    loop {}
}

#[instrument_task]
fn method(n: u8) -> Result<u8, String> {
    n.missing()?;
    Ok(n)
}

#[instrument_task]
async fn method_async(n: u8) -> Result<u8, String> {
    n.missing().await?;
    Ok(n)
}

fn main() {}
