//! The names of all series of the process, and the ids they got. Equal names share an id, and so a series.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{
    busy::Busy,
    slot::{self, MAX_SERIES},
};

#[derive(Default)]
struct Registry {
    ids: Option<HashMap<&'static str, usize>>,
    names: Vec<&'static str>,
}

static REGISTRY: Mutex<Registry> = Mutex::new(Registry {
    ids: None,
    names: Vec::new(),
});

fn locked() -> (Busy, MutexGuard<'static, Registry>) {
    (
        Busy::new(),
        REGISTRY.lock().unwrap_or_else(PoisonError::into_inner),
    )
}

/// The slot of the series called `name`, a new one if the name is new. Past [`MAX_SERIES`] names share the last slot.
pub(crate) fn slot_of(name: &'static str) -> usize {
    let (_busy, mut registry) = locked();
    let Registry { ids, names } = &mut *registry;
    let id = *ids.get_or_insert_default().entry(name).or_insert_with(|| {
        if names.len() < MAX_SERIES {
            names.push(name);
        }
        names.len() - 1
    });
    slot::from_id(id)
}

/// Appends the names with ids from `names.len()` on.
pub(crate) fn read_names(names: &mut Vec<&'static str>) {
    let (_busy, registry) = locked();
    names.extend_from_slice(&registry.names[names.len()..]);
}
