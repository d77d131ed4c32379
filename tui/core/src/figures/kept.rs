//! What of runs and results is kept for the next screen of a folder. How it is stored is left to the engine's
//! `screen_store`.

use super::StageFigures;
use crate::ids::{Millis, StageId, TaskId};
use crate::work::{LastResult, Outcome};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What an agent gave for a task in a run, or while it was stepped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeptResult {
    /// Number of the run; 0: outside a run.
    pub run: u64,
    /// Stage that the task was at.
    pub stage: StageId,
    /// The task.
    pub task: TaskId,
    /// Title of its data unit, as it came.
    #[serde(with = "crate::shared")]
    pub title: Arc<str>,
    /// When the task had been changed last, as the agent saw it.
    pub updated: Millis,
    /// Route or error, label counts and time. What was read back has no build.
    pub last: LastResult,
    /// The outcome, of which the store keeps the patch when that is small; `None` after an error, and of what was read back.
    #[serde(with = "crate::shared")]
    pub outcome: Option<Arc<Outcome>>,
}

impl KeptResult {
    /// Whether it still holds for a task that was changed last at `updated`: nobody has changed the task
    /// since, or the change is older than the result.
    #[must_use]
    pub fn holds_for(&self, updated: Millis) -> bool {
        updated == self.updated || updated <= self.last.at
    }
}

/// A run in short.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KeptRun {
    /// Number, which no other run of the project in this folder has.
    pub number: u64,
    /// It wrote each batch as it finished, instead of holding it.
    pub live: bool,
    /// When it began.
    pub began: Millis,
    /// When it was over; `None`: it is under way, or its process ended first.
    pub ended: Option<Millis>,
    /// It was stopped before its last task.
    pub stopped: bool,
    /// Its stages in order.
    pub stages: Vec<StageId>,
    /// Tasks that are final.
    pub tasks: u64,
    /// Of these, failed.
    pub failed: u64,
}

/// What has changed and is to be kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KeptFigures {
    /// Results that came.
    pub results: Vec<KeptResult>,
    /// Runs that began or are over.
    pub runs: Vec<KeptRun>,
    /// Stages whose figures have changed.
    pub stages: Vec<(StageId, StageFigures)>,
}

/// What earlier screens of a folder kept of its stages.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FiguresBefore {
    /// The highest number of a run.
    pub last_run: u64,
    /// The figures of each stage.
    pub stages: Vec<(StageId, StageFigures)>,
}
