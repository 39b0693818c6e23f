//! fastrace's attribute: without a trace to be in, and within one that is reported.

use fastrace::{
    Span,
    collector::{Config, Reporter, SpanContext, SpanRecord},
    trace,
};

use super::limits;
use crate::{
    Contender, Running, batch,
    work::{Refused, body},
};

/// No trace.
pub const DISABLED: &str = "fastrace::trace, no trace";
/// In a trace of the batch's.
pub const REPORTED: &str = "fastrace::trace, reported";

/// fastrace.
pub const CONTENDERS: &[Contender] = &[
    Contender {
        name: DISABLED,
        base: limits::BARE,
        set_up: |_| Ok(Running::plain(batch!(task))),
    },
    Contender {
        name: REPORTED,
        base: limits::BARE,
        set_up: |_| {
            fastrace::set_reporter(Nowhere, Config::default());
            Ok(Running::plain(|calls| {
                let root = Span::root("batch", SpanContext::random());
                let _parent = root.set_local_parent();
                let batch: fn(u32) = batch!(task);
                batch(calls);
            })
            .ending(fastrace::flush))
        },
    },
];

struct Nowhere;

impl Reporter for Nowhere {
    fn report(&mut self, _: Vec<SpanRecord>) {}
}

#[inline(never)]
#[trace]
fn task(n: u64) -> Result<u64, Refused> {
    body(n)
}
