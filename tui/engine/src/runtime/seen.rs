//! The rows beside its own that a job was given, as it saw them: what its further changes are compared with.

use std::sync::{Arc, Mutex};
use wb_core::ids::{DataHash, ProjectHash, StageId, TaskId};
use wb_core::patch::{FurtherInput, WantedRow};
use wb_core::work::RowInput;

/// A row beside its own that an agent was given.
#[derive(Clone, Debug)]
pub(crate) struct SeenRow {
    pub project: ProjectHash,
    pub data: DataHash,
    pub branch: Arc<str>,
    /// `None`: the project does not have the data unit.
    pub labels: Option<RowInput>,
    /// Its tasks and their stages, where they were asked for.
    pub tasks: Option<Vec<(TaskId, StageId)>>,
}

/// The rows that a job was given, added to while it runs.
pub(crate) type SeenRows = Arc<Mutex<Vec<SeenRow>>>;

/// The rows that a job is given at its start.
pub(super) fn shared(rows: Vec<SeenRow>) -> SeenRows {
    Arc::new(Mutex::new(rows))
}

impl SeenRow {
    /// The last one of these that has what is wanted.
    pub(super) fn of(seen: &[Self], wanted: &WantedRow) -> Option<FurtherInput> {
        let mut seen = seen.iter().rev().filter(|row| {
            (row.project, row.data) == (wanted.project, wanted.data) && *row.branch == wanted.branch
        });
        let found = seen.find(|row| row.tasks.is_some() || !wanted.tasks)?;
        Some(FurtherInput {
            row: wanted.clone(),
            labels: Ok(found.labels.clone()),
            tasks: Ok(found.tasks.clone().unwrap_or_default()),
        })
    }
}
