//! What further changes name: the projects, rows and tasks that are read before an outcome is judged.

use crate::error::Error;
use crate::ids::{DataHash, DatasetHash, FolderId, ItemId, ProjectHash, StageId, TaskId};
use crate::work::{Inputs, RowInput};
use crate::workflow::Workflow;
use agent_abi::model::Ontology;
use agent_abi::wire::{self, ChangeDoc};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The branch of rows that name none.
pub(super) const MAIN: &str = "main";

/// A label row or task that further changes need.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WantedRow {
    /// The project it is in.
    pub project: ProjectHash,
    /// Its data unit.
    pub data: DataHash,
    /// Its label branch.
    pub branch: String,
    /// Whether its tasks are needed, with the stages that they are at.
    pub tasks: bool,
}

/// What was read of a [`WantedRow`].
#[derive(Clone, Debug, PartialEq)]
pub struct FurtherInput {
    /// Which row.
    pub row: WantedRow,
    /// As the agent saw it, or as it is now where it saw none; `None`: the project does not have the data unit.
    pub labels: Result<Option<RowInput>, Error>,
    /// Its tasks, where they are needed.
    pub tasks: Result<Vec<(TaskId, StageId)>, Error>,
}

/// A project that further changes name.
#[derive(Clone, Debug)]
pub struct FurtherProject {
    /// Its title.
    pub title: String,
    /// Its stages.
    pub workflow: Workflow,
    /// Its ontology.
    pub ontology: Arc<Ontology>,
    /// Its datasets, with their titles.
    pub datasets: Vec<(DatasetHash, String)>,
}

/// A dataset that new items are linked into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FurtherDataset {
    /// Which one.
    pub hash: DatasetHash,
    /// Its title.
    pub title: String,
    /// The storage folder whose items it has, if it has one of its own.
    pub folder: Option<FolderId>,
}

/// What was read for the further changes of an outcome.
#[derive(Clone, Debug, Default)]
pub struct FurtherInputs {
    /// The project of the task.
    pub own: Option<ProjectHash>,
    /// The projects that are named, the task's own included.
    pub projects: BTreeMap<ProjectHash, Result<FurtherProject, Error>>,
    /// The rows that are named.
    pub rows: Vec<FurtherInput>,
    /// The datasets of new items, by project and name.
    pub datasets: BTreeMap<DatasetKey, Result<FurtherDataset, Error>>,
    /// The folder of the task's own item, where a new one may go there.
    pub folder: Option<Result<FolderId, Error>>,
}

/// A dataset that a new item names: the project, and the title or hash.
pub type DatasetKey = (ProjectHash, Option<String>);

/// What has to be read before an answer is judged: the projects that its further changes name, and the rows. For a move
/// to a stage, the task's own project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The projects.
    pub projects: Vec<ProjectHash>,
    /// The rows.
    pub rows: Vec<WantedRow>,
    /// The datasets of new items.
    pub datasets: Vec<DatasetKey>,
    /// The task's data unit, and its item where that is known: needed where a new item names no folder and its dataset
    /// has none.
    pub folder_of: Option<(DataHash, Arc<str>, Option<ItemId>)>,
}

/// What an answer needs; `None` for one that has neither further changes nor a stage, and for one that cannot be read.
#[must_use]
pub fn wanted(own: ProjectHash, inputs: &Inputs, answer: &[u8]) -> Option<Wanted> {
    #[derive(Deserialize)]
    struct Changes {
        #[serde(default)]
        changes: Vec<ChangeDoc>,
        #[serde(default)]
        stage: Option<String>,
    }
    let text = std::str::from_utf8(answer).ok()?;
    // The usual answer has none; a text that has the words elsewhere is parsed for nothing.
    if !["\"changes\"", "\"stage\""]
        .iter()
        .any(|key| text.contains(key))
    {
        return None;
    }
    let Changes { changes, stage } = wire::text::parse(text).ok()?;
    let mut wanted = Wanted::default();
    wanted.projects.extend(stage.as_ref().map(|_| own));
    for doc in &changes {
        if doc.kind == "item" {
            let project = doc.project.map_or(own, ProjectHash);
            wanted.projects.push(project);
            wanted.datasets.push((project, doc.dataset.clone()));
            if doc.folder.is_none() {
                let item = inputs.labels.as_ref().and_then(|row| row.item);
                wanted.folder_of = Some((inputs.row.data, inputs.row.branch.clone(), item));
            }
            continue;
        }
        let row = row_named(own, inputs, doc);
        wanted.projects.push(row.project);
        let own_row = (row.project, row.data) == (own, inputs.row.data);
        if matches!(&*doc.kind, "labels" | "move") || doc.kind == "issue" && !own_row {
            wanted.rows.push(row);
        }
    }
    wanted.projects.sort_unstable();
    wanted.projects.dedup();
    wanted.rows.sort_unstable();
    wanted.rows.dedup();
    wanted.datasets.sort_unstable();
    wanted.datasets.dedup();
    (!wanted.projects.is_empty()).then_some(wanted)
}

/// The row that a change names.
pub(super) fn row_named(own: ProjectHash, inputs: &Inputs, doc: &ChangeDoc) -> WantedRow {
    WantedRow {
        project: doc.project.map_or(own, ProjectHash),
        data: doc.data_hash.map_or(inputs.row.data, DataHash),
        branch: doc.branch.clone().unwrap_or_else(|| MAIN.to_owned()),
        tasks: doc.kind == "move",
    }
}
