//! The attempts that have ended, until their jobs are released.

use std::collections::{HashMap, VecDeque};

use super::attempts::Key;

/// As many as are remembered. A job is released right after its attempt, or in the next batch; what is left over is those whose
/// release failed, which nobody tells of.
const MOST: usize = 10_000;

/// The newest of them.
#[derive(Debug, Default)]
pub(super) struct Ended {
    /// With the number of its end, since a key may end again: an attempt that was interrupted does not count to the queue.
    known: HashMap<Key, u64>,
    order: VecDeque<(Key, u64)>,
    ends: u64,
}

impl Ended {
    pub(super) fn add(&mut self, key: Key) {
        self.ends += 1;
        self.known.insert(key, self.ends);
        self.order.push_back((key, self.ends));
        if self.order.len() > MOST
            && let Some((oldest, end)) = self.order.pop_front()
            && self.known.get(&oldest) == Some(&end)
        {
            self.known.remove(&oldest);
        }
    }

    /// Forgets it; whether it was known.
    pub(super) fn take(&mut self, key: Key) -> bool {
        self.known.remove(&key).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANY: i64 = 10_000;

    #[test]
    fn those_that_nobody_releases_are_forgotten_in_the_end() {
        assert_eq!(usize::try_from(MANY), Ok(MOST));
        let mut ended = Ended::default();
        for id in 0..3 * MANY {
            ended.add((id, 1));
            // Every second one is released.
            assert!(id % 2 == 0 || ended.take((id, 1)));
            assert!(ended.known.len() <= MOST && ended.order.len() <= MOST);
        }
        let last = 3 * MANY - 2;
        assert!(!ended.take((0, 1)) && ended.take((last, 1)) && !ended.take((last, 1)));
    }

    #[test]
    fn one_that_ends_again_is_as_new_as_its_last_end() {
        let mut ended = Ended::default();
        ended.add((-1, 1));
        for id in 0..MANY {
            if id == 1 {
                ended.add((-1, 1));
            }
            ended.add((id, 1));
        }
        assert!(ended.take((-1, 1)));
        assert!(!ended.take((0, 1)));
    }
}
