use instrument_task::instrument_task;

#[instrument_task(error_if = true)]
fn value() -> u8 {
    1
}

#[instrument_task(error_if = "text")]
fn literal() -> u8 {
    1
}

#[instrument_task(ok_if)]
fn nothing() -> u8 {
    1
}

#[instrument_task(ok_if = )]
fn half() -> u8 {
    1
}

#[instrument_task(ok_if(Option::is_some))]
fn parentheses() -> Option<u8> {
    None
}

fn main() {
    value();
    literal();
    nothing();
    half();
    parentheses();
}
