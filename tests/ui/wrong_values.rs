use instrument_task::instrument_task;

#[instrument_task(prefix = 5)]
fn prefix() {}

#[instrument_task(prefix = "a b")]
fn prefix_text() {}

#[instrument_task(time = sometimes)]
fn time() {}

#[instrument_task(time)]
fn no_time() {}

#[instrument_task(sample_rate = 2.0)]
fn rate() {}

#[instrument_task(sample_rate = -0.5)]
fn rate_below() {}

#[instrument_task(sample_rate = "half")]
fn rate_text() {}

#[instrument_task(sample_rate = )]
fn no_rate() {}

#[instrument_task(in_flight = true)]
fn in_flight() {}

#[instrument_task(client)]
fn client() {}

#[instrument_task(error_kind = "kind")]
fn kind() -> Result<(), ()> {
    Ok(())
}

#[instrument_task(error_kind = str::len)]
fn no_error() {}

fn main() {
    prefix();
    prefix_text();
    time();
    no_time();
    rate();
    rate_below();
    rate_text();
    no_rate();
    in_flight();
    client();
    let _ = kind();
    no_error();
}
