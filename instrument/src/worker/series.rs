//! The series that a worker reports about one task, made at run time and kept for the process: their names come from the worker's
//! set-up, and there are as many as it names.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError, Weak},
};

use super::Inner;
use crate::{
    metric::{Counter, Gauge, Tag, Timer},
    task::site::{Setup, Site},
    wire::INSTANCE,
};

/// What is summed over all processes.
#[derive(Debug)]
pub(super) struct Counters {
    /// Started, success, exceptions and their kinds, cancelled, panics, and how long a success took.
    pub(super) task: Site,
    pub(super) retries: Counter,
    /// How long those took, where every outcome is timed.
    pub(super) retried: Timer,
    pub(super) exhausted: Counter,
    pub(super) timeouts: Counter,
    pub(super) payload_failures: Counter,
    pub(super) queue_latency: Timer,
}

/// What each process has of its own.
#[derive(Debug)]
pub(super) struct Gauges {
    pub(super) in_flight: Gauge,
    pub(super) saturation: Gauge,
    pub(super) heartbeat: Gauge,
    pub(super) uptime: Gauge,
    /// The place of their workers in [`Made`].
    pub(super) workers: usize,
}

#[derive(Default)]
pub(crate) struct Made {
    texts: HashMap<String, &'static str>,
    counters: HashMap<(&'static str, Option<&'static str>, Option<&'static str>), &'static Counters>,
    gauges: HashMap<(&'static str, Option<&'static str>, Option<&'static str>), &'static Gauges>,
    /// The workers that gauges are about, by the place that these have here.
    pub(super) workers: Vec<Vec<Weak<Inner>>>,
}

static MADE: Mutex<Option<Made>> = Mutex::new(None);

/// The lock of all that is made here, held.
pub(crate) type Lock = MutexGuard<'static, Option<Made>>;

/// Takes it; a fork does as well, so that its child finds it free.
pub(crate) fn lock() -> Lock {
    MADE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Made {
    /// `text` for as long as the process runs, once however often it is asked for.
    fn text(&mut self, text: &str) -> &'static str {
        if let Some(known) = self.texts.get(text) {
            return known;
        }
        let kept = Box::leak(Box::from(text));
        self.texts.insert(text.into(), kept);
        kept
    }
}

fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

fn tags(tags: Vec<Tag>) -> &'static [Tag] {
    Vec::leak(tags)
}

/// The counters of `task` in `queue`, of attempts with that number if they are told apart.
pub(super) fn counters(task: &str, queue: Option<&str>, attempt: Option<&'static str>) -> &'static Counters {
    let mut made = lock();
    let made = made.get_or_insert_default();
    let (task, queue) = (made.text(task), queue.map(|queue| made.text(queue)));
    if let Some(known) = made.counters.get(&(task, queue, attempt)) {
        return known;
    }
    let queued = queue.map(|queue| ("queue", queue));
    let tags = tags(
        queued
            .into_iter()
            .chain(attempt.map(|number| ("attempt", number)))
            .collect(),
    );
    let mut named = |about: &str, what: &str| made.text(&format!("tasks.{about}.{task}.{what}"));
    let counters = leak(Counters {
        retries: Counter::of_retries(named("status", "retries"), tags),
        retried: Timer::of_attempts(named("duration", "retries"), tags),
        exhausted: Counter::tagged(named("status", "exhausted"), tags),
        timeouts: Counter::tagged(named("status", "timeouts"), tags),
        payload_failures: Counter::tagged(named("status", "payload_failures"), tags),
        queue_latency: Timer::tagged(named("duration", "queue_latency"), tags),
        task: Site::with(task, Setup { tags, ..Setup::NONE }),
    });
    made.counters.insert((task, queue, attempt), counters);
    counters
}

/// The gauges of `task` in `queue`, as `instance` has them, or else the client that sends them.
pub(super) fn gauges(task: &str, queue: Option<&str>, instance: Option<&str>) -> &'static Gauges {
    let mut made = lock();
    let made = made.get_or_insert_default();
    let (task, queue) = (made.text(task), queue.map(|queue| made.text(queue)));
    let instance = instance.map(|instance| made.text(instance));
    if let Some(known) = made.gauges.get(&(task, queue, instance)) {
        return known;
    }
    let own = queue.map(|queue| ("queue", queue)).into_iter();
    let tags = tags(own.chain(instance.map(|instance| (INSTANCE, instance))).collect());
    let mut status = |what: &str| made.text(&format!("tasks.status.{task}.{what}"));
    let gauges = leak(Gauges {
        in_flight: Gauge::tagged(status("in_flight"), tags),
        saturation: Gauge::tagged(status("saturation"), tags),
        heartbeat: Gauge::tagged(status("heartbeat"), tags),
        uptime: Gauge::tagged(status("uptime"), tags),
        workers: made.workers.len(),
    });
    made.workers.push(Vec::new());
    made.gauges.insert((task, queue, instance), gauges);
    gauges
}
