//! What is left of a run that ends here and goes on in another process. Starting that is left to the engine.

use super::{RunSpec, Source};
use crate::ids::{Millis, StageId, TaskId};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

/// What a run has done on the screen that it leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DoneBefore {
    /// When it began.
    pub began: Millis,
    /// Tasks.
    pub tasks: u64,
    /// Of these: failed.
    pub failed: u64,
    /// All of its tasks, when that is known.
    pub all: Option<u64>,
}

/// A run that goes on without its screen: what is left of it.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRest {
    /// The stages that are left, and what is asked of each task.
    pub spec: RunSpec,
    /// Title of the first of these stages.
    pub stage: String,
    /// The words of the command that does the same.
    pub words: Vec<String>,
    /// Limit of one attempt that a person typed.
    pub typed_timeout_ms: Option<u64>,
    /// Requests a second at most.
    pub rate: Option<f64>,
    /// The libraries of its stages, with our copies of the contents that it runs on.
    pub libraries: Vec<(PathBuf, PathBuf)>,
    /// Titles of the projects that a person has confirmed.
    pub confirmed: Vec<String>,
    /// What is done.
    pub before: DoneBefore,
}

/// Which tasks a run still has to do: what one that goes on elsewhere needs to know.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunTasks {
    /// Those of them that were chosen and are not done; `None`: all that wait at its stages.
    chosen: Option<HashSet<TaskId>>,
    /// How many are done of each stage.
    done: HashMap<StageId, usize>,
    /// Those that are done and still wait at their stage.
    stay: HashSet<TaskId>,
}

impl RunTasks {
    /// The tasks of a run of which nothing is done.
    #[must_use]
    pub fn of(spec: &RunSpec) -> Self {
        Self {
            chosen: match &spec.source {
                Source::Tasks(_, rows) => Some(rows.iter().map(|row| row.id).collect()),
                Source::Stages(_) => None,
            },
            ..Self::default()
        }
    }

    /// A task has had its report; whether it has moved on, upstream.
    pub fn done(&mut self, stage: StageId, task: TaskId, moved: bool) {
        *self.done.entry(stage).or_default() += 1;
        if let Some(chosen) = &mut self.chosen {
            chosen.remove(&task);
        } else if !moved {
            self.stay.insert(task);
        }
    }

    /// Whether all tasks that were asked for are done.
    #[must_use]
    pub fn are_done(&self, spec: &RunSpec, stages: &[StageId]) -> bool {
        let done = |stage: &StageId| self.done.get(stage).copied().unwrap_or(0);
        let full = |max| stages.iter().all(|stage| done(stage) >= max);
        self.chosen.as_ref().is_some_and(HashSet::is_empty) || spec.max_tasks.is_some_and(full)
    }

    /// What was asked, for what is left at these stages.
    #[must_use]
    pub fn rest(&self, spec: &RunSpec, stages: Vec<StageId>) -> RunSpec {
        let mut spent = (*spec.spent).clone();
        for (stage, done) in &self.done {
            *spent.entry(*stage).or_default() += done;
        }
        let mut max_tasks = spec.max_tasks;
        // Of one stage the number itself is what is left, for whoever knows of the number only.
        if let ([stage], Some(max)) = (stages.as_slice(), max_tasks) {
            let done = spent.remove(stage).unwrap_or(0);
            max_tasks = Some(max.saturating_sub(done));
        }
        RunSpec {
            max_tasks,
            source: Source::Stages(stages),
            chosen: self.chosen.clone(),
            left_out: Arc::new(spec.left_out.union(&self.stay).copied().collect()),
            spent: Arc::new(spent),
            ..spec.clone()
        }
    }
}
