use instrument_task::instrument_task;

#[instrument_task]
fn moved(text: String) -> Result<String, ()> {
    drop(text);
    if text.is_empty() {
        return Err(());
    }
    Ok(text)
}

#[instrument_task]
fn moved_straight(text: String) -> Option<String> {
    drop(text);
    Some(text)
}

#[instrument_task]
async fn moved_async(text: String) -> String {
    drop(text);
    text
}

#[instrument_task]
fn not_mut(text: String) -> Result<String, ()> {
    text.push('a');
    if text.is_empty() {
        return Err(());
    }
    Ok(text)
}

#[instrument_task]
async fn not_mut_async(text: String) -> String {
    text.push('a');
    text
}

#[instrument_task]
fn local<'a>() -> Result<&'a str, ()> {
    let text = String::new();
    if text.is_empty() {
        return Err(());
    }
    Ok(&text)
}

#[instrument_task]
fn local_straight<'a>() -> &'a str {
    let text = String::new();
    &text
}

#[instrument_task]
async fn local_async<'a>() -> &'a str {
    let text = String::new();
    &text
}

#[instrument_task]
fn twice(all: &mut Vec<u8>) -> Result<usize, ()> {
    let first = &mut *all;
    let second = &mut *all;
    first.push(1);
    second.push(1);
    if all.is_empty() {
        return Err(());
    }
    Ok(all.len())
}

fn main() {}
