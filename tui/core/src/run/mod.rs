//! A run: many tasks through their agents, batch by batch, stages in order.
//!
//! Here are the words of a run: what is asked ([`RunSpec`]), how each task ends ([`Report`]), what
//! is counted ([`Totals`]). The machine that moves it is [`Run`]. Drawing is left to the screen.

mod machine;
mod rest;

pub(crate) use machine::Beside;
pub use machine::{Around, Run, Worker, item};
pub use rest::{DoneBefore, RunRest, RunTasks};

use crate::error::Error;
use crate::filter::Filter;
use crate::ids::{BuildId, Millis, StageId, TaskId};
use crate::queue::LastResult;
use crate::work::{Inputs, Outcome, TaskRow};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// Where a run takes its tasks from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Source {
    /// Lists the stages, in this order.
    Stages(Vec<StageId>),
    /// Just these tasks of one stage.
    Tasks(StageId, Vec<TaskRow>),
}

/// What happens to outcomes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Sink {
    /// Written upstream batch by batch.
    Commit,
    /// Held for review.
    Hold,
    /// Reported only.
    Report,
}

/// What to run and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunSpec {
    /// Tasks.
    pub source: Source,
    /// Outcomes.
    pub sink: Sink,
    /// Tasks of a batch, at least 1.
    pub batch_size: usize,
    /// Further attempts after a failed one.
    pub retries: u32,
    /// At most this many tasks of each stage, exactly.
    pub max_tasks: Option<usize>,
    /// How many of them an earlier process took, of each stage, before it was interrupted.
    #[serde(with = "crate::shared")]
    pub spent: Arc<HashMap<StageId, usize>>,
    /// Jobs at a time, at least 1.
    pub concurrency: usize,
    /// Limit of one attempt in milliseconds, unless the agent declares its own.
    pub timeout_ms: Option<u64>,
    /// Only tasks that match.
    pub filter: Filter,
    /// Only these tasks, by id or title; empty: all.
    pub only: Vec<String>,
    /// Tasks that are not taken: what an earlier command left in part of them is to be finished first.
    #[serde(with = "crate::shared")]
    pub left_out: Arc<HashSet<TaskId>>,
    /// Only these tasks; `None`: all.
    pub chosen: Option<HashSet<TaskId>>,
    /// The last result of each task, in this process or an earlier one: what a filter
    /// on results looks at.
    #[serde(with = "crate::shared")]
    pub earlier: Arc<HashMap<TaskId, LastResult>>,
    /// When tasks that are still there were run last. With `max_tasks` those that were never run come
    /// first, then the one whose turn is longest ago; without, the platform's order holds.
    #[serde(with = "crate::shared")]
    pub tried: Arc<HashMap<TaskId, Millis>>,
    /// Tasks that are listed ahead of those that run, at least two batches: the end of a run is known
    /// once all are listed.
    pub ahead: usize,
    /// A task that an agent sends to another stage of this run is handled there too, with what the
    /// agent made of it as input. For runs that write nothing; others find it there themselves.
    pub chain: bool,
    /// When so many tasks have failed that the run stops.
    pub max_failures: Option<FailureLimit>,
    /// What happens to a task whose label row somebody else changed meanwhile.
    pub on_conflict: OnConflict,
}

/// When a run gives up.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureLimit {
    /// After this many failed tasks.
    Count(u64),
    /// When this many of a hundred tasks failed, once [`FailureLimit::SAMPLE`] are known.
    Percent(f64),
}

impl FailureLimit {
    /// Tasks that must be known before a percentage means anything.
    pub const SAMPLE: u64 = 20;

    /// Whether it is reached with `failed` of `known` tasks.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // far below 2^52 tasks
    pub fn reached(self, failed: u64, known: u64) -> bool {
        match self {
            Self::Count(max) => failed >= max,
            Self::Percent(max) => {
                failed > 0 && known >= Self::SAMPLE && failed as f64 * 100.0 >= max * known as f64
            }
        }
    }
}

/// What happens to a label that an agent adds although the same key has made it already.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnDuplicate {
    /// It is not added again.
    #[default]
    Skip,
    /// It is added all the same.
    Add,
}

impl OnDuplicate {
    /// Reads the word of a setting.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "skip" => Some(Self::Skip),
            "add" => Some(Self::Add),
            _ => None,
        }
    }

    /// The word of a setting.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Add => "add",
        }
    }
}

/// What happens to a task whose label row somebody else changed after the agent saw it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnConflict {
    /// It is left as it is now.
    #[default]
    Skip,
    /// Its agent runs again on what is there now.
    Rerun,
    /// The agent's labels replace what is there now.
    Overwrite,
}

impl Default for RunSpec {
    fn default() -> Self {
        Self {
            source: Source::Stages(Vec::new()),
            sink: Sink::Report,
            batch_size: 300,
            retries: 3,
            max_tasks: None,
            spent: Arc::default(),
            concurrency: 1,
            timeout_ms: None,
            filter: Filter::default(),
            only: Vec::new(),
            left_out: Arc::default(),
            chosen: None,
            earlier: Arc::default(),
            tried: Arc::default(),
            ahead: 0,
            chain: false,
            max_failures: None,
            on_conflict: OnConflict::Skip,
        }
    }
}

/// How a task ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// Through a pathway.
    Moved,
    /// Stays on purpose.
    Stayed,
    /// Stays because something failed.
    Failed(Error),
    /// Left because somebody else had changed it.
    Conflict(String),
}

/// The one line about a task that every run ends with.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The task.
    pub row: TaskRow,
    /// Stage it was at.
    pub stage: StageId,
    /// Build it ran on.
    pub build: BuildId,
    /// Attempts made.
    pub attempts: u32,
    /// How it ended.
    pub ending: Ending,
    /// What its agent gave.
    pub outcome: Option<Arc<Outcome>>,
    /// What it was given.
    pub inputs: Option<Arc<Inputs>>,
    /// How long the last attempt ran, in microseconds.
    pub run_us: u64,
    /// In conflict: the task had left the stage, so that no answer can change it any more.
    pub gone: bool,
    /// The stage whose outcome, which was not written, its inputs rest on; see [`RunSpec::chain`].
    pub follows: Option<StageId>,
}

/// Counters of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Totals {
    /// Tasks that are final.
    pub tasks: u64,
    /// Through a pathway.
    pub moved: u64,
    /// On purpose where they were.
    pub stayed: u64,
    /// Failed.
    pub failed: u64,
    /// Left because of somebody else's change.
    pub conflicts: u64,
    /// By pathway name; `stay` among them.
    pub routes: BTreeMap<String, u64>,
    /// Labels added, changed, removed.
    pub labels: (u64, u64, u64),
    /// Labels that were not added, because they stand there already.
    pub already_there: u64,
    /// Failures that differ only in numbers and quoted parts.
    pub groups: Vec<ErrorGroup>,
}

/// Equal failures.
#[derive(Clone, Debug, PartialEq)]
pub struct ErrorGroup {
    /// What makes them equal.
    pub key: String,
    /// The same as a short number; see [`Error::group_id`].
    pub id: u32,
    /// The first one.
    pub first: Error,
    /// Its task.
    pub task: TaskId,
    /// Title of that task.
    pub title: String,
    /// Stage of that task.
    pub stage: StageId,
    /// How many.
    pub count: u64,
}

impl Totals {
    /// Adds the counters of another run.
    pub fn add(&mut self, other: &Self) {
        self.tasks += other.tasks;
        self.moved += other.moved;
        self.stayed += other.stayed;
        self.failed += other.failed;
        self.conflicts += other.conflicts;
        for (route, n) in &other.routes {
            *self.routes.entry(route.clone()).or_default() += n;
        }
        self.labels.0 += other.labels.0;
        self.labels.1 += other.labels.1;
        self.labels.2 += other.labels.2;
        self.already_there += other.already_there;
        for group in &other.groups {
            match self.groups.iter_mut().find(|g| g.key == group.key) {
                Some(known) => known.count += group.count,
                None => self.groups.push(group.clone()),
            }
        }
    }

    pub(super) fn count(&mut self, report: &Report) {
        self.tasks += 1;
        match &report.ending {
            Ending::Moved => self.moved += 1,
            Ending::Stayed => self.stayed += 1,
            Ending::Conflict(_) => self.conflicts += 1,
            Ending::Failed(error) => {
                self.failed += 1;
                self.group(report, error);
            }
        }
        if let (Ending::Moved | Ending::Stayed, Some(outcome)) = (&report.ending, &report.outcome) {
            let route = outcome.way.name().into_owned();
            *self.routes.entry(route).or_default() += 1;
            let (added, changed, removed) = outcome.patch.counts();
            self.labels.0 += added as u64;
            self.labels.1 += changed as u64;
            self.labels.2 += removed as u64;
            self.already_there += outcome.patch.already_there as u64;
        }
    }

    fn group(&mut self, report: &Report, error: &Error) {
        let key = error.group_key();
        if let Some(group) = self.groups.iter_mut().find(|g| g.key == key) {
            group.count += 1;
        } else {
            self.groups.push(ErrorGroup {
                key,
                id: error.group_id(),
                first: error.clone(),
                task: report.row.id,
                title: report.row.title.to_string(),
                stage: report.stage,
                count: 1,
            });
        }
        self.groups.sort_by_key(|g| std::cmp::Reverse(g.count));
    }
}
