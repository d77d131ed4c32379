//! Tasks that run dry again at every build, and what each build gave for them.
//!
//! Words and bookkeeping only: how two builds differ on a task is found by [`crate::compare`], the engine
//! (`state::watching`) moves tasks on, and writing is left to commits, as everywhere.

mod figures;
mod list;
mod memory;
#[cfg(test)]
mod tests;
mod turns;

pub use figures::WatchFigures;
pub(crate) use list::RunningWatched;
pub use list::Watch;
pub use memory::{BatchSize, WatchMemory, size_of_outcome};

use crate::compare::{self, GivenResult, TaskComparison};
use crate::error::Error;
use crate::ids::{BatchId, BuildId, JobId, Millis, StageId};
use crate::step::Log;
use crate::work::{FetchSpec, Inputs, Outcome, TaskRow};
use std::sync::Arc;

/// What one build gave for a task: in short for every task, in full for as many as [`WatchMemory`] has room for.
#[derive(Clone, Debug, PartialEq)]
pub struct WatchResult {
    /// The build.
    pub build: BuildId,
    /// Pathway, `stay`, or `failed: ` and the error's summary.
    pub text: Arc<str>,
    /// Whether it failed.
    pub failed: bool,
    /// Labels added, changed, removed.
    pub labels: (usize, usize, usize),
    /// How long the agent ran, in microseconds.
    pub run_us: u64,
    /// When.
    pub at: Millis,
    /// The outcome or error itself, while there is room for it.
    pub kept: Option<Result<Arc<Outcome>, Error>>,
}

impl WatchResult {
    /// A result in full.
    #[must_use]
    pub fn new(
        build: BuildId,
        result: Result<Arc<Outcome>, Error>,
        run_us: u64,
        at: Millis,
    ) -> Self {
        Self {
            build,
            text: compare::route(result.as_deref()).into(),
            failed: result.is_err(),
            labels: result.as_ref().map_or((0, 0, 0), |o| o.patch.counts()),
            run_us,
            at,
            kept: Some(result),
        }
    }

    /// Its outcome or error, if that is kept.
    #[must_use]
    pub fn given(&self) -> Option<GivenResult<'_>> {
        self.kept.as_ref().map(Result::as_deref)
    }

    /// Its outcome, if it has one that is kept.
    #[must_use]
    pub fn outcome(&self) -> Option<&Arc<Outcome>> {
        self.kept.as_ref().and_then(|given| given.as_ref().ok())
    }

    /// Its error, if it has one that is kept.
    #[must_use]
    pub fn error(&self) -> Option<&Error> {
        self.kept.as_ref().and_then(|given| given.as_ref().err())
    }

    /// The route, or that it failed.
    #[must_use]
    pub fn word(&self) -> &str {
        if self.failed { "failed" } else { &self.text }
    }
}

/// How far a watched task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// No agent answers for its stage.
    NoAgent,
    /// Its inputs are on their way.
    Fetching(BatchId),
    /// They could not be had; it is tried again at the next build, or on request.
    Unfetched,
    /// It waits for its turn.
    Waiting,
    /// Its agent runs.
    Running(JobId, BuildId),
    /// It ran; the next build runs it again.
    Seen,
}

/// Where a watched task is between its turns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum WatchAt {
    /// In the queue of its stage, or through with its turn.
    #[default]
    Idle,
    /// Its inputs are on their way.
    Fetching(BatchId),
    /// It is the next to run.
    Ready,
    /// Its agent runs.
    Running(JobId, BuildId),
}

/// How the newest build differs on a task from the build that it is compared with.
#[derive(Clone, Debug, PartialEq)]
pub struct WatchComparison {
    /// What differs in words, while there is room for it.
    pub found: Option<Arc<TaskComparison>>,
    /// Whether anything but the time differs.
    pub differs: bool,
    /// How bad that is; see [`TaskComparison::severity`].
    pub severity: f64,
    /// What it adds to the figures of all tasks.
    pub(crate) figures: WatchFigures,
}

/// A watched task.
#[derive(Clone, Debug, PartialEq)]
pub struct Watched {
    /// Stage.
    pub stage: StageId,
    /// Task.
    pub row: TaskRow,
    /// What its agent is given, the same at every build; `None`: it is fetched at its turn.
    pub inputs: Option<Arc<Inputs>>,
    /// What the newest build gave.
    pub now: Option<WatchResult>,
    /// What it is compared with: the build before, or the one that a person keeps.
    pub before: Option<WatchResult>,
    /// How these two differ, once that is known.
    pub comparison: Option<WatchComparison>,
    /// Why the inputs could not be had.
    pub error: Option<Error>,
    /// Lines of the newest run, while there is room for them.
    pub log: Log,
    /// What the inputs were fetched for: an agent that asks for more has them fetched again.
    pub(crate) fetched_for: Option<Arc<FetchSpec>>,
    pub(crate) at: WatchAt,
    /// How long its newest run took: the slowest come last.
    pub(crate) us: u64,
    /// The comparison of its results that is under way.
    pub(crate) comparing: Option<u64>,
    /// A person asked for this one: it is kept in full whatever room there is.
    pub(crate) wanted: bool,
    /// Bytes that its inputs, and that its results and log take of [`WatchMemory`].
    pub(crate) kept_inputs: usize,
    pub(crate) kept_results: usize,
}

impl Watched {
    /// A task that nobody looked at yet.
    #[must_use]
    pub fn new(stage: StageId, row: TaskRow) -> Self {
        Self {
            stage,
            row,
            inputs: None,
            now: None,
            before: None,
            comparison: None,
            error: None,
            log: Log::default(),
            fetched_for: None,
            at: WatchAt::Idle,
            us: 0,
            comparing: None,
            wanted: false,
            kept_inputs: 0,
            kept_results: 0,
        }
    }

    /// Whether the newest build gave something else.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.comparison.as_ref().is_some_and(|c| c.differs)
    }

    /// Whether the newest build failed on it.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.error.is_some() || self.now.as_ref().is_some_and(|now| now.failed)
    }

    /// Whether what the newest build gave can be held.
    #[must_use]
    pub fn can_hold(&self) -> bool {
        self.inputs.is_some() && self.now.as_ref().is_some_and(|now| now.outcome().is_some())
    }

    /// What it adds to the figures of all tasks.
    pub(crate) fn figures(&self) -> WatchFigures {
        let mut figures = self
            .comparison
            .as_ref()
            .map_or_else(WatchFigures::default, |c| c.figures);
        figures.ran = usize::from(self.now.is_some());
        figures.failed = usize::from(self.failed());
        figures
    }

    /// Its place among those that need a person, if it is one of them: differences before failures that stay.
    pub(crate) fn severity(&self) -> Option<f64> {
        match &self.comparison {
            Some(comparison) if comparison.differs => Some(comparison.severity.max(1.0)),
            _ => self.failed().then_some(0.5),
        }
    }
}
