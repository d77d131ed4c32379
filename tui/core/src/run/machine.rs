//! The machine of a run: news in, wishes out, no I/O.
//!
//! It lists lazily (a page when fewer than two batches are waiting), fetches the next batch and
//! commits the last one while this one runs, retries from the same untouched inputs, and gives
//! every task exactly one [`Report`].

use super::{Ending, OnConflict, Report, RunSpec, Sink, Source, Totals};
use crate::build::AgentDescriptor;
use crate::event::{Effect, Launch, ListId};
use crate::fault::{Fault, FaultKind};
use crate::filter::Facts;
use crate::ids::{BatchId, BuildId, JobId, Millis, StageId, TaskId};
use crate::work::{CommitItem, Committed, Inputs, Outcome, Project, TaskRow, Wants, Way};
use agent_abi::table::flags;
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
    result: Option<Result<Arc<Outcome>, Fault>>,
}

#[derive(Clone, Debug, PartialEq)]
struct Batch {
    id: BatchId,
    phase: BatchPhase,
    work: Vec<Work>,
    open: usize,
    next: usize,
    again: VecDeque<usize>,
}

#[derive(Clone, Debug, PartialEq)]
struct Running {
    batch: BatchId,
    index: usize,
    since: Millis,
    pid: u32,
}

/// How many hosts may die one after the other before a stage is given up.
const CRASHES_IN_A_ROW: u32 = 5;
/// How often a task whose row others keep changing runs anew.
const RERUNS: u32 = 3;
/// Batches that may be alive at a time: one committing, one running, one being fetched.
const BATCHES: usize = 3;

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
    /// Build in charge of that stage when it began: a run stays on it.
    pub build: BuildId,
    /// Counters.
    pub totals: Totals,
    /// Tasks expected, as far as known: done, waiting and listed.
    pub expected: Option<u64>,
    /// Paused by a person.
    pub paused: bool,
    /// No further tasks are taken.
    pub cancelled: bool,
    /// Ends the run with its exit code.
    pub fatal: Option<Fault>,
    /// Tasks taken of the present stage.
    pub taken: usize,
    begun: bool,
    pending: VecDeque<TaskRow>,
    token: Option<String>,
    listing: bool,
    listed_all: bool,
    batches: Vec<Batch>,
    jobs: HashMap<JobId, Running>,
    crashes: u32,
    /// Tasks with a result, and those of them that failed; final or about to be.
    known: (u64, u64),
    /// How often each task ran anew because of a conflict.
    reruns: HashMap<TaskId, u32>,
    agent: usize,
    wants: Wants,
    limit_ms: Option<u64>,
    serial: bool,
    idempotent: bool,
    next_batch: u64,
}

/// What a run needs to know of the rest of the state while it takes a step.
pub struct Around<'a> {
    /// Now.
    pub now: Millis,
    /// The project.
    pub project: &'a Project,
    /// Who answers for a stage.
    pub agent: &'a dyn Fn(StageId) -> Option<(BuildId, usize, AgentDescriptor)>,
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
            fatal: None,
            taken: 0,
            begun: false,
            pending: VecDeque::new(),
            token: None,
            listing: false,
            listed_all: false,
            batches: Vec::new(),
            jobs: HashMap::new(),
            crashes: 0,
            known: (0, 0),
            reruns: HashMap::new(),
            agent: 0,
            wants: Wants::default(),
            limit_ms: None,
            serial: false,
            idempotent: false,
            next_batch: id << 32,
            spec,
        };
        if let Source::Tasks(_, rows) = &run.spec.source {
            run.expected = Some(rows.len() as u64);
        }
        run
    }

    /// The stage being drained.
    #[must_use]
    pub fn stage(&self) -> Option<StageId> {
        self.stages.get(self.stage_at).copied()
    }

    /// Whether everything is final.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.ended.is_some()
    }

    /// Jobs that run now: title, process id, milliseconds so far.
    #[must_use]
    pub fn workers(&self, now: Millis) -> Vec<(String, u32, u64)> {
        let mut all: Vec<_> = self
            .jobs
            .values()
            .filter_map(|r| {
                let batch = self.batches.iter().find(|b| b.id == r.batch)?;
                Some((
                    batch.work[r.index].row.title.to_string(),
                    r.pid,
                    now.since(r.since),
                ))
            })
            .collect();
        all.sort();
        all
    }

    /// Tasks whose agents are done, written or not: what a progress bar shows. The counters grow
    /// only when a whole batch is final.
    #[must_use]
    pub fn decided(&self) -> u64 {
        let works = self.batches.iter().flat_map(|b| &b.work);
        self.totals.tasks + works.filter(|w| w.result.is_some()).count() as u64
    }

    /// Tasks listed and not yet final; `None` while more may be listed.
    #[must_use]
    pub fn waiting(&self) -> Option<u64> {
        let open: usize = self.batches.iter().map(|b| b.work.len()).sum();
        self.listed_all
            .then_some((open + self.pending.len()) as u64)
    }

    /// Tasks per second since the beginning.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // a rate to be read by a person
    pub fn rate(&self, now: Millis) -> f64 {
        let ms = self.ended.unwrap_or(now).since(self.started).max(1);
        self.decided() as f64 * 1000.0 / ms as f64
    }

    /// Whether a job belongs to this run.
    #[must_use]
    pub fn has_job(&self, job: JobId) -> bool {
        self.jobs.contains_key(&job)
    }

    /// The task a job works on.
    #[must_use]
    pub fn task_of(&self, job: JobId) -> Option<&TaskRow> {
        let running = self.jobs.get(&job)?;
        self.batches
            .iter()
            .find(|b| b.id == running.batch)
            .map(|b| &b.work[running.index].row)
    }

    /// Begins, or goes on: lists, fetches, launches, commits whatever can be.
    pub fn advance(&mut self, around: &mut Around<'_>) -> Vec<Effect> {
        let mut effects = Vec::new();
        if self.is_over() {
            return effects;
        }
        if !self.begun {
            self.begun = true;
            self.enter_stage(around);
        }
        loop {
            if self.stopping() {
                self.pending.clear();
                self.listed_all = true;
            }
            self.list(&mut effects);
            self.form_batches(&mut effects);
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

    fn stopping(&self) -> bool {
        self.cancelled || self.fatal.is_some() || self.limit_reached()
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
        self.crashes = 0;
        let found = self.stage().and_then(|stage| (around.agent)(stage));
        let Some((build, agent, descriptor)) = found else {
            self.listed_all = true;
            return;
        };
        self.build = build;
        self.agent = agent;
        self.limit_ms = descriptor.spec.timeout_ms.or(self.spec.timeout_ms);
        self.serial = descriptor.flags & flags::NO_PARALLEL != 0;
        self.idempotent = descriptor.flags & flags::IDEMPOTENT != 0;
        self.wants = Wants {
            needs: descriptor.needs,
            include: descriptor.spec.include,
            initialise: descriptor.spec.initialise,
        };
        if let Source::Tasks(_, rows) = &mut self.spec.source {
            let rows = std::mem::take(rows);
            self.listed_all = true;
            self.take_rows(rows, around.now);
        }
    }

    fn take_rows(&mut self, rows: Vec<TaskRow>, now: Millis) {
        for row in rows {
            if self.spec.max_tasks.is_some_and(|max| self.taken >= max) {
                self.listed_all = true;
                self.token = None;
                return;
            }
            let facts = Facts {
                row: &row,
                now,
                result: None,
            };
            let named = self.spec.only.is_empty()
                || self
                    .spec
                    .only
                    .iter()
                    .any(|o| *o == *row.title || row.id.to_string() == *o);
            let had_its_turn = self.spec.skip.contains(&row.id);
            if named && !had_its_turn && self.spec.filter.matches(&facts) {
                self.taken += 1;
                self.pending.push_back(row);
            }
        }
    }

    fn list(&mut self, effects: &mut Vec<Effect>) {
        let enough = self.pending.len() >= 2 * self.spec.batch_size;
        if self.listing || self.listed_all || enough || self.paused {
            return;
        }
        let Some(stage) = self.stage() else { return };
        self.listing = true;
        effects.push(Effect::Page {
            list: ListId::Run(self.id),
            stage,
            token: self.token.clone(),
        });
    }

    /// A page of tasks arrived.
    pub fn page(&mut self, rows: Vec<TaskRow>, next: Option<String>, now: Millis) {
        self.listing = false;
        self.listed_all = next.is_none();
        self.token = next;
        self.take_rows(rows, now);
    }

    /// A page could not be had: nothing more is taken, what runs finishes.
    pub fn page_failed(&mut self, fault: Fault) {
        self.listing = false;
        self.fatal.get_or_insert(fault);
    }

    fn form_batches(&mut self, effects: &mut Vec<Effect>) {
        while self.batches.len() < BATCHES && !self.pending.is_empty() && !self.paused {
            let full = self.pending.len() >= self.spec.batch_size;
            if !full && !self.listed_all {
                return;
            }
            let n = self.spec.batch_size.min(self.pending.len());
            let rows: Vec<TaskRow> = self.pending.drain(..n).collect();
            self.next_batch += 1;
            let id = BatchId(self.next_batch);
            let work = rows.iter().map(|row| Work {
                row: row.clone(),
                inputs: None,
                attempts: 0,
                run_us: 0,
                result: None,
            });
            let work: Vec<Work> = work.collect();
            self.batches.push(Batch {
                id,
                phase: BatchPhase::Fetching,
                open: work.len(),
                work,
                next: 0,
                again: VecDeque::new(),
            });
            let Some(stage) = self.stage() else { return };
            effects.push(Effect::Fetch {
                batch: id,
                stage,
                rows,
                wants: self.wants.clone(),
            });
        }
    }

    /// The inputs of a batch arrived.
    pub fn prefetched(&mut self, id: BatchId, results: Vec<Result<Arc<Inputs>, Fault>>) {
        let Some(batch) = self.batches.iter_mut().find(|b| b.id == id) else {
            return;
        };
        if batch.phase != BatchPhase::Fetching {
            return;
        }
        batch.phase = BatchPhase::Running;
        let mut fatal = None;
        for (work, result) in batch.work.iter_mut().zip(results) {
            match result {
                Ok(inputs) => work.inputs = Some(inputs),
                Err(fault) => {
                    if ends_the_run(&fault) {
                        fatal = Some(fault.clone());
                    }
                    work.result = Some(Err(fault));
                    batch.open -= 1;
                    self.known.0 += 1;
                    self.known.1 += 1;
                }
            }
        }
        if let Some(fault) = fatal {
            self.fatal.get_or_insert(fault);
        }
    }

    fn launch(&mut self, around: &mut Around<'_>, effects: &mut Vec<Effect>) {
        let limit = if self.serial {
            1
        } else {
            self.spec.concurrency.max(1)
        };
        let Some(stage) = self.stage() else { return };
        while self.jobs.len() < limit && !self.paused {
            let Some((id, index)) = self.next_work() else {
                break;
            };
            let Some(batch) = self.batches.iter_mut().find(|b| b.id == id) else {
                break;
            };
            let work = &mut batch.work[index];
            let Some(inputs) = work.inputs.clone() else {
                break;
            };
            work.attempts += 1;
            *around.next_job += 1;
            let job = JobId(*around.next_job);
            self.jobs.insert(
                job,
                Running {
                    batch: id,
                    index,
                    since: around.now,
                    pid: 0,
                },
            );
            effects.push(Effect::Launch(Launch {
                job,
                build: self.build,
                agent: self.agent,
                attempt: work.attempts,
                stage,
                inputs,
                deadline_ms: self.limit_ms,
            }));
        }
        if self.stopping() && self.jobs.is_empty() {
            self.leave_the_rest();
        }
    }

    /// The next task to run: a retry first, then in order.
    fn next_work(&mut self) -> Option<(BatchId, usize)> {
        let stopping = self.stopping();
        for batch in self
            .batches
            .iter_mut()
            .filter(|b| b.phase == BatchPhase::Running)
        {
            if let Some(index) = batch.again.pop_front() {
                return Some((batch.id, index));
            }
            if stopping {
                continue;
            }
            while batch.next < batch.work.len() {
                let index = batch.next;
                batch.next += 1;
                if batch.work[index].result.is_none() {
                    return Some((batch.id, index));
                }
            }
        }
        None
    }

    /// Stopping: what was not begun is left where it is, without a report of failure.
    fn leave_the_rest(&mut self) {
        for batch in &mut self.batches {
            if batch.phase == BatchPhase::Committing {
                continue;
            }
            batch.work.retain(|w| w.result.is_some());
            batch.open = 0;
            batch.next = batch.work.len();
            batch.phase = BatchPhase::Running;
        }
        self.batches.retain(|b| !b.work.is_empty());
    }

    /// A host began a job.
    pub fn job_started(&mut self, job: JobId, pid: u32, now: Millis) {
        if let Some(running) = self.jobs.get_mut(&job) {
            running.pid = pid;
            running.since = now;
        }
    }

    /// A job ended.
    pub fn job_done(
        &mut self,
        job: JobId,
        result: Result<Arc<Outcome>, Fault>,
        crashed: bool,
        run_us: u64,
    ) {
        let Some(running) = self.jobs.remove(&job) else {
            return;
        };
        self.crashes = if crashed { self.crashes + 1 } else { 0 };
        let Some(batch) = self.batches.iter_mut().find(|b| b.id == running.batch) else {
            return;
        };
        let work = &mut batch.work[running.index];
        work.run_us = run_us;
        let again = match &result {
            Ok(_) => false,
            Err(fault) => {
                (fault.retry || crashed && self.idempotent) && work.attempts <= self.spec.retries
            }
        };
        if again {
            batch.again.push_back(running.index);
            return;
        }
        self.known.0 += 1;
        self.known.1 += u64::from(result.is_err());
        work.result = Some(result);
        batch.open -= 1;
        if self.crashes >= CRASHES_IN_A_ROW && self.fatal.is_none() {
            self.fatal = Some(
                Fault::new(
                    FaultKind::Host,
                    format!("{CRASHES_IN_A_ROW} hosts of build {} died one after the other; the run stops, the tasks stay where they are", self.build),
                )
                .hint("look at the last fault, mend the agent and run again"),
            );
        }
    }

    fn commit(&mut self, effects: &mut Vec<Effect>) {
        let Some(stage) = self.stage() else { return };
        let mut ready = Vec::new();
        for batch in &mut self.batches {
            if batch.phase == BatchPhase::Running && batch.open == 0 {
                batch.phase = BatchPhase::Committing;
                ready.push(batch.id);
            }
        }
        for id in ready {
            let Some(batch) = self.batches.iter().find(|b| b.id == id) else {
                continue;
            };
            let items: Vec<CommitItem> = match self.spec.sink {
                Sink::Commit => batch
                    .work
                    .iter()
                    .filter_map(|w| commit_item(w, stage))
                    .collect(),
                Sink::Hold | Sink::Report => Vec::new(),
            };
            if items.is_empty() {
                effects.extend(self.finish(id, &[]));
            } else {
                effects.push(Effect::Commit { batch: id, items });
            }
        }
    }

    /// A commit ended.
    pub fn committed(&mut self, id: BatchId, results: &[(TaskId, Committed)]) -> Vec<Effect> {
        let known = self
            .batches
            .iter()
            .any(|b| b.id == id && b.phase == BatchPhase::Committing);
        if known {
            self.finish(id, results)
        } else {
            Vec::new()
        }
    }

    /// Whether a task in conflict is to run on what is there now.
    fn runs_anew(&mut self, task: TaskId) -> bool {
        if self.spec.on_conflict != OnConflict::Rerun || self.stopping() {
            return false;
        }
        let times = self.reruns.entry(task).or_default();
        *times += 1;
        *times <= RERUNS
    }

    /// Every task of a batch gets its report.
    fn finish(&mut self, id: BatchId, results: &[(TaskId, Committed)]) -> Vec<Effect> {
        let Some(at) = self.batches.iter().position(|b| b.id == id) else {
            return Vec::new();
        };
        let Some(stage) = self.stage() else {
            return Vec::new();
        };
        let batch = self.batches.remove(at);
        let written: HashMap<TaskId, &Committed> = results.iter().map(|(t, c)| (*t, c)).collect();
        let mut effects = Vec::with_capacity(batch.work.len());
        for work in batch.work {
            let Some(result) = work.result else { continue };
            let written = written.get(&work.row.id).copied();
            if matches!(written, Some(Committed::Conflict { .. })) && self.runs_anew(work.row.id) {
                self.known.0 -= 1;
                self.pending.push_back(work.row);
                continue;
            }
            let succeeded = result.is_ok();
            let (ending, outcome) = ending(result, written);
            self.known.1 += u64::from(succeeded && matches!(ending, Ending::Failed(_)));
            if let Ending::Failed(fault) = &ending
                && ends_the_run(fault)
            {
                self.fatal.get_or_insert(fault.clone());
            }
            let report = Report {
                row: work.row,
                stage,
                build: self.build,
                attempts: work.attempts,
                ending,
                outcome,
                inputs: work.inputs,
                run_us: work.run_us,
            };
            self.totals.count(&report);
            effects.push(Effect::Record(Box::new(report)));
        }
        effects
    }
}

/// A fault that would meet every further task too.
const fn ends_the_run(fault: &Fault) -> bool {
    matches!(
        fault.kind,
        FaultKind::Access | FaultKind::Network | FaultKind::Refused | FaultKind::Bug
    )
}

fn ending(
    result: Result<Arc<Outcome>, Fault>,
    written: Option<&Committed>,
) -> (Ending, Option<Arc<Outcome>>) {
    let outcome = match result {
        Ok(outcome) => outcome,
        Err(fault) => return (Ending::Failed(fault), None),
    };
    let ending = match written {
        Some(Committed::Refused(fault)) => Ending::Failed(fault.clone()),
        Some(Committed::Conflict { by }) => Ending::Conflict(by.clone()),
        Some(Committed::AlreadyMoved) => {
            Ending::Conflict("the task had already left the stage".into())
        }
        Some(Committed::Done) | None if outcome.way == Way::Stay => Ending::Stayed,
        Some(Committed::Done) | None => Ending::Moved,
    };
    (ending, Some(outcome))
}

/// What is to be written for a task; nothing for one that failed or changes nothing.
fn commit_item(work: &Work, stage: StageId) -> Option<CommitItem> {
    let outcome = work.result.as_ref()?.as_ref().ok()?;
    let inputs = work.inputs.as_ref()?;
    item(outcome, inputs, stage)
}

/// What is to be written for an outcome; `None` when it changes nothing.
#[must_use]
pub fn item(outcome: &Outcome, inputs: &Inputs, stage: StageId) -> Option<CommitItem> {
    let pathway = match &outcome.way {
        Way::Stay => None,
        Way::Pathway { id, .. } => Some(*id),
    };
    if pathway.is_none() && outcome.patch.is_empty() {
        return None;
    }
    Some(CommitItem {
        task: inputs.row.id,
        stage,
        data: inputs.row.data,
        title: inputs.row.title.clone(),
        branch: inputs.row.branch.clone(),
        before: inputs.labels.clone(),
        labels_after: outcome.labels_after.clone(),
        priority: outcome.patch.priority.map(|(_, new)| new),
        metadata: outcome.patch.metadata.clone(),
        item: inputs.labels.as_ref().and_then(|l| l.item),
        pathway,
    })
}
