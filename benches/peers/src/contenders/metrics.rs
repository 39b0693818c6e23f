//! metrics, with metrics-exporter-dogstatsd behind it.

use std::{
    net::SocketAddr,
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

use metrics::{Counter, Histogram, counter, histogram};
use metrics_exporter_dogstatsd::DogStatsDBuilder;

use super::limits;
use crate::{
    Contender, Error, Running, batch,
    many::Names,
    work::{Refused, body},
};

/// With handles that are looked up once.
pub const HANDLES: &str = "metrics + dogstatsd, cached handles";
/// With the macros, which look up at each call.
pub const MACROS: &str = "metrics + dogstatsd, macros";

/// How often it sends: as often as this library does by default.
const FLUSH: Duration = Duration::from_secs(1);

/// metrics.
pub const CONTENDERS: &[Contender] = &[
    Contender {
        name: HANDLES,
        base: limits::BARE,
        set_up: |to| {
            let running = start(to, batch!(by_handle))?;
            let handles = Handles {
                started: counter!("tasks.status.task.started"),
                success: counter!("tasks.status.task.success"),
                exceptions: counter!("tasks.status.task.exceptions"),
                duration: histogram!("tasks.duration.task.success"),
            };
            HANDLE.set(handles).map_err(|_| "set up twice")?;
            Ok(running)
        },
    },
    Contender {
        name: MACROS,
        base: limits::BARE,
        set_up: |to| start(to, batch!(by_macro)),
    },
    Contender {
        name: "metrics + dogstatsd, macros, with a label",
        base: limits::BARE,
        set_up: |to| start(to, batch!(by_macro_and_label)),
    },
];

struct Handles {
    started: Counter,
    success: Counter,
    exceptions: Counter,
    duration: Histogram,
}

static HANDLE: OnceLock<Handles> = OnceLock::new();

fn start(to: SocketAddr, batch: fn(u32)) -> Result<Running, Error> {
    DogStatsDBuilder::default()
        .with_remote_address(to.to_string())?
        .with_flush_interval(FLUSH)
        .with_telemetry(false)
        .install()?;
    // It has no way to flush but to wait.
    Ok(Running::plain(batch).ending(|| thread::sleep(FLUSH + FLUSH / 2)))
}

#[inline(never)]
fn by_handle(n: u64) -> Result<u64, Refused> {
    let Some(handles) = HANDLE.get() else {
        return body(n);
    };
    handles.started.increment(1);
    let begun = Instant::now();
    let result = body(n);
    if result.is_ok() {
        handles.success.increment(1);
        handles.duration.record(begun.elapsed());
    } else {
        handles.exceptions.increment(1);
    }
    result
}

#[inline(never)]
fn by_macro(n: u64) -> Result<u64, Refused> {
    counter!("tasks.status.task.started").increment(1);
    let begun = Instant::now();
    let result = body(n);
    if result.is_ok() {
        counter!("tasks.status.task.success").increment(1);
        histogram!("tasks.duration.task.success").record(begun.elapsed());
    } else {
        counter!("tasks.status.task.exceptions").increment(1);
    }
    result
}

#[inline(never)]
fn by_macro_and_label(n: u64) -> Result<u64, Refused> {
    let kind = if n.is_multiple_of(2) { "even" } else { "odd" };
    counter!("tasks.status.task.started", "kind" => kind).increment(1);
    let begun = Instant::now();
    let result = body(n);
    if result.is_ok() {
        counter!("tasks.status.task.success", "kind" => kind).increment(1);
        histogram!("tasks.duration.task.success", "kind" => kind).record(begun.elapsed());
    } else {
        counter!("tasks.status.task.exceptions", "kind" => kind).increment(1);
    }
    result
}

/// What the macros do for a call that succeeds, of the task with these names.
pub fn count(names: &Names) {
    counter!(names.started).increment(1);
    counter!(names.success).increment(1);
    histogram!(names.duration).record(Duration::from_micros(1));
}
