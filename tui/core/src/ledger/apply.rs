//! Applying a plan: exactly what it holds, once, each task checked before it is written.
//!
//! Reading the file and selecting tasks of it is left to the engine, reporting to the faces.

mod checks;

use super::compare::keep_before;
use super::{
    Change, GROUP, Look, MAX_BYTES, Machine, Next, Operation, OperationStep, PlanLines,
    PlannedTask, Reply, Request, Seen, TaskReport, Writing,
};
use crate::error::{Error, ErrorKind};
use crate::ids::{DataHash, StageId};
use crate::work::{Committed, Project, Route};
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

/// A plan is applied by one request after the other.
const LANE: usize = 0;

/// How a plan was applied.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Applied {
    /// Tasks that left their stage.
    pub moved: u64,
    /// Tasks that were written and stay at their stage.
    pub stayed: u64,
    /// Tasks that were refused.
    pub failed: u64,
    /// Tasks that were left because others had changed them.
    pub conflicts: u64,
    /// Tasks that an earlier command applied.
    pub earlier: u64,
    /// Tasks for which the plan changes nothing.
    pub unchanged: u64,
    /// Why the rest of the plan was not applied.
    pub fatal: Option<Error>,
}

/// Applies a plan. Without `writes` nothing is noted or sent: every task that passes the checks counts as written.
#[derive(Clone, Debug, PartialEq)]
pub struct Apply {
    plan: String,
    writes: bool,
    project: Arc<Project>,
    counts: Applied,
    /// What earlier commands applied.
    earlier: HashSet<(DataHash, StageId)>,
    /// Tasks that were read and not looked at yet.
    lines: VecDeque<PlannedTask>,
    /// Whether the last task was read.
    read: bool,
    group: Group,
    step: Step,
    stopped: bool,
}

/// Tasks that are checked and written together.
#[derive(Clone, Debug, Default, PartialEq)]
struct Group {
    tasks: Vec<PlannedTask>,
    /// What is written for each.
    changes: Vec<Change>,
    size: usize,
}

#[derive(Clone, Debug, PartialEq)]
enum Step {
    /// What earlier commands applied is being read.
    Earlier,
    /// Tasks of the plan are being read.
    Lines,
    /// The tasks of the group are looked up.
    Looking,
    /// These of the group are being written; the others have their result.
    Writing(Vec<Option<Committed>>, Box<Writing>),
}

impl Apply {
    /// Applies the plan of this identity.
    #[must_use]
    pub fn new(plan: String, writes: bool, project: Arc<Project>) -> Self {
        Self {
            plan,
            writes,
            project,
            counts: Applied::default(),
            earlier: HashSet::new(),
            lines: VecDeque::new(),
            read: false,
            group: Group::default(),
            step: Step::Earlier,
            stopped: false,
        }
    }

    /// Takes tasks into the group until it is full, or until one has to wait for it.
    fn advance(&mut self, out: &mut OperationStep<Applied>) {
        loop {
            if self.counts.fatal.is_some() || self.stopped {
                return self.end(out);
            }
            let Some(next) = self.lines.front() else {
                match (self.read, self.group.tasks.is_empty()) {
                    (true, true) => self.end(out),
                    (true, false) => self.look(out),
                    (false, _) => {
                        self.step = Step::Lines;
                        out.ask(LANE, Request::PlanLines);
                    }
                }
                return;
            };
            // What follows from another outcome of the plan is looked up when that one is written.
            let first = self.group.tasks.first();
            let waits = first.is_some_and(|f| (f.stage, f.follows) != (next.stage, next.follows));
            if waits || self.group.tasks.len() >= GROUP || self.group.size > MAX_BYTES {
                return self.look(out);
            }
            let Some(mut task) = self.lines.pop_front() else {
                continue;
            };
            match task.change.take() {
                None => self.counts.unchanged += 1,
                Some(_) if self.earlier.contains(&(task.data, task.stage)) => {
                    self.counts.earlier += 1;
                }
                Some(change) => {
                    self.group.size += change.weight();
                    self.group.changes.push(change);
                    self.group.tasks.push(task);
                }
            }
        }
    }

    fn end(&mut self, out: &mut OperationStep<Applied>) {
        out.over = Some(Ok(std::mem::take(&mut self.counts)));
    }

    /// Whether the group follows from outcomes of this plan.
    fn follows(&self) -> bool {
        self.group
            .tasks
            .first()
            .is_some_and(|t| t.follows.is_some())
    }

    fn look(&mut self, out: &mut OperationStep<Applied>) {
        let look = match (self.follows(), self.writes) {
            // A dry run has not sent them there.
            (true, false) => Look::default(),
            (true, true) => checks::look_after(&self.group.changes),
            (false, _) => checks::look(&self.group.changes, self.writes),
        };
        if look.is_empty() {
            return self.seen(Seen::default(), out);
        }
        self.step = Step::Looking;
        out.ask(LANE, Request::Look(look));
    }

    fn seen(&mut self, seen: Seen, out: &mut OperationStep<Applied>) {
        let refused = match (self.follows(), self.writes) {
            (true, false) => Ok(vec![None; self.group.changes.len()]),
            (true, true) => checks::after(&mut self.group.changes, &self.project, &seen),
            (false, _) => {
                let Group { tasks, changes, .. } = &self.group;
                checks::refused(tasks, changes, &self.project, &seen, self.writes)
            }
        };
        let refused = match refused {
            Ok(refused) => refused,
            Err(error) => {
                out.over = Some(Err(error));
                return;
            }
        };
        let mut results: Vec<Option<Committed>> = refused
            .into_iter()
            .map(|why| why.map(|by| Committed::Conflict { by }))
            .collect();
        if !self.writes {
            for result in &mut results {
                result.get_or_insert(Committed::Done);
            }
            return self.written(results, out);
        }
        let mut open = Vec::new();
        let metadata = checks::metadata_of(&self.group.changes, seen.metadata);
        for ((change, row), result) in self.group.changes.iter().zip(metadata).zip(&results) {
            if result.is_none() {
                let mut change = change.clone();
                // An undo restores what is there now, not what was there when the plan was made.
                change.old_priority = None;
                keep_before(&mut change, row.and_then(Result::ok));
                open.push(change);
            }
        }
        let mut writing = Box::new(Writing::new(open));
        let next = writing.start();
        self.writing(results, writing, next, out);
    }

    fn writing(
        &mut self,
        mut results: Vec<Option<Committed>>,
        writing: Box<Writing>,
        next: Next<Vec<Committed>>,
        out: &mut OperationStep<Applied>,
    ) {
        match next {
            Next::Ask(request) => {
                self.step = Step::Writing(results, writing);
                out.ask(LANE, request);
            }
            Next::Over(Ok(written)) => {
                let open = results.iter_mut().filter(|result| result.is_none());
                for (place, result) in open.zip(written) {
                    *place = Some(result);
                }
                self.written(results, out);
            }
            Next::Over(Err(error)) => out.over = Some(Err(error)),
        }
    }

    /// The group is over.
    fn written(&mut self, results: Vec<Option<Committed>>, out: &mut OperationStep<Applied>) {
        let group = std::mem::take(&mut self.group);
        for (task, result) in group.tasks.into_iter().zip(results) {
            let result = result.unwrap_or(Committed::Done);
            self.count(&task, &result);
            let task = Box::new(task);
            out.reports.push(TaskReport::Applied { task, result });
        }
        self.advance(out);
    }

    fn count(&mut self, task: &PlannedTask, result: &Committed) {
        let counts = &mut self.counts;
        match result {
            Committed::Done if task.way != Route::Stay => counts.moved += 1,
            Committed::Done => counts.stayed += 1,
            Committed::Conflict { .. } | Committed::AlreadyMoved => counts.conflicts += 1,
            Committed::Refused(_) | Committed::Partial { .. } => counts.failed += 1,
        }
        if let Some(error) = result.error()
            && matches!(
                error.kind,
                ErrorKind::Network | ErrorKind::Access | ErrorKind::Refused | ErrorKind::Bug
            )
        {
            counts.fatal.get_or_insert(error.clone());
        }
    }
}

impl Operation for Apply {
    type Output = Applied;

    fn start(&mut self) -> OperationStep<Applied> {
        let mut out = OperationStep::default();
        out.ask(LANE, Request::Applied(self.plan.clone()));
        out
    }

    fn on(&mut self, _lane: usize, reply: Reply) -> OperationStep<Applied> {
        let mut out = OperationStep::default();
        match (std::mem::replace(&mut self.step, Step::Looking), reply) {
            (Step::Earlier, Reply::Applied(Ok(earlier))) => {
                self.earlier = earlier;
                self.advance(&mut out);
            }
            (Step::Lines, Reply::PlanLines(Ok(PlanLines { tasks, last }))) => {
                self.lines.extend(tasks);
                self.read = last;
                self.advance(&mut out);
            }
            (Step::Looking, Reply::Seen(seen)) => self.seen(*seen, &mut out),
            (Step::Writing(results, mut writing), reply) => {
                let next = writing.on(reply);
                self.writing(results, writing, next, &mut out);
            }
            (_, other) => out.over = Some(Err(other.into_error())),
        }
        out
    }

    fn stop(&mut self) {
        self.stopped = true;
    }
}
