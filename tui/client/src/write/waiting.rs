//! Whether tasks still wait where they are to be written for. What stands on the data of one that has left is
//! its successor's, even where it looks the same.

use super::Writer;
use super::bundle::Fate;
use crate::labels::same_metadata;
use std::collections::{HashMap, HashSet};
use wb_core::error::Error;
use wb_core::ids::{DataHash, ProjectHash, StageId, TaskId};
use wb_core::labels::same_priority;
use wb_core::work::{Change, Committed};

/// What a conflict names where only the move is known.
const MOVED_ON: &str = "whoever moved the task on meanwhile";

/// The tasks that wait, by stage.
pub(super) struct Waiting(HashMap<StageId, Result<HashSet<TaskId>, Error>>);

impl Waiting {
    /// Whether the task is known to wait at its stage.
    pub fn has(&self, item: &Change) -> bool {
        // A further row is written wherever its task is.
        item.task.0.is_nil()
            || matches!(self.0.get(&item.stage), Some(Ok(tasks)) if tasks.contains(&item.task))
    }

    /// Whether the task is known to have left its stage.
    pub fn left(&self, item: &Change) -> bool {
        matches!(self.0.get(&item.stage), Some(Ok(tasks)) if !tasks.contains(&item.task))
    }

    /// The result for a task that does not wait; `about` adds what was not written.
    pub fn why(&self, item: &Change, about: fn(Error) -> Error) -> Fate {
        match self.0.get(&item.stage) {
            Some(Err(error)) => Fate::Refused(about(error.clone())),
            _ => Fate::Conflict(MOVED_ON.to_owned()),
        }
    }
}

impl Writer {
    /// Which of the tasks still wait at their stages.
    pub(super) async fn waiting(
        &self,
        project: ProjectHash,
        items: &[Change],
        chunk: &[usize],
    ) -> Waiting {
        let mut stages: HashMap<StageId, Vec<(TaskId, DataHash)>> = HashMap::new();
        let named = |item: &&Change| !item.task.0.is_nil();
        for item in chunk.iter().map(|i| &items[*i]).filter(named) {
            let tasks = stages.entry(item.stage).or_default();
            tasks.push((item.task, item.data));
        }
        let mut waiting = HashMap::with_capacity(stages.len());
        for (stage, tasks) in stages {
            let found = self.reader.still_at(project, stage, &tasks).await;
            waiting.insert(stage, found.map_err(|error| Error::from(&error)));
        }
        Waiting(waiting)
    }

    /// Ends tasks that have left and whose priority or metadata differ from ours: they are their
    /// successors' now. Returns those where all values are ours already, which we may have written before a
    /// crash: nothing of them is set again.
    pub(super) async fn already_ours(
        &self,
        project: ProjectHash,
        items: &[Change],
        left: Vec<usize>,
        ends: &mut [Option<Committed>],
    ) -> HashSet<usize> {
        let left: Vec<usize> = (left.into_iter())
            .filter(|i| has_values(&items[*i]))
            .collect();
        if left.is_empty() {
            return HashSet::new();
        }
        let units: Vec<_> = (left.iter().map(|i| &items[*i]))
            .map(|item| (item.data, item.branch.clone()))
            .collect();
        let rows = self.reader.row_metadata(project, &units).await;
        let mut stand = HashSet::new();
        for (i, row) in left.into_iter().zip(rows) {
            let item = &items[i];
            match row {
                Ok(row) => {
                    let metadata = row.client_metadata.unwrap_or_default();
                    let priority = (item.priority).is_none_or(|ours| {
                        row.priority.is_some_and(|now| same_priority(now, ours))
                    });
                    if priority
                        && item
                            .metadata
                            .as_ref()
                            .is_none_or(|ours| same_metadata(ours, &metadata))
                    {
                        stand.insert(i);
                    } else {
                        let by = MOVED_ON.to_owned();
                        ends[i] = Some(Committed::Conflict { by });
                    }
                }
                Err(error) => ends[i] = Some(Committed::Refused(about_values(error))),
            }
        }
        stand
    }
}

/// Whether something is set beside labels and move.
pub(super) const fn has_values(item: &Change) -> bool {
    item.priority.is_some() || item.metadata.is_some()
}

pub(super) fn about_values(mut error: Error) -> Error {
    error.summary = format!("priority and metadata were not set: {}", error.summary);
    error
}
