//! The whole state and the one function that changes it.
//!
//! `update` is pure: no I/O, no clock, no `Result`. Drawing only reads. A recorded list of events
//! replays to the same state.

mod activity;
mod background;
mod builds;
mod commits;
mod comparing;
mod conflicts;
mod editing;
mod failures;
mod figures;
mod held;
mod held_document;
mod input;
mod journal;
mod known;
mod loading;
mod looking;
mod operations;
mod options;
mod paused;
mod places;
mod points;
mod queued_step;
#[cfg(test)]
mod replay_tests;
mod rereading;
mod retiring;
mod runs;
mod saved_view;
pub mod shell;
mod stepping;
mod ticking;
mod upstream;
mod waits;
mod watching;

pub use crate::saved_view::{SavedQueue, SavedView};
pub use crate::work::Held;
pub use activity::{Activity, Kind};
pub use conflicts::{Conflict, Theirs};
pub use failures::FailureGroup;
pub use figures::CommitStanding;
pub use held::{CommitState, HeldOutcomes};
pub use held_document::HeldDocument;
pub use options::{Level, Options};
pub use paused::PausedTask;
pub use queued_step::QueuedStep;
pub use rereading::ProjectRead;

use crate::background::BackgroundRun;
use crate::build::{AgentDescriptor, BuildStatus, Builds, Refusals};
use crate::command::{Command, Shown};
use crate::comparing::Comparing;
use crate::error::{Error, ErrorKind};
use crate::event::{
    BuildEvent, CompileFailure, CrateProgress, Effect, Event, JobEvent, JournalOperation, Launch,
    ListId, NetStats, Outage, Priority, Upstream,
};
use crate::figures::{Figures, KeptRun};
use crate::ids::{BatchId, BatchOwner, BuildId, JobId, Millis, OperationId, StageId, TaskId};
use crate::journal::Journal;
use crate::loading::Loading;
use crate::pause::PausePoint;
use crate::queue::{LastResult, Queue};
use crate::run::{Around, Ending, OnConflict, Report, Run, RunSpec, RunTasks, Sink, Source, item};
use crate::step::{At, Log, LogLine, Reached, StepRow, Stepper, Until};
use crate::watch::Watch;
use crate::work::{Committed, FetchSpec, Inputs, Outcome, Project, Route};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;

/// What the compiler is doing, when the workbench started it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Compiling {
    /// Since when.
    pub since: Millis,
    /// Its last line.
    pub line: String,
    /// How far it is.
    pub crates: CrateProgress,
    /// Since when its library is being opened, after it has succeeded.
    pub opening: Option<Millis>,
    /// What failed, when it did.
    pub failed: Option<CompileFailure>,
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
    /// When it was read.
    pub project_read: Option<ProjectRead>,
    /// Why there is none.
    pub project_error: Option<Error>,
    /// Outcomes are written as they come, instead of held.
    pub live: bool,
    /// Requests a second at most; `None` is unlimited.
    pub rate: Option<f64>,
    /// Limit of one attempt in milliseconds that a person typed: it takes precedence over the agent's own.
    pub typed_timeout_ms: Option<u64>,
    /// Jobs at a time that a person chose for a run: those after it have as many.
    pub jobs_at_a_time: Option<usize>,
    /// Builds and bindings.
    pub builds: Builds,
    /// The watched libraries whose newest content was refused.
    pub refused: Refusals,
    /// The compiler.
    pub compiling: Option<Compiling>,
    /// Libraries of which a new content is being opened, with what is waited for.
    pub opening: BTreeMap<std::path::PathBuf, Loading>,
    /// The stages that are in sight: only these are listed again.
    pub shown: Shown,
    /// Queues by stage.
    pub queues: BTreeMap<StageId, Queue>,
    /// What the last job of each task gave.
    pub results: HashMap<TaskId, LastResult>,
    /// What is known of stages beyond their queues.
    pub(crate) figures: Figures,
    /// The task being stepped.
    pub step: Option<Stepper>,
    /// The task that is stepped as soon as its stage has an agent.
    pub queued_step: Option<QueuedStep>,
    /// The newest run.
    pub run: Option<Run>,
    /// Runs in the background of this folder that are under way.
    pub background: Vec<BackgroundRun>,
    /// Why the newest run was not begun.
    pub not_started: Option<Error>,
    /// Tasks that failed in the newest run or its retries, and still do; equal failures together.
    pub failures: Vec<FailureGroup>,
    /// Tasks that run dry again at every build.
    pub watch: Watch,
    /// The newest comparison.
    pub comparing: Option<Box<Comparing>>,
    /// Earlier runs of the folder, the newest first, once somebody looked.
    pub earlier_runs: Vec<KeptRun>,
    /// Pause points by stage.
    pub points: BTreeMap<StageId, Vec<PausePoint>>,
    /// Tasks of the run that wait at one, the longest first; the open task is none of them.
    pub paused: Vec<PausedTask>,
    /// Outcomes held for review.
    pub held: HeldOutcomes,
    /// Why the newest edit of an outcome was refused, until the next one.
    pub refused_edit: Option<(TaskId, Error)>,
    /// Those that an earlier screen held, until the project is there.
    returning: Vec<(TaskId, Held)>,
    /// What of an earlier set-up has not come back yet.
    returning_view: SavedView,
    /// Outcomes that were not written because somebody else had changed the label row.
    pub conflicts: BTreeMap<TaskId, Conflict>,
    /// The newest commit from review.
    pub commit: Option<CommitState>,
    /// What was written from this folder, once somebody looked.
    pub journal: Journal,
    /// What happened, newest last.
    pub activity: VecDeque<Activity>,
    /// How many lines of it there were, those that are no longer kept too.
    pub noted: usize,
    /// Lines of the newest run's agents.
    pub log: Log,
    /// Wire counters.
    pub net: NetStats,
    /// What keeps requests waiting now.
    pub outage: Option<Outage>,
    /// The newest error of upstream, until something succeeds.
    pub net_error: Option<(Error, Millis)>,
    rereading: rereading::Rereading,
    /// When the project was asked for last.
    asked: Millis,
    /// The outage was reported.
    outage_reported: bool,
    /// The places that jobs of the run have reached.
    trails: HashMap<JobId, Vec<Reached>>,
    /// How the attempt of the open task ended, where its run has not heard of it yet.
    parked: HashMap<JobId, paused::Ended>,
    /// What the open task's run has given out, where its agent is not called before a person lets it go on.
    kept_back: HashMap<JobId, Box<Launch>>,
    jobs: u64,
    lists: u64,
    batches: u64,
    steps: u64,
    runs: u64,
    comparisons: u64,
    last_operation: u64,
    /// Operations that ask and are answered.
    operations: BTreeMap<OperationId, operations::OperationUnderWay>,
    commits: HashMap<BatchId, Vec<TaskId>>,
    /// What the commits under way are noted under.
    open_operations: Vec<Arc<JournalOperation>>,
    /// The tasks in `failures`.
    failed_tasks: HashSet<TaskId>,
    /// What the writes of a live run are noted under.
    run_operation: Option<Arc<JournalOperation>>,
    /// Which tasks the newest run still has to do.
    run_tasks: RunTasks,
    /// The run ends here to go on without this screen.
    leaving: Option<background::Leaving>,
    /// The title of a protected project, typed for the command that is being done.
    typed_title: Option<String>,
    fetches: HashMap<BatchId, u64>,
    preflights: HashMap<BuildId, Result<(), Error>>,
    /// Preflights under way.
    preflighting: BTreeSet<BuildId>,
    /// Libraries that were opened and have not claimed their stages yet.
    arrived: Vec<crate::build::Probed>,
    /// Libraries whose claims take precedence over those of later ones, and that were neither opened nor refused yet.
    awaited: BTreeSet<std::path::PathBuf>,
    /// Since when, where that has an end.
    held_since: Option<Millis>,
    /// Builds that are no longer active and that something may still need.
    superseded: BTreeSet<BuildId>,
    /// Those of them whose hosts have left.
    resting: BTreeSet<BuildId>,
    /// Keys that nothing reads and that were reported, with the stage whose answers have them.
    unread: BTreeSet<(StageId, Vec<String>)>,
}

impl State {
    /// A state with nothing in it yet, and the first effects.
    #[must_use]
    pub fn start(options: Options, now: Millis) -> (Self, Vec<Effect>) {
        let live = !options.dry_run && !options.screen;
        let builds = Builds::of(options.libraries.clone());
        let awaited = options.awaited.clone();
        let mut state = Self {
            rate: options.rate,
            points: options.points.clone(),
            options,
            now,
            live,
            builds,
            ..Self::default()
        };
        state.await_libraries(awaited);
        let first = state.read_project();
        (state, first.into_iter().collect())
    }

    /// Takes one event in; gives the effects that follow.
    pub fn update(&mut self, event: Event) -> Vec<Effect> {
        let mut effects = match event {
            Event::Input(command) => self.input(command),
            Event::Upstream(news) => self.upstream(news),
            Event::Prefetch { batch, results } => self.prefetched(batch, results),
            Event::Job(news) => {
                let effects = self.job(news);
                self.time_loading();
                effects
            }
            Event::Build(news) => self.build(news),
            Event::Theirs(results) => self.theirs(results),
            Event::OutcomeEdited(edit, result) => self.outcome_edited(&edit, result),
            Event::Journal(news) => self.journal_news(news),
            Event::Operation {
                operation,
                lane,
                reply,
            } => self.operation_reply(operation, lane, reply),
            Event::Preflight { build, result } => self.preflight(build, result),
            Event::Compared(of, task, differs) => self.compared(of, task, *differs),
            Event::RunsListed(runs) => self.runs_listed(runs),
            Event::RunRead {
                comparison,
                side,
                results,
            } => self.run_read(comparison, side, results),
            Event::NotStarted(error) => self.not_started(error),
            Event::HeldBefore(outcomes) => self.held_before(outcomes),
            Event::HeldElsewhere(outcomes) => self.held_elsewhere(outcomes),
            Event::Background(runs) => self.background_news(runs),
            Event::NotStopped(error) => self.not_planned(&error),
            Event::NotInBackground(error) => self.not_in_background(&error),
            Event::ViewBefore(view) => self.view_before(view),
            Event::FiguresBefore(before) => self.figures_before(*before),
            Event::ResultsBefore { results, all } => self.results_before(results, all),
            Event::NotPlanned(error) => self.not_planned(&error),
            Event::NotKept(error) => self.not_kept(&error),
            Event::Tick(now) => self.tick(now),
        };
        effects.extend(self.step_queued());
        effects.extend(self.return_view());
        effects.extend(self.hand_over());
        effects.extend(self.advance_watch());
        effects.extend(self.release());
        effects.extend(self.keep_held());
        effects.extend(self.keep_figures(&effects));
        self.note_launches(&effects);
        effects
    }

    /// The agent that answers for a stage.
    #[must_use]
    pub fn agent(&self, stage: StageId) -> Option<(BuildId, usize, &AgentDescriptor)> {
        let binding = self.builds.binding(stage)?;
        let (build, agent) = self.builds.agent(stage)?;
        Some((build.id, binding.agent, agent))
    }

    /// Limit of one attempt of this agent in milliseconds: a person's, its own, or the one of the settings.
    #[must_use]
    pub fn limit_of(&self, agent: &AgentDescriptor) -> Option<u64> {
        self.typed_timeout_ms
            .or(agent.spec.timeout_ms)
            .or(self.options.timeout_ms)
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
    pub fn preflight_of(&self, build: BuildId) -> Option<&Result<(), Error>> {
        self.preflights.get(&build)
    }

    /// Whether leaving now would interrupt something.
    #[must_use]
    pub fn busy(&self) -> bool {
        self.run.as_ref().is_some_and(|r| !r.is_over())
            || !self.commits.is_empty()
            || self.journal.finishing
            || self.operations_write()
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
}

/// Route or error in short, and label counts.
fn short(result: &Result<Arc<Outcome>, Error>) -> (String, (usize, usize, usize)) {
    match result {
        Ok(outcome) => {
            let route = outcome.way.name().into_owned();
            (route, outcome.patch.counts())
        }
        Err(error) => (error.summary.clone(), (0, 0, 0)),
    }
}

#[allow(clippy::cast_precision_loss)] // milliseconds for a person
fn last_result(
    build: BuildId,
    result: &Result<Arc<Outcome>, Error>,
    run_us: u64,
    at: Millis,
) -> LastResult {
    let (text, labels) = short(result);
    let way = result.as_ref().ok().map(|outcome| &outcome.way);
    LastResult {
        build,
        text,
        failed: result.is_err(),
        pathway: way.and_then(Route::pathway),
        group: result.as_ref().err().map(Error::group_id),
        labels,
        ms: run_us as f64 / 1000.0,
        at,
    }
}
