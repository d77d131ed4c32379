//! Commands that write, as data: made of the command line once, kept in the journal as JSON, and read back by `resume`.
//!
//! Parsing a command line is left to the binary.

use crate::attempt_limit::AttemptLimit;
use crate::flags::Flags;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;
use wb_core::journal::Op;
use wb_core::run::{FailureLimit, OnConflict, OnDuplicate};

// What this version does not know may be a limit or a filter: a command that cannot be read whole does not go on, since
// without it more would be written than was asked.
/// A command that writes, with everything that was asked of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedCommand {
    /// Options of every command.
    pub flags: Flags,
    /// What is to be done.
    pub request: CommandRequest,
}

/// What a command that writes is to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandRequest {
    /// `run`
    Run(Box<RunRequest>),
    /// `apply`
    Apply(ApplyRequest),
    /// `undo`
    Undo(UndoRequest),
}

/// What `run` is to do, before the project is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRequest {
    /// Seconds between two passes; `None`: one pass.
    pub refresh_every: Option<u64>,
    /// Further attempts after a failed one.
    pub num_retries: u32,
    /// Tasks of a batch.
    pub task_batch_size: usize,
    /// At most this many tasks of each stage.
    pub max_tasks_per_stage: Option<usize>,
    /// Stages by name or UUID; empty: all that have an agent.
    pub stage: Vec<String>,
    /// Only tasks that match.
    pub filter: Option<String>,
    /// Only these tasks, by UUID or title; empty: all.
    pub task: Vec<String>,
    /// Jobs at a time.
    pub concurrency: Option<usize>,
    /// Requests a second.
    pub rate: Option<f64>,
    /// Limit of one attempt where the agent declares none.
    pub timeout: Option<AttemptLimit>,
    /// When so many tasks have failed that it stops.
    pub max_failures: Option<FailureLimit>,
    /// When it stops.
    pub max_time: Option<Duration>,
    /// How conflicts are answered.
    pub on_conflict: OnConflict,
    /// Whether labels are added that stand there already.
    pub on_duplicate: Option<OnDuplicate>,
    /// How progress is shown.
    pub progress: ProgressForm,
    /// Report for people.
    pub report: Option<PathBuf>,
    /// Report for CI.
    pub junit: Option<PathBuf>,
    /// Lines of JSON.
    pub jsonl: Option<PathBuf>,
}

/// What `apply` is to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplyRequest {
    /// The plan.
    pub plan: PathBuf,
    /// Only tasks that match.
    pub only: Option<String>,
    /// When it stops.
    pub max_time: Option<Duration>,
}

/// What `undo` is to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UndoRequest {
    /// The operation; `None`: the newest that still stands.
    pub op: Option<i64>,
    /// When it stops.
    pub max_time: Option<Duration>,
}

/// How progress is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProgressForm {
    /// A bar on a terminal, lines elsewhere.
    #[default]
    Auto,
    /// A bar.
    Bar,
    /// Lines.
    Plain,
    /// Nothing.
    None,
}

impl SavedCommand {
    /// With these options.
    #[must_use]
    pub fn new(flags: &Flags, request: CommandRequest) -> Self {
        let flags = flags.clone();
        Self { flags, request }
    }

    /// The command that goes on with its interrupted operation, started by `resume` with these options.
    #[must_use]
    pub fn going_on(mut self, op: &Op, resume: &Flags) -> Self {
        let flags = &mut self.flags;
        flags.goes_on = Some(op.id);
        flags.project_hash.get_or_insert_with(|| op.project.clone());
        flags.json |= resume.json;
        flags.ask.clone_from(&resume.ask);
        flags.ask.clone_from(&resume.ask);
        if flags.confirm.is_none() {
            flags.confirm.clone_from(&resume.confirm);
        }
        let also: Vec<String> = resume.confirmed().cloned().collect();
        flags.also_confirm.extend(also);
        if let (CommandRequest::Undo(request), Some(undoes)) = (&mut self.request, op.undoes) {
            request.op = Some(undoes);
        }
        self
    }
}
