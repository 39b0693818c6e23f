use instrument_task::instrument_task;

struct Mine;

#[instrument_task]
fn plain(text: &str) -> u8 {
    text.parse()?
}

#[instrument_task]
fn judged(text: &str) -> Result<u8, Mine> {
    let n: u8 = text.parse()?;
    Ok(n)
}

#[instrument_task]
async fn asynchronous(text: &str) -> Result<u8, Mine> {
    let n: u8 = text.parse()?;
    Ok(n)
}

#[instrument_task]
fn optional(text: &str) -> Option<u8> {
    let n: u8 = text.parse()?;
    Some(n)
}

fn main() {}
