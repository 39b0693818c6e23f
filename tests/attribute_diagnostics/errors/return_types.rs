use instrument_task::instrument_task;

type R<T> = Result<T, String>;

#[instrument_task]
fn plain() -> u8 {
    "text"
}

#[instrument_task]
fn no_tail() -> u8 {
    let _n = 1;
}

#[instrument_task]
fn unit() {
    1_u8
}

#[instrument_task]
fn early(n: u8) -> u8 {
    if n == 0 {
        return "text";
    }
    n
}

#[instrument_task]
fn straight() -> Option<u8> {
    "text"
}

#[instrument_task]
fn judged(n: u8) -> R<u8> {
    if n == 0 {
        return Ok("text");
    }
    n
}

#[instrument_task]
async fn asynchronous(n: u8) -> R<u8> {
    if n == 0 {
        return Ok("text");
    }
    n
}

#[instrument_task]
async fn async_unit() {
    1_u8
}

#[instrument_task]
#[must_use]
async fn kept(n: u8) -> u8 {
    if n == 0 {
        return "text";
    }
    "more"
}

fn main() {}
