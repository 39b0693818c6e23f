use instrument_task::instrument_task;

#[instrument_task(tags)]
fn nothing() {}

#[instrument_task(tags = "a:b")]
fn no_parentheses() {}

#[instrument_task(tags(kind = "a", kind = "b"))]
fn twice() {}

#[instrument_task(tags("kind:a|b"))]
fn forged() {}

#[instrument_task(tags(kind = "a,b"))]
fn forged_value() {}

#[instrument_task(tags(":a"))]
fn no_key() {}

#[instrument_task(tags(kind))]
fn no_value(kind: u8) {
    let _ = kind;
}

#[instrument_task(tags(5))]
fn number() {}

#[instrument_task(tags(a = 1 b = 2))]
fn no_comma() {}

fn main() {
    nothing();
    no_parentheses();
    twice();
    forged();
    forged_value();
    no_key();
    no_value(1);
    number();
    no_comma();
}
