//! Taking an operation back: labels, priority and metadata as they were, the tasks back where they came from. A task
//! that somebody changed since is reported and left as a whole.
//!
//! The newest entries come first, so that a task that was written twice goes back the way it came; a few groups of
//! entries are on their way at once.

mod group;
mod review;
#[cfg(test)]
mod tests;

pub use review::UndoReview;

use super::further::touched;
use super::{
    GROUP, MAX_BYTES, Machine, Next, Operation, OperationStep, Recovery, Reply, Request, Scope,
    StandingEntry, TaskReport, UndoResult,
};
use crate::error::{Error, ErrorKind};
use crate::journal::{Settled, Undone};
use crate::work::{Project, Touched};
use group::{Fate, Group};
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

/// Groups on their way at once.
const AT_ONCE: usize = 4;

/// Lane of what is read of the journal; each group has one of its own.
const JOURNAL: usize = 0;

/// Takes an operation back. Without `writes` nothing is noted or sent: all that could be restored counts as restored.
#[derive(Clone, Debug, PartialEq)]
pub struct Undo {
    op: i64,
    writes: bool,
    project: Arc<Project>,
    done: Undone,
    step: Step,
    /// Only entries with a smaller number have not been read.
    below: i64,
    /// Whether all of them were read.
    read: bool,
    /// Entries that have to wait for groups that are on their way.
    waiting: Option<Vec<StandingEntry>>,
    /// On their way, in the order of their reports.
    groups: VecDeque<Group>,
    lanes: usize,
    error: Option<Error>,
    stopped: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Step {
    /// What an earlier undo left in part is finished first.
    Finishing(Box<Recovery>),
    /// What is still left of it is read.
    Open,
    /// Nothing is asked of the journal.
    Ready,
    /// Entries are being read.
    Reading,
}

impl Undo {
    /// Takes this operation back.
    #[must_use]
    pub fn new(op: i64, writes: bool, project: Arc<Project>) -> Self {
        Self {
            op,
            writes,
            project,
            done: Undone::default(),
            step: Step::Finishing(Box::new(Recovery::new(Scope::UndosOf(op)))),
            below: i64::MAX,
            read: false,
            waiting: None,
            groups: VecDeque::new(),
            lanes: JOURNAL,
            error: None,
            stopped: false,
        }
    }

    /// The operation that is taken back.
    #[must_use]
    pub const fn op(&self) -> i64 {
        self.op
    }

    fn finishing(&mut self, next: Next<Settled>, out: &mut OperationStep<Undone>) {
        match next {
            Next::Ask(request) => out.ask(JOURNAL, request),
            Next::Over(Ok(settled)) => {
                self.done.restored += settled.finished as u64;
                self.read_open(out);
            }
            Next::Over(Err(error)) => out.over = Some(Err(self.with_hint(error))),
        }
    }

    fn read_open(&mut self, out: &mut OperationStep<Undone>) {
        self.step = Step::Open;
        out.ask(JOURNAL, Request::OpenUndos(self.op));
    }

    /// Begins as many groups as may be on their way now; ends when nothing is left to wait for.
    fn advance(&mut self, out: &mut OperationStep<Undone>) {
        while self.groups.len() < AT_ONCE && self.error.is_none() && !self.stopped {
            let Some(entries) = self.waiting.take() else {
                if !self.read && self.step == Step::Ready {
                    self.step = Step::Reading;
                    let (op, below) = (self.op, self.below);
                    out.ask(JOURNAL, Request::Standing { op, below });
                }
                break;
            };
            if !self.groups.is_empty() && !self.may_go_beside(&entries) {
                self.waiting = Some(entries);
                break;
            }
            self.lanes += 1;
            let (group, request) = Group::new(self.lanes, entries, &self.project);
            self.groups.push_back(group);
            out.ask(self.lanes, request);
        }
        if self.groups.is_empty() && self.step == Step::Ready {
            let done = std::mem::take(&mut self.done);
            out.over = Some(self.error.take().map_or(Ok(done), Err));
        }
    }

    /// Whether these entries may go while others are on their way. A group that was cut short, by the size of its rows
    /// or by a unit that was written twice, goes alone, and so does one with a unit that is on its way.
    fn may_go_beside(&self, entries: &[StandingEntry]) -> bool {
        let on_their_way = || self.groups.iter().flat_map(|group| &group.entries);
        let size: usize = on_their_way().chain(entries).map(StandingEntry::size).sum();
        let busy: HashSet<Touched> = on_their_way().flat_map(|e| touched(&e.change)).collect();
        entries.len() == GROUP
            && size <= MAX_BYTES
            && !entries
                .iter()
                .any(|e| touched(&e.change).any(|one| busy.contains(&one)))
    }

    /// Entries were read: those that may be taken back together.
    fn take_in(&mut self, mut entries: Vec<StandingEntry>, last: Option<i64>) {
        let Some(last) = last else {
            self.read = true;
            return;
        };
        let together = together(&entries);
        // The others are read again.
        self.below = match entries.get(together) {
            Some(_) => entries[together - 1].id,
            None => last,
        };
        entries.truncate(together);
        self.waiting = Some(entries);
    }

    /// Reports the groups that are over, in their order.
    fn report(&mut self, out: &mut OperationStep<Undone>) {
        while self.groups.front().is_some_and(Group::is_over) {
            let Some(fates) = self.groups.pop_front().and_then(Group::into_fates) else {
                continue;
            };
            let mut failed = None;
            match fates {
                Ok(fates) => {
                    for fate in fates {
                        failed = failed.or(self.count(fate, out));
                    }
                }
                Err(error) => failed = Some(error),
            }
            if let Some(error) = failed {
                let error = self.with_hint(error);
                self.error.get_or_insert(error);
            }
        }
    }

    /// Counts and reports one task; the error that ends the undo, if it has one.
    fn count(&mut self, fate: Fate, out: &mut OperationStep<Undone>) -> Option<Error> {
        let item = fate.change;
        let title = item.title.to_string();
        match &fate.result {
            UndoResult::Restored => {
                self.done.restored += 1;
                let stays = fate.stays.into_iter();
                self.done
                    .stays
                    .extend(stays.map(|what| (title.clone(), what)));
            }
            UndoResult::Left(why) => self.done.left.push((title, why.clone())),
            UndoResult::Failed(error) => self.done.failed.push((title, error.summary.clone())),
        }
        let ends = match &fate.result {
            UndoResult::Failed(error) if error.ends_a_command() => Some(error.clone()),
            _ => None,
        };
        out.reports.push(TaskReport::Undone {
            task: item.task,
            data: item.data,
            title: item.title,
            result: fate.result,
        });
        ends
    }

    fn with_hint(&self, error: Error) -> Error {
        let op = self.op;
        error.hint(format!(
            "what is restored stays so; for the rest: workbench undo {op}"
        ))
    }
}

impl Operation for Undo {
    type Output = Undone;

    fn start(&mut self) -> OperationStep<Undone> {
        let mut out = OperationStep::default();
        match &mut self.step {
            Step::Finishing(recovery) if self.writes => {
                let next = recovery.start();
                self.finishing(next, &mut out);
            }
            _ => self.read_open(&mut out),
        }
        out
    }

    fn on(&mut self, lane: usize, reply: Reply) -> OperationStep<Undone> {
        let mut out = OperationStep::default();
        if let Some(group) = self.groups.iter_mut().find(|group| group.lane == lane) {
            let asked = group.on(reply, self.writes, &self.project);
            out.requests.extend(asked.map(|request| (lane, request)));
            self.report(&mut out);
            self.advance(&mut out);
            return out;
        }
        match (&mut self.step, reply) {
            (Step::Finishing(recovery), reply) => {
                let next = recovery.on(reply);
                self.finishing(next, &mut out);
                return out;
            }
            (Step::Open, Reply::Open(Ok(open))) => {
                for entry in open {
                    let error = entry.refused.unwrap_or_else(no_answer);
                    let fate = Fate {
                        change: entry.change,
                        result: UndoResult::Failed(error),
                        stays: Vec::new(),
                    };
                    // That it failed before does not keep the others from being taken back.
                    let _ = self.count(fate, &mut out);
                }
            }
            (Step::Reading, Reply::Standing(Ok((entries, last)))) => self.take_in(entries, last),
            (Step::Open, Reply::Open(Err(error))) => {
                out.over = Some(Err(error));
                return out;
            }
            (_, other) => {
                self.error.get_or_insert(other.into_error());
            }
        }
        self.step = Step::Ready;
        self.advance(&mut out);
        out
    }

    fn stop(&mut self) {
        self.stopped = true;
    }
}

fn no_answer() -> Error {
    let text = "an earlier undo of this task has no answer yet";
    Error::new(ErrorKind::Upstream, text)
}

/// How many of the first entries may be taken back together: a unit that was written twice goes back the way it came,
/// one write after the other.
fn together(entries: &[StandingEntry]) -> usize {
    let mut units = HashSet::new();
    let again = entries
        .iter()
        .position(|e| touched(&e.change).filter(|one| !units.insert(*one)).count() > 0);
    again.unwrap_or(entries.len())
}
