//! The durations of one outcome of one task between two flushes: kept whole within the budget, thinned evenly past it.
//!
//! Values come with the stride they were picked with, and strides differ: between threads, and within a flush when the
//! load changed. A value of stride 8 stands for eight times as many calls as one of stride 1, but all lines of a
//! flush carry one rate. So all kept values are brought to one stride, the *level*: the largest seen, or larger if memory asks for
//! it; a value of a smaller stride is kept with the probability that makes up for it.

use std::collections::VecDeque;

use crate::{record::shard::STRIDE_ONE, wire::Sample};

/// Xorshift, seeded with a constant: the choice has to be even, not secret, and tests can repeat it.
#[derive(Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new() -> Self {
        Self(0x9E37_79B9_7F4A_7C15)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// True with probability `part` in `whole`.
    fn chance(&mut self, part: u64, whole: u64) -> bool {
        self.below(whole) < part
    }

    /// A number below `bound`.
    fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }
}

/// Passes for which a value is kept back after the last one that was picked from several calls.
const HOLD: u32 = 2;

#[derive(Debug)]
pub(super) struct Durations {
    /// Nanoseconds.
    values: VecDeque<u64>,
    /// The stride that every kept value stands for, in units of 1/256 of a call.
    level: u64,
    /// Calls of this outcome that values were sent for. Wraps with the counter it is subtracted from.
    calls_spent: usize,
    /// Passes since a value came that was picked from several calls; two, if none ever did.
    quiet: u32,
    /// What the values sent stand for beyond that: half a call at most, either way.
    over: f64,
    /// What this pass sends, and how much of that it has sent.
    pass: Sample,
    done: u64,
    /// Calls of this pass that no value was sent for yet.
    open: u64,
    /// The first so many values are in a datagram that a stream has a part of: they stay as they are.
    held: usize,
    /// Whether one was kept back that may find no call left to stand for.
    keeps_one: bool,
}

impl Default for Durations {
    fn default() -> Self {
        Self {
            values: VecDeque::new(),
            level: STRIDE_ONE.into(),
            calls_spent: 0,
            quiet: HOLD,
            over: 0.0,
            pass: Sample { values: 0, calls: 0 },
            done: 0,
            open: 0,
            held: 0,
            keeps_one: false,
        }
    }
}

impl Durations {
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// Values that may be dropped.
    pub(super) fn free(&self) -> usize {
        self.values.len() - self.held
    }

    /// Keeps the next `count` values from being dropped.
    pub(super) fn hold(&mut self, count: usize) {
        self.held += count;
    }

    /// Any value may be dropped again.
    pub(super) fn release(&mut self) {
        self.held = 0;
    }

    /// Takes in a value; returns how many values that made it drop.
    pub(super) fn push(&mut self, nanos: u64, stride: u32, limit: usize, random: &mut Random) -> u64 {
        if stride > STRIDE_ONE {
            self.quiet = 0;
        }
        let stride = u64::from(stride);
        let mut dropped = 0;
        if stride > self.level {
            dropped += self.thin(self.level, stride, random);
            self.level = stride;
        }
        if !self.values.is_empty() && !random.chance(stride, self.level) {
            return dropped + 1;
        }
        self.values.push_back(nanos);
        if self.free() > limit {
            dropped += self.halve(random);
        }
        dropped
    }

    /// Drops about every second value.
    pub(super) fn halve(&mut self, random: &mut Random) -> u64 {
        let dropped = self.thin(1, 2, random);
        self.level = self.level.saturating_mul(2);
        dropped
    }

    /// Keeps each value with probability `part` in `whole`, and one in any case: the calls need something to ride on.
    fn thin(&mut self, part: u64, whole: u64, random: &mut Random) -> u64 {
        let before = self.values.len();
        let (mut left, mut held) = (before, self.held);
        self.values.retain(|_| {
            let holds = held > 0;
            held -= usize::from(holds);
            let stays = holds || left == 1 || random.chance(part, whole);
            left -= usize::from(!stays);
            stays
        });
        (before - self.values.len()) as u64
    }

    /// Drops values at random until `most` are left.
    fn thin_to(&mut self, most: usize, random: &mut Random) -> u64 {
        let (mut left, mut keep) = (self.values.len() as u64, most as u64);
        if left <= keep {
            return 0;
        }
        let dropped = left - keep;
        // If these are refused, what comes until the next pass has to be as sparse, or the older a call the less it would count.
        self.level = self.level.saturating_mul(left).div_ceil(keep);
        // Selection sampling: each value stays with the probability that fills what is still to be kept.
        self.values.retain(|_| {
            let stays = random.chance(keep, left);
            left -= 1;
            keep -= u64::from(stays);
            stays
        });
        dropped
    }

    /// Begins a pass: decides what it sends and at which rate. `ended` is the outcome's counter. Returns how many values
    /// it dropped to keep to `most`.
    ///
    /// The rate is what is sent over the calls that it stands for, both counted, so it is never 1 by assumption. More
    /// values than calls can be at hand for a moment, when a value was read whose call was not seen to end yet: the rest waits.
    /// While calls are sampled, one value is kept back unless this is the `last` pass: calls that no pick falls on then
    /// have something to ride on, and the sum of what is sent comes out exact.
    pub(super) fn begin(&mut self, ended: usize, most: usize, last: bool, random: &mut Random) -> u64 {
        self.done = 0;
        let calls = ended.wrapping_sub(self.calls_spent) as u64;
        let mut dropped = self.thin_to(most.max(1), random);
        if last && self.keeps_one && self.values.len() as u64 > calls {
            // Calls that it could have stood for never came: the others stood for all.
            self.values.pop_front();
            dropped += 1;
        }
        let have = self.values.len() as u64;
        let keeps_back = !last && self.quiet < HOLD;
        self.quiet = (self.quiet + 1).min(HOLD);
        self.keeps_one = have > 0 && (keeps_back || self.keeps_one && calls == 0);
        let values = if keeps_back { have.saturating_sub(1) } else { have }.min(calls);
        self.pass = Sample {
            values,
            calls: if values == 0 { 0 } else { calls },
        };
        self.open = self.pass.calls;
        self.settle_level();
        dropped
    }

    /// The value at `offset` behind those that this pass has sent, with its rate; `None` at the end of the pass.
    pub(super) fn get(&self, offset: usize) -> Option<(u64, Sample)> {
        let open = self.done + (offset as u64) < self.pass.values;
        open.then(|| self.values.get(offset))
            .flatten()
            .map(|nanos| (*nanos, self.pass))
    }

    /// The kernel took the next `count` values.
    pub(super) fn spend(&mut self, count: usize) {
        self.values.drain(..count);
        // A value may stand for a broken number of calls. What is over goes into the next value's account, so that a pass that
        // ends early is never off by more than half a call, however often that happens.
        let Sample { values, calls } = self.pass;
        let stands_for = self.over + count as f64 * calls as f64 / values.max(1) as f64;
        let whole = stands_for.round().clamp(0.0, self.open as f64);
        self.over = stands_for - whole;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole and not negative"
        )]
        let whole = whole as usize;
        self.calls_spent = self.calls_spent.wrapping_add(whole);
        self.open -= whole as u64;
        self.done += count as u64;
        self.settle_level();
    }

    /// Goes back to keeping everything once what was thinned has gone.
    fn settle_level(&mut self) {
        if self.done == self.pass.values {
            self.level = STRIDE_ONE.into();
        }
    }

    /// Ends the pass early; what it did not send waits for the next.
    pub(super) fn end(&mut self) {
        self.pass.values = 0;
    }

    /// Drops everything, for good.
    pub(super) fn give_up(&mut self) -> u64 {
        self.end();
        self.release();
        std::mem::take(&mut self.values).len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOMY: usize = 1 << 20;

    fn filled(count: u64) -> (Durations, Random) {
        let (mut durations, mut random) = (Durations::default(), Random::new());
        for nanos in 0..count {
            assert_eq!(durations.push(nanos, STRIDE_ONE, ROOMY, &mut random), 0);
        }
        (durations, random)
    }

    #[test]
    fn unsampled_values_go_out_whole_and_never_more_than_calls() {
        let (mut durations, mut random) = filled(10);
        assert_eq!(durations.begin(8, ROOMY, false, &mut random), 0);
        assert_eq!(durations.get(7), Some((7, Sample { values: 8, calls: 8 })));
        assert_eq!(durations.get(8), None);
        durations.spend(8);
        durations.begin(10, ROOMY, false, &mut random);
        assert_eq!(durations.get(1), Some((9, Sample { values: 2, calls: 2 })));
    }

    #[test]
    fn a_sampled_pass_keeps_one_value_back_and_the_calls_add_up() {
        let (mut durations, mut random) = (Durations::default(), Random::new());
        for nanos in 0..11 {
            assert_eq!(durations.push(nanos, 10 * STRIDE_ONE, ROOMY, &mut random), 0);
        }
        durations.begin(103, ROOMY, false, &mut random);
        let mut calls = 0.0;
        for _ in 0..10 {
            let (_, sample) = durations.get(0).expect("ten values to send");
            calls += sample.calls as f64 / sample.values as f64;
            durations.spend(1);
        }
        assert_eq!((durations.get(0), durations.len()), (None, 1));
        durations.begin(110, ROOMY, true, &mut random);
        let (_, sample) = durations.get(0).expect("the one kept back");
        calls += sample.calls as f64 / sample.values as f64;
        assert!((calls - 110.0).abs() < 1e-9, "{calls}");
    }

    #[test]
    fn a_value_that_was_kept_back_for_nothing_is_thinned_out_at_the_end() {
        let (mut durations, mut random) = (Durations::default(), Random::new());
        for nanos in 0..11 {
            assert_eq!(durations.push(nanos, 10 * STRIDE_ONE, ROOMY, &mut random), 0);
        }
        durations.begin(103, ROOMY, false, &mut random);
        durations.spend(10);
        for _ in 0..=HOLD {
            assert_eq!(durations.begin(103, ROOMY, false, &mut random), 0);
        }
        assert_eq!(durations.begin(103, ROOMY, true, &mut random), 1);
        assert_eq!((durations.get(0), durations.len()), (None, 0));
        // One whose call was not seen to end is no such value.
        let (mut durations, mut random) = filled(3);
        assert_eq!(durations.begin(2, ROOMY, true, &mut random), 0);
        assert_eq!((durations.pass.values, durations.len()), (2, 3));
    }

    #[test]
    fn a_value_is_not_kept_back_for_ever() {
        let (mut durations, mut random) = (Durations::default(), Random::new());
        assert_eq!(durations.push(7, 10 * STRIDE_ONE, ROOMY, &mut random), 0);
        let sent = (0..=HOLD).map(|_| {
            durations.begin(9, ROOMY, false, &mut random);
            durations.get(0).is_some()
        });
        assert_eq!(sent.collect::<Vec<_>>(), [false, false, true]);
    }

    #[test]
    fn a_last_pass_keeps_nothing_and_calls_behind_it_ride_on_the_next_value() {
        let (mut durations, mut random) = (Durations::default(), Random::new());
        durations.push(1, 10 * STRIDE_ONE, ROOMY, &mut random);
        durations.begin(13, ROOMY, true, &mut random);
        let first = durations.get(0).expect("nothing is kept back").1;
        durations.spend(1);
        durations.begin(19, ROOMY, true, &mut random);
        assert_eq!((durations.get(0), durations.len()), (None, 0));
        durations.push(2, 10 * STRIDE_ONE, ROOMY, &mut random);
        durations.begin(25, ROOMY, true, &mut random);
        let second = durations.get(0).expect("the next value").1;
        assert_eq!((first.calls, second.calls), (13, 12));
    }

    #[test]
    fn a_refused_part_of_a_pass_keeps_its_calls() {
        let (mut durations, mut random) = filled(10);
        durations.begin(100, ROOMY, true, &mut random);
        durations.spend(3);
        durations.end();
        durations.begin(100, ROOMY, true, &mut random);
        assert_eq!(durations.get(0), Some((3, Sample { values: 7, calls: 70 })));
    }

    #[test]
    fn mixed_strides_are_brought_to_one() {
        let mut random = Random::new();
        let mut durations = Durations::default();
        // 64 000 calls of 1 ns, all picked, and 64 000 of 2 ns, one in 64 picked: the kept ones must be half and half.
        let mut dropped = 0;
        for _ in 0..64_000 {
            dropped += durations.push(1, STRIDE_ONE, ROOMY, &mut random);
        }
        for _ in 0..1_000 {
            dropped += durations.push(2, 64 * STRIDE_ONE, ROOMY, &mut random);
        }
        let ones = durations.values.iter().filter(|nanos| **nanos == 1).count();
        assert_eq!(dropped + durations.len() as u64, 65_000);
        assert_eq!(durations.len() - ones, 1_000);
        assert!(ones.abs_diff(1_000) < 150, "{ones}");
    }

    #[test]
    fn held_values_stay_whatever_comes() {
        let (mut durations, mut random) = filled(10);
        durations.begin(10, ROOMY, false, &mut random);
        durations.hold(2);
        durations.hold(1);
        for nanos in 0..1_000 {
            durations.push(nanos, 4 * STRIDE_ONE, 20, &mut random);
            assert!(durations.free() <= 20);
        }
        assert_eq!(durations.values.range(..3).collect::<Vec<_>>(), [&0, &1, &2]);
        durations.release();
        durations.spend(3);
        assert_eq!(durations.free(), durations.len());
    }

    #[test]
    fn memory_and_the_budget_are_bounds() {
        let (mut durations, mut random) = (Durations::default(), Random::new());
        let mut dropped = 0;
        for nanos in 0..10_000 {
            dropped += durations.push(nanos, STRIDE_ONE, 500, &mut random);
            assert!(durations.len() <= 500);
        }
        dropped += durations.begin(10_000, 100, true, &mut random);
        assert_eq!((durations.len() as u64 + dropped, durations.len()), (10_000, 100));
        let mean = durations.values.iter().sum::<u64>() / 100;
        assert!(
            (3_500..6_500).contains(&mean),
            "even over time, not the newest: {mean}"
        );
    }
}
