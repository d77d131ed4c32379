//! Entries that are taken back together: where they stand is read, then what takes them back is written.

use super::super::compare::Skipped;
use super::super::inverse::{ChangeBack, inverse, look_at};
use super::super::{Change, Machine, Next, Reply, Request, StandingEntry, UndoResult, Writing};
use crate::error::{Error, ErrorKind};
use crate::work::{Committed, Project};
use std::collections::HashMap;

/// Entries on their way.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Group {
    pub lane: usize,
    pub entries: Vec<StandingEntry>,
    /// Of those that are left.
    fates: Vec<Fate>,
    /// What cannot be taken back, by entry.
    stays: HashMap<i64, Vec<String>>,
    step: Step,
}

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Looking,
    Writing(Box<Writing>),
    Over(Result<(), Error>),
}

/// The result of one entry.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fate {
    /// What was written to take it back; what it had written, if it is left.
    pub change: Change,
    pub result: UndoResult,
    /// What of it cannot be taken back.
    pub stays: Vec<String>,
}

impl Group {
    pub(super) fn new(
        lane: usize,
        entries: Vec<StandingEntry>,
        project: &Project,
    ) -> (Self, Request) {
        let request = Request::Look(look_at(&entries, project));
        let group = Self {
            lane,
            entries,
            fates: Vec::new(),
            stays: HashMap::new(),
            step: Step::Looking,
        };
        (group, request)
    }

    pub(super) const fn is_over(&self) -> bool {
        matches!(self.step, Step::Over(_))
    }

    /// The results, once it is over.
    pub(super) fn into_fates(self) -> Option<Result<Vec<Fate>, Error>> {
        match self.step {
            Step::Over(result) => Some(result.map(|()| self.fates)),
            _ => None,
        }
    }

    pub(super) fn on(&mut self, reply: Reply, writes: bool, project: &Project) -> Option<Request> {
        let over = Step::Over(Ok(()));
        match (std::mem::replace(&mut self.step, over), reply) {
            (Step::Looking, Reply::Seen(seen)) => match inverse(&self.entries, project, &seen) {
                Ok(found) => self.found(found, writes),
                Err(error) => {
                    self.step = Step::Over(Err(error));
                    None
                }
            },
            (Step::Writing(mut writing), reply) => {
                let next = writing.on(reply);
                self.writing(writing, next)
            }
            (_, other) => {
                self.step = Step::Over(Err(other.into_error()));
                None
            }
        }
    }

    fn found(&mut self, found: Vec<Result<ChangeBack, Skipped>>, writes: bool) -> Option<Request> {
        let mut changes = Vec::new();
        for (entry, found) in self.entries.iter().zip(found) {
            match found {
                Ok(ChangeBack { change, stays }) => {
                    changes.push(change);
                    self.stays.insert(entry.id, stays);
                }
                Err(_) if entry.overtaken => {}
                Err(Skipped(why)) => self.fates.push(Fate {
                    change: entry.change.clone(),
                    result: UndoResult::Left(why),
                    stays: Vec::new(),
                }),
            }
        }
        if !writes {
            let done = vec![Committed::Done; changes.len()];
            self.written(changes, done);
            return None;
        }
        let mut writing = Box::new(Writing::new(changes));
        let next = writing.start();
        self.writing(writing, next)
    }

    fn writing(&mut self, writing: Box<Writing>, next: Next<Vec<Committed>>) -> Option<Request> {
        match next {
            Next::Ask(request) => {
                self.step = Step::Writing(writing);
                return Some(request);
            }
            Next::Over(Ok(results)) => self.written(writing.changes().to_vec(), results),
            Next::Over(Err(error)) => self.step = Step::Over(Err(error)),
        }
        None
    }

    fn written(&mut self, changes: Vec<Change>, results: Vec<Committed>) {
        for (change, result) in changes.into_iter().zip(results) {
            let result = match result {
                Committed::Done => UndoResult::Restored,
                Committed::AlreadyMoved => {
                    UndoResult::Left("somebody moved the task on at this very moment".to_owned())
                }
                Committed::Conflict { by } => UndoResult::Left(by),
                Committed::Refused(error) | Committed::Partial { error, .. } => {
                    UndoResult::Failed(error)
                }
            };
            let stays = change.reverts.and_then(|entry| self.stays.remove(&entry));
            self.fates.push(Fate {
                change,
                result,
                stays: stays.unwrap_or_default(),
            });
        }
    }
}

impl Error {
    /// Whether every further request would fail in the same way.
    pub(super) fn ends_a_command(&self) -> bool {
        matches!(self.kind, ErrorKind::Network | ErrorKind::Access)
    }
}
