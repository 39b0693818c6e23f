use instrument_task::instrument_task;

#[instrument_task(name = 5)]
fn number() {}

#[instrument_task(name = b"job")]
fn bytes() {}

#[instrument_task(5)]
fn bare() {}

#[instrument_task(name = concat!("a", "b"))]
fn made() {}

#[instrument_task(name)]
fn nothing() {}

#[instrument_task(name = )]
fn half() {}

#[instrument_task(name "job")]
fn no_sign() {}

#[instrument_task("one" "two")]
fn no_comma() {}

#[instrument_task(, name = "job")]
fn leading_comma() {}

fn main() {
    number();
    bytes();
    bare();
    made();
    nothing();
    half();
    no_sign();
    no_comma();
    leading_comma();
}
