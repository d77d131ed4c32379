//! What travels with a task: the row in the queue, the inputs an agent is given, the outcome it
//! gives, the patch between them and the item that is committed.
//!
//! These are data; fetching them is left to the client, running to the host crate, deciding to the
//! engine.

mod blob;
mod change;
mod committed;
mod further;
mod given;
mod held;
mod issue;
mod new_item;
mod patch;

pub use blob::LabelBlob;
pub use change::{Change, without_secrets};
pub use committed::{Committed, Written};
pub use further::{Further, FurtherChange, FurtherRow, MAX_FURTHER, Touched, WritePhase};
pub use given::GivenEdits;
pub use held::Held;
pub use issue::NewIssue;
pub use new_item::{ITEM_KEY, ItemStand, NewItem};
pub use patch::{LabelChange, Patch};

use crate::build::AgentDescriptor;
use crate::ids::{
    BuildId, DataHash, ItemId, LabelHash, Millis, PathwayId, ProjectHash, StageId, TaskId,
};
use crate::workflow::Workflow;
/// What an agent needs, and the documents it is given: the same types on both sides of the border,
/// so that crates above need not name the author's crate.
pub use agent_abi::{table::needs, wire};

use agent_abi::wire::{IncludeOptions, InitialiseOptions, ProjectDoc, StepDoc, TaskDoc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

/// A project as the workbench sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Project {
    /// Identity.
    pub hash: ProjectHash,
    /// Title.
    pub title: String,
    /// The graph.
    pub workflow: Workflow,
    /// The key may look at it and change nothing.
    pub viewer: bool,
    /// What agents are given.
    pub doc: ProjectDoc,
    /// The same as JSON text, shared by every job.
    #[serde(with = "crate::shared")]
    pub json: Arc<str>,
}

/// State of a task at an agent or annotation stage.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs)] // Encord's own words
pub enum TaskStatus {
    New,
    Assigned,
    Released,
    Skipped,
    Reopened,
    Completed,
    Unknown,
}

impl TaskStatus {
    /// Every one of them.
    pub const ALL: [Self; 7] = [
        Self::New,
        Self::Assigned,
        Self::Released,
        Self::Skipped,
        Self::Reopened,
        Self::Completed,
        Self::Unknown,
    ];

    /// Reads Encord's word; what it does not know becomes `Unknown`.
    #[must_use]
    pub fn from_wire(word: &str) -> Self {
        match word {
            "NEW" => Self::New,
            "ASSIGNED" => Self::Assigned,
            "RELEASED" => Self::Released,
            "SKIPPED" => Self::Skipped,
            "REOPENED" => Self::Reopened,
            "COMPLETED" => Self::Completed,
            _ => Self::Unknown,
        }
    }

    /// Encord's word.
    #[must_use]
    pub const fn wire(self) -> &'static str {
        match self {
            Self::New => "NEW",
            Self::Assigned => "ASSIGNED",
            Self::Released => "RELEASED",
            Self::Skipped => "SKIPPED",
            Self::Reopened => "REOPENED",
            Self::Completed => "COMPLETED",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// One task in a queue. Kept small: a queue may hold a million of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskRow {
    /// The task.
    pub id: TaskId,
    /// Its data unit.
    pub data: DataHash,
    /// When it was made.
    pub created: Millis,
    /// When it changed last.
    pub updated: Millis,
    /// Title of the data unit, as it came (strip control codes before drawing).
    pub title: Box<str>,
    /// Who it is assigned to.
    #[serde(with = "crate::shared")]
    pub assignee: Option<Arc<str>>,
    /// Who acted on it last.
    #[serde(with = "crate::shared")]
    pub last_actioned_by: Option<Arc<str>>,
    /// Label branch, `main` for most.
    #[serde(with = "crate::shared")]
    pub branch: Arc<str>,
    /// How it stands.
    pub status: TaskStatus,
}

impl TaskRow {
    /// The document an agent is given, in the form of the Python SDK's queue entries.
    /// `rfc3339` turns a time into text (the core has no calendar).
    pub fn doc(&self, rfc3339: impl Fn(Millis) -> String) -> TaskDoc {
        TaskDoc {
            uuid: self.id.0,
            created_at: rfc3339(self.created),
            updated_at: rfc3339(self.updated),
            status: self.status.wire().to_owned(),
            data_hash: self.data.0,
            data_title: self.title.to_string(),
            label_branch_name: self.branch.to_string(),
            assignee: self.assignee.as_deref().map(str::to_owned),
            last_actioned_by: self.last_actioned_by.as_deref().map(str::to_owned),
        }
    }
}

/// What is to be fetched for the tasks of a batch, derived from the agent's descriptor.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FetchSpec {
    /// Bits of `agent_abi::table::needs`.
    pub needs: u64,
    /// Row metadata options.
    pub include: IncludeOptions,
    /// Label options.
    pub initialise: InitialiseOptions,
    /// Twin projects whose rows are read ahead, as the agent declares them.
    pub twins: Vec<Value>,
}

impl FetchSpec {
    /// What this agent declares.
    #[must_use]
    pub fn of(agent: &AgentDescriptor) -> Self {
        Self {
            needs: agent.needs,
            include: agent.spec.include.clone(),
            initialise: agent.spec.initialise.clone(),
            twins: agent.spec.twins.clone(),
        }
    }
}

/// A label row as fetched. The JSON is kept as text: it is parsed by the agent, and here only when
/// it was changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RowInput {
    /// `None`: there is no label row upstream yet; the labels are an empty row made from the
    /// metadata, so that a dry run writes nothing.
    pub label_hash: Option<LabelHash>,
    /// Priority of the task as the row metadata states it.
    pub priority: Option<f64>,
    /// The storage item behind the data.
    pub item: Option<ItemId>,
    /// JSON of `agent_abi::wire::RowDoc`.
    #[serde(with = "crate::shared")]
    pub json: Arc<str>,
}

/// What stands in a label row beside its labels.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RowMetadata {
    /// Priority of its task, 0.0 to 1.0.
    pub priority: Option<f64>,
    /// Client metadata of its data unit.
    pub client_metadata: Option<Map<String, Value>>,
    /// The storage item behind its data.
    pub item: Option<ItemId>,
}

/// Everything an agent is given for one task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inputs {
    /// The task.
    pub row: TaskRow,
    /// JSON of `TaskDoc`.
    #[serde(with = "crate::shared")]
    pub task_json: Arc<str>,
    /// The label row, when wanted.
    pub labels: Option<RowInput>,
    /// JSON of the storage item, when wanted.
    #[serde(with = "crate::shared")]
    pub item_json: Option<Arc<str>>,
    /// JSON of `AssetDoc` (a downloaded file), when wanted.
    #[serde(with = "crate::shared")]
    pub asset_json: Option<Arc<str>>,
    /// When they were fetched.
    pub fetched: Millis,
    /// What was fetched, how long it took in milliseconds and a word about it.
    pub timings: Vec<Timing>,
}

impl Inputs {
    /// The document that a thing of this name was fetched as: as [`Timing::what`] names it.
    #[must_use]
    pub fn document(&self, what: &str) -> Option<&Arc<str>> {
        if what.contains("label") || what.contains("row") {
            return self.labels.as_ref().map(|row| &row.json);
        }
        match what.contains("item") {
            true => self.item_json.as_ref(),
            false => self.asset_json.as_ref(),
        }
    }

    /// Bytes of all its documents; files that they name are not counted.
    #[must_use]
    pub fn size(&self) -> usize {
        let labels = self.labels.as_ref().map(|row| &row.json);
        let rest = [labels, self.item_json.as_ref(), self.asset_json.as_ref()];
        let rest = rest.into_iter().flatten().map(|json| json.len());
        self.task_json.len() + rest.sum::<usize>()
    }
}

/// One thing that was fetched or done for a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// `label row`, `storage item`, `asset`, …
    pub what: String,
    /// Milliseconds.
    pub ms: f64,
    /// A short text: `3 labels`, `412 kB`.
    pub note: String,
}

/// Where a task goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Route {
    /// It stays where it is.
    #[default]
    Stay,
    /// Through this pathway.
    Pathway {
        /// Identity.
        id: PathwayId,
        /// Name.
        name: String,
        /// Where it leads.
        to: StageId,
    },
    /// To this stage, whatever the pathways are.
    Stage {
        /// The stage.
        id: StageId,
        /// Its title.
        title: String,
    },
}

impl Route {
    /// How a stage without a pathway is named, in front of its title.
    pub const STAGE: &str = "stage ";

    /// For people, filters and counters: the name of the pathway, `stage TITLE`, or `stay`.
    #[must_use]
    pub fn name(&self) -> Cow<'_, str> {
        match self {
            Self::Stay => "stay".into(),
            Self::Pathway { name, .. } => name.into(),
            Self::Stage { title, .. } => format!("{}{title}", Self::STAGE).into(),
        }
    }

    /// The stage that the task goes to; `None`: it stays.
    #[must_use]
    pub const fn to(&self) -> Option<StageId> {
        match self {
            Self::Stay => None,
            Self::Pathway { to, .. } => Some(*to),
            Self::Stage { id, .. } => Some(*id),
        }
    }

    /// The pathway, if it takes one.
    #[must_use]
    pub const fn pathway(&self) -> Option<PathwayId> {
        match self {
            Self::Stay | Self::Stage { .. } => None,
            Self::Pathway { id, .. } => Some(*id),
        }
    }
}

/// What a finished job gave, checked against the workflow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Where the task goes.
    pub way: Route,
    /// What would change.
    pub patch: Patch,
    /// The whole label blob after the agent, when it changed.
    pub labels_after: Option<LabelBlob>,
    /// What is written beyond the own row, in the order of [`WritePhase`].
    pub further: Vec<Further>,
    /// What happened inside, with times.
    pub steps: Vec<StepDoc>,
    /// Keys of the answer that nothing reads, each with the nearest that is read.
    pub unread: Vec<String>,
}

/// What the last job gave for a task, in short.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LastResult {
    /// Build it ran on.
    pub build: BuildId,
    /// Pathway name, `stay`, or the error's summary.
    pub text: String,
    /// Whether it failed.
    pub failed: bool,
    /// The pathway that it took.
    pub pathway: Option<PathwayId>,
    /// Which failures it is alike to; see [`crate::error::Error::group_id`].
    pub group: Option<u32>,
    /// Labels added, changed, removed.
    pub labels: (usize, usize, usize),
    /// Milliseconds the agent ran.
    pub ms: f64,
    /// When.
    pub at: Millis,
}

/// A downloaded file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Downloaded {
    /// Where.
    pub path: PathBuf,
    /// Bytes.
    pub size: u64,
    /// Whether it was there already.
    pub cached: bool,
}
