use instrument_task::instrument_task;

#[instrument_task]
fn other<'a, 'b>(a: &'a str, b: &'b str) -> Result<&'a str, ()> {
    if a.is_empty() {
        return Err(());
    }
    Ok(b)
}

#[instrument_task]
fn other_straight<'a, 'b>(_: &'a str, b: &'b str) -> Option<&'a str> {
    Some(b)
}

#[instrument_task]
fn to_static(text: &str) -> Result<&'static str, ()> {
    if text.is_empty() {
        return Err(());
    }
    Ok(text)
}

fn main() {}
