//! A held outcome as a document: what is kept of it beside the program. It has no keys and no signed addresses, as
//! plans have none; files that the agent was given are fetched again when it runs again.

use super::Held;
use crate::ids::{BuildId, DataHash, Millis, StageId, TaskId};
use crate::run::item;
use crate::work::wire::StepDoc;
use crate::work::{Change, Inputs, Outcome, Patch, Route, TaskRow, TaskStatus, without_secrets};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What is kept of a held outcome. Fields may be added; an older program ignores those that it does not know.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HeldDocument {
    stage: StageId,
    taken: bool,
    at: Millis,
    task: TaskId,
    data: DataHash,
    created: Millis,
    updated: Millis,
    title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    assignee: Option<String>,
    branch: String,
    status: TaskStatus,
    task_json: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    item_json: Option<String>,
    way: Route,
    patch: Patch,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    steps: Vec<StepDoc>,
    /// What a commit writes; nothing when the task stays and changes nothing.
    change: Option<Change>,
}

impl HeldDocument {
    /// The document of a held outcome.
    #[must_use]
    pub fn of(held: &Held) -> Self {
        let (inputs, outcome) = (&held.inputs, &held.outcome);
        let row = &inputs.row;
        Self {
            stage: held.stage,
            taken: held.taken,
            at: held.at,
            task: row.id,
            data: row.data,
            created: row.created,
            updated: row.updated,
            title: row.title.to_string(),
            assignee: row.assignee.as_deref().map(str::to_owned),
            branch: row.branch.to_string(),
            status: row.status,
            task_json: inputs.task_json.to_string(),
            item_json: inputs.item_json.as_deref().map(without_secrets),
            way: outcome.way.clone(),
            patch: outcome.patch.clone(),
            steps: outcome.steps.clone(),
            change: item(outcome, inputs, held.stage).map(|change| change.whole()),
        }
    }

    /// The outcome, as if it had been held by this process. Its build is unknown to this process: number 0.
    #[must_use]
    pub fn held(self) -> Held {
        let change = self.change;
        let (labels, labels_after, further) = match change {
            Some(change) => (change.before, change.labels_after, change.further),
            None => (None, None, Vec::new()),
        };
        let row = TaskRow {
            id: self.task,
            data: self.data,
            created: self.created,
            updated: self.updated,
            title: self.title.into(),
            assignee: self.assignee.map(Into::into),
            last_actioned_by: None,
            branch: self.branch.into(),
            status: self.status,
        };
        Held {
            stage: self.stage,
            inputs: Arc::new(Inputs {
                row,
                task_json: self.task_json.into(),
                labels,
                item_json: self.item_json.map(Into::into),
                asset_json: None,
                fetched: self.at,
                timings: Vec::new(),
            }),
            outcome: Arc::new(Outcome {
                way: self.way,
                patch: self.patch,
                labels_after,
                further,
                steps: self.steps,
                unread: Vec::new(),
            }),
            build: BuildId(0),
            taken: self.taken,
            at: self.at,
        }
    }
}
