//! Which shard a call counts in: the thread's own one of the installed client, or the one of the scope it is in.
//!
//! The hot path compares one number, [`epoch`], with what it finds in the thread's current shard. The number changes when
//! a client is installed or shut down and is 0 while there is none at all; whatever does not fit comes here. Every task that was called
//! is told of the number, under the lock of the clients, so that its calls find it on a line that they need anyway.

mod metrics;

pub(crate) use metrics::{add, current, end_beside, observe, record};

use std::{
    cell::RefCell,
    collections::HashMap,
    mem,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering},
    },
};

use super::{
    busy::Busy,
    forks,
    recorder::{Options, Recorder},
    series::{self, Series},
    shard::{End, Here, NEVER, STRIDE_ONE, Shard, Tenancy, Token},
    slot, tag_set, tags,
};

static EPOCH: AtomicUsize = AtomicUsize::new(0);
/// The id of the installed recorder, 0 if none: an answer without the lock.
static INSTALLED: AtomicU32 = AtomicU32::new(0);
static CLIENTS: Mutex<Clients> = Mutex::new(Clients {
    epochs: 0,
    installed: None,
    scoped: None,
    forked: false,
    listening: None,
});
/// Set in a new child of a fork until its first call has had the client start again.
static FORKED: AtomicBool = AtomicBool::new(false);
/// What that call is to do.
static REVIVE: OnceLock<fn()> = OnceLock::new();

pub(super) struct Clients {
    epochs: usize,
    installed: Option<Arc<Recorder>>,
    scoped: Option<HashMap<u32, Weak<Recorder>>>,
    /// Whether the installed client is to start again at the first call.
    forked: bool,
    /// The series that are told of a new epoch: all that were ever called.
    listening: Option<&'static Series>,
}

impl Clients {
    /// Starts a new epoch, so that every thread looks again.
    fn turn(&mut self) {
        // 0 is none, and the last two are nobody's.
        self.epochs = self.epochs % (NEVER - 2) + 1;
        let any = self.forked
            || self.installed.is_some()
            || self.scoped.as_ref().is_some_and(|scoped| !scoped.is_empty());
        INSTALLED.store(
            self.installed.as_ref().map_or(0, |recorder| recorder.id()),
            Ordering::Relaxed,
        );
        // Release, read with Acquire by `start`: who checks a shard against this epoch knows at least this `INSTALLED`, so
        // no shard of a client that is gone passes for a current one.
        let epoch = if any { self.epochs } else { 0 };
        EPOCH.store(epoch, Ordering::Release);
        series::tell(self.listening, epoch);
    }
}

fn clients() -> (Busy, MutexGuard<'static, Clients>) {
    (
        Busy::locked(),
        CLIENTS.lock().unwrap_or_else(PoisonError::into_inner),
    )
}

/// 0 while no client exists; else a number that is new whenever the installed one changes.
///
/// Relaxed: a thread that sees a change late counts as if it had called earlier. The order matters only in [`start`].
#[inline(always)]
pub(crate) fn epoch() -> usize {
    EPOCH.load(Ordering::Relaxed)
}

/// Makes `recorder` the one that calls outside of any scope count in; false if there is one.
pub(crate) fn install(recorder: &Arc<Recorder>) -> bool {
    let (_busy, mut clients) = clients();
    if clients.installed.is_some() {
        return false;
    }
    clients.installed = Some(Arc::clone(recorder));
    clients.forked = false;
    clients.turn();
    true
}

/// Keeps the lock until after a fork.
pub(super) fn lock() -> MutexGuard<'static, Clients> {
    CLIENTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// In the child of a fork: the installed recorder is the parent's. The first call has `revive` install one of the child's.
pub(super) fn forked(clients: &mut Clients) {
    if let Some(parents) = clients.installed.take() {
        // Its pool may be locked for ever.
        mem::forget(parents);
        clients.forked = true;
        FORKED.store(true, Ordering::Relaxed);
    }
    clients.turn();
}

/// Says how a client starts again in the child of a fork. The first one counts.
pub(crate) fn revive_by(revive: fn()) {
    let _ = REVIVE.set(revive);
}

/// Has nothing start again: the client was shut down before the first call.
pub(crate) fn stay_dead() {
    FORKED.store(false, Ordering::Relaxed);
    let (_busy, mut clients) = clients();
    clients.forked = false;
    clients.turn();
}

/// Takes back [`install`]: calls that start after this count nowhere.
pub(crate) fn uninstall(recorder: &Recorder) {
    let gone;
    {
        let (_busy, mut clients) = clients();
        if clients
            .installed
            .as_ref()
            .is_none_or(|installed| installed.id() != recorder.id())
        {
            return;
        }
        gone = clients.installed.take();
        clients.turn();
    }
    drop(gone);
}

/// Makes a recorder that counts in scopes known, so that a call that ends outside of its scope finds it.
pub(crate) fn admit(recorder: &Arc<Recorder>) {
    let (_busy, mut clients) = clients();
    clients
        .scoped
        .get_or_insert_default()
        .insert(recorder.id(), Arc::downgrade(recorder));
    if epoch() == 0 {
        clients.turn();
    }
}

/// A recorder for the calls of a scope, each of them timed, that is known already.
pub(crate) fn scoped() -> Arc<Recorder> {
    let recorder = Arc::new(Recorder::new(Options {
        scoped: true,
        time_every_outcome: false,
        base_stride: STRIDE_ONE,
    }));
    admit(&recorder);
    recorder
}

/// Takes back [`admit`].
pub(crate) fn dismiss(recorder: u32) {
    let (_busy, mut clients) = clients();
    let Some(scoped) = &mut clients.scoped else { return };
    if scoped.remove(&recorder).is_some() && scoped.is_empty() && clients.installed.is_none() {
        clients.turn();
    }
}

/// The recorder with this id, if its client still lives.
fn find(id: u32) -> Option<Arc<Recorder>> {
    let (_busy, clients) = clients();
    match &clients.installed {
        Some(recorder) if recorder.id() == id => Some(Arc::clone(recorder)),
        _ => clients.scoped.as_ref()?.get(&id)?.upgrade(),
    }
}

/// The thread's own shard of the installed recorder.
struct Home {
    recorder: Arc<Recorder>,
    tenancy: Tenancy,
}

impl Home {
    fn new(recorder: Arc<Recorder>) -> Self {
        let tenancy = Tenancy::new(recorder.acquire());
        Self { recorder, tenancy }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let shard = Arc::clone(self.tenancy.shard());
        self.tenancy.leave();
        self.recorder.release(shard);
    }
}

thread_local! {
    static HOME: RefCell<Option<Home>> = const { RefCell::new(None) };
}

/// Calls `f` with a shard of `recorder` that is this thread's alone: its home, or one borrowed for the moment.
fn visit<R>(recorder: &Recorder, f: impl FnOnce(&Shard) -> R) -> R {
    let shard = recorder.acquire();
    let result = f(&shard);
    recorder.release(shard);
    result
}

/// Calls `f` with this thread's home shard of the recorder `id`, moving in if need be; gives `f` back if there can be none:
/// the recorder is not the installed one, or the thread is ending and its locals are gone. `enter` makes the shard current.
fn at_home<R, F: FnOnce(&Shard) -> R>(id: u32, enter: bool, f: F) -> Result<R, F> {
    let mut f = Some(f);
    let result = HOME.try_with(|home| {
        let mut home = home.try_borrow_mut().ok()?;
        if home.as_ref().is_none_or(|home| home.recorder.id() != id) {
            let recorder = find(id).filter(|_| INSTALLED.load(Ordering::Relaxed) == id)?;
            // The old one, of a client that is gone, is given back here.
            *home = Some(Home::new(recorder));
        }
        let tenancy = &home.as_ref()?.tenancy;
        if enter {
            tenancy.enter();
        }
        Some((f.take()?)(tenancy.shard()))
    });
    match (result, f) {
        (Ok(Some(result)), _) => Ok(result),
        (_, Some(f)) => Err(f),
        (_, None) => unreachable!("taken only when it is called"),
    }
}

/// The start of a call that the hot path could not serve.
#[cold]
#[inline(never)]
pub(crate) fn start(token: &mut Token, series: &'static Series, slot: usize) {
    *token = started(series, slot);
}

/// Has the client start again if this is the first that a child of a fork does.
fn revive() {
    if FORKED.load(Ordering::Relaxed) && !Busy::is() && FORKED.swap(false, Ordering::Relaxed) {
        let _busy = Busy::new();
        REVIVE.get().inspect(|revive| revive());
    }
}

/// Has the series told of the epoch from now on.
fn listen(series: &'static Series) {
    if series.is_untold() && !Busy::is() && forks::watch() {
        let (_busy, mut clients) = clients();
        series.listen(&mut clients.listening, epoch());
    }
}

fn started(series: &'static Series, slot: usize) -> Token {
    revive();
    listen(series);
    let epoch = EPOCH.load(Ordering::Acquire);
    if epoch == 0 {
        return Token::off();
    }
    let installed = INSTALLED.load(Ordering::Relaxed);
    let scoped = Here.shard().is_some_and(|shard| shard.terms().scoped);
    if !scoped && installed == 0 {
        return Token::off();
    }
    if Busy::is() {
        // A scope is for tests; a call from inside the library's own set-up of a scope is not counted at all.
        if scoped || Busy::forks() {
            return Token::off();
        }
        series.late_start(installed);
        return Token::untimed(installed);
    }
    let _busy = Busy::new();
    let slot = series.known(slot);
    if scoped {
        return Here.shard().map_or(Token::off(), |shard| {
            shard.set_epoch(epoch);
            shard.start_at(place(shard, series, slot))
        });
    }
    let home = at_home(installed, true, |shard| {
        shard.set_epoch(epoch);
        shard.start_at(place(shard, series, slot))
    });
    home.unwrap_or_else(|_| match find(installed) {
        Some(recorder) => visit(&recorder, |shard| shard.start_at(place(shard, series, slot))),
        None => Token::off(),
    })
}

/// The slot, with cells for it in `shard` if it is a tag set's. A set that was forgotten is past its place: somebody had its slot
/// and no call in flight, so the call is counted, from start to end, where sets without a place are.
fn place(shard: &Shard, series: &'static Series, slot: usize) -> usize {
    let is_placed = !slot::is_tag_set(slot)
        || shard.sets.has(slot)
        || tag_set::at(slot).is_some_and(|set| shard.open(&set));
    if is_placed { slot } else { tags::overflow(series) }
}

/// The end of a call that the hot path could not serve: it started on another thread, in another scope, or under a client
/// that is gone.
#[cold]
#[inline(never)]
pub(crate) fn end(token: &mut Token, series: &'static Series, slot: usize, end: End) {
    let mut token = mem::replace(token, Token::off());
    if Busy::is() {
        if token.recorder() == INSTALLED.load(Ordering::Relaxed) {
            series.late_end(token.recorder(), end);
        }
        return;
    }
    let _busy = Busy::new();
    let slot = series.known(slot);
    with_shard_of(token.recorder(), |shard| {
        shard.end_at(place(shard, series, slot), &mut token, end);
    });
}

/// Counts the end of a call once more, in a series that stands beside the call's own.
#[cold]
#[inline(never)]
pub(crate) fn count(slot: usize, recorder: u32, end: End) {
    if Busy::is() {
        return;
    }
    let _busy = Busy::new();
    with_shard_of(recorder, |shard| shard.allocate(slot).count(end));
}

/// Calls `f` with a shard of the recorder `id`: this thread's current one, its home, or one borrowed for the moment. Does
/// nothing if the recorder is gone.
fn with_shard_of(id: u32, f: impl FnOnce(&Shard)) {
    let here = Here;
    if let Some(shard) = here.shard()
        && shard.terms().recorder == id
    {
        return f(shard);
    }
    if let Err(f) = at_home(id, false, f)
        && let Some(recorder) = find(id)
    {
        visit(&recorder, f);
    }
}

/// The start of a call that counts in `recorder`, whatever is current.
pub(crate) fn start_in(recorder: &Recorder, series: &'static Series, slot: usize) -> Token {
    listen(series);
    if Busy::is() || epoch() == 0 {
        return Token::off();
    }
    let _busy = Busy::new();
    let slot = series.known(slot);
    visit(recorder, |shard| shard.start_at(place(shard, series, slot)))
}

/// Calls `f` with calls on this thread counting in `recorder`.
pub(crate) fn within<R>(recorder: &Arc<Recorder>, f: impl FnOnce() -> R) -> R {
    struct Scope<'a> {
        recorder: &'a Recorder,
        tenancy: Tenancy,
    }
    impl Drop for Scope<'_> {
        fn drop(&mut self) {
            let shard = Arc::clone(self.tenancy.shard());
            self.tenancy.leave();
            self.recorder.release(shard);
        }
    }
    let scope = Scope {
        recorder,
        tenancy: Tenancy::new(recorder.acquire()),
    };
    scope.tenancy.shard().set_epoch(epoch());
    scope.tenancy.enter();
    f()
}
