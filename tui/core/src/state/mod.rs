//! The whole state and the one function that changes it.
//!
//! `update` is pure: no I/O, no clock, no `Result`. Drawing only reads. A recorded list of events
//! replays to the same state.

mod builds;
mod commits;
mod known;
mod runs;
mod stepping;
mod upstream;

use crate::build::{AgentDescriptor, BuildStatus, Builds};
use crate::command::Command;
use crate::event::{BuildEvent, Effect, Event, JobEvent, Launch, ListId, NetStats, Upstream};
use crate::fault::{Fault, FaultKind};
use crate::ids::{BatchId, BuildId, JobId, Millis, StageId, TaskId};
use crate::queue::{LastResult, Queue};
use crate::run::{Around, Ending, Report, Run, RunSpec, Sink, Source, item};
use crate::step::{At, Log, LogLine, Stepper};
use crate::work::{Committed, Inputs, Outcome, Project, Wants, Way};
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;

/// How careful writes to a project must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// A commit is not even asked about twice.
    Sandbox,
    /// A commit asks.
    Staging,
    /// A commit wants the project's title typed, a command wants `--confirm TITLE`.
    Protected,
}

impl Level {
    /// Reads the word of a settings file.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "sandbox" => Some(Self::Sandbox),
            "staging" => Some(Self::Staging),
            "protected" => Some(Self::Protected),
            _ => None,
        }
    }

    /// The word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Staging => "staging",
            Self::Protected => "PROTECTED",
        }
    }
}

/// What the person allowed at start.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// Where upstream is, for the screen: `api.encord.com`, `local project`.
    pub upstream: String,
    /// How careful writes must be, when the settings say so.
    pub level: Option<Level>,
    /// Title of a protected project that was confirmed at start.
    pub confirm: Option<String>,
    /// No command that writes.
    pub read_only: bool,
    /// Outcomes are held until they are committed from review.
    pub dry_run: bool,
    /// Where a library was looked for, for the empty state.
    pub agents: Vec<String>,
    /// Workflow specification with the edges that the API does not tell.
    pub specification: Option<serde_json::Value>,
    /// The screen lists queues and counts; a headless run does not.
    pub screen: bool,
    /// Limit of one attempt in milliseconds, unless the agent declares its own.
    pub timeout_ms: Option<u64>,
}

/// Kind of an activity line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A build came, or did not.
    Build,
    /// A task was stepped.
    Task,
    /// A run began or ended.
    Run,
    /// Something was written.
    Commit,
    /// A queue changed.
    Queue,
    /// Upstream.
    Net,
    /// A fault.
    Fault,
}

impl Kind {
    /// One word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Task => "task",
            Self::Run => "run",
            Self::Commit => "commit",
            Self::Queue => "queue",
            Self::Net => "net",
            Self::Fault => "fault",
        }
    }
}

/// One line of what happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Activity {
    /// When.
    pub at: Millis,
    /// Kind.
    pub kind: Kind,
    /// Whether it is bad news.
    pub bad: bool,
    /// What a person reads.
    pub text: String,
    /// More, shown on demand.
    pub detail: Option<String>,
}

/// An outcome that is held.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// Stage.
    pub stage: StageId,
    /// What the agent was given.
    pub inputs: Arc<Inputs>,
    /// What it gave.
    pub outcome: Arc<Outcome>,
    /// Build it ran on.
    pub build: BuildId,
    /// Whether it is to be committed.
    pub taken: bool,
    /// When.
    pub at: Millis,
}

impl Held {
    /// Group in review: where it goes and what it changes.
    #[must_use]
    pub fn group(&self) -> String {
        let route = match &self.outcome.way {
            Way::Stay => "stay",
            Way::Pathway { name, .. } => name.as_str(),
        };
        let (added, changed, removed) = self.outcome.patch.counts();
        let what = match (added, changed, removed) {
            _ if removed > 0 => "labels removed",
            _ if changed > 0 => "labels changed",
            _ if added > 0 => "labels added",
            _ if self.outcome.patch.is_empty() => "nothing else",
            _ => "priority or metadata",
        };
        format!("{route}, {what}")
    }
}

/// A commit under way or just over.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CommitState {
    /// Tasks asked for.
    pub asked: usize,
    /// Tasks whose answer is here.
    pub answered: usize,
    /// Written.
    pub done: usize,
    /// Left because others had changed them.
    pub conflicts: Vec<(String, String)>,
    /// Refused.
    pub refused: Vec<(String, Fault)>,
    /// When it ended.
    pub ended: Option<Millis>,
}

/// What the compiler is doing, when the workbench started it.
#[derive(Clone, Debug, PartialEq)]
pub struct Compiling {
    /// Since when.
    pub since: Millis,
    /// Its last line.
    pub line: String,
    /// Its messages, when it failed.
    pub failed: Option<String>,
}

/// Everything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// What was allowed at start.
    pub options: Options,
    /// Now, as far as the core knows.
    pub now: Millis,
    /// The project.
    pub project: Option<Arc<Project>>,
    /// Why there is none.
    pub project_fault: Option<Fault>,
    /// Outcomes are written as they come, instead of held.
    pub live: bool,
    /// Builds and bindings.
    pub builds: Builds,
    /// The newest library that was refused before it could be opened, until a good one comes.
    pub rejected: Option<(String, Millis)>,
    /// The compiler.
    pub compiling: Option<Compiling>,
    /// Queues by stage.
    pub queues: BTreeMap<StageId, Queue>,
    /// What the last job of each task gave.
    pub results: HashMap<TaskId, LastResult>,
    /// The task being stepped.
    pub step: Option<Stepper>,
    /// The newest run.
    pub run: Option<Run>,
    /// Outcomes held for review.
    pub held: BTreeMap<TaskId, Held>,
    /// The newest commit from review.
    pub commit: Option<CommitState>,
    /// What happened, newest last.
    pub activity: VecDeque<Activity>,
    /// Lines of the newest run's agents.
    pub log: Log,
    /// Wire counters.
    pub net: NetStats,
    /// The newest fault of upstream, until something succeeds.
    pub net_fault: Option<(Fault, Millis)>,
    /// When the project was asked for last.
    asked: Millis,
    jobs: u64,
    lists: u64,
    batches: u64,
    steps: u64,
    runs: u64,
    commits: HashMap<BatchId, Vec<TaskId>>,
    fetches: HashMap<BatchId, u64>,
    preflights: HashMap<BuildId, Result<(), Fault>>,
}

/// Activity lines that are kept.
const ACTIVITY: usize = 500;
/// Queues are listed again this often while the screen is open, in milliseconds.
const REFRESH_MS: u64 = 30_000;
/// A platform that did not answer is asked for the project again this often, in milliseconds.
const AGAIN_MS: u64 = 20_000;

impl State {
    /// A state with nothing in it yet, and the first wishes.
    #[must_use]
    pub fn start(options: Options, now: Millis) -> (Self, Vec<Effect>) {
        let live = !options.dry_run && !options.screen;
        let state = Self {
            options,
            now,
            live,
            ..Self::default()
        };
        (state, vec![Effect::LoadProject])
    }

    /// Takes one event in; gives the wishes that follow.
    pub fn update(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::Input(command) => self.input(command),
            Event::Upstream(news) => self.upstream(news),
            Event::Prefetch { batch, results } => self.prefetched(batch, results),
            Event::Job(news) => self.job(news),
            Event::Build(news) => self.build(news),
            Event::Commit { batch, results } => self.committed(batch, &results),
            Event::Preflight { build, result } => self.preflight(build, result),
            Event::Tick(now) => self.tick(now),
        }
    }

    /// The agent that answers for a stage.
    #[must_use]
    pub fn agent(&self, stage: StageId) -> Option<(BuildId, usize, &AgentDescriptor)> {
        let binding = self.builds.binding(stage)?;
        let (build, agent) = self.builds.agent(stage)?;
        Some((build.id, binding.agent, agent))
    }

    /// How many tasks wait at a stage, as far as listed; whether that is all of them.
    #[must_use]
    pub fn count(&self, stage: StageId) -> Option<(usize, bool)> {
        let queue = self.queues.get(&stage)?;
        (queue.loaded.is_some() || queue.loading)
            .then(|| (queue.rows.len(), queue.loaded.is_some()))
    }

    /// How a library's preflight ended; `None` while it has not.
    #[must_use]
    pub fn preflight_of(&self, build: BuildId) -> Option<&Result<(), Fault>> {
        self.preflights.get(&build)
    }

    /// Whether leaving now would interrupt something.
    #[must_use]
    pub fn busy(&self) -> bool {
        self.run.as_ref().is_some_and(|r| !r.is_over())
            || !self.commits.is_empty()
            || self.step.as_ref().is_some_and(|s| s.job.is_some())
    }

    /// Title of a stage, or a dash.
    #[must_use]
    pub fn stage_title(&self, stage: StageId) -> &str {
        self.project
            .as_ref()
            .and_then(|p| p.workflow.stage(stage))
            .map_or("–", |s| s.title.as_str())
    }

    fn say(&mut self, kind: Kind, text: impl Into<String>) {
        self.note(kind, false, text.into(), None);
    }

    fn warn(&mut self, kind: Kind, text: impl Into<String>, detail: Option<String>) {
        self.note(kind, true, text.into(), detail);
    }

    fn note(&mut self, kind: Kind, bad: bool, text: String, detail: Option<String>) {
        if self.activity.len() == ACTIVITY {
            self.activity.pop_front();
        }
        self.activity.push_back(Activity {
            at: self.now,
            kind,
            bad,
            text,
            detail,
        });
    }

    fn complain(&mut self, fault: &Fault) {
        let mut detail = fault.cause.clone().unwrap_or_default();
        for hint in &fault.hints {
            detail.push_str("\n→ ");
            detail.push_str(hint);
        }
        let detail = (!detail.is_empty()).then_some(detail);
        self.warn(Kind::Fault, fault.summary.clone(), detail);
    }

    fn input(&mut self, command: Command) -> Vec<Effect> {
        match command {
            Command::Quit => self.quit(),
            Command::Refresh(stage) => self.refresh(stage),
            Command::OpenStage(stage) => self.open_stage(stage),
            Command::Filter { stage, text } => {
                self.with_queue(stage, |q, now, results| q.set_filter(&text, now, results));
                self.know(stage).into_iter().collect()
            }
            Command::Sort(stage) => self.with_queue(stage, |q, now, results| {
                q.sort = q.sort.next();
                q.refresh_view(now, results);
            }),
            Command::Mark { stage, tasks, on } => self.with_queue(stage, |q, _, _| {
                for task in tasks {
                    if on {
                        q.marks.insert(task);
                    } else {
                        q.marks.remove(&task);
                    }
                }
            }),
            Command::MarkAll { stage, on } => self.with_queue(stage, |q, _, _| {
                q.marks.clear();
                if on {
                    let rows = &q.rows;
                    q.marks = q
                        .view
                        .iter()
                        .filter_map(|i| rows.get(*i as usize))
                        .map(|r| r.id)
                        .collect();
                }
            }),
            Command::Open { stage, task } => self.open(stage, task),
            Command::Step => self.step_on(),
            Command::ToEnd => {
                if let Some(step) = &mut self.step {
                    step.to_end = true;
                }
                self.step_on()
            }
            Command::Rerun => self.rerun(),
            Command::Discard => self.discard(),
            Command::Accept => self.accept(),
            Command::KillJob => self
                .step
                .as_ref()
                .and_then(|s| s.job)
                .map(Effect::Kill)
                .into_iter()
                .collect(),
            Command::Run(spec) => self.start_run(*spec),
            Command::PauseRun => self.with_run(|run| run.paused = !run.paused),
            Command::CancelRun => self.with_run(|run| {
                run.cancelled = true;
                run.paused = false;
            }),
            Command::Concurrency(delta) => self.concurrency(delta),
            Command::Take { tasks, on } => {
                for task in tasks {
                    if let Some(held) = self.held.get_mut(&task) {
                        held.taken = on;
                    }
                }
                Vec::new()
            }
            Command::Drop(tasks) => {
                for task in &tasks {
                    self.held.remove(task);
                }
                self.say(
                    Kind::Task,
                    format!(
                        "{} held outcomes thrown away; nothing was written",
                        tasks.len()
                    ),
                );
                Vec::new()
            }
            Command::Commit(tasks) => self.commit_held(&tasks),
            Command::Live(live) => {
                if let (true, Err(why)) = (live, self.may_write()) {
                    self.warn(Kind::Fault, why, None);
                } else {
                    self.live = live;
                    let mode = if live {
                        "LIVE: runs write each batch as it finishes"
                    } else {
                        "DRY-RUN: every write is held"
                    };
                    self.say(Kind::Run, mode);
                }
                Vec::new()
            }
        }
    }

    fn with_queue(
        &mut self,
        stage: StageId,
        change: impl FnOnce(&mut Queue, Millis, &HashMap<TaskId, LastResult>),
    ) -> Vec<Effect> {
        if let Some(queue) = self.queues.get_mut(&stage) {
            change(queue, self.now, &self.results);
        }
        Vec::new()
    }

    fn with_run(&mut self, change: impl FnOnce(&mut Run)) -> Vec<Effect> {
        if let Some(run) = self.run.as_mut().filter(|r| !r.is_over()) {
            change(run);
        }
        self.advance_run()
    }

    fn quit(&mut self) -> Vec<Effect> {
        let mut effects = self.with_run(|run| run.cancelled = true);
        if let Some(job) = self.step.as_ref().and_then(|s| s.job) {
            effects.push(Effect::Kill(job));
        }
        effects.push(Effect::Exit);
        effects
    }

    fn tick(&mut self, now: Millis) -> Vec<Effect> {
        self.now = now;
        if !self.options.screen {
            return Vec::new();
        }
        let silent = self
            .project_fault
            .as_ref()
            .is_some_and(|f| f.kind == FaultKind::Network);
        if self.project.is_none() && silent && now.since(self.asked) >= AGAIN_MS {
            self.asked = now;
            return vec![Effect::LoadProject];
        }
        let due: Vec<StageId> = self
            .queues
            .iter()
            .filter(|(_, q)| !q.loading && q.loaded.is_some_and(|t| now.since(t) >= REFRESH_MS))
            .map(|(s, _)| *s)
            .collect();
        due.into_iter()
            .filter_map(|stage| self.list(stage))
            .collect()
    }
}

/// Route or fault in short, and label counts.
fn short(result: &Result<Arc<Outcome>, Fault>) -> (String, (usize, usize, usize)) {
    match result {
        Ok(outcome) => {
            let route = match &outcome.way {
                Way::Stay => "stay".to_owned(),
                Way::Pathway { name, .. } => name.clone(),
            };
            (route, outcome.patch.counts())
        }
        Err(fault) => (fault.summary.clone(), (0, 0, 0)),
    }
}

#[allow(clippy::cast_precision_loss)] // milliseconds for a person
fn last_result(
    build: BuildId,
    result: &Result<Arc<Outcome>, Fault>,
    run_us: u64,
    at: Millis,
) -> LastResult {
    let (text, labels) = short(result);
    LastResult {
        build,
        text,
        failed: result.is_err(),
        labels,
        ms: run_us as f64 / 1000.0,
        at,
    }
}
