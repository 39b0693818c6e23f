//! All series of the process, and the ids they got. Equal ones share an id, and so their cells. Tag sets, which come and go, have no
//! id but a slot of their own (`tag_set`).

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    busy::Busy,
    slot::{self, MAX_SERIES},
    tag_set::TagSets,
};

/// What makes a series the one that it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Identity {
    /// The task's name, with the site's own prefix before it.
    pub(crate) task: Arc<str>,
    /// Tags of the call: keys and values, in the order in which they were written.
    pub(crate) tags: Box<[(Box<str>, Box<str>)]>,
    /// The kind of exception that the series counts, or of what the counter `task` counts; `None` for those themselves.
    pub(crate) kind: Option<Box<str>>,
    /// What the series is; `task` is its name.
    pub(crate) metric: Metric,
}

impl Identity {
    /// The series that stands for this one where there is no room for it: with call tags, a series of the same task that has
    /// the tag `overflow` alone; else the task `overflow`.
    pub(crate) fn overflow(&self) -> Self {
        let kind = self.kind.is_some().then(|| Box::from(OTHER));
        if self.tags.is_empty() {
            return Self {
                task: "overflow".into(),
                tags: Box::default(),
                kind,
                metric: self.metric,
            };
        }
        Self {
            kind,
            ..self.tagged_overflow()
        }
    }

    /// The series of the same task for tag sets without a place.
    pub(crate) fn tagged_overflow(&self) -> Self {
        Self {
            task: Arc::clone(&self.task),
            tags: Box::new([(Box::from("overflow"), Box::from("true"))]),
            kind: None,
            metric: self.metric,
        }
    }
}

/// The kind that stands for the kinds past [`MAX_KINDS`].
const OTHER: &str = "_other";

/// Which outcomes of a task are timed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Timing {
    /// What the client says.
    #[default]
    Client,
    /// Success alone.
    Success,
    /// Every outcome.
    Always,
    /// None.
    Never,
}

/// What a series is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Metric {
    /// A task, of which calls are counted and timed.
    #[default]
    Task,
    /// A counter of its own: what was added to it stands where calls of a task start.
    Counter,
    /// One of the attempts at a task that ended as a retry: an end that a task has no cell for.
    Retries,
    /// A timer of its own: its values are nanoseconds, and stand where calls of a task succeed.
    Timer,
    /// A timer of calls that end in it instead of in their task, under the task's sampling: its values are ticks, and stand where
    /// those of a timer do.
    Duration,
    /// A gauge that is read at each drain; it has no cells that count.
    Gauge,
}

/// What a call site asks for. The first site of a series decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) timing: Timing,
    /// The stride that the site's sample rate makes, in units of 1/256 of a call; 0 if it has none.
    pub(crate) stride: u32,
    /// Whether the calls in flight are sent as a gauge.
    pub(crate) in_flight: bool,
    pub(crate) metric: Metric,
}

/// A series as it was registered.
#[derive(Debug, Default)]
pub(crate) struct Description {
    pub(crate) identity: Identity,
    pub(crate) options: Options,
    /// Whether it is a tag set, which may be forgotten.
    pub(crate) is_tag_set: bool,
    /// Whether it stands for the tag sets or the kinds of exceptions that found no room in the process.
    pub(crate) is_overflow: bool,
}

/// Kinds that one task or counter can have; the rest are `_other`.
const MAX_KINDS: usize = 64;

#[derive(Default)]
pub(super) struct Registry {
    ids: Option<HashMap<Identity, usize>>,
    all: Vec<Arc<Description>>,
    pub(super) sets: TagSets,
    kinds: Option<HashMap<Arc<str>, usize>>,
}

static REGISTRY: Mutex<Registry> = Mutex::new(Registry {
    ids: None,
    all: Vec::new(),
    sets: TagSets::NONE,
    kinds: None,
});
/// Keeps the lock until after a fork.
pub(super) fn lock() -> MutexGuard<'static, Registry> {
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn locked() -> (Busy, MutexGuard<'static, Registry>) {
    (Busy::locked(), lock())
}

impl Registry {
    fn find(&self, identity: &Identity) -> Option<usize> {
        self.ids.as_ref()?.get(identity).map(|id| slot::from_id(*id))
    }

    fn add(&mut self, identity: Identity, options: Options, is_overflow: bool) -> usize {
        // The last series stands for all that would be more.
        let id = self.all.len().min(MAX_SERIES - 1);
        if self.all.len() < MAX_SERIES {
            self.all.push(Arc::new(Description {
                identity: identity.clone(),
                options,
                is_tag_set: false,
                is_overflow,
            }));
        }
        self.ids.get_or_insert_default().insert(identity, id);
        slot::from_id(id)
    }
}

/// The slot of a task's series without call tags, registered if it is new.
pub(crate) fn slot_of(identity: Identity, options: Options) -> usize {
    let (_busy, mut registry) = locked();
    registry
        .find(&identity)
        .unwrap_or_else(|| registry.add(identity, options, false))
}

/// The slot of the series for the tag sets of a task that have no room.
pub(super) fn overflow_slot_of(task: &Identity, options: Options) -> usize {
    let identity = task.tagged_overflow();
    let (_busy, mut registry) = locked();
    registry
        .find(&identity)
        .unwrap_or_else(|| registry.add(identity, options, true))
}

/// The slot of one kind of a task's exceptions, or of what a counter counts. Either way it counts as exceptions.
pub(crate) fn kind_slot_of(task: Identity, kind: &str) -> usize {
    let options = Options {
        timing: Timing::Never,
        ..Options::default()
    };
    let mut identity = Identity {
        kind: Some(kind.into()),
        ..task
    };
    let (_busy, mut registry) = locked();
    if let Some(slot) = registry.find(&identity) {
        return slot;
    }
    let kinds = registry
        .kinds
        .get_or_insert_default()
        .entry(Arc::clone(&identity.task))
        .or_default();
    let is_overflow = *kinds >= MAX_KINDS;
    if is_overflow {
        identity.kind = Some(OTHER.into());
    } else {
        *kinds += 1;
    }
    registry
        .find(&identity)
        .unwrap_or_else(|| registry.add(identity, options, is_overflow))
}

/// What the site of series `id` asked for.
pub(crate) fn options_of(id: usize) -> Options {
    let (_busy, registry) = locked();
    registry
        .all
        .get(id)
        .map(|description| description.options)
        .unwrap_or_default()
}

/// Appends the series with ids from `known.len()` on.
pub(crate) fn read(known: &mut Vec<Arc<Description>>) {
    let (_busy, registry) = locked();
    known.extend_from_slice(&registry.all[known.len()..]);
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use std::{sync::mpsc, thread, time::Duration};

    use super::*;
    use crate::{
        record::local,
        task::{
            guard::Call,
            site::{End, Site, Token},
        },
    };

    /// However it ends: a thread that waited here would wait for every other one, and be woken by a system call.
    #[test]
    fn no_call_of_a_thread_but_the_first_takes_the_lock() {
        static SITE: Site = Site::new("takes_the_lock_once");
        let call = |end| {
            let mut token = Token::off();
            Call::start(&SITE, &mut token).end(&(), |()| end);
        };
        let (tell, told) = mpsc::channel();
        let (allow, allowed) = mpsc::channel();
        let caller = thread::spawn(move || {
            let recorder = local::scoped();
            local::within(&recorder, || {
                call(End::Success);
                tell.send(()).unwrap();
                allowed.recv().unwrap();
                for end in [End::Exception, End::Panic, End::Cancelled, End::Success] {
                    call(end);
                }
                tell.send(()).unwrap();
            });
            local::dismiss(recorder.id());
        });
        told.recv().unwrap();
        let locked = lock();
        allow.send(()).unwrap();
        let ended = told.recv_timeout(Duration::from_secs(10));
        drop(locked);
        caller.join().unwrap();
        assert!(ended.is_ok(), "it waited for the lock");
    }
}
