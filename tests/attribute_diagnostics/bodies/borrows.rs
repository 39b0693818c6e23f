//! What the borrows and moves of a body are told.
use instrument_task::instrument_task;

#[derive(Debug)]
struct Mine;

struct Holder<'a>(&'a str);

// Functions

#[instrument_task]
fn local<'a>(n: u8) -> Result<&'a str, Mine> {
    let text = n.to_string();
    if n == 0 {
        return Err(Mine);
    }
    Ok(&text)
}

// Differs: tracked.
#[instrument_task]
fn local_early<'a>(n: u8) -> Option<&'a str> {
    let text = n.to_string();
    if n == 0 {
        return Some(&text);
    }
    None
}

#[instrument_task]
fn local_of_a_value<'a>(n: u8) -> &'a [u8] {
    if n == 0 {
        return &[];
    }
    let all = vec![n];
    &all
}

// Differs: tracked.
#[instrument_task]
fn temporary<'a>(n: u8) -> Option<&'a str> {
    if n == 0 {
        return Some(n.to_string().as_str());
    }
    let kept = n.to_string().as_str();
    drop(kept.len());
    None
}

// Differs: tracked.
#[instrument_task]
fn argument<'a>(text: String) -> Result<&'a str, Mine> {
    if text.is_empty() {
        return Ok(text.as_str());
    }
    Err(Mine)
}

#[instrument_task]
fn argument_in_the_tail<'a>(text: String) -> Result<Holder<'a>, Mine> {
    if text.is_empty() {
        return Err(Mine);
    }
    Ok(Holder(&text))
}

// Differs: tracked.
#[instrument_task]
fn other_early<'a, 'b>(a: &'a str, b: &'b str) -> Result<&'a str, Mine> {
    if a.is_empty() {
        return Ok(b);
    }
    Ok(a)
}

#[instrument_task]
fn other_tail<'a, 'b>(a: &'a str, b: &'b str) -> Option<&'a str> {
    if a.is_empty() {
        return None;
    }
    Some(b)
}

// Differs: tracked.
#[instrument_task]
fn other_tried<'a, 'b>(a: Result<u8, &'a str>, b: Result<u8, &'b str>) -> Result<u8, &'a str> {
    let n = a? + b?;
    Ok(n)
}

// Differs: tracked.
#[instrument_task]
fn other_of_a_type<'a, 'b>(a: Holder<'a>, b: Holder<'b>) -> Result<Holder<'a>, Mine> {
    if a.0.is_empty() {
        return Ok(b);
    }
    Ok(a)
}

// Differs: tracked.
#[instrument_task]
fn one_lifetime<'a>(a: &'a str, b: &str) -> Result<&'a str, Mine> {
    if a.is_empty() {
        return Ok(b);
    }
    Ok(a)
}

// Differs: tracked, flat.
#[instrument_task]
fn elided(a: &str, n: &u8) -> Result<&'static str, Mine> {
    if *n == 0 {
        return Ok(a);
    }
    Err(Mine)
}

// Differs: flat.
#[instrument_task]
fn elided_of_a_value(a: &str, n: u8) -> &'static str {
    if n == 0 {
        return a;
    }
    "text"
}

// Differs: plain, block, flat, tracked.
#[instrument_task]
fn into_static(a: &str, n: u8) -> Result<Box<dyn Fn() -> usize>, Mine> {
    if n == 0 {
        return Ok(Box::new(|| a.len()));
    }
    Err(Mine)
}

#[instrument_task]
fn moved(text: String) -> Result<String, Mine> {
    drop(text);
    if text.is_empty() {
        return Err(Mine);
    }
    Ok(text)
}

#[instrument_task]
fn moved_in_a_loop(text: String, n: u8) -> Option<String> {
    for _ in 0..n {
        drop(text);
    }
    if n == 0 {
        return None;
    }
    Some(String::new())
}

#[instrument_task]
fn moved_out_of_a_borrow(all: &Vec<String>) -> Result<String, Mine> {
    if all.is_empty() {
        return Err(Mine);
    }
    Ok(all[0])
}

#[instrument_task]
fn not_mut(text: String, n: u8) -> Result<String, Mine> {
    if n == 0 {
        return Err(Mine);
    }
    text.push('a');
    Ok(text)
}

#[instrument_task]
fn not_mut_borrow(text: &String, n: u8) -> Option<u8> {
    if n == 0 {
        return None;
    }
    text.push('a');
    Some(n)
}

#[instrument_task]
fn borrowed_twice(all: &mut Vec<u8>) -> Result<usize, Mine> {
    let first = &mut *all;
    let second = &mut *all;
    first.push(1);
    second.push(1);
    if all.is_empty() {
        return Err(Mine);
    }
    Ok(all.len())
}

#[instrument_task]
fn assigned_while_borrowed(mut n: u8) -> Option<u8> {
    let borrowed = &n;
    n = 2;
    if *borrowed == 1 {
        return None;
    }
    Some(n)
}

#[instrument_task]
fn unassigned(n: u8) -> Option<u8> {
    let late: u8;
    if n == 0 {
        return Some(late);
    }
    Some(n)
}

// Differs: plain, block, tracked.
#[instrument_task]
fn closure_outlives(n: u8) -> Result<impl Fn() -> u8, Mine> {
    if n == 0 {
        return Err(Mine);
    }
    Ok(|| n)
}

#[instrument_task]
fn thread(text: String, n: u8) -> Option<u8> {
    if n == 0 {
        return None;
    }
    std::thread::spawn(|| text.len());
    Some(n)
}

#[instrument_task]
fn not_send(n: std::rc::Rc<u8>) -> Result<u8, Mine> {
    if *n == 0 {
        return Err(Mine);
    }
    std::thread::spawn(move || *n);
    Ok(1)
}
