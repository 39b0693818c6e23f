//! What rustc's lints say of a body.
use instrument_task::instrument_task;

#[derive(Debug)]
struct Mine;

#[deprecated]
fn old() {}

#[must_use]
fn useful() -> u8 {
    1
}

// Functions

#[instrument_task]
fn unused_result(n: u8) -> Result<u8, Mine> {
    if n == 0 {
        return Err(Mine);
    }
    Ok::<u8, Mine>(n);
    useful();
    Ok(n)
}

#[instrument_task]
fn unused_names(n: u8, spare: u8) -> Option<u8> {
    let local = 1;
    if n == 0 {
        return None;
    }
    let mut never_changed = 1;
    drop(never_changed);
    Some(n)
}

#[instrument_task]
fn unused_mut(mut n: u8) -> Result<u8, Mine> {
    if n == 0 {
        return Err(Mine);
    }
    Ok(n)
}

#[instrument_task]
fn unreachable(n: u8) -> Result<u8, Mine> {
    return Ok(n);
    drop(n);
}

#[instrument_task]
fn unreachable_of_a_value(n: u8) -> u8 {
    return n;
    drop(n);
}

// Differs: flat, kept.
#[instrument_task]
fn unreachable_after_a_panic(n: u8) -> Option<u8> {
    panic!();
    Some(n)
}

#[instrument_task]
fn unreachable_pattern(n: u8) -> Option<u8> {
    match n {
        0 => return None,
        _ => Some(n),
        1 => Some(1),
    }
}

#[instrument_task]
fn unused_parens(n: u8) -> Option<u8> {
    if (n == 0) {
        return (None);
    }
    Some(n)
}

#[instrument_task]
fn unused_braces(n: u8) -> Option<u8> {
    let n = { n };
    if n == 0 {
        return None;
    }
    Some({ n })
}

#[instrument_task]
fn uses_deprecated(n: u8) -> Option<u8> {
    if n == 0 {
        return None;
    }
    old();
    Some(n)
}

#[instrument_task]
fn assigned_for_nothing(mut n: u8) -> Option<u8> {
    if n == 0 {
        return None;
    }
    n = 2;
    Some(1)
}
