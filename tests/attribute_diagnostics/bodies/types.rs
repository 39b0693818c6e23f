//! What the types of a body are told.
use instrument_task::instrument_task;

#[derive(Debug)]
struct Mine;

#[derive(Clone, Copy)]
enum Side {
    Left,
    Right,
}

type Aliased<T> = Result<T, String>;

fn text() -> Result<String, String> {
    Ok(String::new())
}

// Functions

#[instrument_task]
fn wrong_tail(n: u8) -> u8 {
    let text = n.to_string();
    text
}

#[instrument_task]
fn wrong_tail_of_a_result(n: u8) -> Result<u8, Mine> {
    if n == 0 {
        return Err(Mine);
    }
    n
}

#[instrument_task]
fn wrong_ok(n: u8) -> Result<String, Mine> {
    if n == 0 {
        return Err(Mine);
    }
    Ok(n)
}

#[instrument_task]
fn wrong_error(n: u8) -> Aliased<u8> {
    if n == 0 {
        return Err(Mine);
    }
    Err("text")
}

#[instrument_task]
fn wrong_return(n: u8) -> Option<u8> {
    if n == 0 {
        return Some("text");
    }
    if n == 1 {
        return 1;
    }
    None
}

// Differs: tracked.
#[instrument_task]
fn return_of_nothing(n: u8) -> Result<u8, Mine> {
    if n == 0 {
        return;
    }
    Ok(n)
}

#[instrument_task]
fn return_of_something(n: u8) -> () {
    if n == 0 {
        return 1_u8;
    }
}

#[instrument_task]
fn wrong_conversion(n: u8) -> Result<u8, Mine> {
    let text = text()?;
    Ok(n + text.parse::<u8>().map_err(|_| Mine)?)
}

#[instrument_task]
fn wrong_conversion_in_the_tail(n: u8) -> Result<u8, Mine> {
    drop(n);
    Ok(text()?.len() as u8)
}

#[instrument_task]
fn wrong_carrier(n: Option<u8>) -> Result<u8, Mine> {
    let n = n?;
    Ok(n)
}

#[instrument_task]
fn no_carrier(n: Option<u8>) -> u8 {
    let n = n?;
    n
}

#[instrument_task]
fn no_carrier_at_all(n: Option<u8>) -> () {
    n?;
}

#[instrument_task]
fn not_tried(n: u8) -> Result<u8, Mine> {
    let n = n?;
    Ok(n)
}

// Differs: tracked.
#[instrument_task]
fn no_tail(n: u8) -> Result<u8, Mine> {
    if n == 0 {
        return Err(Mine);
    }
    Ok::<u8, Mine>(n);
}

#[instrument_task]
fn no_tail_of_a_value(n: u8) -> u8 {
    n + 1;
}

// Differs: tracked.
#[instrument_task]
fn empty(_n: u8) -> Option<u8> {
}

#[instrument_task]
fn no_else(n: u8) -> Result<u8, Mine> {
    if n == 0 {
        Ok(n)
    }
}

#[instrument_task]
fn arms_differ(n: u8) -> Result<u8, Mine> {
    match n {
        0 => return Err(Mine),
        1 => Ok(1),
        _ => n,
    }
}

#[instrument_task]
fn not_exhaustive(side: Side) -> Result<u8, Mine> {
    match side {
        Side::Left => Ok(1),
    }
}

// Differs: flat, kept.
#[instrument_task]
fn not_exhaustive_early(side: Side, n: Option<u8>) -> Option<u8> {
    let n = n?;
    match side {
        Side::Right => return Some(1),
    }
    let Side::Left = side;
    Some(n)
}

#[instrument_task]
fn annotations_needed(n: u8) -> Option<u8> {
    let all = Vec::new();
    let parsed = "1".parse().ok()?;
    drop((all, parsed));
    Some(n)
}

#[instrument_task]
fn annotations_needed_of_a_result(n: u8) -> Result<u8, Mine> {
    if n == 0 {
        return Err(Mine);
    }
    let found = (0..n).collect();
    Ok(n)
}

#[instrument_task]
fn missing_method(n: u8) -> Option<u8> {
    if n.is_nothing() {
        return None;
    }
    Some(n)
}

#[instrument_task]
fn missing_bound(n: Mine) -> Result<String, Mine> {
    if n == Mine {
        return Err(n);
    }
    Ok(n.to_string())
}

#[instrument_task]
fn wrong_argument(n: u8) -> Result<String, String> {
    let text = text(n)?;
    Ok(text.repeat(n))
}

#[instrument_task]
fn labels(n: u8) -> Option<u8> {
    let found: u8 = 'all: loop {
        if n == 0 {
            return None;
        }
        break 'all "text";
    };
    Some(found)
}

#[instrument_task]
fn nested_closure(n: u8) -> Result<u8, Mine> {
    let inner = || -> Result<u8, String> { return Ok("text") };
    inner().map_err(|_| Mine)?;
    let wrong: u16 = (|| if n == 0 { return 1_u8 } else { 2 })();
    Ok(n)
}

#[instrument_task]
fn casts(n: u8) -> Option<char> {
    if n == 0 {
        return None;
    }
    Some(1_u16 as char)
}

#[instrument_task]
fn boxed(n: u8) -> Result<Box<dyn std::error::Error>, Mine> {
    if n == 0 {
        return Ok(Box::new(Mine));
    }
    Err(Mine)
}
