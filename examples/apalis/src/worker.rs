//! The worker, on any store: where its metrics stand among its layers.

use std::time::Duration;

use instrument_task::apalis::MetricsLayer;

use crate::jobs::{CONCURRENCY, RETRIES, error_kind};

/// The name under which jobs appear.
pub const JOBS: &str = "send_letter";
/// The name under which attempts at them do.
pub const ATTEMPTS: &str = "send_letter.attempt";

/// The metrics of the worker: about its jobs, and about the attempts at them. One of the two is enough for most.
#[derive(Clone, Debug)]
pub struct Layers {
    /// Outside of the layer that tries again.
    pub jobs: MetricsLayer,
    /// Inside of it.
    pub attempts: MetricsLayer,
    /// How long an attempt may take.
    pub time_limit: Duration,
}

impl Layers {
    /// Those of a worker of this process that gives up an attempt after `time_limit`.
    #[must_use]
    pub fn new(time_limit: Duration) -> Self {
        Self {
            jobs: MetricsLayer::new(JOBS)
                .concurrency(CONCURRENCY)
                .error_kind(error_kind),
            attempts: MetricsLayer::attempts(ATTEMPTS, RETRIES),
            time_limit,
        }
    }
}

/// A worker of `$backend` that does `$task` with the metrics on, ready to run. A macro, since a builder of apalis has all its layers
/// in its type.
#[macro_export]
macro_rules! worker {
    ($name:expr, $backend:expr, $layers:expr, $task:expr) => {{
        use ::apalis::{layers::WorkerBuilderExt as _, prelude::*};
        use ::instrument_task::apalis::MetricsExt as _;
        let layers: &$crate::worker::Layers = $layers;
        WorkerBuilder::new($name)
            .backend($backend)
            .concurrency($crate::jobs::CONCURRENCY)
            .metrics(layers.jobs.clone())
            .retry(RetryPolicy::retries($crate::jobs::RETRIES))
            .metrics(layers.attempts.clone())
            .timeout(layers.time_limit)
            .catch_panic()
            .build($task)
    }};
}
