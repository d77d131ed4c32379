//! The machine of a run: events in, effects out, no I/O.
//!
//! It lists lazily (a page when fewer than two batches are waiting), fetches the next batch and
//! commits the last one while this one runs, retries from the same untouched inputs, and gives
//! every task exactly one report. Here: the run itself and fetching; listing is in `take`, jobs in
//! `launch`, commits and reports in `finish`, what goes on to a later stage of a run that writes
//! nothing in `carry`.

mod batches;
mod carry;
mod finish;
mod launch;
mod loading;
mod look;
mod take;

pub use finish::item;
pub use look::Worker;

use super::{RunSpec, Source, Totals};
use crate::build::AgentDescriptor;
use crate::error::Error;
use crate::event::Effect;
use crate::ids::{BatchId, BuildId, JobId, Millis, StageId, TaskId};
use crate::loading::Loading;
use crate::work::{FetchSpec, Inputs, Outcome, Project, TaskRow};
use agent_abi::table::flags;
use carry::Carried;
use finish::ends_the_run;
use loading::LoadingTime;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq)]
enum BatchPhase {
    Fetching,
    Running,
    Committing,
}

#[derive(Clone, Debug, PartialEq)]
struct Work {
    row: TaskRow,
    inputs: Option<Arc<Inputs>>,
    attempts: u32,
    run_us: u64,
    result: Option<Result<Arc<Outcome>, Error>>,
}

#[derive(Clone, Debug, PartialEq)]
struct Batch {
    id: BatchId,
    phase: BatchPhase,
    work: Vec<Work>,
    open: usize,
    next: usize,
    again: VecDeque<usize>,
    /// Bytes of changed labels that wait for its commit.
    gathered: u64,
}

#[derive(Clone, Debug, PartialEq)]
struct Running {
    batch: BatchId,
    index: usize,
    since: Millis,
    pid: u32,
    /// What it loads; that counts neither as its time nor as the run's.
    loading: Option<Loading>,
    /// It was asked to stop: without an outcome its task is left where it is.
    stopped: bool,
    /// It waits for a person, and another task runs in its place.
    beside: Option<Beside>,
}

/// Where a job that waits for a person does so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Beside {
    /// At a place inside of its agent: it has a host.
    InHost,
    /// Before its agent is called, or after its end: nothing runs.
    Outside,
}

impl Batch {
    /// A batch of these tasks, none of which was begun.
    fn of(id: BatchId, phase: BatchPhase, work: Vec<Work>) -> Self {
        Self {
            id,
            phase,
            open: work.iter().filter(|w| w.result.is_none()).count(),
            work,
            next: 0,
            again: VecDeque::new(),
            gathered: 0,
        }
    }
}

/// How many hosts may die one after the other before a stage is given up.
const CRASHES_IN_A_ROW: u32 = 5;
/// How often a task whose row others keep changing is run again.
const RERUNS: u32 = 3;
/// A job of at most so many microseconds is over at once.
const QUICK_US: u64 = 500;
/// Jobs that may be given out beyond those that run, while jobs are over at once.
const AHEAD: usize = 32;

/// A run under way, or over.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Number, from 1.
    pub id: u64,
    /// What was asked.
    pub spec: RunSpec,
    /// When it began.
    pub started: Millis,
    /// When it ended.
    pub ended: Option<Millis>,
    /// Stages in order.
    pub stages: Vec<StageId>,
    /// Which of them is drained now.
    pub stage_at: usize,
    /// Build whose agent works on that stage: of each stage the one that was active when the run began.
    pub build: BuildId,
    /// Counters.
    pub totals: Totals,
    /// Tasks expected, as far as known: done, waiting and listed.
    pub expected: Option<u64>,
    /// Paused by a person.
    pub paused: bool,
    /// No further tasks are taken.
    pub cancelled: bool,
    /// Its time is up: nothing is begun or tried again.
    winding_up: bool,
    /// Ends the run with its exit code.
    pub fatal: Option<Error>,
    /// Tasks taken of the present stage.
    pub taken: usize,
    begun: bool,
    /// The agents of all its stages, once it has begun.
    agents: Vec<Option<StageAgent>>,
    pending: VecDeque<TaskRow>,
    token: Option<String>,
    /// Tasks that had their turn before, with the time of it: they come when no others are left.
    deferred: Vec<(Millis, TaskRow)>,
    /// Tasks that earlier stages sent on, by stage; nothing of it was written.
    carried: HashMap<StageId, Vec<Carried>>,
    /// Those of the present stage, by task.
    arrived: HashMap<TaskId, Carried>,
    /// Those of them that are to be taken when what waits at the stage is listed.
    arriving: Vec<TaskRow>,
    /// Tasks that would be sent on, but whose inputs cannot be known before that is written.
    pub not_carried: u64,
    /// Tasks that were sent on, whose outcomes change more than their own rows: the later stage does not see that.
    pub further_unseen: u64,
    listing: bool,
    listed_all: bool,
    batches: Vec<Batch>,
    jobs: HashMap<JobId, Running>,
    loads: LoadingTime,
    crashes: u32,
    /// Jobs in a row that were over at once.
    quick: usize,
    /// Tasks with a result, and those of them that failed; final or about to be.
    known: (u64, u64),
    /// How often each task was run again because of a conflict.
    reruns: HashMap<TaskId, u32>,
    agent: usize,
    fetch: FetchSpec,
    /// Limit of one attempt that a person typed; before the agent's own.
    pub typed_timeout_ms: Option<u64>,
    /// The agent's own limit.
    own_limit_ms: Option<u64>,
    serial: bool,
    last_batch: u64,
    /// Inputs that arrived: their bytes and their number.
    seen: (u64, u64),
}

/// A build, the place of an agent in it, and the agent.
pub type StageAgent = (BuildId, usize, AgentDescriptor);

/// What a run needs to know of the rest of the state while it takes a step.
pub struct Around<'a> {
    /// Now.
    pub now: Millis,
    /// The project.
    pub project: &'a Project,
    /// Who answers for a stage now.
    pub agent: &'a dyn Fn(StageId) -> Option<StageAgent>,
    /// Takes the next job number.
    pub next_job: &'a mut u64,
}

impl Run {
    /// A run that has not yet begun.
    #[must_use]
    pub fn new(id: u64, spec: RunSpec, now: Millis) -> Self {
        let stages = match &spec.source {
            Source::Stages(stages) => stages.clone(),
            Source::Tasks(stage, _) => vec![*stage],
        };
        let mut run = Self {
            id,
            started: now,
            ended: None,
            stages,
            stage_at: 0,
            build: BuildId(0),
            totals: Totals::default(),
            expected: None,
            paused: false,
            cancelled: false,
            winding_up: false,
            fatal: None,
            taken: 0,
            begun: false,
            agents: Vec::new(),
            pending: VecDeque::new(),
            token: None,
            deferred: Vec::new(),
            carried: HashMap::new(),
            arrived: HashMap::new(),
            arriving: Vec::new(),
            not_carried: 0,
            further_unseen: 0,
            listing: false,
            listed_all: false,
            batches: Vec::new(),
            jobs: HashMap::new(),
            loads: LoadingTime::default(),
            crashes: 0,
            quick: 0,
            known: (0, 0),
            reruns: HashMap::new(),
            agent: 0,
            fetch: FetchSpec::default(),
            typed_timeout_ms: None,
            own_limit_ms: None,
            serial: false,
            last_batch: 0,
            seen: (0, 0),
            spec,
        };
        if let Source::Tasks(_, rows) = &run.spec.source {
            run.expected = Some(rows.len() as u64);
        }
        run
    }

    /// Begins, or goes on: lists, fetches, launches, commits whatever can be.
    pub fn advance(&mut self, around: &mut Around<'_>) -> Vec<Effect> {
        let mut effects = Vec::new();
        if self.is_over() {
            return effects;
        }
        if !self.begun {
            self.begun = true;
            self.agents = self.stages.iter().map(|s| (around.agent)(*s)).collect();
            self.enter_stage(around);
        }
        loop {
            if self.stopping() {
                self.pending.clear();
                self.listed_all = true;
            }
            self.list(&mut effects);
            self.form_batches(&mut effects);
            self.part();
            self.launch(around, &mut effects);
            self.commit(&mut effects);
            let drained = self.listed_all
                && self.pending.is_empty()
                && self.batches.is_empty()
                && !self.listing;
            if !drained {
                return effects;
            }
            self.stage_at += 1;
            if self.stage_at >= self.stages.len() || self.stopping() {
                self.ended = Some(around.now);
                effects.push(Effect::RunOver);
                return effects;
            }
            self.enter_stage(around);
        }
    }

    /// Whether it ended, or is about to end, before its last task.
    #[must_use]
    pub const fn stopped(&self) -> bool {
        self.cancelled || self.fatal.is_some()
    }

    fn stopping(&self) -> bool {
        self.stopped() || self.limit_reached()
    }

    /// Whether so many tasks failed that the run stops.
    #[must_use]
    pub fn limit_reached(&self) -> bool {
        let (known, failed) = self.known;
        self.spec
            .max_failures
            .is_some_and(|max| max.reached(failed, known))
    }

    /// Gets ready for the stage at `stage_at`; one without an agent is passed over.
    fn enter_stage(&mut self, around: &mut Around<'_>) {
        self.pending.clear();
        self.token = None;
        self.listing = false;
        self.listed_all = false;
        self.taken = 0;
        self.deferred.clear();
        self.crashes = 0;
        self.quick = 0;
        self.seen = (0, 0);
        let found = self.agents.get(self.stage_at).cloned().flatten();
        let Some((build, agent, descriptor)) = found else {
            self.listed_all = true;
            return;
        };
        self.build = build;
        self.agent = agent;
        self.own_limit_ms = descriptor.spec.timeout_ms;
        self.serial = descriptor.flags & flags::NO_PARALLEL != 0;
        self.fetch = FetchSpec::of(&descriptor);
        self.arrive();
        if let Source::Tasks(_, rows) = &mut self.spec.source {
            let rows = std::mem::take(rows);
            self.listed_all = true;
            self.take_rows(rows, around.now);
        }
    }
}
