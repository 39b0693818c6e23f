//! Where the exits of a body are written anew.
use instrument_task::instrument_task;

#[instrument_task]
#[track_caller]
fn other_error(n: Result<u8, String>) -> Result<u8, u8> {
    let n = n?;
    Ok(n)
}

#[instrument_task]
#[track_caller]
fn other_carrier(n: Option<u8>) -> Result<u8, u8> {
    let n = n?;
    Ok(n)
}

#[instrument_task]
#[track_caller]
fn no_carrier(n: u8) -> Result<u8, u8> {
    Ok(n? + 1)
}

#[instrument_task]
#[track_caller]
fn returns_another(n: u8) -> Result<u8, u8> {
    if n == 0 {
        return Some(n);
    }
    if n == 1 {
        return;
    }
    Ok(n)
}

#[instrument_task]
#[track_caller]
fn moved(text: String) -> Result<String, u8> {
    drop(text);
    if text.is_empty() {
        return Err(1);
    }
    Ok(text)
}

#[instrument_task]
#[track_caller]
fn unknown(n: u8) -> Result<u8, u8> {
    let n = missing(n)?;
    Ok(n.missing()?)
}

#[instrument_task]
#[track_caller]
fn other<'a, 'b>(a: &'a str, b: &'b str) -> Result<&'a str, ()> {
    if a.is_empty() {
        return Err(());
    }
    Ok(b)
}

fn main() {}
