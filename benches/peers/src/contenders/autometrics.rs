//! autometrics' attribute, counting in prometheus-client.

use autometrics::{autometrics, settings::AutometricsSettings};

use super::limits;
use crate::{
    Contender, Running, batch,
    work::{Refused, body},
};

/// autometrics.
pub const AUTOMETRICS: &str = "autometrics + prometheus-client";

/// autometrics.
pub const CONTENDERS: &[Contender] = &[Contender {
    name: AUTOMETRICS,
    base: limits::BARE,
    set_up: |_| {
        AutometricsSettings::builder().service_name("task").init();
        Ok(Running::plain(batch!(task)))
    },
}];

#[inline(never)]
#[autometrics]
fn task(n: u64) -> Result<u64, Refused> {
    body(n)
}
