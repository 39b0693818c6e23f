//! Everything that an expansion of the attribute may name. Not part of the public interface.

pub use crate::task::{
    future::{TaskFuture, future},
    guard::{CallGuard, call, construct},
    outcome::{ByTrait, Otherwise, Probe},
    site::{End, Site},
};
