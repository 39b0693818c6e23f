//! The rows of a drain: which task each counts in, and how long it has been silent.

use std::time::Duration;

use super::task::COUNTERS;

/// No task.
const NONE: usize = usize::MAX;

#[derive(Clone, Copy, Debug)]
struct Row {
    task: usize,
    /// Its totals at the last drain.
    seen: [usize; COUNTERS],
    /// When it moved last, in seconds from the client's start.
    moved: f64,
}

const NEW: Row = Row {
    task: NONE,
    seen: [0; COUNTERS],
    moved: 0.0,
};

#[derive(Debug)]
pub(super) struct Rows {
    all: Vec<Row>,
    /// In seconds.
    expiry: Option<f64>,
    /// When to look again.
    due: f64,
    /// The rows found idle when it was looked last, and the tasks that they had.
    idle: Vec<usize>,
    tasks: Vec<usize>,
    /// Whether that was just now.
    looked: bool,
}

impl Rows {
    pub(super) fn new(expiry: Option<Duration>) -> Self {
        Self {
            all: Vec::new(),
            expiry: expiry.map(|expiry| expiry.as_secs_f64()),
            due: 0.0,
            idle: Vec::new(),
            tasks: Vec::new(),
            looked: false,
        }
    }

    pub(super) fn task(&self, row: usize) -> Option<usize> {
        self.all.get(row).map(|row| row.task).filter(|task| *task != NONE)
    }

    pub(super) fn set_task(&mut self, row: usize, task: usize) {
        if row >= self.all.len() {
            self.all.resize(row + 1, NEW);
        }
        self.all[row].task = task;
    }

    /// The tasks by row.
    pub(super) fn tasks(&self) -> impl Iterator<Item = Option<usize>> + '_ {
        self.all
            .iter()
            .map(|row| Some(row.task).filter(|task| *task != NONE))
    }

    /// Takes in the totals of a row that has a task: what is new of them.
    pub(super) fn take(&mut self, row: usize, totals: [usize; COUNTERS], seconds: f64) -> [usize; COUNTERS] {
        let Row { seen, moved, .. } = &mut self.all[row];
        let more = std::array::from_fn(|at| totals[at].wrapping_sub(seen[at]));
        if more != [0; COUNTERS] {
            (*seen, *moved) = (totals, seconds);
        }
        more
    }

    /// The row has no series any more, until it has another.
    pub(super) fn forget(&mut self, row: usize) {
        if let Some(row) = self.all.get_mut(row) {
            *row = NEW;
        }
    }

    /// Twice in an expiry: finds the rows that did not move for so long and of which `is_done` says that there is nothing left to do,
    /// given the row and its task. They have no task from then on, until they move again.
    pub(super) fn find_idle(&mut self, seconds: f64, mut is_done: impl FnMut(usize, usize) -> bool) {
        self.looked = false;
        let Some(expiry) = self.expiry.filter(|_| seconds >= self.due) else {
            return;
        };
        self.due = seconds + expiry / 2.0;
        self.looked = true;
        self.idle.clear();
        for (at, row) in self.all.iter_mut().enumerate() {
            if row.task != NONE && seconds - row.moved >= expiry && is_done(at, row.task) {
                self.idle.push(at);
                self.tasks.push(std::mem::replace(&mut row.task, NONE));
            }
        }
    }

    /// The tasks that those rows had.
    pub(super) fn let_go(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.tasks)
    }

    /// The rows found idle, if it was just looked for them.
    pub(super) fn idle(&self) -> Option<&[usize]> {
        self.looked.then_some(&self.idle)
    }
}
