//! What a person or a script can ask of the engine. Keys, names and help of the screen's actions are
//! left to the screen, what a command does to the state.

use crate::comparing::CompareCommand;
use crate::ids::{StageId, TaskId};
use crate::ledger::Scope;
use crate::patch::OutcomeEdit;
use crate::pause::{PointAt, PointChange};
use crate::queue::Sort;
use crate::run::{OnConflict, RunSpec};
use crate::step::Until;
use crate::work::{GivenEdits, TaskRow};
use serde::{Deserialize, Serialize};

/// The stages that are in sight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Shown {
    /// All, with their counts.
    #[default]
    Stages,
    /// The tasks of one.
    Stage(StageId),
    /// None.
    Nothing,
}

/// A command from the UI or CLI, with its argument.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// Compare two sides over tasks of a stage.
    Compare(CompareCommand),
    /// Leave; what runs is cancelled and left in place.
    Quit,
    /// Write everything that is held to a plan file, and leave.
    PlanAndQuit,
    /// Let the run go on without this screen, and leave.
    GoOnInBackground,
    /// Stop a run without a screen, by its number: what it has under way finishes.
    StopBackground(u64),
    /// Stop for the shell, until it goes on with this program.
    Suspend,
    /// Read the project and list every stage again, or list one.
    Refresh(Option<StageId>),
    /// Read the project again.
    ReadProject,
    /// Load the queue of a stage.
    OpenStage(StageId),
    /// These stages are in sight now.
    Show(Shown),
    /// Show only tasks that match; the text as typed.
    Filter {
        /// Stage.
        stage: StageId,
        /// Filter language.
        text: String,
    },
    /// Sort the queue of a stage by this; the other way round if it holds.
    Sort(StageId, Sort, bool),
    /// Read the label rows of these tasks, as far as that is not done: their priorities and client metadata.
    Know {
        /// Stage.
        stage: StageId,
        /// Which.
        rows: Vec<TaskRow>,
    },
    /// Mark or unmark tasks.
    Mark {
        /// Stage.
        stage: StageId,
        /// Which.
        tasks: Vec<TaskId>,
        /// On or off.
        on: bool,
    },
    /// Mark all tasks that match the filter, or none.
    MarkAll {
        /// Stage.
        stage: StageId,
        /// On or off.
        on: bool,
    },
    /// Open a task for stepping: its inputs are fetched, its agent is not called yet. Queued while its agent is
    /// being compiled or loaded.
    Open {
        /// Stage.
        stage: StageId,
        /// Task.
        task: TaskId,
    },
    /// Do not step the task that waits for an agent.
    CancelQueuedStep,
    /// Steps of the open task up to there.
    Step(Until),
    /// Open the task of the run that has waited longest at a pause point.
    OpenPaused,
    /// Let tasks of a stage pause at a place, or no longer.
    Point {
        /// Stage.
        stage: StageId,
        /// Where.
        at: PointAt,
        /// How the pause point there changes.
        change: PointChange,
    },
    /// Edit the value that the open task is held at; the JSON that was typed.
    EditValue(String),
    /// What the agent of the open task is given in its next attempt, instead of what was fetched or set.
    EditGiven(Box<GivenEdits>),
    /// Edit the outcome of a task that is open or held.
    EditOutcome {
        /// Which.
        task: TaskId,
        /// How.
        edit: Box<OutcomeEdit>,
    },
    /// Run the open task again and hold it at the place of this number, counted from 0.
    Fork(usize),
    /// Let the limits of the open task's attempt stand still for a debugger, or no longer.
    Attach,
    /// The same inputs again on the newest build.
    Rerun,
    /// Throw the open task's outcome away.
    Discard,
    /// Keep the open task's outcome for review.
    Accept,
    /// Kill the host of the open task.
    KillJob,
    /// Start a run.
    Run(Box<RunSpec>),
    /// Pause or go on.
    PauseRun,
    /// Stop taking tasks; what runs finishes.
    CancelRun,
    /// The run's time is up: what is decided is committed, what has not begun is left.
    WindUp,
    /// Agents of the run that still run are stopped too.
    StopAgents,
    /// More or fewer jobs at a time.
    Concurrency(i32),
    /// This many jobs at a time.
    SetConcurrency(usize),
    /// Requests a second from now on; `None` is unlimited.
    Rate(Option<f64>),
    /// Limit of one attempt in milliseconds from the next attempt on, before the agent's own;
    /// `None`: the agent's own, or the one of the settings.
    Timeout(Option<u64>),
    /// Limit of one attempt in milliseconds where the agent declares none.
    DefaultTimeout(Option<u64>),
    /// Run tasks that failed once more, as the newest run did.
    Retry {
        /// Stage.
        stage: StageId,
        /// Which.
        rows: Vec<TaskRow>,
    },
    /// Run tasks dry at every build from now on, or no longer.
    Watch {
        /// Stage.
        stage: StageId,
        /// Which.
        rows: Vec<TaskRow>,
        /// On or off.
        on: bool,
    },
    /// Run no task dry at every build any longer.
    UnwatchAll,
    /// Run watched tasks again now.
    WatchAgain(Vec<TaskId>),
    /// Newer builds are compared with what is there now, or each with the one before it.
    KeepWatchResults(bool),
    /// Keep what the newest build gave for a watched task for review.
    HoldWatched(TaskId),
    /// Look at what others made of these tasks in conflict.
    Theirs(Vec<TaskId>),
    /// Answers conflicts: leave theirs, run again on theirs, or write ours over theirs.
    Resolve {
        /// Which.
        tasks: Vec<TaskId>,
        /// How.
        how: OnConflict,
    },
    /// Read the journal.
    Journal,
    /// Read the journal and look at what an undo of the newest operation that stands would restore.
    UndoNewest,
    /// Look at the tasks of an operation.
    OpenOp(i64),
    /// Look at what an undo of an operation would restore; nothing is written.
    ReviewUndo(i64),
    /// Take an operation back.
    Undo(i64),
    /// Finish what interrupted commands of this folder had begun to write.
    Finish,
    /// Finish what interrupted commands of this folder had begun to write, as far as in this scope: for commands.
    Recover(Scope),
    /// Apply a plan; its identity.
    Apply(String),
    /// Stop the operations under way: what is on its way is finished, and the rest is left.
    StopOperations,
    /// Does a command that writes to a protected project, with its title as it was typed.
    Confirm {
        /// The title.
        title: String,
        /// The command.
        then: Box<Command>,
    },
    /// Take or leave held outcomes.
    Take {
        /// Which.
        tasks: Vec<TaskId>,
        /// Take or leave.
        on: bool,
    },
    /// Throw held outcomes away.
    Drop(Vec<TaskId>),
    /// Write these held outcomes upstream.
    Commit(Vec<TaskId>),
    /// Dry-run or live.
    Live(bool),
}
