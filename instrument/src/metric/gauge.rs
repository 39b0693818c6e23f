//! A gauge that is read when it is sent.

use super::{Tag, series};
use crate::record::{gauges::Read, local, registry::Metric, series::Series};

/// Something that has a value at any time. It is sent while it is not zero, and once when it has become so.
#[derive(Debug)]
pub(crate) struct Gauge {
    series: Series,
}

impl Gauge {
    pub(crate) const fn tagged(name: &'static str, tags: &'static [Tag]) -> Self {
        Self {
            series: series(Metric::Gauge, name, tags),
        }
    }

    /// Has the recorder with this id read it from now on, until `read` says that it is gone.
    pub(crate) fn observe_in(&'static self, recorder: u32, read: Read) {
        local::observe(recorder, &self.series, read);
    }
}
