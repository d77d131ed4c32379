//! The command line: names and flags. What commands do is left to their own files.

mod examples;
mod help;
mod look;
mod queue;
mod runs;
mod screens;
mod values;

pub use help::{command_line, completions, host_is_internal, manual, with_nearest};
pub use look::{CompletionsArgs, GraphArgs, GraphFormat, LookArgs, ManArgs, PrintWhat};
pub use queue::{BrokerArgs, PeekArgs, PurgeArgs, PushArgs, QueueArgs, QueueWhat, WorkerArgs};
pub use runs::{
    ApplyArgs, AttachArgs, BackgroundArgs, CompareArgs, ExecArgs, JournalArgs, PlanArgs,
    ResumeArgs, ReviewArgs, RunArgs, RunsArgs, UndoArgs,
};
pub use screens::{DemoArgs, PointOfTime, RecordArgs, ReplayArgs, UiArgs};

use crate::passphrase;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;
use values::{duration, log, positive, size, some_time};
use wb_core::error::{Error, ErrorKind};
use wb_engine::flags::{AskPassphrase, Flags};
use wb_engine::saved::{CommandRequest, SavedCommand};

/// The whole command line.
#[derive(Parser, Debug)]
#[command(
    name = "workbench",
    version,
    about = "A terminal workbench for Encord workflow agents: step, dry-run, review, commit.",
    after_help = "Credentials: ENCORD_SSH_KEY or ENCORD_SSH_KEY_FILE, and ENCORD_DOMAIN, as for encord-agents; or an ssh-agent.\n\
        Nothing is written upstream by the screen until you commit; `run` writes, unless --dry-run.",
    disable_help_subcommand = true
)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// Recording of the screen.
    #[command(flatten)]
    pub record: RecordArgs,
    /// What to do; without one: the screen.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options of every command.
#[derive(Args, Debug, Clone, Default)]
#[command(next_help_heading = "Options of every command")]
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
    /// Agent library, crate folder, or folder of libraries; several with colons between them, or given several times
    #[arg(
        short = 'a',
        long,
        value_name = "PATH",
        global = true,
        env = "WORKBENCH_AGENTS",
        hide_env_values = true
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
    /// No colours, boxes, cursor moves or animation; the screen is read line by line and takes commands by name
    #[arg(long, global = true)]
    pub plain: bool,
    /// Answer yes to questions
    #[arg(short = 'y', long, global = true)]
    pub yes: bool,
    /// Title of a protected project, to write to it; given again for each other project that outcomes change
    #[arg(long, value_name = "TITLE", global = true)]
    pub confirm: Vec<String>,
    /// Never ask
    #[arg(long, global = true)]
    pub no_input: bool,
    /// Settings file [default: ./workbench.toml, then user settings]
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// Workflow specification (`graphNodes` JSON) with the edges that the API leaves out
    #[arg(long, value_name = "FILE", global = true)]
    pub workflow: Option<PathBuf>,
    /// Limit for opening a library, and for the dependencies that one task loads to stay [default: 5m]
    #[arg(long, value_name = "D", global = true, value_parser = some_time)]
    pub load_timeout: Option<Duration>,
    /// Memory of each process that agents run in, e.g. 2GB, or none [default: the machine's, shared by -j]
    #[arg(long, value_name = "SIZE", global = true, value_parser = size)]
    pub memory: Option<u64>,
    /// Log lines of agents to keep, e.g. info,hyper=debug [default: all of their own crates, others from warn]
    #[arg(long, value_name = "DIRECTIVES", global = true, value_parser = log)]
    pub log: Option<String>,
    /// Where the log goes [default: .workbench/log]
    #[arg(long, value_name = "FILE", global = true)]
    pub log_file: Option<PathBuf>,
    /// What agents log, on stderr too, and more detail in the log; twice: all of it, and every request
    #[arg(short = 'v', action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,
}

impl Global {
    /// What the engine needs of these options.
    #[must_use]
    pub fn flags(&self) -> Flags {
        Flags {
            project_hash: self.project_hash.clone(),
            agents: self.agents.clone(),
            dry_run: self.dry_run,
            read_only: self.read_only,
            confirm: self.confirm.first().cloned(),
            also_confirm: self.confirm.iter().skip(1).cloned().collect(),
            config: self.config.clone(),
            workflow: self.workflow.clone(),
            load_timeout: self.load_timeout,
            memory: self.memory,
            log: self.log.clone(),
            verbose: self.verbose,
            json: self.json,
            plain: self.plain,
            words: std::env::args_os()
                .skip(1)
                .map(|word| word.to_string_lossy().into_owned())
                .collect(),
            ask: (!self.no_input).then(|| AskPassphrase::new(passphrase::in_terminal)),
            goes_on: None,
        }
    }
}

impl Cli {
    /// The command as the journal keeps it, where it writes and can be gone on with.
    #[must_use]
    pub fn saved(&self) -> Option<SavedCommand> {
        let request = match &self.command {
            Some(Command::Run(args)) => CommandRequest::Run(Box::new(args.request())),
            Some(Command::Apply(args)) => CommandRequest::Apply(args.request()),
            Some(Command::Undo(args)) => CommandRequest::Undo(args.request()),
            _ => return None,
        };
        let flags = self.global.flags();
        Some(SavedCommand { flags, request })
    }

    /// Reads the words of a command line, as older versions kept them in the journal.
    ///
    /// # Errors
    /// This version does not know such a command.
    pub fn of_words(words: &[String]) -> Result<Option<SavedCommand>, Error> {
        let words = std::iter::once("workbench").chain(words.iter().map(String::as_str));
        let cli = Self::try_parse_from(words).map_err(|e| {
            let text = format!("the interrupted command cannot be read any more: {e}");
            Error::new(ErrorKind::Usage, text)
        })?;
        Ok(cli.saved())
    }
}

/// Commands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// The screen (default)
    Ui(UiArgs),
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
    /// Compare two plans, or two libraries on the same tasks; writes nothing
    Compare(CompareArgs),
    /// Write exactly what a plan holds, once
    Apply(ApplyArgs),
    /// Take back what an operation wrote
    Undo(UndoArgs),
    /// Finish what an interrupted command had begun to write, and go on with it
    Resume(ResumeArgs),
    /// Task specs in, results out, one line each: for a queue of your own
    Exec(ExecArgs),
    /// Look at, fill and empty a queue of task specs on RabbitMQ or Redis
    Queue(QueueArgs),
    /// Run the agents on task specs from a queue on RabbitMQ or Redis, as a Celery worker does
    Worker(WorkerArgs),
    /// List what was written from this folder
    Journal(JournalArgs),
    /// List the runs of this folder, those in the background too, and how far they are
    Runs(RunsArgs),
    /// Follow a run in the background until it ends, or stop it
    Attach(AttachArgs),
    /// Check stages, pathways, library, access and clock, before any task
    Check(LookArgs),
    /// Draw the workflow as text, Mermaid, DOT or JSON
    Graph(GraphArgs),
    /// List the stages with their UUIDs and counts
    Stages(LookArgs),
    /// List tasks
    Tasks(TasksArgs),
    /// Play a recorded session: in the terminal, as a picture, as text, or as an asciicast
    Replay(ReplayArgs),
    /// Serve a local Encord on 127.0.0.1
    Serve(ServeArgs),
    /// Every command and its keys
    Keys,
    /// Each setting, its value and where it comes from
    Config,
    /// Print facts for scripts and bug reports
    #[command(subcommand)]
    Print(PrintWhat),
    /// Write what a shell needs to complete commands and flags
    Completions(CompletionsArgs),
    /// Write a manual page
    Man(ManArgs),
    /// Does what is left of a run of the screen (started by the screen itself)
    #[command(hide = true)]
    Background(BackgroundArgs),
    /// Opens one agent library for the workbench (not for people)
    #[command(hide = true)]
    Host,
}

/// `workbench new`
#[derive(Args, Debug, Clone)]
pub struct NewArgs {
    /// Folder to make; its last part names the crate. With --upgrade or --refresh-ontology the crate's folder
    /// [default: the one around this]
    #[arg(required_unless_present_any = ["upgrade", "refresh_ontology"])]
    pub name: Option<String>,
    /// What it begins with [default: with --project-hash an agent for each agent stage of the project, else prelabel]
    #[arg(short, long, value_name = "NAME", value_enum)]
    pub template: Option<Template>,
    /// Stage that the agent is for, by name or UUID [default: a stage of the demo]
    #[arg(long, value_name = "NAME|UUID")]
    pub stage: Option<String>,
    /// Replace the copy of agent-abi in a crate that exists (in C, the header) by the one of this program
    #[arg(long, conflicts_with_all = ["template", "stage"])]
    pub upgrade: bool,
    /// Replace files of that copy that were changed by hand, too
    #[arg(long, requires = "upgrade")]
    pub force: bool,
    /// Write the names of a crate's project again, as it is now: src/ontology.rs and src/pathways.rs
    #[arg(long, conflicts_with_all = ["template", "stage", "upgrade"])]
    pub refresh_ontology: bool,
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
    /// C++17 and a Makefile: a track
    Cpp,
}

impl Template {
    /// Whether it is a crate, not a folder with a Makefile.
    pub fn is_rust(self) -> bool {
        !matches!(self, Self::C | Self::Cpp)
    }
}

/// `workbench tasks`
#[derive(Args, Debug, Clone)]
pub struct TasksArgs {
    /// Stage, by name or UUID [default: the first agent stage]
    #[arg(long, value_name = "NAME|UUID")]
    pub stage: Option<String>,
    /// Only tasks that match
    #[arg(long, value_name = "FILTER", allow_hyphen_values = true)]
    pub filter: Option<String>,
    /// At most this many
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub limit: usize,
    /// When it stops
    #[command(flatten)]
    pub look: LookArgs,
}

/// `workbench serve`
#[derive(Args, Debug, Clone)]
pub struct ServeArgs {
    /// What the local project holds: seed, demo, samples or large [default: demo]
    #[arg(long, value_name = "NAME")]
    pub scenario: Option<String>,
    /// Keep the database here (and reopen it); without it the data go with the process
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Tasks of the local project [default: seed 24, demo and samples 240, large 1000000]
    #[arg(long, value_name = "N")]
    pub tasks: Option<usize>,
    /// Same seed, same hashes
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// The port; 0 picks one
    #[arg(long, value_name = "P", default_value_t = 0)]
    pub port: u16,
    /// Entries of a page
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = positive)]
    pub page_size: usize,
    /// Added to every answer, e.g. 50ms
    #[arg(long, value_name = "D", value_parser = duration)]
    pub latency: Option<Duration>,
    /// Injected fault, TARGET:ACTION, then @P% or *N if wanted; may be given several times:
    /// 'save_labels:500@2%', 'actions:lost@1%', 'any:429/4s@1%', 'get:slow/2s',
    /// 'storage:truncate', 'actions:conflict*1'
    #[arg(long, value_name = "SPEC")]
    pub fault: Vec<String>,
    /// A folder of your own images, videos, sounds, texts and PDFs
    #[arg(long, value_name = "DIR")]
    pub import: Option<PathBuf>,
    /// A workflow specification (`graphNodes` JSON)
    #[arg(long, value_name = "FILE")]
    pub import_workflow: Option<PathBuf>,
    /// A world of your own (JSON; its schema: GET /local/scenario-schema)
    #[arg(long, value_name = "FILE")]
    pub scenario_file: Option<PathBuf>,
    /// Simulated people at annotate and review stages: tasks a second, all together
    #[arg(long, value_name = "RATE")]
    pub people: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_may_follow_the_agents() {
        let cli = Cli::try_parse_from(["workbench", "-a", "x", "check"]).unwrap();
        let agents = [PathBuf::from("x")];
        assert!(cli.global.agents == agents && matches!(cli.command, Some(Command::Check(_))));
    }

    #[test]
    fn a_batch_of_nothing_is_refused() {
        assert!(Cli::try_parse_from(["workbench", "run", "--task-batch-size", "0"]).is_err());
    }
}
