//! The JSON that crosses the C border: what an agent is given, what it gives back.
//!
//! Field names are the same on both sides and for every language. Unknown fields are ignored by
//! whoever reads, so that either side may be newer. Bytes and pointers are left to [`crate::table`].

mod calls;
mod changes;
mod edits;
pub mod keys;
mod spec;
pub mod text;

pub use calls::{
    EncodeQuestion, ItemsQuestion, ListPage, ListQuestion, Pause, ProjectQuestion, RowsQuestion,
    TwinDoc, TwinQuestion, TwinSpec, call, input,
};
pub use changes::ChangeDoc;
pub use edits::{AddLabel, AnswerLabel};
pub use spec::{AgentSpec, IncludeOptions, InitialiseOptions, ResourceSpec};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

/// A task as the Python SDK writes it with `task.model_dump_json()`, and so the queue entry too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskDoc {
    /// The task.
    pub uuid: Uuid,
    /// RFC 3339.
    #[serde(default)]
    pub created_at: String,
    /// RFC 3339.
    #[serde(default)]
    pub updated_at: String,
    /// `NEW`, `ASSIGNED`, `RELEASED`, `SKIPPED`, `REOPENED`, `COMPLETED`.
    #[serde(default)]
    pub status: String,
    /// The data unit.
    pub data_hash: Uuid,
    /// Its title.
    pub data_title: String,
    /// `main` unless the project uses branches.
    pub label_branch_name: String,
    /// Who it is assigned to.
    #[serde(default)]
    pub assignee: Option<String>,
    /// Who acted on it last.
    #[serde(default)]
    pub last_actioned_by: Option<String>,
}

/// The stage an agent runs at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageDoc {
    /// The stage.
    pub uuid: Uuid,
    /// Its title.
    pub title: String,
    /// `AGENT`, `ANNOTATION`, `REVIEW`, `DONE`, … as Encord names them.
    pub stage_type: String,
    /// Where tasks may go from here (agent stages only).
    #[serde(default)]
    pub pathways: Vec<PathwayDoc>,
}

/// A way out of an agent stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathwayDoc {
    /// The pathway.
    pub uuid: Uuid,
    /// Its name.
    pub name: String,
    /// The stage it leads to.
    pub destination_uuid: Uuid,
}

/// The project, once per run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProjectDoc {
    /// The project.
    pub project_hash: Uuid,
    /// Its title.
    pub title: String,
    /// Free text.
    #[serde(default)]
    pub description: String,
    /// The ontology's `editor` object, exactly as Encord sends it.
    pub ontology: Value,
    /// Title of the ontology.
    #[serde(default)]
    pub ontology_title: String,
    /// Every stage of the workflow.
    pub stages: Vec<StageDoc>,
    /// Attached datasets.
    #[serde(default)]
    pub datasets: Vec<DatasetDoc>,
}

/// A dataset attached to the project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetDoc {
    /// The dataset.
    pub dataset_hash: Uuid,
    /// Its title.
    pub title: String,
}

/// A label row: its metadata row and its labels, both exactly as Encord sends them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RowDoc {
    /// A `labelrowmetadata` row (snake_case, `data_type` in upper case).
    pub metadata: Value,
    /// The label blob, lossless.
    pub labels: Value,
}

/// The asset behind the task, downloaded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AssetDoc {
    /// Path of the file, read-only for agents.
    pub path: String,
    /// MIME type as Encord states it.
    #[serde(default)]
    pub mime_type: Option<String>,
    /// `image`, `video`, `imageGroup`, `audio`, `plainText`, … (camelCase item type).
    pub item_type: String,
    /// Title of the data unit.
    pub title: String,
    /// Images of a group in order, each a path; empty otherwise.
    #[serde(default)]
    pub children: Vec<AssetDoc>,
}

/// What an agent gives back. All parts are optional; `{}` means "stay, change nothing".
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Name or UUID of the pathway; absent or null: the task stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// Title or UUID of any stage of the project, in place of `route`: the task is moved there, whatever the pathways
    /// are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// New priority, 0 to 1; 0.0 counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<f64>,
    /// The whole label blob after the agent, only when it was changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Value>,
    /// Client metadata of the storage item, replaced as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_metadata: Option<Map<String, Value>>,
    /// Hashes of labels to take away, for languages without a label model; applied by the workbench after
    /// `labels`, before `add`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<String>,
    /// Labels to add, or to draw otherwise, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub add: Vec<AddLabel>,
    /// Answers to questions of labels that are there, applied last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answer: Vec<AnswerLabel>,
    /// What changes beyond the task's own row; held, reviewed, written and taken back with the outcome.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<ChangeDoc>,
    /// Parts of the run worth showing, in order of their beginning.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepDoc>,
}

/// A named, timed part of a run: a dependency, the call itself, a note of the agent's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepDoc {
    /// `dependency`, `call`, `checkpoint`, `close`.
    pub kind: String,
    /// What it was.
    pub name: String,
    /// Microseconds from the start of the run.
    pub at_us: u64,
    /// How long it took, in microseconds.
    pub took_us: u64,
    /// A short text a person can read.
    #[serde(default)]
    pub value: String,
}

/// Why an attempt gave no outcome.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// One line.
    pub message: String,
    /// Causes below it, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<String>,
    /// `file:line` where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Name of the dependency it happened in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dependency: Option<String>,
    /// Whether another attempt makes sense.
    #[serde(default = "yes")]
    pub retry: bool,
    /// It is about a name that the project does not have: it may have been renamed since it was read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unknown_name: bool,
    /// Raw instruction pointers, relative to the library's load address.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub frames: Vec<u64>,
    /// As in [`Outcome::steps`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepDoc>,
}

fn yes() -> bool {
    true
}
