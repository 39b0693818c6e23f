//! One series on the way out: what it is called, what was counted of it, and what of that was sent.

use super::durations::Durations;
use crate::{
    record::{
        registry::{Metric, Options, Timing},
        shard::OUTCOMES,
        snapshot::Totals,
    },
    wire::{Name, TaskNames},
};

/// The counters of a task in the order in which they are sent: started, the three outcomes, panics.
pub(super) const COUNTERS: usize = OUTCOMES + 2;

/// What a series is called.
#[derive(Debug, Default)]
pub(super) enum Names {
    /// Of no series: the place is free.
    #[default]
    Nobody,
    Task(Box<TaskNames>),
    /// One kind of a task's exceptions, or of what a counter counts: that counter alone.
    Kind(Name),
    /// A counter, a timer or a gauge of its own.
    Metric(Name),
}

impl Names {
    pub(super) fn counter(&self, counter: usize) -> Option<&Name> {
        Some(match self {
            Self::Nobody => return None,
            Self::Kind(name) | Self::Metric(name) => name,
            Self::Task(names) => {
                let TaskNames {
                    started,
                    success,
                    exceptions,
                    cancelled,
                    panics,
                    ..
                } = &**names;
                [started, success, exceptions, cancelled, panics][counter]
            }
        })
    }

    pub(super) fn duration(&self, outcome: usize) -> Option<&Name> {
        Some(match self {
            Self::Nobody => return None,
            Self::Kind(name) | Self::Metric(name) => name,
            Self::Task(names) => {
                let TaskNames {
                    duration_success,
                    duration_exceptions,
                    duration_cancelled,
                    ..
                } = &**names;
                [duration_success, duration_exceptions, duration_cancelled][outcome]
            }
        })
    }
}

#[derive(Debug, Default)]
pub(super) struct Task {
    pub(super) names: Names,
    pub(super) total: [usize; COUNTERS],
    pub(super) spent: [usize; COUNTERS],
    pub(super) durations: [Durations; OUTCOMES],
    pub(super) gauge: Option<Gauge>,
    options: Options,
    /// Whether it is one that stands for all past the cardinality cap.
    pub(super) is_overflow: bool,
}

/// A gauge: sent while it is not zero, and once when it has become so.
#[derive(Debug, Default)]
pub(super) struct Gauge {
    /// What was read of it last, if it is one of its own, until it is gone: that counts as zero. The calls in flight are worked out.
    pub(super) now: Option<f64>,
    pub(super) sent: f64,
}

impl Task {
    pub(super) fn new(names: Names, options: Options) -> Self {
        Self {
            names,
            total: [0; COUNTERS],
            spent: [0; COUNTERS],
            durations: Default::default(),
            gauge: (options.in_flight || options.metric == Metric::Gauge).then(Gauge::default),
            options,
            is_overflow: false,
        }
    }

    /// How many calls have ended that could have been timed; `every` is whether the client times every outcome.
    pub(super) fn timeable(&self, every: bool) -> usize {
        let [_, success, exceptions, cancelled, _] = self.total;
        let all = success.wrapping_add(exceptions).wrapping_add(cancelled);
        match self.options.timing {
            Timing::Never => 0,
            Timing::Always => all,
            Timing::Client if every => all,
            Timing::Client | Timing::Success => success,
        }
    }

    /// The stride that the call site's own sample rate makes, if it has one.
    pub(super) fn own_stride(&self) -> Option<u32> {
        Some(self.options.stride).filter(|stride| *stride != 0)
    }

    /// Whether this is a timer of its own, which counts no calls.
    pub(super) fn is_timer(&self) -> bool {
        matches!(self.options.metric, Metric::Timer | Metric::Duration)
    }

    /// Whether its values are nanoseconds, and not ticks.
    pub(super) fn has_nanos(&self) -> bool {
        self.options.metric == Metric::Timer
    }

    /// All increments so far, one counter after the other.
    pub(super) fn recorded(&self) -> impl Iterator<Item = usize> {
        let counters = if self.is_timer() { 0 } else { COUNTERS };
        self.total.into_iter().take(counters)
    }

    /// What the gauge stands at, with its name, if there is something to say.
    pub(super) fn gauge_now(&self) -> Option<(&Name, f64)> {
        let gauge = self.gauge.as_ref()?;
        let (name, now) = match &self.names {
            Names::Task(names) => (&names.in_flight, self.in_flight() as f64),
            Names::Metric(name) => (name, gauge.now.unwrap_or_default()),
            Names::Kind(_) | Names::Nobody => return None,
        };
        (now != 0.0 || gauge.sent != 0.0).then_some((name, now))
    }

    /// Increments that were not sent. The difference wraps with the counter.
    pub(super) fn pending(&self, counter: usize) -> u64 {
        if self.is_timer() {
            return 0;
        }
        self.total[counter].wrapping_sub(self.spent[counter]) as u64
    }

    /// Whether there is nothing to send, now or without another call.
    pub(super) fn is_settled(&self) -> bool {
        self.total == self.spent
            && self.in_flight() == 0
            && self.durations.iter().all(|durations| durations.len() == 0)
            && self.gauge.as_ref().is_none_or(|gauge| gauge.sent == 0.0)
    }

    pub(super) fn in_flight(&self) -> usize {
        let [started, success, exceptions, cancelled, _] = self.total;
        started
            .wrapping_sub(success)
            .wrapping_sub(exceptions)
            .wrapping_sub(cancelled)
            .cast_signed()
            .max(0)
            .cast_unsigned()
    }
}

/// The totals in the order of the counters.
pub(super) fn counters(totals: &Totals) -> [usize; COUNTERS] {
    let [success, exceptions, cancelled] = totals.ended.outcomes;
    [
        totals.started,
        success,
        exceptions,
        cancelled,
        totals.ended.panics,
    ]
}
