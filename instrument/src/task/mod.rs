//! The call site and what happens between a call's start and its end.

pub(crate) mod future;
pub(crate) mod guard;
pub(crate) mod outcome;
pub(crate) mod place;
pub(crate) mod site;
