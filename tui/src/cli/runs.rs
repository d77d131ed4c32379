//! Flags of the commands that run agents and of those that follow a run: plan, review, apply, undo,
//! resume, journal, runs, attach, exec.

use super::values::{Words, failures, keep, one_of, positive, rate, some_time};
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;
use wb_core::compare::Tolerance;
use wb_core::run::{FailureLimit, OnConflict, OnDuplicate};
use wb_engine::attempt_limit::AttemptLimit;
use wb_engine::saved::{ApplyRequest, ProgressForm, RunRequest, UndoRequest};

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
    #[arg(long, value_name = "WHAT", value_parser = one_of(ON_CONFLICT), default_value = "skip")]
    pub on_conflict: OnConflict,
    /// What becomes of a label that the agent adds although this key has made it already [default: skip]
    #[arg(long, value_name = "WHAT", value_parser = one_of(ON_DUPLICATE))]
    pub on_duplicate: Option<OnDuplicate>,
    /// How progress is shown
    #[arg(long, value_name = "HOW", value_parser = one_of(PROGRESS), default_value = "auto")]
    pub progress: ProgressForm,
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

impl RunArgs {
    /// What is asked.
    #[must_use]
    pub fn request(&self) -> RunRequest {
        let args = self.clone();
        RunRequest {
            refresh_every: args.refresh_every,
            num_retries: args.num_retries,
            task_batch_size: args.task_batch_size,
            max_tasks_per_stage: args.max_tasks_per_stage,
            stage: args.stage,
            filter: args.filter,
            task: args.task,
            concurrency: args.concurrency,
            rate: args.rate,
            timeout: args.timeout,
            max_failures: args.max_failures,
            max_time: args.max_time,
            on_conflict: args.on_conflict,
            on_duplicate: args.on_duplicate,
            progress: args.progress,
            report: args.report,
            junit: args.junit,
            jsonl: args.jsonl,
        }
    }
}

const ON_CONFLICT: Words<OnConflict> = &[
    ("skip", "The task is left as it is now", OnConflict::Skip),
    (
        "rerun",
        "The agent runs again on what is there now, up to three times",
        OnConflict::Rerun,
    ),
    (
        "overwrite",
        "The agent's labels replace what is there now",
        OnConflict::Overwrite,
    ),
];

const ON_DUPLICATE: Words<OnDuplicate> = &[
    ("skip", "It is not added again", OnDuplicate::Skip),
    ("add", "It is added all the same", OnDuplicate::Add),
];

const PROGRESS: Words<ProgressForm> = &[
    (
        "auto",
        "A bar on a terminal, lines elsewhere",
        ProgressForm::Auto,
    ),
    ("bar", "A bar", ProgressForm::Bar),
    ("plain", "Lines", ProgressForm::Plain),
    ("none", "Nothing", ProgressForm::None),
];

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

/// `workbench compare`
#[derive(Args, Debug, Clone)]
pub struct CompareArgs {
    /// A plan, a library or a crate folder
    #[arg(value_name = "A")]
    pub a: PathBuf,
    /// What it is compared with
    #[arg(value_name = "B")]
    pub b: PathBuf,
    /// What may differ before the exit code is 4, e.g. overlap=0.95,ms=2x
    #[arg(long, value_name = "WHAT", value_parser = tolerance)]
    pub tolerance: Option<Tolerance>,
    /// One HTML file: routes, labels by class, and the tasks that differ, the worst first
    #[arg(long, value_name = "F.html")]
    pub report: Option<PathBuf>,
    /// Tasks of each stage that libraries run on
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = positive)]
    pub tasks: usize,
    /// Stages that libraries run on [default: all that have an agent]
    #[arg(long, value_name = "NAME|UUID")]
    pub stage: Vec<String>,
    /// Only tasks that match, e.g. 'title~night age>2d'
    #[arg(long, value_name = "FILTER", allow_hyphen_values = true)]
    pub filter: Option<String>,
    /// Jobs at a time
    #[arg(short = 'j', long, value_name = "N", value_parser = positive)]
    pub concurrency: Option<usize>,
}

fn tolerance(text: &str) -> Result<Tolerance, String> {
    text.parse()
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

impl ApplyArgs {
    /// What is asked.
    #[must_use]
    pub fn request(&self) -> ApplyRequest {
        ApplyRequest {
            plan: self.plan.clone(),
            only: self.only.clone(),
            max_time: self.max_time,
        }
    }
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

impl UndoArgs {
    /// What is asked.
    #[must_use]
    pub const fn request(&self) -> UndoRequest {
        UndoRequest {
            op: self.op,
            max_time: self.max_time,
        }
    }
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

/// `workbench runs`
#[derive(Args, Debug, Clone)]
pub struct RunsArgs {
    /// Forget all but the newest N runs that are over, or those that began longer ago than e.g. 30d
    #[arg(long, value_name = "N|AGE", value_parser = keep)]
    pub prune: Option<wb_engine::journal::Keep>,
}

/// `workbench attach`
#[derive(Args, Debug, Clone)]
pub struct AttachArgs {
    /// Number in `workbench runs` [default: the newest that is under way]
    #[arg(value_name = "RUN")]
    pub run: Option<u64>,
    /// Let it finish what is under way and take no further tasks, and wait for its end
    #[arg(long)]
    pub stop: bool,
}

/// `workbench background`
#[derive(Args, Debug, Clone)]
pub struct BackgroundArgs {
    /// The number of the run
    #[arg(value_name = "RUN")]
    pub run: u64,
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
    #[arg(long, value_name = "WHAT", value_parser = one_of(ON_DUPLICATE))]
    pub on_duplicate: Option<OnDuplicate>,
    /// Stop after this time, e.g. 2h: what is done stays done, and a few seconds later the command has ended
    #[arg(long, value_name = "D", value_parser = some_time)]
    pub max_time: Option<Duration>,
}
