//! Flags of the commands that run agents and of those that follow a run: plan, review, apply, undo,
//! resume, journal, exec.

use super::values::{failures, keep, positive, rate, some_time};
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;
use wb_core::run::{FailureLimit, OnConflict, OnDuplicate};
use wb_engine::attempt_limit::AttemptLimit;

/// A year: whoever waits longer starts the command again.
const MOST_SECONDS: u64 = 365 * 86400;

/// `workbench run`
#[derive(Args, Debug, Clone)]
pub struct RunArgs {
    /// Look again this often, in seconds; without it, end when the queues are empty
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=MOST_SECONDS))]
    pub refresh_every: Option<u64>,
    /// Further attempts after a failed one
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub num_retries: u32,
    /// Tasks whose inputs are fetched and whose outcomes are committed together
    #[arg(long, value_name = "N", default_value_t = 300, value_parser = positive)]
    pub task_batch_size: usize,
    /// At most this many tasks of each stage, exactly
    #[arg(long, value_name = "N", value_parser = positive)]
    pub max_tasks_per_stage: Option<usize>,
    /// Only these stages, by name or UUID
    #[arg(long, value_name = "NAME|UUID")]
    pub stage: Vec<String>,
    /// Only tasks that match, e.g. 'status:new title~night age>2d'
    #[arg(long, value_name = "FILTER", allow_hyphen_values = true)]
    pub filter: Option<String>,
    /// Only these tasks, by UUID or by a title that one data unit has
    #[arg(long, value_name = "UUID|TITLE")]
    pub task: Vec<String>,
    /// Jobs at the same time [default: `concurrency` of the settings, or 1]
    #[arg(short = 'j', long, value_name = "N", value_parser = positive)]
    pub concurrency: Option<usize>,
    /// At most this many requests a second, e.g. 20/s
    #[arg(long, value_name = "N/s", value_parser = rate)]
    pub rate: Option<f64>,
    /// Limit of one attempt where the agent declares none, e.g. 30s, or none
    /// [default: `timeout` of the settings, or 10m]
    #[arg(long, value_name = "D")]
    pub timeout: Option<AttemptLimit>,
    /// Stop after so many failed tasks, e.g. 10, or 5% (once 20 tasks are known)
    #[arg(long, value_name = "N|PCT", value_parser = failures)]
    pub max_failures: Option<FailureLimit>,
    /// Stop after this time, e.g. 2h: what is done stays done, and a few seconds later the command has ended
    #[arg(long, value_name = "D", value_parser = some_time)]
    pub max_time: Option<Duration>,
    /// What becomes of a task whose labels somebody else changed meanwhile
    #[arg(long, value_name = "WHAT", value_enum, default_value_t)]
    pub on_conflict: Conflicts,
    /// What becomes of a label that the agent adds although this key has made it already [default: skip]
    #[arg(long, value_name = "WHAT", value_enum)]
    pub on_duplicate: Option<Duplicates>,
    /// How progress is shown
    #[arg(long, value_name = "HOW", value_enum, default_value_t)]
    pub progress: Progress,
    /// A report to look at: one HTML file
    #[arg(long, value_name = "F.html")]
    pub report: Option<PathBuf>,
    /// A report for CI: JUnit XML
    #[arg(long, value_name = "F.xml")]
    pub junit: Option<PathBuf>,
    /// One line of JSON for each task into this file
    #[arg(long, value_name = "F")]
    pub jsonl: Option<PathBuf>,
}

/// What becomes of a conflict.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Conflicts {
    /// The task is left as it is now
    #[default]
    Skip,
    /// The agent runs again on what is there now, up to three times
    Rerun,
    /// The agent's labels replace what is there now
    Overwrite,
}

impl From<Conflicts> for OnConflict {
    fn from(answer: Conflicts) -> Self {
        match answer {
            Conflicts::Skip => Self::Skip,
            Conflicts::Rerun => Self::Rerun,
            Conflicts::Overwrite => Self::Overwrite,
        }
    }
}

/// What becomes of a label that stands there already.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duplicates {
    /// It is not added again
    Skip,
    /// It is added all the same
    Add,
}

impl From<Duplicates> for OnDuplicate {
    fn from(what: Duplicates) -> Self {
        match what {
            Duplicates::Skip => Self::Skip,
            Duplicates::Add => Self::Add,
        }
    }
}

/// `workbench plan`
#[derive(Args, Debug, Clone)]
pub struct PlanArgs {
    /// Where the plan is kept
    #[arg(short = 'o', long, value_name = "F.wbplan")]
    pub output: PathBuf,
    /// End with 4 when something would be written
    #[arg(long)]
    pub exit_code: bool,
    /// As for `run`.
    #[command(flatten)]
    pub run: RunArgs,
}

/// `workbench review`
#[derive(Args, Debug, Clone)]
pub struct ReviewArgs {
    /// The plan
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,
    /// Label by label
    #[arg(long)]
    pub diff: bool,
    /// Only tasks that match, e.g. 'route:complete -label:Car>3'
    #[arg(long, value_name = "FILTER", allow_hyphen_values = true)]
    pub only: Option<String>,
}

/// `workbench apply`
#[derive(Args, Debug, Clone)]
pub struct ApplyArgs {
    /// The plan
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,
    /// Only tasks that match; the others can be applied later
    #[arg(long, value_name = "FILTER", allow_hyphen_values = true)]
    pub only: Option<String>,
    /// Stop after this time, e.g. 2m: what is written stays written
    #[arg(long, value_name = "D", value_parser = some_time)]
    pub max_time: Option<Duration>,
}

/// `workbench undo`
#[derive(Args, Debug, Clone)]
pub struct UndoArgs {
    /// Number in `workbench journal` [default: the newest that still stands]
    #[arg(value_name = "OP")]
    pub op: Option<i64>,
    /// Stop after this time, e.g. 2m: what is restored stays restored
    #[arg(long, value_name = "D", value_parser = some_time)]
    pub max_time: Option<Duration>,
}

/// `workbench resume`
#[derive(Args, Debug, Clone)]
pub struct ResumeArgs {
    /// Number in `workbench journal` [default: the newest]
    #[arg(value_name = "RUN")]
    pub run: Option<i64>,
}

/// `workbench journal`
#[derive(Args, Debug, Clone)]
pub struct JournalArgs {
    /// The commands themselves, to be run again
    #[arg(long)]
    pub commands: bool,
    /// Forget all but the newest N finished operations, or those older than e.g. 30d; they can no longer be taken back
    #[arg(long, value_name = "N|AGE", value_parser = keep, conflicts_with = "commands")]
    pub prune: Option<wb_engine::journal::Keep>,
}

/// `workbench exec`
#[derive(Args, Debug, Clone)]
pub struct ExecArgs {
    /// The stage, by name or UUID
    #[arg(long, value_name = "NAME|UUID")]
    pub stage: String,
    /// Further attempts after a failed one
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub num_retries: u32,
    /// Tasks that are worked on together when they are there already
    #[arg(long, value_name = "N", default_value_t = 300, value_parser = positive)]
    pub task_batch_size: usize,
    /// Jobs at the same time
    #[arg(short = 'j', long, value_name = "N", default_value_t = 1, value_parser = positive)]
    pub concurrency: usize,
    /// At most this many requests a second, e.g. 20/s
    #[arg(long, value_name = "N/s", value_parser = rate)]
    pub rate: Option<f64>,
    /// Limit of one attempt where the agent declares none, e.g. 30s, or none
    /// [default: `timeout` of the settings, or 10m]
    #[arg(long, value_name = "D")]
    pub timeout: Option<AttemptLimit>,
    /// What becomes of a label that the agent adds although this key has made it already [default: skip]
    #[arg(long, value_name = "WHAT", value_enum)]
    pub on_duplicate: Option<Duplicates>,
    /// Stop after this time, e.g. 2h: what is done stays done, and a few seconds later the command has ended
    #[arg(long, value_name = "D", value_parser = some_time)]
    pub max_time: Option<Duration>,
}

/// How progress is shown.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Progress {
    /// A bar on a terminal, lines elsewhere
    #[default]
    Auto,
    /// A bar
    Bar,
    /// Lines
    Plain,
    /// Nothing
    None,
}
