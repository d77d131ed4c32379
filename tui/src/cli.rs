//! The command line: names, flags and help. What commands do is left to their own files.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;
use wb_core::run::{FailureLimit, OnConflict};

/// The whole command line.
#[derive(Parser, Debug)]
#[command(
    name = "workbench",
    version,
    about = "A terminal workbench for Encord workflow agents: step, dry-run, review, commit.",
    before_help = "Examples:\n  \
        workbench demo                                   a project on this machine, no account\n  \
        workbench --project-hash=UUID --agents ./agents  the screen on your project\n  \
        workbench run -p UUID -a ./agents --dry-run      all tasks, every write held\n  \
        workbench serve --scenario demo --port 0         a local Encord for scripts and tests",
    after_help = "Credentials: ENCORD_SSH_KEY or ENCORD_SSH_KEY_FILE, and ENCORD_DOMAIN, as for encord-agents.\n\
        Nothing is written upstream by the screen until you commit; `run` writes, unless --dry-run.",
    disable_help_subcommand = true
)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do; without one: the screen.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options of every command.
#[derive(Args, Debug, Clone, Default)]
pub struct Global {
    /// Project
    #[arg(
        short = 'p',
        long,
        value_name = "UUID",
        global = true,
        env = "WORKBENCH_PROJECT",
        hide_env_values = true
    )]
    pub project_hash: Option<String>,
    /// Agent library, crate folder, or folder of libraries; may be given several times
    #[arg(
        short = 'a',
        long,
        value_name = "PATH",
        global = true,
        env = "WORKBENCH_AGENTS",
        hide_env_values = true,
        value_delimiter = ':'
    )]
    pub agents: Vec<PathBuf>,
    /// Hold all writes
    #[arg(short = 'n', long, global = true)]
    pub dry_run: bool,
    /// Refuse every writing request in this process
    #[arg(long, global = true)]
    pub read_only: bool,
    /// Machine-readable output
    #[arg(long, global = true)]
    pub json: bool,
    /// No colours, boxes, cursor moves or animation
    #[arg(long, global = true)]
    pub plain: bool,
    /// Answer yes to questions
    #[arg(short = 'y', long, global = true)]
    pub yes: bool,
    /// Title of a protected project, to write to it
    #[arg(long, value_name = "TITLE", global = true)]
    pub confirm: Option<String>,
    /// Never ask
    #[arg(long, global = true)]
    pub no_input: bool,
    /// Settings file [default: ./workbench.toml, then user settings]
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// Workflow specification (`graphNodes` JSON) with the edges that the API does not tell
    #[arg(long, value_name = "FILE", global = true)]
    pub workflow: Option<PathBuf>,
    /// Where the log goes [default: .workbench/log]
    #[arg(long, value_name = "FILE", global = true)]
    pub log_file: Option<PathBuf>,
    /// More detail in the log; twice: every request
    #[arg(short = 'v', action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,
}

/// Commands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// The screen (default)
    Ui,
    /// A made-up project on this machine: no account, no network
    Demo(DemoArgs),
    /// Make a folder with a small agent that builds, tests and loads at once
    New(NewArgs),
    /// Run the agents on the tasks that wait; writes, unless --dry-run
    Run(RunArgs),
    /// Run with every write held, and keep the outcomes in a file
    Plan(PlanArgs),
    /// Show what a plan would write
    Review(ReviewArgs),
    /// Write exactly what a plan holds, once
    Apply(ApplyArgs),
    /// Take back what an operation wrote
    Undo(UndoArgs),
    /// Finish what an interrupted command had begun to write, and go on with it
    Resume(ResumeArgs),
    /// Task specs in, results out, one line each: for a queue of your own
    Exec(ExecArgs),
    /// List what was written from this folder
    Journal(JournalArgs),
    /// Check stages, pathways, library, access and clock, before any task
    Check,
    /// Draw the workflow as text
    Graph,
    /// List the stages with their agents and counts
    Stages,
    /// List tasks
    Tasks(TasksArgs),
    /// Serve a local Encord on 127.0.0.1
    Serve(ServeArgs),
    /// Every command and its keys
    Keys,
    /// Each setting, its value and where it comes from
    Config,
    /// Print facts
    #[command(subcommand)]
    Print(PrintWhat),
    /// Opens one agent library for the workbench (not for people)
    #[command(hide = true)]
    Host,
}

/// `workbench demo`
#[derive(Args, Debug, Clone)]
pub struct DemoArgs {
    /// Start over
    #[arg(long)]
    pub reset: bool,
    /// Tasks of the made-up project
    #[arg(long, default_value_t = 500)]
    pub tasks: usize,
    /// Do not compile the sample agents; load what is there
    #[arg(long)]
    pub no_build: bool,
}

/// `workbench new`
#[derive(Args, Debug, Clone)]
pub struct NewArgs {
    /// Folder to make; its last part names the crate
    pub name: String,
    /// What it begins with
    #[arg(short, long, value_enum, default_value_t)]
    pub template: Template,
    /// Stage that the agent is for, by name or UUID [default: a stage of the demo]
    #[arg(long, value_name = "NAME|UUID")]
    pub stage: Option<String>,
    /// The crate agent-abi [default: in the checkout around this folder or this program]
    #[arg(long, value_name = "DIR")]
    pub abi: Option<PathBuf>,
}

/// What `workbench new` begins with.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Template {
    /// Pixels in, a label out
    #[default]
    Prelabel,
    /// A pathway chosen by what was labelled
    Route,
    /// A priority from the title
    Priority,
    /// Labels taken over from another project
    Twin,
    /// An object on every n-th frame
    Video,
    /// C99 and a Makefile
    C,
}

/// `workbench print`
#[derive(Subcommand, Debug)]
pub enum PrintWhat {
    /// Agent stages with their pathways
    AgentNodes,
    /// Version and machine, for bug reports
    SystemInfo,
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

/// `workbench run`
#[derive(Args, Debug, Clone)]
pub struct RunArgs {
    /// Look again this often, in seconds; without it, end when the queues are empty
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
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
    #[arg(long, value_name = "FILTER")]
    pub filter: Option<String>,
    /// Only these tasks, by UUID or title
    #[arg(long, value_name = "UUID|TITLE")]
    pub task: Vec<String>,
    /// Jobs at the same time
    #[arg(short = 'j', long, value_name = "N", default_value_t = 1, value_parser = positive)]
    pub concurrency: usize,
    /// At most this many requests a second, e.g. 20/s
    #[arg(long, value_name = "N/s", value_parser = rate)]
    pub rate: Option<f64>,
    /// Limit of one attempt, e.g. 30s
    #[arg(long, value_name = "D", value_parser = duration)]
    pub timeout: Option<Duration>,
    /// Stop after so many failed tasks, e.g. 10, or 5% (once 20 tasks are known)
    #[arg(long, value_name = "N|PCT", value_parser = failures)]
    pub max_failures: Option<FailureLimit>,
    /// Stop after this time; what is done stays done
    #[arg(long, value_name = "D", value_parser = duration)]
    pub max_time: Option<Duration>,
    /// What becomes of a task whose labels somebody else changed meanwhile
    #[arg(long, value_enum, default_value_t)]
    pub on_conflict: Conflicts,
    /// How progress is shown
    #[arg(long, value_enum, default_value_t)]
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
    fn from(wish: Conflicts) -> Self {
        match wish {
            Conflicts::Skip => Self::Skip,
            Conflicts::Rerun => Self::Rerun,
            Conflicts::Overwrite => Self::Overwrite,
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
    #[arg(long, value_name = "FILTER")]
    pub only: Option<String>,
}

/// `workbench apply`
#[derive(Args, Debug, Clone)]
pub struct ApplyArgs {
    /// The plan
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,
    /// Only tasks that match; the others can be applied later
    #[arg(long, value_name = "FILTER")]
    pub only: Option<String>,
}

/// `workbench undo`
#[derive(Args, Debug, Clone)]
pub struct UndoArgs {
    /// Number in `workbench journal` [default: the newest that still stands]
    #[arg(value_name = "OP")]
    pub op: Option<i64>,
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
    /// Limit of one attempt, e.g. 30s
    #[arg(long, value_name = "D", value_parser = duration)]
    pub timeout: Option<Duration>,
}

/// `workbench tasks`
#[derive(Args, Debug, Clone)]
pub struct TasksArgs {
    /// Stage, by name or UUID [default: the first agent stage]
    #[arg(long, value_name = "NAME|UUID")]
    pub stage: Option<String>,
    /// Only tasks that match
    #[arg(long, value_name = "FILTER")]
    pub filter: Option<String>,
    /// At most this many
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub limit: usize,
}

/// `workbench serve`
#[derive(Args, Debug, Clone)]
pub struct ServeArgs {
    /// What the local project holds
    #[arg(long, value_name = "NAME", default_value = "demo")]
    pub scenario: String,
    /// Keep the database here (and reopen it); without it the data go with the process
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Tasks of the local project
    #[arg(long, value_name = "N")]
    pub tasks: Option<usize>,
    /// Same seed, same hashes
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// 0 picks one
    #[arg(long, value_name = "P", default_value_t = 0)]
    pub port: u16,
    /// Entries of a page
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = positive)]
    pub page_size: usize,
    /// Added to every answer, e.g. 50ms
    #[arg(long, value_name = "D", value_parser = duration)]
    pub latency: Option<Duration>,
    /// Injected fault, e.g. 'save_labels:500@2%', 'actions:lost@1%', 'any:429/4s@1%'
    #[arg(long, value_name = "SPEC")]
    pub fault: Vec<String>,
    /// A folder of one's own images and videos
    #[arg(long, value_name = "DIR")]
    pub import: Option<PathBuf>,
    /// A workflow specification (`graphNodes` JSON)
    #[arg(long, value_name = "FILE")]
    pub import_workflow: Option<PathBuf>,
    /// A world of one's own (JSON)
    #[arg(long, value_name = "FILE")]
    pub scenario_file: Option<PathBuf>,
    /// Simulated people at annotate and review stages, tasks a second each
    #[arg(long, value_name = "RATE")]
    pub people: Option<f64>,
}

/// `10` or `5%`.
fn failures(text: &str) -> Result<FailureLimit, String> {
    let wrong = || "write a number of tasks, at least 1, or a percentage, e.g. 5%".to_owned();
    match text.strip_suffix('%') {
        Some(share) => match share.trim().parse::<f64>() {
            Ok(share) if share > 0.0 && share <= 100.0 => Ok(FailureLimit::Percent(share)),
            _ => Err(wrong()),
        },
        None => match text.parse() {
            Ok(n) if n > 0 => Ok(FailureLimit::Count(n)),
            _ => Err(wrong()),
        },
    }
}

fn positive(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(0) => Err("must be at least 1".into()),
        Ok(n) => Ok(n),
        Err(_) => Err("must be a whole number, at least 1".into()),
    }
}

/// `250ms`, `30s`, `5m`, `2h`; a bare number is seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(char::is_alphabetic);
    let number: f64 = digits
        .parse()
        .map_err(|_| "write 250ms, 30s, 5m or 2h".to_owned())?;
    let seconds = match &text[digits.len()..] {
        "ms" => number / 1000.0,
        "" | "s" => number,
        "m" | "min" => number * 60.0,
        "h" => number * 3600.0,
        unit => return Err(format!("\"{unit}\" is no unit; write 250ms, 30s, 5m or 2h")),
    };
    Duration::try_from_secs_f64(seconds).map_err(|_| "must not be negative or that large".into())
}

fn rate(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches("/s");
    match number.parse::<f64>() {
        Ok(n) if n > 0.0 && n.is_finite() => Ok(n),
        _ => Err("write requests a second, e.g. 20/s".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn durations_have_units_and_limits() {
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert!(duration("2 weeks").is_err() && duration("-1s").is_err());
    }

    #[test]
    fn a_command_may_follow_the_agents() {
        let cli = Cli::try_parse_from(["workbench", "-a", "x", "-a", "y", "check"]).unwrap();
        assert_eq!(cli.global.agents, [PathBuf::from("x"), PathBuf::from("y")]);
        assert!(matches!(cli.command, Some(Command::Check)));
    }

    #[test]
    fn a_batch_of_nothing_is_refused() {
        assert!(Cli::try_parse_from(["workbench", "run", "--task-batch-size", "0"]).is_err());
    }
}
