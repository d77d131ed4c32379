//! Tasks that run dry again at every build, and what each build gave for them.
//!
//! Words only: how two builds differ on a task is found by [`crate::compare`], the engine
//! (`state::watching`) moves tasks on, and writing is left to commits, as everywhere.

use crate::compare::{self, Difference, GivenResult};
use crate::error::Error;
use crate::ids::{BatchId, BuildId, JobId, Millis, StageId, TaskId};
use crate::loading::Loading;
use crate::step::Log;
use crate::work::{FetchSpec, Inputs, Outcome, TaskRow};
use std::collections::HashMap;
use std::sync::Arc;

/// Tasks that may be watched at a time.
pub const MOST: usize = 100;

/// What one build gave for a task.
#[derive(Clone, Debug, PartialEq)]
pub struct WatchResult {
    /// The build.
    pub build: BuildId,
    /// What it gave.
    pub result: Result<Arc<Outcome>, Error>,
    /// How long the agent ran, in microseconds.
    pub run_us: u64,
    /// When.
    pub at: Millis,
}

impl WatchResult {
    /// Its outcome or error.
    pub fn given(&self) -> GivenResult<'_> {
        self.result.as_deref()
    }

    /// Pathway, `stay`, or the error.
    #[must_use]
    pub fn route(&self) -> String {
        compare::route(self.given())
    }
}

/// How far a watched task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// No agent answers for its stage.
    NoAgent,
    /// Its inputs are to be fetched.
    Wanted,
    /// They are on their way.
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

/// A watched task.
#[derive(Clone, Debug, PartialEq)]
pub struct Watched {
    /// Stage.
    pub stage: StageId,
    /// Task.
    pub row: TaskRow,
    /// What its agent is given, the same at every build.
    pub inputs: Option<Arc<Inputs>>,
    /// What these inputs were fetched for: an agent that asks for more has them fetched again.
    pub fetched_for: Option<FetchSpec>,
    /// How far.
    pub phase: Phase,
    /// Process of the host in which its agent runs; `None` while it waits for one.
    pub pid: Option<u32>,
    /// What it loads.
    pub loading: Option<Loading>,
    /// What the newest build gave.
    pub now: Option<WatchResult>,
    /// What it is compared with: the build before, or the one that a person keeps.
    pub before: Option<WatchResult>,
    /// Why the inputs could not be had.
    pub error: Option<Error>,
    /// Lines of the newest run.
    pub log: Log,
}

impl Watched {
    /// A task that nobody looked at yet.
    #[must_use]
    pub fn new(stage: StageId, row: TaskRow) -> Self {
        Self {
            stage,
            row,
            inputs: None,
            fetched_for: None,
            phase: Phase::Wanted,
            pid: None,
            loading: None,
            now: None,
            before: None,
            error: None,
            log: Log::default(),
        }
    }

    /// Whether news of it is still to come.
    #[must_use]
    pub const fn pending(&self) -> bool {
        matches!(
            self.phase,
            Phase::Wanted | Phase::Fetching(_) | Phase::Waiting | Phase::Running(..)
        )
    }

    /// How the newest build differs from the one it is compared with; `None`: there is nothing to
    /// compare.
    #[must_use]
    pub fn differences(&self) -> Option<Vec<Difference>> {
        let (before, now) = (self.before.as_ref()?, self.now.as_ref()?);
        Some(compare::differences(before.given(), now.given()))
    }

    /// Whether the newest build gave something else.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.differences().is_some_and(|d| !d.is_empty())
    }

    /// Whether the newest build failed on it.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.phase == Phase::Unfetched || self.now.as_ref().is_some_and(|l| l.result.is_err())
    }
}

/// All watched tasks, in the order in which they were chosen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Watch {
    /// The tasks.
    pub tasks: Vec<Watched>,
    /// The results that a person pinned stay what newer builds are compared with.
    pub kept: bool,
    /// Results came since the last summary.
    pub(crate) unreported: bool,
    /// Whose inputs were asked for.
    pub(crate) fetches: HashMap<BatchId, Vec<TaskId>>,
}

impl Watch {
    /// A watched task.
    #[must_use]
    pub fn task(&self, id: TaskId) -> Option<&Watched> {
        self.tasks.iter().find(|t| t.row.id == id)
    }

    /// A watched task.
    pub(crate) fn task_mut(&mut self, id: TaskId) -> Option<&mut Watched> {
        self.tasks.iter_mut().find(|t| t.row.id == id)
    }

    /// The task whose agent runs as this job.
    pub(crate) fn of_job(&mut self, wanted: JobId) -> Option<&mut Watched> {
        self.tasks
            .iter_mut()
            .find(|t| matches!(t.phase, Phase::Running(job, _) if job == wanted))
    }

    /// Tasks on which the newest build gives something else.
    #[must_use]
    pub fn differing(&self) -> usize {
        self.tasks.iter().filter(|t| t.differs()).count()
    }

    /// Tasks on which the newest build fails.
    #[must_use]
    pub fn failing(&self) -> usize {
        self.tasks.iter().filter(|t| t.failed()).count()
    }
}
