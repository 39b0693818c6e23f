//! The tag sets of the process: series that come with the data, and go when nobody uses them any more.
//!
//! What the user is promised: a tag set that is silent for long frees its memory, and still no count of it is ever lost or taken
//! for another's. What follows:
//! - a set's slot is **never used again**, so whoever still has one (a future that waits to be polled, say) can find that the set is
//!   gone, but never another set in its place;
//! - a set stays as long as **anybody holds** its `Arc`: a thread that remembers its values, or a shard that has cells open for it. The
//!   registry gives one out under its lock only, so where it finds nobody but itself holding the set, nobody can come by one;
//! - a future that was made but not polled holds nothing but the slot. Such futures are **counted**: who makes one notes it in what it
//!   holds, so does who starts or drops it, and each adds his sum to the set's own before he lets go of it. Where nobody
//!   holds the set, the sum is the number of futures that wait.

use std::{
    borrow::Borrow,
    collections::{BTreeMap, HashSet},
    hash::{Hash, Hasher},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicIsize, Ordering, fence},
    },
};

use super::{
    registry::{self, Description, Identity, Options},
    slot::{self, MAX_TAG_SETS},
};

/// Tag sets a process can have at a time; past it they share one series per task. It bounds the memory that hostile tag values can
/// take; a client's own cap is usually lower.
const MOST: usize = 100_000;
/// What is found free when there is no more room has to be this much, or it is not worth the search.
const WORTHWHILE: usize = MOST / 8;

/// A series with tags of the call.
#[derive(Debug)]
pub(crate) struct TagSet {
    slot: usize,
    description: Arc<Description>,
    /// Futures that wait, summed over those who let go of the set.
    waiting: AtomicIsize,
}

impl TagSet {
    pub(crate) fn new(slot: usize, description: Arc<Description>) -> Self {
        Self {
            slot,
            description,
            waiting: AtomicIsize::new(0),
        }
    }

    pub(crate) fn slot(&self) -> usize {
        self.slot
    }

    pub(crate) fn description(&self) -> &Arc<Description> {
        &self.description
    }

    /// Adds what a holder noted of futures that wait. Relaxed: letting go of the `Arc` is what orders it before the registry's look.
    pub(super) fn note(&self, waiting: isize) {
        if waiting != 0 {
            self.waiting.fetch_add(waiting, Ordering::Relaxed);
        }
    }
}

/// Finds a set by its identity without a second copy of it.
#[derive(Debug)]
struct ByIdentity(Arc<TagSet>);

impl Borrow<Identity> for ByIdentity {
    fn borrow(&self) -> &Identity {
        &self.0.description.identity
    }
}

impl Hash for ByIdentity {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.description.identity.hash(state);
    }
}

impl PartialEq for ByIdentity {
    fn eq(&self, other: &Self) -> bool {
        self.0.description.identity == other.0.description.identity
    }
}

impl Eq for ByIdentity {}

/// The part of the registry that knows them.
#[derive(Default)]
pub(super) struct TagSets {
    by_identity: Option<HashSet<ByIdentity>>,
    by_slot: BTreeMap<usize, Arc<TagSet>>,
    /// How many there ever were.
    ever: usize,
}

/// The registry's own holds of a set.
const OWN: usize = 2;

/// Whether there is no room for another tag set: an answer without the lock.
static FULL: AtomicBool = AtomicBool::new(false);

impl TagSets {
    pub(super) const NONE: Self = Self {
        by_identity: None,
        by_slot: BTreeMap::new(),
        ever: 0,
    };

    fn len(&self) -> usize {
        self.by_slot.len()
    }

    /// Removes the set if nobody holds it but the registry and `others`, and no future waits.
    fn remove(&mut self, set: &Arc<TagSet>, others: usize) -> bool {
        let is_held = Arc::strong_count(set) != OWN + others;
        // The count is read relaxed. Who let go did so with Release, after he had added his sum.
        fence(Ordering::Acquire);
        let is_free = !is_held && set.waiting.load(Ordering::Relaxed) == 0;
        if is_free
            && self.by_slot.remove(&set.slot).is_some()
            && let Some(by_identity) = &mut self.by_identity
        {
            by_identity.remove(&set.description.identity);
        }
        is_free
    }

    /// Removes those of the next `step` sets from `from` on that nobody holds. Says where to go on, if there are more.
    fn sweep(&mut self, from: usize, step: usize) -> Option<usize> {
        let (mut looked_at, mut next, mut free) = (0, None, Vec::new());
        for set in self.by_slot.range(from..).map(|(_, set)| set).take(step) {
            (looked_at, next) = (looked_at + 1, Some(set.slot + 1));
            if Arc::strong_count(set) == OWN {
                free.push(Arc::clone(set));
            }
        }
        for set in &free {
            self.remove(set, 1);
        }
        if self.len() <= MOST - WORTHWHILE {
            FULL.store(false, Ordering::Relaxed);
        }
        next.filter(|_| looked_at == step)
    }

    /// Removes all sets that nobody holds, and takes note if that brings too little.
    fn purge(&mut self) {
        self.sweep(0, usize::MAX);
        if self.len() > MOST - WORTHWHILE {
            FULL.store(true, Ordering::Relaxed);
        }
    }
}

/// The set of this identity, a new one if need be. `None` if there is no room for another.
pub(crate) fn of(identity: Identity, options: Options) -> Option<Arc<TagSet>> {
    let (_busy, mut registry) = registry::locked();
    let sets = &mut registry.sets;
    let known = sets.by_identity.as_ref().and_then(|known| known.get(&identity));
    if let Some(ByIdentity(set)) = known {
        return Some(Arc::clone(set));
    }
    if sets.len() >= MOST {
        sets.purge();
    }
    if sets.len() >= MOST || sets.ever >= MAX_TAG_SETS {
        return None;
    }
    let description = Description {
        identity,
        options,
        is_tag_set: true,
        is_overflow: false,
    };
    let set = Arc::new(TagSet::new(slot::of_tag_set(sets.ever), Arc::new(description)));
    sets.ever += 1;
    sets.by_identity
        .get_or_insert_default()
        .insert(ByIdentity(Arc::clone(&set)));
    sets.by_slot.insert(set.slot, Arc::clone(&set));
    Some(set)
}

/// The set at `slot`, if it is still known.
pub(crate) fn at(slot: usize) -> Option<Arc<TagSet>> {
    let (_busy, registry) = registry::locked();
    registry.sets.by_slot.get(&slot).cloned()
}

/// Sets that are looked at under the lock at a time: few enough that a caller can wait for it.
const STEP: usize = 1024;

/// Forgets all sets that nobody holds and no future waits for.
pub(crate) fn forget_unheld() {
    let mut hand = Some(0);
    while let Some(from) = hand {
        let (_busy, mut registry) = registry::locked();
        hand = registry.sets.sweep(from, STEP);
    }
}

/// Forgets the set, unless anybody but the registry and the caller holds it, or a future waits. True if it is gone.
#[cfg(all(test, not(any(loom, shuttle))))]
fn forget(set: &Arc<TagSet>) -> bool {
    let (_busy, mut registry) = registry::locked();
    registry.sets.remove(set, 1)
}

/// Whether tag sets that are not known yet have no room.
pub(crate) fn is_full() -> bool {
    // Relaxed: who sees it late asks once more under the lock.
    FULL.load(Ordering::Relaxed)
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    fn identity(value: &str) -> Identity {
        Identity {
            task: "tag_set::tests".into(),
            tags: Box::new([("key".into(), value.into())]),
            ..Identity::default()
        }
    }

    fn set(value: &str) -> Arc<TagSet> {
        of(identity(value), Options::default()).expect("there is room")
    }

    #[test]
    fn a_set_that_somebody_holds_stays() {
        let first = set("held");
        let second = set("held");
        assert!(Arc::ptr_eq(&first, &second));
        assert!(!forget(&first));
        drop(second);
        assert!(forget(&first));
        assert!(at(first.slot()).is_none());
        assert_ne!(set("held").slot(), first.slot(), "a slot is not used again");
    }

    #[test]
    fn a_set_that_a_future_waits_for_stays() {
        let first = set("waited for");
        first.note(2);
        assert!(!forget(&first));
        at(first.slot()).expect("it stayed").note(-2);
        assert!(forget(&first));
    }
}
