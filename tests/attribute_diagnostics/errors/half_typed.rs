//! A body that is being typed: the function is there for its callers.
use instrument_task::instrument_task;

struct Owner(u8);

#[instrument_task]
fn member(owner: &Owner) -> Result<u8, ()> {
    let n = owner.0;
    owner.
}

// Differs: plain.
#[instrument_task]
fn one_line(owner: &Owner) -> Result<u8, ()> {
    owner.
}

#[instrument_task]
async fn tail(owner: &Owner) -> Option<u8> {
    let n = owner.0;
    let m = owner.0 +
}

fn main() {
    let _: u16 = member(&Owner(1));
    let _: u16 = tail(&Owner(1));
}
