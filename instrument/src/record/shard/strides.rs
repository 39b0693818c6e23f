//! How many calls there are to one that is timed.

use super::super::{
    busy::Busy,
    registry::{Options, Timing},
};
use crate::sync::{Mutex, lock};

/// A stride of one call; strides are in units of 1/256 of a call, so that a rate of 0.7 can be had.
pub(crate) const STRIDE_ONE: u32 = 256;
/// The largest stride, about four million calls. A token has 30 bits for it.
pub(crate) const STRIDE_MAX: u32 = (1 << 30) - 1;
/// The stride of a series that is never timed.
pub(super) const STRIDE_NEVER: u32 = u32::MAX;

/// The strides of a recorder's series, for shards that meet a series for the first time.
#[derive(Debug)]
pub(crate) struct Strides {
    base: u32,
    by_id: Mutex<Vec<u32>>,
}

impl Strides {
    /// `base` is the stride of a series that the flusher has not set one for.
    pub(crate) fn new(base: u32) -> Self {
        Self {
            base: base.clamp(STRIDE_ONE, STRIDE_MAX),
            by_id: Mutex::new(Vec::new()),
        }
    }

    /// The stride of a series that the flusher has not set one for.
    pub(crate) fn base(&self) -> u32 {
        self.base
    }

    /// The stride of series `id`, whose site asks for this. Takes the lock.
    pub(super) fn get(&self, id: usize, options: Options) -> u32 {
        let _busy = Busy::locked();
        match lock(&self.by_id).get(id) {
            Some(stride) if options.timing != Timing::Never => *stride,
            _ => self.first(options),
        }
    }

    /// The stride of a series whose site asks for this, before the flusher sets one.
    pub(crate) fn first(&self, options: Options) -> u32 {
        match options {
            Options {
                timing: Timing::Never,
                ..
            } => STRIDE_NEVER,
            Options { stride: 0, .. } => self.base,
            Options { stride, .. } => stride,
        }
    }

    /// Takes over the flusher's strides, by series id.
    pub(crate) fn set(&self, strides: &[u32]) {
        let _busy = Busy::locked();
        strides.clone_into(&mut lock(&self.by_id));
    }
}
