//! Plans: the outcomes of a run with every write held, in one portable file.
//!
//! Gzip over lines of JSON: a header, one line for each task, and a footer with the counts and the SHA-256 of
//! everything before it. A plan holds what is to be written and the inputs as the agents saw them; no keys,
//! no signed addresses. What a person is shown is computed from what is to be written ([`PlanLine::patch`]),
//! so that there is no second account of it that could differ. The digest detects damage and edits; it does
//! not authenticate: whoever edits a plan can also recompute its digest.
//!
//! Making a plan is left to `run`, showing it to `review`, writing it to `apply`.

mod compare;
mod digest;
mod file;
mod read;
#[cfg(test)]
mod tests;

pub use compare::{OnlyIn, compare_plans};
pub use file::PlanFile;
pub use read::Plan;

use crate::clock::now;
use agent_abi::model::Ontology;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;
use wb_core::error::{Error, ErrorKind};
use wb_core::filter::{Facts, Filter, Known};
use wb_core::ids::{BuildId, DataHash, Millis, ProjectHash, StageId, TaskId};
use wb_core::ledger::{Change, PlannedTask};
use wb_core::patch;
use wb_core::queue::LastResult;
use wb_core::work::{Patch, Route, TaskRow, TaskStatus};
use wb_core::workflow::Stage;

/// The format that this version writes and reads. Versions 1 and 2 had no digest, and showed a patch that
/// stood beside what was written.
const FORMAT: u32 = 3;

/// The first line.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Header {
    /// Version of the format.
    pub workbench_plan: u32,
    /// Identity of the plan: it is applied once.
    pub id: Uuid,
    /// The project it is for.
    pub project: ProjectHash,
    /// Its title, for people.
    pub project_title: String,
    /// Host name of the platform.
    pub upstream: String,
    /// When it was made.
    pub made: Millis,
    /// Version of the program that made it.
    pub workbench: String,
    /// Content hashes of the agent libraries.
    pub builds: Vec<String>,
    /// The stages of the workflow, which name pathways.
    pub stages: Vec<Stage>,
    /// The ontology's `editor` object, which names labels.
    pub ontology: Value,
}

/// One task. What is not in the file is computed from what is written when the line is read.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct PlanLine {
    /// The task.
    pub task: TaskId,
    /// Its data unit.
    pub data: DataHash,
    /// Title of the data unit.
    pub title: String,
    /// Where it was.
    pub stage: StageId,
    branch: String,
    status: TaskStatus,
    created: Millis,
    updated: Millis,
    assignee: Option<String>,
    /// Content hash of the build it ran on.
    pub build: String,
    /// Attempts made.
    pub attempts: u32,
    /// How long the last one ran, in milliseconds.
    pub run_ms: f64,
    /// Why it failed.
    #[serde(rename = "fault")]
    pub error: Option<Error>,
    /// The stage whose outcome in this plan its inputs rest on: it is written after that one. The
    /// task may have another identity by then; its data unit is the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows: Option<StageId>,
    /// What is written; nothing for a task that failed or changes nothing.
    #[serde(rename = "deed")]
    pub change: Option<Change>,
    /// Title of its stage.
    #[serde(skip)]
    pub stage_title: String,
    /// Where the task goes.
    #[serde(skip)]
    pub way: Route,
    /// That route for people: a pathway with its UUID where another one of the stage has the same name.
    #[serde(skip)]
    pub route: Option<String>,
}

impl From<PlanLine> for PlannedTask {
    fn from(line: PlanLine) -> Self {
        Self {
            task: line.task,
            data: line.data,
            title: line.title,
            stage: line.stage,
            way: line.way,
            follows: line.follows,
            change: line.change,
        }
    }
}

/// The last line.
#[derive(Serialize, Deserialize)]
struct Footer {
    end: Found,
    /// SHA-256 of everything before this line, in hexadecimal.
    sha256: String,
}

/// Counts of a plan.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Tasks.
    pub outcomes: u64,
    /// Of these, such that something would be written.
    pub changes: u64,
}

impl PlanLine {
    /// `moved`, `stayed` or `failed`, as in the lines of a run.
    #[must_use]
    pub const fn outcome(&self) -> &'static str {
        match (&self.error, &self.way) {
            (Some(_), _) => "failed",
            (None, Route::Stay) => "stayed",
            (None, Route::Pathway { .. } | Route::Stage { .. }) => "moved",
        }
    }

    /// The task as a queue knows it, for filters.
    #[must_use]
    pub fn row(&self) -> TaskRow {
        TaskRow {
            id: self.task,
            data: self.data,
            created: self.created,
            updated: self.updated,
            title: self.title.as_str().into(),
            assignee: self.assignee.as_deref().map(Arc::from),
            last_actioned_by: None,
            branch: self.branch.as_str().into(),
            status: self.status,
        }
    }

    /// What writing it would change, for people.
    ///
    /// # Errors
    /// The label row before is not readable.
    pub fn patch(&self, ontology: &Arc<Ontology>) -> Result<Patch, Error> {
        match &self.change {
            Some(change) => patch::of_item(ontology, change).map_err(|error| {
                let text = format!("task {}: {}", self.task, error.summary);
                Error::new(ErrorKind::Settings, text)
            }),
            None => Ok(Patch::default()),
        }
    }

    /// What it would set, for filters: the labels are those that it adds or changes.
    #[must_use]
    pub fn known(&self, patch: &Patch) -> Known {
        let mut labels = BTreeMap::new();
        for change in patch.labels.iter().filter(|c| c.sign != '-') {
            *labels.entry(change.name.clone()).or_insert(0) += 1;
        }
        Known {
            priority: patch.priority.map(|(_, after)| after),
            metadata: patch.metadata.clone(),
            labels: Some(labels),
            unreadable: false,
        }
    }

    /// Whether a filter selects it.
    #[must_use]
    pub fn matches(&self, only: &Filter, patch: &Patch) -> bool {
        if only.is_empty() {
            return true;
        }
        let (row, result) = (self.row(), self.result(patch));
        only.matches(&Facts {
            row: &row,
            now: now(),
            result: Some(&result),
            known: Some(&self.known(patch)),
        })
    }

    /// Its result as a queue knows it, for filters.
    #[must_use]
    pub fn result(&self, patch: &Patch) -> LastResult {
        let text = match &self.error {
            Some(error) => error.summary.clone(),
            None => self.way.name().into_owned(),
        };
        LastResult {
            build: BuildId(0),
            text,
            failed: self.error.is_some(),
            pathway: self.way.pathway(),
            group: self.error.as_ref().map(Error::group_id),
            labels: patch.counts(),
            ms: self.run_ms,
            at: now(),
        }
    }
}
