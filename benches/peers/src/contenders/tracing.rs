//! tracing's attribute: without anybody who listens, and with a registry of spans, which is the least that a layer needs.

use tracing::instrument;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::limits;
use crate::{
    Contender, Running, batch,
    work::{Refused, body, run},
};

/// Nobody listens.
pub const DISABLED: &str = "tracing::instrument, disabled";
/// A registry.
pub const REGISTRY: &str = "tracing::instrument, registry";

/// tracing.
pub const CONTENDERS: &[Contender] = &[
    Contender {
        name: DISABLED,
        base: limits::BARE,
        set_up: |_| Ok(Running::plain(batch!(task))),
    },
    Contender {
        name: REGISTRY,
        base: limits::BARE,
        set_up: |_| {
            tracing_subscriber::registry().try_init()?;
            Ok(Running::plain(batch!(task)))
        },
    },
    Contender {
        name: "tracing::instrument, future, disabled",
        base: limits::FUTURE,
        set_up: |_| Ok(Running::plain(batch!(future))),
    },
];

#[inline(never)]
#[instrument(skip_all)]
fn task(n: u64) -> Result<u64, Refused> {
    body(n)
}

#[instrument(skip_all)]
async fn ready(n: u64) -> Result<u64, Refused> {
    body(n)
}

#[inline(never)]
fn future(n: u64) -> Result<u64, Refused> {
    run(ready(n))
}
