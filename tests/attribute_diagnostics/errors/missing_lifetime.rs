use instrument_task::instrument_task;

#[instrument_task]
fn missing(a: &str, b: &str) -> Result<&str, ()> {
    Ok(if a.is_empty() { b } else { a })
}

fn main() {}
