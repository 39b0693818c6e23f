//! How many durations to take: a stride for each series, from the rate of its calls and the timer budget.

use crate::record::shard::{STRIDE_MAX, STRIDE_ONE};

/// The timer budget, as a client configured it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Durations a second for one series.
    pub(crate) series_rate: f64,
    /// Durations a second for all series of the client.
    pub(crate) client_rate: f64,
    /// Durations that one series may send at one flush.
    pub(crate) series_values: usize,
    /// Durations that all series may send at one flush.
    pub(crate) client_values: usize,
    /// The stride that is never gone below, in units of 1/256 of a call: the configured sample rate.
    pub(crate) base_stride: u32,
    /// Whether failed and cancelled calls are timed too.
    pub(crate) time_every_outcome: bool,
}

/// Drains closer together than this are taken as one, in seconds: an explicit flush right after another would see
/// either no call or a wild rate.
const SHORTEST: f64 = 0.02;

/// How much of a rate is remembered after a second when the load falls, so that a task which pauses for a moment is not timed whole when
/// it comes back.
const MEMORY: f64 = 0.1;

#[derive(Debug, Default)]
struct Rate {
    ended: usize,
    a_second: f64,
    /// The stride that is never gone below.
    base: u32,
}

#[derive(Debug)]
pub(super) struct Budget {
    limits: Limits,
    seen: f64,
    rates: Vec<Rate>,
    by_task: Vec<u32>,
    strides: Vec<u32>,
    /// Drains for which the strides are still to be set, although none changed: shards come down step by step.
    settling: u32,
}

impl Budget {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            seen: 0.0,
            rates: Vec::new(),
            by_task: Vec::new(),
            strides: Vec::new(),
            settling: 0,
        }
    }

    /// A duration came in that was picked from `stride`, in units of 1/256 of a call: a thread whose ring was filling up may have
    /// doubled it.
    pub(super) fn note(&mut self, task: usize, stride: u32) {
        if self.by_task.get(task).is_some_and(|wanted| stride > *wanted) {
            self.settling = STRIDE_MAX.ilog2();
        }
    }

    /// Takes note of how many timeable calls of each task had ended `seconds` after the start, and of the stride that it asks
    /// for itself; true if strides are to be set.
    pub(super) fn observe(
        &mut self,
        seconds: f64,
        tasks: impl Iterator<Item = (usize, Option<u32>)>,
    ) -> bool {
        let passed = seconds - self.seen;
        if passed < SHORTEST {
            return false;
        }
        self.seen = seconds;
        let remembered = MEMORY.powf(passed);
        for (at, (ended, own)) in tasks.enumerate() {
            if at == self.rates.len() {
                self.rates.push(Rate::default());
            }
            let rate = &mut self.rates[at];
            let now = ended.wrapping_sub(rate.ended) as f64 / passed;
            *rate = Rate {
                ended,
                a_second: now.max(rate.a_second * remembered),
                base: own.unwrap_or(self.limits.base_stride),
            };
        }
        let fair = self.fair_rate();
        self.by_task.resize(self.rates.len(), self.limits.base_stride);
        let mut sampled = false;
        for (stride, rate) in self.by_task.iter_mut().zip(&self.rates) {
            let wanted = stride_for(rate.a_second / fair).max(rate.base);
            sampled |= wanted > rate.base || *stride != wanted;
            *stride = wanted;
        }
        // A stride halves once a drain at most: 22 drains bring the largest one down.
        self.settling = if sampled {
            STRIDE_MAX.ilog2()
        } else {
            self.settling.saturating_sub(1)
        };
        self.settling > 0
    }

    /// Whether there is nothing to do at a drain that brought nothing: no series is sampled, so rates that fall change nothing. They
    /// fall on when something moves again.
    pub(super) fn rests(&mut self, seconds: f64) -> bool {
        let rests = self.settling == 0;
        if rests {
            self.seen = seconds;
        }
        rests
    }

    /// The durations a second that one series may have, so that all together keep to the client's budget.
    fn fair_rate(&self) -> f64 {
        let Limits {
            series_rate,
            client_rate,
            ..
        } = self.limits;
        let sum = |cap: f64| self.rates.iter().map(|rate| rate.a_second.min(cap)).sum::<f64>();
        if sum(series_rate) <= client_rate {
            return series_rate;
        }
        let (mut low, mut high) = (0.0, series_rate);
        for _ in 0..20 {
            let middle = f64::midpoint(low, high);
            if sum(middle) <= client_rate {
                low = middle;
            } else {
                high = middle;
            }
        }
        high
    }

    /// Another task takes the place of this one.
    pub(super) fn forget(&mut self, task: usize) {
        if let Some(rate) = self.rates.get_mut(task) {
            *rate = Rate::default();
        }
    }

    /// The strides by row, of which some may have no task.
    pub(super) fn strides(&mut self, route: impl Iterator<Item = Option<usize>>) -> &[u32] {
        self.strides.clear();
        let (by_task, base) = (&self.by_task, self.limits.base_stride);
        let stride = |task: Option<usize>| task.and_then(|task| by_task.get(task)).copied();
        self.strides
            .extend(route.map(|task| stride(task).unwrap_or(base)));
        &self.strides
    }
}

/// The stride, in units of 1/256 of a call, for a load of `calls` for every duration that may be taken: rounded up, so that
/// no more are taken.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
const fn stride_for(calls: f64) -> u32 {
    let stride = (calls * STRIDE_ONE as f64).clamp(STRIDE_ONE as f64, STRIDE_MAX as f64);
    let whole = stride as u32;
    whole + ((whole as f64) < stride) as u32
}

/// The stride that a sample rate asks for.
pub(crate) const fn base_stride(sample_rate: f64) -> u32 {
    stride_for(1.0 / sample_rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(series: f64, client: f64) -> Limits {
        Limits {
            series_rate: series,
            client_rate: client,
            series_values: 1_000,
            client_values: 20_000,
            base_stride: STRIDE_ONE,
            time_every_outcome: false,
        }
    }

    fn plain<const N: usize>(ended: [usize; N]) -> impl Iterator<Item = (usize, Option<u32>)> {
        ended.into_iter().map(|ended| (ended, None))
    }

    #[test]
    fn a_tasks_own_rate_stays_whatever_the_clients() {
        let mut budget = Budget::new(limits(1_000.0, 20_000.0));
        assert!(budget.observe(1.0, [(900, Some(25_600)), (50_000, Some(STRIDE_ONE))].into_iter()));
        assert_eq!(
            budget.strides([0, 1].into_iter().map(Some)),
            [25_600, 50 * STRIDE_ONE]
        );
    }

    #[test]
    fn a_stride_that_a_thread_doubled_comes_down_again() {
        let mut budget = Budget::new(limits(1_000.0, 20_000.0));
        while budget.observe(budget.seen + 0.1, plain([0])) {}
        budget.note(0, 4 * STRIDE_ONE);
        assert!(budget.observe(budget.seen + 0.1, plain([0])));
    }

    #[test]
    fn a_series_past_its_budget_is_strided_and_comes_back() {
        let mut budget = Budget::new(limits(1_000.0, 20_000.0));
        assert!(!budget.observe(0.1, plain([50, 99])), "both below 1 000 a second");
        assert!(budget.observe(0.2, plain([1_050, 199])));
        assert_eq!(
            budget.strides([0, 1, 0].into_iter().map(Some)),
            [10 * STRIDE_ONE, STRIDE_ONE, 10 * STRIDE_ONE]
        );
        let mut drains = 0;
        while budget.observe(0.3 + f64::from(drains) / 10.0, plain([1_050, 199])) {
            drains += 1;
            assert!(drains < 100, "it settles");
        }
        assert_eq!(
            budget.strides([0, 1].into_iter().map(Some)),
            [STRIDE_ONE, STRIDE_ONE]
        );
    }

    #[test]
    fn the_clients_budget_is_shared_by_those_that_would_exceed_it() {
        let mut budget = Budget::new(limits(1_000.0, 1_500.0));
        budget.observe(1.0, plain([100_000, 100_000, 10]));
        let strides = budget.strides([0, 1, 2].into_iter().map(Some)).to_vec();
        assert_eq!(strides[0], strides[1]);
        assert_eq!(strides[2], STRIDE_ONE, "a small one is left alone");
        let rate = 2.0 * 100_000.0 * 256.0 / f64::from(strides[0]) + 10.0;
        assert!((1_400.0..1_501.0).contains(&rate), "{rate}");
    }

    #[test]
    fn a_sample_rate_is_a_stride_that_need_not_be_whole() {
        assert_eq!(base_stride(1.0), 256);
        assert_eq!(base_stride(0.01), 25_600);
        assert_eq!(base_stride(0.7), 366);
    }
}
