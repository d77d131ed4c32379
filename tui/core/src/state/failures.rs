//! Tasks that failed and still do, equal failures together: what a retry of a group runs again.

use super::State;
use crate::error::Error;
use crate::ids::{StageId, TaskId};
use crate::work::TaskRow;

/// Tasks of one stage that failed alike.
#[derive(Clone, Debug, PartialEq)]
pub struct FailureGroup {
    /// What makes them alike, with their stage; see [`Error::group_id`].
    pub id: u32,
    /// Stage.
    pub stage: StageId,
    /// The first of the errors.
    pub first: Error,
    /// How often the first task was tried.
    pub attempts: u32,
    /// The tasks in the order they failed.
    pub rows: Vec<TaskRow>,
}

impl State {
    /// A task failed.
    pub(super) fn failed(&mut self, stage: StageId, row: TaskRow, error: &Error, attempts: u32) {
        self.failed_tasks.insert(row.id);
        let id = error.group_id();
        let known = |g: &&mut FailureGroup| g.id == id && g.stage == stage;
        match self.failures.iter_mut().find(known) {
            Some(group) => group.rows.push(row),
            None => self.failures.push(FailureGroup {
                id,
                stage,
                first: error.clone(),
                attempts,
                rows: vec![row],
            }),
        }
    }

    /// A task no longer counts as failed: it ran again, was held or written.
    pub(super) fn mended(&mut self, task: TaskId) {
        if !self.failed_tasks.remove(&task) {
            return;
        }
        let find = |g: &FailureGroup| g.rows.iter().position(|r| r.id == task);
        let Some((place, at)) = (self.failures.iter().enumerate())
            .find_map(|(place, group)| find(group).map(|at| (place, at)))
        else {
            return;
        };
        self.failures[place].rows.remove(at);
        if self.failures[place].rows.is_empty() {
            self.failures.remove(place);
        }
    }

    /// Tasks that failed and still do.
    #[must_use]
    pub fn failed_count(&self) -> usize {
        self.failures.iter().map(|g| g.rows.len()).sum()
    }
}
