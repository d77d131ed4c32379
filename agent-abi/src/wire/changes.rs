//! What an outcome changes beyond the task's own row: one document for each further change.

use super::{AddLabel, AnswerLabel};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

/// One further change. `kind` decides which of the other fields are read; those that another kind has are refused.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ChangeDoc {
    /// `labels`, `priority`, `metadata`, `move`, `issue` or `item`.
    pub kind: String,
    /// The project it is in; absent: the project of the task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<Uuid>,
    /// The data unit; absent: that of the task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_hash: Option<Uuid>,
    /// `move`: the task, where the data unit has several; absent: the one of the data unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_uuid: Option<Uuid>,
    /// `metadata`: the storage item, in place of `data_hash`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_uuid: Option<Uuid>,
    /// `labels`, `priority` and `move`: the label branch; `main` unless it is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// `labels`: the whole label blob after the agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Value>,
    /// `labels`: as in [`super::Outcome::remove`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<String>,
    /// `labels`: as in [`super::Outcome::add`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub add: Vec<AddLabel>,
    /// `labels`: as in [`super::Outcome::answer`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answer: Vec<AnswerLabel>,
    /// `priority`: the new one, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<f64>,
    /// `metadata`: the client metadata, replaced as a whole; `item`: those of the new item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_metadata: Option<Map<String, Value>>,
    /// `move`: the stage it goes to, of any kind: its name or UUID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// `issue`: the comment, at most 10,000 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// `issue`: names of its tags, at most 20; those that the project does not have are made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// `issue`: the frame it is about, from 0; absent: the whole data unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame: Option<u32>,
    /// `issue`: a place on `frame`, x and y in shares of its width and height, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<[f64; 2]>,
    /// `issue`: hash of the object or classification it is about, in place of `frame`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// `item`: title of the new item, 1 to 300 bytes. Its ending decides the type: `.txt`, `.html`, `.md`, `.json`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// `item`: what is in it, 1 to 5,000,000 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// `item`: the dataset that it is linked into: the title of one of the project's, or the hash of any; absent: the
    /// project's only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    /// `item`: the storage folder that it lies in; absent: the dataset's own, else that of the task's item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<Uuid>,
}
