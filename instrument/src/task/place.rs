//! Where a call counts: a call site, and what its arguments add to it.

use std::{borrow::Borrow, fmt::Display};

use super::site::{End, Site, Token};
use crate::{
    client::Client,
    record::{local, tags},
};

/// Something that a call counts in.
pub trait Place {
    /// The call site.
    fn site(&self) -> &'static Site;

    /// Where the cells stand, if that is known yet.
    fn slot(&self) -> usize;

    /// Counts a start, if there is a client. Called only if the site listens.
    #[inline(always)]
    fn start(&self, token: &mut Token) {
        self.site().start_at(self.slot(), token);
    }

    /// Counts the end of the call that `token` stands for. Called only if it stands for one.
    #[inline(always)]
    fn end(&self, token: &mut Token, end: End) {
        self.site().end_at(self.slot(), token, end);
    }

    /// Keeps what the place needs for a future that was made and may wait for long until it is polled.
    #[inline(always)]
    fn keep(&self) {}

    /// Takes back [`keep`](Self::keep): the future was polled, or dropped.
    #[inline(always)]
    fn let_go(&self) {}
}

impl Place for &'static Site {
    #[inline(always)]
    fn site(&self) -> &'static Site {
        self
    }

    #[inline(always)]
    fn slot(&self) -> usize {
        Site::slot(self)
    }

    #[inline(always)]
    fn start(&self, token: &mut Token) {
        Site::start(self, token);
    }

    #[inline(always)]
    fn end(&self, token: &mut Token, end: End) {
        Site::end(self, token, end);
    }
}

/// A call site as a function without state, which costs a future nothing to keep.
#[derive(Clone, Copy, Debug)]
pub struct At<S>(pub S);

impl<S: Fn() -> &'static Site> Place for At<S> {
    #[inline(always)]
    fn site(&self) -> &'static Site {
        (self.0)()
    }

    #[inline(always)]
    fn slot(&self) -> usize {
        self.site().slot()
    }

    #[inline(always)]
    fn start(&self, token: &mut Token) {
        self.site().start(token);
    }

    #[inline(always)]
    fn end(&self, token: &mut Token, end: End) {
        self.site().end(token, end);
    }
}

/// A call site with tags of the call.
#[derive(Clone, Copy, Debug)]
pub struct Tagged<P> {
    place: P,
    slot: usize,
}

/// Formats the tags' values, once, and finds the series that they make. Asks nothing of them while there is no client.
#[inline]
pub fn tagged<P: Place>(place: P, keys: &[&str], values: &[&dyn Display]) -> Tagged<P> {
    let slot = tags::slot_of(place.site().series(), keys, values);
    Tagged { place, slot }
}

impl<P: Place> Place for Tagged<P> {
    #[inline(always)]
    fn site(&self) -> &'static Site {
        self.place.site()
    }

    #[inline(always)]
    fn slot(&self) -> usize {
        self.slot
    }

    fn keep(&self) {
        tags::keep(self.slot);
    }

    fn let_go(&self) {
        tags::let_go(self.slot);
    }
}

/// A place in a client that need not be the current one.
#[derive(Clone, Copy, Debug)]
pub struct Within<P, C> {
    place: P,
    client: C,
}

/// Has the call count in `client`: a reference while a function runs, a handle in a future.
#[inline]
pub fn within<P: Place, C: Borrow<Client>>(place: P, client: C) -> Within<P, C> {
    Within { place, client }
}

impl<P: Place, C: Borrow<Client>> Place for Within<P, C> {
    #[inline(always)]
    fn site(&self) -> &'static Site {
        self.place.site()
    }

    #[inline(always)]
    fn slot(&self) -> usize {
        self.place.slot()
    }

    #[inline(always)]
    fn keep(&self) {
        self.place.keep();
    }

    #[inline(always)]
    fn let_go(&self) {
        self.place.let_go();
    }

    fn start(&self, token: &mut Token) {
        *token = local::start_in(
            &self.client.borrow().recorder(),
            self.site().series(),
            self.slot(),
        );
    }
}

/// What is said of a returned value.
pub trait Verdict {
    /// Counts the end of the call that `token` stands for accordingly.
    fn count(self, place: &impl Place, token: &mut Token);
}

impl Verdict for End {
    #[inline(always)]
    fn count(self, place: &impl Place, token: &mut Token) {
        place.end(token, self);
    }
}

/// How a call ended, and which kind of exception it was if it was one.
#[derive(Clone, Copy, Debug)]
pub struct Kinded {
    /// How it ended.
    pub end: End,
    /// The kind; nothing is counted by it unless the end is an exception.
    pub kind: Option<&'static str>,
}

impl Verdict for Kinded {
    #[inline]
    fn count(self, place: &impl Place, token: &mut Token) {
        let recorder = token.recorder();
        place.end(token, self.end);
        if let (End::Exception, Some(kind)) = (self.end, self.kind) {
            tags::count_kind(place.site().series(), recorder, kind);
        }
    }
}
