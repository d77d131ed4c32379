//! The JSON that crosses the C border: what an agent is given, what it gives back.
//!
//! Field names are the same on both sides and for every language. Unknown fields are ignored by
//! whoever reads, so that either side may be newer. Bytes and pointers are left to [`crate::table`].

mod calls;
mod spec;
pub mod text;

pub use calls::{
    EncodeQuestion, ItemsQuestion, ProjectQuestion, RowsQuestion, TwinDoc, TwinQuestion, TwinSpec,
    call, input,
};
pub use spec::{AgentSpec, IncludeOptions, InitialiseOptions};

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
    /// New priority, 0 to 1; 0.0 counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<f64>,
    /// The whole label blob after the agent, only when it was changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Value>,
    /// Client metadata of the storage item, replaced as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_metadata: Option<Map<String, Value>>,
    /// Labels to add, for languages without a label model; applied by the workbench after `labels`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub add: Vec<AddLabel>,
    /// Parts of the run worth showing, in order of their beginning.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepDoc>,
}

/// One label to add by name: an object with exactly one shape or range, or a classification with an
/// answer. Coordinates are shares of the picture, 0 to 1.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AddLabel {
    /// Name of the object or title of the classification in the ontology; may be left out beside `hash`.
    #[serde(default)]
    pub name: String,
    /// Hash of a label that is there: its geometry changes on frames where it is, and it is put on those where
    /// it is not; of a classification the answer changes. All else of it stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// The frame it is on; 0 for stills, the number of the image in a group, of the page in a PDF.
    #[serde(default)]
    pub frame: u64,
    /// The last frame it is on, when it is on several; at least `frame`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_frame: Option<u64>,
    /// `{x, y, w, h}`: a bounding box.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bounding_box: Option<Value>,
    /// `[[x, y], …]`: a polygon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub polygon: Option<Vec<[f64; 2]>>,
    /// `[[x, y], …]`: a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub polyline: Option<Vec<[f64; 2]>>,
    /// `[x, y]`: a point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub point: Option<[f64; 2]>,
    /// `[from, to]`: milliseconds of audio or characters of text, both ends included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<[u64; 2]>,
    /// Answers to the object's attributes by their names: text or an option, a number, or a list of
    /// options.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub attributes: Map<String, Value>,
    /// The classification's answer: text or an option, a number, or a list of options.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Value>,
    /// 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
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
