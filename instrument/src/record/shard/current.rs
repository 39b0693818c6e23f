//! The shard that a thread counts in now.

use std::{cell::Cell, marker::PhantomData, ptr, sync::Arc};

use super::{super::slot, Head, NOBODY, Shard, block::End, token::Token};

thread_local! {
    /// The shard that calls on this thread count in now, or [`NOBODY`]. It has no destructor, so it can be read at any time of a
    /// thread's life, in other thread-locals' destructors too.
    static CURRENT: Cell<*const Shard> = const { Cell::new(Current::NONE) };
}

/// The stack frame that looks at the thread's current shard; it bounds how long.
#[derive(Debug)]
pub(crate) struct Here;

impl Here {
    /// The shard that this thread counts in now, if any, not looked at yet.
    #[inline(always)]
    #[expect(clippy::unused_self, reason = "it bounds the lifetime of what is returned")]
    pub(crate) fn current(&self) -> Current<'_> {
        Current(CURRENT.get(), PhantomData)
    }

    /// The shard that this thread counts in now.
    pub(crate) fn shard(&self) -> Option<&Shard> {
        let current = self.current();
        // SAFETY: that it is not `NOBODY` is asked here.
        (current.0 != Current::NONE).then(|| unsafe { current.shard() })
    }
}

/// A thread's current shard, if it has one. Nobody asks whether there is one: [`NOBODY`] does not pass for the right one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Current<'a>(*const Shard, PhantomData<&'a Shard>);

impl<'a> Current<'a> {
    const NONE: *const Shard = (&raw const NOBODY).cast();

    /// Counts a start; false if the shard was not checked against `epoch`, or has no cells at the `slot`, which is asked for
    /// late: until then it takes no register.
    #[inline(always)]
    pub(crate) fn start(self, token: &mut Token, epoch: usize, slot: impl FnOnce() -> usize) -> bool {
        if self.head().epoch.get() != epoch {
            return false;
        }
        // SAFETY: the epoch of `NOBODY` is `NEVER`, which no series has.
        let shard = unsafe { self.shard() };
        let Some(block) = shard.block(slot()) else {
            return false;
        };
        Shard::start(token, shard, block);
        true
    }

    /// Counts a start in the cells at `slot`, a tag set's perhaps; false as for [`start`](Self::start).
    #[inline(always)]
    pub(crate) fn start_at(self, token: &mut Token, epoch: usize, slot: usize) -> bool {
        if !slot::is_tag_set(slot) {
            return self.start(token, epoch, || slot);
        }
        if self.head().epoch.get() != epoch {
            return false;
        }
        // SAFETY: the epoch of `NOBODY` is `NEVER`, which no series has.
        let shard = unsafe { self.shard() };
        let started = shard.sets.with(slot, |block| Shard::start(token, shard, block));
        started.is_some()
    }

    /// Counts a success; false if the call did not start in this shard, has a stride of its own, or there are no cells at the
    /// `slot`.
    #[inline(always)]
    pub(crate) fn succeed(self, token: &mut Token, slot: impl FnOnce() -> usize) -> bool {
        let Some(is_timed) = self.head().home.is_timed(token) else {
            return false;
        };
        // SAFETY: no call ever started in `NOBODY`.
        let shard = unsafe { self.shard() };
        let Some(block) = shard.block(slot()) else {
            return false;
        };
        if is_timed {
            // SAFETY: that it is timed was asked above.
            unsafe { Shard::succeed_timed(token, shard, block) };
        } else {
            block.succeed();
        }
        true
    }

    /// Counts any end; false if the call counts for another recorder, or there are no cells at `slot`.
    #[inline(always)]
    pub(crate) fn end(self, token: &mut Token, slot: usize, end: End) -> bool {
        if !self.head().home.is_of_recorder(token) {
            return false;
        }
        // SAFETY: no call ever counts for the recorder of `NOBODY`.
        let shard = unsafe { self.shard() };
        let Some(block) = shard.block(slot) else {
            // No table is that long where it is a tag set's.
            let ended = shard
                .sets
                .with(slot, |block| Shard::end(token, shard, end, block));
            return ended.is_some();
        };
        Shard::end(token, shard, end, block);
        true
    }

    #[inline(always)]
    fn head(self) -> &'a Head {
        // SAFETY: it is `NOBODY`, which is a head, or a shard, which begins with one; and see `shard`.
        unsafe { &*self.0.cast() }
    }

    /// The shard.
    ///
    /// # Safety
    /// It is not `NOBODY`.
    #[inline(always)]
    unsafe fn shard(self) -> &'a Shard {
        // SAFETY: it is a shard, and `Tenancy` is the only writer of `CURRENT`. It stores a pointer to a shard that it keeps alive
        // by an `Arc`, and clears or replaces it before it lets go of that `Arc`. A `Here` is a local of a function of this
        // crate that ends no tenancy on this thread and calls nothing of the user's but his allocator, and a scope that he
        // enters there ends there.
        unsafe { &*self.0 }
    }
}

/// Keeps a shard alive while it is, or may be, this thread's current one. It cannot leave its thread.
///
/// Tenancies of scoped shards are held by stack frames alone and so end in the reverse order of their beginning; the one
/// tenancy of an unscoped shard that a thread has may end at any time.
#[derive(Debug)]
pub(crate) struct Tenancy {
    shard: Arc<Shard>,
    /// The scoped shard that was current before, if any.
    outer: Cell<*const Shard>,
}

impl Tenancy {
    pub(crate) fn new(shard: Arc<Shard>) -> Self {
        Self {
            shard,
            outer: Cell::new(Current::NONE),
        }
    }

    pub(crate) fn shard(&self) -> &Arc<Shard> {
        &self.shard
    }

    /// Makes this the thread's current shard.
    pub(crate) fn enter(&self) {
        let outer = Here
            .shard()
            .filter(|now| now.terms().scoped)
            .map_or(Current::NONE, ptr::from_ref);
        if !ptr::eq(outer, Arc::as_ptr(&self.shard)) {
            self.outer.set(outer);
        }
        CURRENT.set(Arc::as_ptr(&self.shard));
    }

    /// Ends it early: what `drop` does, before the shard is given to somebody else.
    pub(crate) fn leave(&self) {
        // Back to the scope around this one, whose frame still holds its shard; outside of any scope to nothing, and the
        // next call asks `record::local` for the right one.
        if ptr::eq(CURRENT.get(), Arc::as_ptr(&self.shard)) {
            CURRENT.set(self.outer.get());
        }
    }
}

impl Drop for Tenancy {
    fn drop(&mut self) {
        self.leave();
    }
}
