use instrument_task::instrument_task;

#[instrument_task(name = "")]
fn empty() {}

#[instrument_task("send mail")]
fn space() {}

#[instrument_task(name = "a:1|c\nb")]
fn forged() {}

#[instrument_task(name = ".jobs")]
fn leading_dot() {}

#[instrument_task(name = "jobs.")]
fn trailing_dot() {}

#[instrument_task(name = "jobs..mail")]
fn empty_part() {}

#[instrument_task(name = "größe")]
fn not_ascii() {}

#[instrument_task(name = "/")]
fn nothing_left() {}

#[instrument_task(name = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
fn long() {}

fn main() {
    empty();
    space();
    forged();
    leading_dot();
    trailing_dot();
    empty_part();
    not_ascii();
    nothing_left();
    long();
}
