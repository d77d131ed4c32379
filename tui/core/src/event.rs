//! Events that come in and effects that go out: the only way between the engine and the world.
//!
//! Late news carries the job, batch or listing it belongs to and is dropped when that is over.

mod build;
mod job;
mod launch;
#[cfg(test)]
mod round_trip_tests;
mod upstream;

pub use build::{BuildEvent, CompileError, CompileFailure, CrateProgress};
pub use job::JobEvent;
pub use launch::{Launch, Priority};
use serde::{Deserialize, Serialize};
pub use upstream::Upstream;

use crate::background::BackgroundRun;
use crate::build::Probed;
use crate::command::Command;
use crate::compare::TaskComparison;
use crate::comparing::{CompareFor, CompareTask, StoredResult};
use crate::error::Error;
use crate::figures::{FiguresBefore, KeptFigures, KeptResult, KeptRun};
use crate::filter::{Asks, Filter};
use crate::ids::{BatchId, BuildId, JobId, Millis, OperationId, StageId, TaskId};
use crate::journal::{JournalEvent, Restore, Settled, Undone};
use crate::ledger::{Applied, Reply, Request, TaskReport};
use crate::patch::EditTask;
use crate::pause::SavedPoint;
use crate::queue::LastResult;
use crate::run::{Report, RunRest};
use crate::saved_view::SavedView;
use crate::work::{Change, Committed, FetchSpec, Held, Inputs, LabelChange, Outcome, TaskRow};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// A command from the UI or CLI.
    Input(Command),
    /// News from upstream.
    Upstream(Upstream),
    /// Inputs of a batch, in the order asked; one bad task never costs another.
    Prefetch {
        /// Which batch.
        batch: BatchId,
        /// One entry for each task.
        #[serde(with = "crate::shared")]
        results: Vec<Result<Arc<Inputs>, Error>>,
    },
    /// News of a job.
    Job(JobEvent),
    /// News of a library.
    Build(BuildEvent),
    /// What is upstream now where somebody else changed a label row: the difference from what the agent saw.
    Theirs(Vec<(TaskId, Result<Vec<LabelChange>, Error>)>),
    /// An edited outcome was checked.
    OutcomeEdited(
        #[serde(with = "crate::shared")] Arc<EditTask>,
        #[serde(with = "crate::shared")] Result<Arc<Outcome>, Error>,
    ),
    /// News of the journal.
    Journal(JournalEvent),
    /// The answer to a request of an operation.
    Operation {
        /// Which operation.
        operation: OperationId,
        /// Which of its requests.
        lane: usize,
        /// The answer.
        reply: Reply,
    },
    /// A preflight ended.
    Preflight {
        /// Which build.
        build: BuildId,
        /// Whether it may run.
        result: Result<(), Error>,
    },
    /// What an earlier screen of this folder held.
    HeldBefore(Vec<(TaskId, Held)>),
    /// Outcomes that runs without a screen have held, as they come.
    HeldElsewhere(Vec<(TaskId, Held)>),
    /// The runs in the background of this folder and project that are under way; one that is over is named once more.
    Background(Vec<BackgroundRun>),
    /// A run without a screen could not be stopped.
    NotStopped(Error),
    /// A run could not go on in the background.
    NotInBackground(Error),
    /// What a person had set up on that screen.
    ViewBefore(SavedView),
    /// The figures of stages that earlier screens of this folder kept, before any run.
    FiguresBefore(Box<FiguresBefore>),
    /// Results of tasks that earlier screens of this folder kept, a part at a time.
    ResultsBefore {
        /// The newest of each task.
        results: Vec<KeptResult>,
        /// These are the last.
        all: bool,
    },
    /// Held outcomes cannot be kept on disk.
    NotKept(Error),
    /// What is held could not be written to a plan file.
    NotPlanned(Error),
    /// What two sides gave for a task was compared.
    Compared(
        CompareFor,
        TaskId,
        #[serde(with = "crate::compare::whole")] Box<TaskComparison>,
    ),
    /// The earlier runs of the folder whose results are kept, the newest first.
    RunsListed(Vec<KeptRun>),
    /// What an earlier run gave for the tasks of a stage.
    RunRead {
        /// The comparison that it is for.
        comparison: u64,
        /// 0 for A, 1 for B.
        side: usize,
        /// One entry for each task.
        results: Result<Vec<StoredResult>, Error>,
    },
    /// A run was not begun: what its agents declare does not fit the project.
    NotStarted(Error),
    /// Time passes.
    Tick(Millis),
}

/// Which listing a page belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ListId {
    /// The queue of a stage, for the screen.
    Queue(u64),
    /// The tasks of a run.
    Run(u64),
}

/// What stands between us and the platform while requests are tried again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outage {
    /// When it began.
    pub since: Millis,
    /// What was wrong last.
    pub why: String,
    /// When the next attempt leaves; in the past when none is planned.
    pub again: Millis,
}

/// What went over the wire so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetStats {
    /// Requests sent, retries included.
    pub requests: u64,
    /// Of these, writing ones.
    pub writes: u64,
    /// Of these, repeated ones.
    pub retries: u64,
    /// Milliseconds waited because the platform asked for it.
    pub waited_ms: u64,
}

/// An operation of the journal that the screen's writes belong to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalOperation {
    /// Number.
    pub id: OperationId,
    /// `commit` or `undo`.
    pub kind: &'static str,
    /// The arguments of the command that does the same.
    pub words: Vec<String>,
    /// The operation of the journal that is taken back.
    pub undoes: Option<i64>,
}

/// The result of an operation.
#[derive(Clone, Debug, PartialEq)]
pub enum OperationEnd {
    /// Outcomes were committed.
    Committed {
        /// Which batch.
        batch: BatchId,
        /// One entry for each task.
        results: Vec<(TaskId, Committed)>,
    },
    /// An operation was taken back.
    Undone {
        /// Which.
        op: i64,
        /// How.
        result: Result<Undone, Error>,
    },
    /// A plan was applied.
    Applied(Result<Applied, Error>),
    /// What interrupted commands had begun is finished.
    Recovered(Result<Settled, Error>),
    /// It is known what an undo of an operation would restore.
    UndoReviewed {
        /// Which operation.
        op: i64,
        /// One entry for each task that still stands.
        result: Result<Vec<Restore>, Error>,
    },
}

/// What the engine performs; the answers come back as events.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Load the project.
    LoadProject,
    /// One page of a stage's tasks.
    Page {
        /// For whom.
        list: ListId,
        /// Stage.
        stage: StageId,
        /// Where to go on; `None` begins.
        token: Option<String>,
        /// Only tasks that match are wanted, and what it asks of the label rows is to be read first.
        only: Option<Box<Filter>>,
        /// The last result of each task, for that filter.
        earlier: Arc<HashMap<TaskId, LastResult>>,
    },
    /// Read what a filter asks of the label rows of tasks.
    Know {
        /// Stage.
        stage: StageId,
        /// Tasks.
        rows: Vec<TaskRow>,
        /// What.
        asks: Asks,
    },
    /// Fetch the inputs of a batch.
    Fetch {
        /// Which batch.
        batch: BatchId,
        /// Stage.
        stage: StageId,
        /// Tasks.
        rows: Vec<TaskRow>,
        /// What.
        fetch: FetchSpec,
    },
    /// Run a job.
    Launch(Launch),
    /// Kill the host of a job now.
    Kill(JobId),
    /// Let a job go on that has reached a place: with its own value, or with this JSON.
    GoOn {
        /// Which.
        job: JobId,
        /// What its value was edited to.
        edited: Option<Arc<str>>,
    },
    /// Let the limits of a job stand still for a debugger, or no longer.
    Attach {
        /// Which.
        job: JobId,
        /// Whether they stand still.
        on: bool,
    },
    /// Ask a job to stop, and kill its host when it does not listen.
    Cancel(JobId),
    /// Write upstream: from a run to the state, which asks for what that takes.
    Commit {
        /// Which batch.
        batch: BatchId,
        /// What.
        changes: Vec<Change>,
        /// Rows that somebody else changed are written all the same, on what is there now.
        overwrite: bool,
    },
    /// Keep the pause points of a stage for the next start.
    SavePoints {
        /// Stage.
        stage: StageId,
        /// All of them.
        points: Vec<SavedPoint>,
    },
    /// Nothing more is written under this operation.
    CloseOperation(OperationId),
    /// Something that an operation asks for.
    Operation {
        /// Which operation.
        operation: OperationId,
        /// Which of its requests that are on their way at once.
        lane: usize,
        /// What.
        request: Request,
        /// What its writes are noted under; `None`: the operation of this process.
        under: Option<Arc<JournalOperation>>,
    },
    /// A task of an operation is over: for the output of a command.
    Reported(Box<TaskReport>),
    /// The operation of a command is over.
    OperationOver(Box<OperationEnd>),
    /// Somebody decided about these tasks, which are written in part and were changed by others since: their agents
    /// may run on what is there now.
    Release(Vec<TaskId>),
    /// Edit an outcome, and check what results.
    EditOutcome(Arc<EditTask>),
    /// Look at what stands upstream now where somebody else changed a label row.
    Theirs(Vec<Arc<Inputs>>),
    /// Read the journal.
    Journal,
    /// Read the tasks of an operation.
    OpenOp(i64),
    /// Requests a second from now on; `None` is unlimited.
    Rate(Option<f64>),
    /// Keep hosts warm for a build: it is active. With the library that it is.
    Activate(BuildId, Box<Probed>),
    /// A build is no longer active, and nothing under way needs it.
    Retire(BuildId),
    /// A build is no longer active and is kept to be compared: its hosts leave, its copy stays.
    Rest(BuildId),
    /// A probed library was refused: its copy is not needed.
    Discard(Box<Probed>),
    /// Offer what lies at this place again: a stage that it has an agent for is free now.
    LookAgain(PathBuf),
    /// A library was built here: from now on this is one of its places.
    WatchPlace {
        /// The library.
        library: PathBuf,
        /// Where it was built.
        place: PathBuf,
    },
    /// Let the library look at the project.
    Preflight(BuildId),
    /// How many jobs may run at a time.
    Concurrency(usize),
    /// A task is final: for reports and output lines.
    Record(Box<Report>),
    /// The run of the headless face is over.
    RunOver,
    /// Keep what has changed among the held outcomes; `None`: it is held no longer.
    KeepHeld(Vec<(TaskId, Option<Held>)>),
    /// Keep what has changed of the figures of stages, the runs and the results of tasks.
    KeepFigures(Box<KeptFigures>),
    /// Write these outcomes to a plan file, and leave.
    PlanAndExit(Vec<Held>),
    /// Let what is left of the run go on without this screen, and leave.
    GoOnInBackground(Box<RunRest>),
    /// Stop a run without a screen.
    StopBackground(u64),
    /// Compare what both sides gave for a task.
    Compare(Arc<CompareTask>),
    /// Look which earlier runs there are.
    ListRuns,
    /// Read what an earlier run gave for the tasks of a stage.
    ReadRun {
        /// The comparison that it is for.
        comparison: u64,
        /// 0 for A, 1 for B.
        side: usize,
        /// Number of the run.
        run: u64,
        /// The stage.
        stage: StageId,
    },
    /// Write the newest comparison to files.
    WriteComparison,
    /// Stop for the shell.
    Suspend,
    /// Leave the program.
    Exit,
}

impl Effect {
    /// Whether screen or command perform it, and not the runtime.
    #[must_use]
    pub const fn is_for_the_face(&self) -> bool {
        use Effect::{Exit, OperationOver, PlanAndExit, Record, Reported, RunOver, Suspend};
        match self {
            Record(_) | RunOver | Reported(_) | OperationOver(_) => true,
            PlanAndExit(_) | Self::GoOnInBackground(_) | Self::WriteComparison => true,
            other => matches!(other, Suspend | Exit),
        }
    }
}
