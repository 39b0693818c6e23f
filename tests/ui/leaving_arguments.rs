use instrument_task::instrument_task;

#[instrument_task(tags(size = n?))]
fn tried(n: Option<u8>) -> Option<u8> {
    n
}

#[instrument_task(client = match n { Some(client) => client, None => return None })]
fn returned(n: Option<&'static instrument_task::Client>) -> Option<u8> {
    drop(n);
    None
}

fn main() {
    tried(None);
    returned(None);
}
