//! What a call site keeps of its series: const-constructible, so that it can be a `static` in the user's function.

use std::sync::{
    Mutex, MutexGuard, OnceLock, PoisonError,
    atomic::{AtomicU32, AtomicUsize, Ordering},
};

use super::{
    busy::Busy,
    registry::{self, Identity, Options},
    shard::{End, Ended, NEVER, OUTCOMES},
    slot,
};

/// The epoch of a series that was never called. It is nobody's, so its first call asks for the true one.
const UNTOLD: usize = NEVER - 1;

/// A named series and where its cells stand. What it is called is decided once, at the first call, and cached here as a slot.
#[derive(Debug)]
pub(crate) struct Series {
    name: &'static str,
    /// Goes before the name, with a dot between them; may be empty.
    prefix: &'static str,
    tags: &'static [(&'static str, &'static str)],
    options: Options,
    hot: Hot,
    /// The slot of the series that tag sets without a place share, once there is one.
    overflow: AtomicUsize,
    /// The next series in the list of those that are told of a new epoch.
    told: OnceLock<Option<&'static Series>>,
    late: Late,
}

/// What every call reads, on one cache line.
#[derive(Debug)]
#[repr(align(16))]
struct Hot {
    slot: AtomicUsize,
    /// The epoch, as [`local`](super::local) has it: 0 while there is no client. It stands here, and not once for all, because a program
    /// finds its own statics quicker than those of a library, and the line is one that a call needs anyway.
    epoch: AtomicUsize,
}

/// Counts that could not reach a shard because the thread was inside this library already: an instrumented allocator
/// that runs while a shard is being made, say. No allocation and no lock but [`LATE`], which nothing is called under.
#[derive(Debug)]
struct Late {
    recorder: AtomicU32,
    started: AtomicUsize,
    ended: [AtomicUsize; OUTCOMES],
    panics: AtomicUsize,
    /// The next series in the list of those that have such counts.
    next: OnceLock<Option<&'static Series>>,
}

/// The head of that list, and the lock that its cells are written and read under.
static LATE: Mutex<Option<&'static Series>> = Mutex::new(None);

/// The lock of the late counts, held.
pub(super) type LateLock = MutexGuard<'static, Option<&'static Series>>;

pub(super) fn lock() -> LateLock {
    LATE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn add(cell: &AtomicUsize) {
    cell.store(cell.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
}

impl Series {
    pub(crate) const fn new(
        name: &'static str,
        prefix: &'static str,
        tags: &'static [(&'static str, &'static str)],
        options: Options,
    ) -> Self {
        Self {
            name,
            prefix,
            tags,
            options,
            hot: Hot {
                slot: AtomicUsize::new(slot::NONE),
                epoch: AtomicUsize::new(UNTOLD),
            },
            overflow: AtomicUsize::new(slot::NONE),
            told: OnceLock::new(),
            late: Late {
                recorder: AtomicU32::new(0),
                started: AtomicUsize::new(0),
                ended: [const { AtomicUsize::new(0) }; OUTCOMES],
                panics: AtomicUsize::new(0),
                next: OnceLock::new(),
            },
        }
    }

    /// The epoch, or [`UNTOLD`]; 0 while there is no client, which no shard was ever checked against.
    ///
    /// Relaxed: a thread that sees a change late counts that call as if it had made it earlier, each series for itself. Who looks for a shard
    /// reads the true one.
    #[inline(always)]
    pub(crate) fn epoch(&self) -> usize {
        self.hot.epoch.load(Ordering::Relaxed)
    }

    /// Whether nobody has told it yet which epoch it is.
    pub(super) fn is_untold(&self) -> bool {
        self.epoch() == UNTOLD
    }

    /// Tells it the epoch, and has [`tell`] do so from now on.
    pub(super) fn listen(&'static self, list: &mut Option<&'static Self>, epoch: usize) {
        if self.told.set(*list).is_ok() {
            *list = Some(self);
        }
        self.hot.epoch.store(epoch, Ordering::Relaxed);
    }

    pub(crate) const fn options(&self) -> Options {
        self.options
    }

    /// The series' identity, with `more` tags behind its own.
    pub(crate) fn identity(&self, more: impl Iterator<Item = (Box<str>, Box<str>)>) -> Identity {
        let task = if self.prefix.is_empty() {
            self.name.into()
        } else {
            [self.prefix, ".", self.name].concat().into()
        };
        let own = self
            .tags
            .iter()
            .map(|(key, value)| ((*key).into(), (*value).into()));
        Identity {
            task,
            tags: own.chain(more).collect(),
            kind: None,
            metric: self.options.metric,
        }
    }

    /// The slot, or none if the series is not registered yet. Relaxed: a slot says where to look in a table that the
    /// reading thread makes itself, and the flusher learns names under the registry's lock.
    #[inline(always)]
    pub(crate) fn slot(&self) -> usize {
        self.hot.slot.load(Ordering::Relaxed)
    }

    /// The slot, registering the series if need be. Takes the registry's lock the first time.
    pub(crate) fn register(&self) -> usize {
        if self.slot() == slot::NONE {
            // Building the identity allocates, and the allocator may be instrumented.
            let _busy = Busy::new();
            let slot = registry::slot_of(self.identity(std::iter::empty()), self.options);
            self.hot.slot.store(slot, Ordering::Relaxed);
        }
        self.slot()
    }

    /// `slot` if it is one, else that of the series itself.
    pub(super) fn known(&self, slot: usize) -> usize {
        if slot == slot::NONE { self.register() } else { slot }
    }

    /// The slot of the series that tag sets without a place share, from `register` the first time.
    pub(crate) fn overflow(&self, register: impl FnOnce() -> usize) -> usize {
        if self.overflow.load(Ordering::Relaxed) == slot::NONE {
            self.overflow.store(register(), Ordering::Relaxed);
        }
        self.overflow.load(Ordering::Relaxed)
    }

    /// Counts a start for `recorder` without a shard.
    pub(crate) fn late_start(&'static self, recorder: u32) {
        self.late(recorder, |late| add(&late.started));
    }

    /// Adds to a counter for `recorder` without a shard.
    pub(crate) fn late_add(&'static self, recorder: u32, more: usize) {
        self.late(recorder, |late| {
            let sum = late.started.load(Ordering::Relaxed).wrapping_add(more);
            late.started.store(sum, Ordering::Relaxed);
        });
    }

    /// Counts an end for `recorder` without a shard.
    pub(crate) fn late_end(&'static self, recorder: u32, end: End) {
        self.late(recorder, |late| {
            add(&late.ended[end.outcome() as usize]);
            if end == End::Panic {
                add(&late.panics);
            }
        });
    }

    fn late(&'static self, recorder: u32, count: impl FnOnce(&Late)) {
        if Busy::forks() {
            return;
        }
        let mut head = lock();
        let late = &self.late;
        if late.recorder.load(Ordering::Relaxed) != recorder {
            // Left over from a client that is gone.
            late.recorder.store(recorder, Ordering::Relaxed);
            for cell in late.ended.iter().chain([&late.started, &late.panics]) {
                cell.store(0, Ordering::Relaxed);
            }
        }
        if late.next.set(*head).is_ok() {
            *head = Some(self);
        }
        count(late);
    }
}

/// Tells all series in the list which epoch it is.
pub(super) fn tell(list: Option<&'static Series>, epoch: usize) {
    let mut at = list;
    while let Some(series) = at {
        series.hot.epoch.store(epoch, Ordering::Relaxed);
        at = series.told.get().copied().flatten();
    }
}

/// Calls `see` with every series that has such counts for `recorder`: its name, what started, what ended.
pub(crate) fn read_late(recorder: u32, mut see: impl FnMut(&'static Series, usize, Ended)) {
    // The list only grows and links are set once, so only the cells need the lock, each time for a moment.
    let mut at = *lock();
    while let Some(series) = at {
        let read = {
            let _lock = lock();
            let late = &series.late;
            (late.recorder.load(Ordering::Relaxed) == recorder).then(|| {
                let ended = Ended {
                    outcomes: std::array::from_fn(|o| late.ended[o].load(Ordering::Relaxed)),
                    panics: late.panics.load(Ordering::Relaxed),
                };
                (late.started.load(Ordering::Relaxed), ended)
            })
        };
        if let Some((started, ended)) = read {
            see(series, started, ended);
        }
        at = series.late.next.get().copied().flatten();
    }
}
