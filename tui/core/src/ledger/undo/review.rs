//! What an undo would do, task by task; nothing is written.

use super::super::compare::Skipped;
use super::super::inverse::{ChangeBack, inverse, look_at};
use super::super::{Change, Machine, Next, Reply, Request, Seen, StandingEntry};
use crate::ids::{DataHash, StageId};
use crate::journal::Restore;
use crate::patch::changes_of;
use crate::work::{FurtherChange, Project};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Reads what an undo of an operation would restore.
#[derive(Clone, Debug, PartialEq)]
pub struct UndoReview {
    op: i64,
    project: Arc<Project>,
    /// The entries that are being looked up, and below which the others are.
    looking: Option<(Vec<StandingEntry>, i64)>,
    all: Vec<Restore>,
    /// Units whose newest entry was seen: of a unit that was written twice only the newest write can be compared.
    units: HashSet<DataHash>,
    /// Where in `all` a unit is.
    places: HashMap<DataHash, usize>,
    /// The older entries of units, each with the stage that it was written at.
    older: Vec<(DataHash, StageId)>,
}

impl UndoReview {
    /// Reviews this operation.
    #[must_use]
    pub fn new(op: i64, project: Arc<Project>) -> Self {
        Self {
            op,
            project,
            looking: None,
            all: Vec::new(),
            units: HashSet::new(),
            places: HashMap::new(),
            older: Vec::new(),
        }
    }

    const fn read(&self, below: i64) -> Next<Vec<Restore>> {
        let op = self.op;
        Next::Ask(Request::Standing { op, below })
    }

    fn standing(&mut self, entries: Vec<StandingEntry>, last: Option<i64>) -> Next<Vec<Restore>> {
        let Some(last) = last else {
            return self.over();
        };
        let (newest, before): (Vec<_>, Vec<_>) =
            (entries.into_iter()).partition(|e| self.units.insert(e.change.data));
        let stage = |e: StandingEntry| (e.change.data, e.change.stage);
        self.older.extend(before.into_iter().map(stage));
        let look = look_at(&newest, &self.project);
        self.looking = Some((newest, last));
        Next::Ask(Request::Look(look))
    }

    fn seen(&mut self, entries: &[StandingEntry], below: i64, seen: &Seen) -> Next<Vec<Restore>> {
        let found = match inverse(entries, &self.project, seen) {
            Ok(found) => found,
            Err(error) => return Next::failed(error),
        };
        for (entry, found) in entries.iter().zip(found) {
            let (what, left) = match found {
                Err(_) if entry.overtaken => continue,
                Ok(ChangeBack { change, stays }) => {
                    let mut what = in_words(&change, &self.project);
                    what.extend(stays);
                    (what, None)
                }
                Err(Skipped(why)) => (Vec::new(), Some(why)),
            };
            let title = entry.change.title.to_string();
            if left.is_none() {
                self.places.insert(entry.change.data, self.all.len());
            }
            self.all.push(Restore { title, what, left });
        }
        self.read(below)
    }

    fn over(&mut self) -> Next<Vec<Restore>> {
        for (data, stage) in std::mem::take(&mut self.older) {
            let from = self.project.workflow.stage(stage);
            if let (Some(place), Some(from)) = (self.places.get(&data), from) {
                let back = format!("then back to {}", from.title);
                self.all[*place].what.push(back);
            }
        }
        Next::Over(Ok(std::mem::take(&mut self.all)))
    }
}

impl Machine for UndoReview {
    type Output = Vec<Restore>;

    fn start(&mut self) -> Next<Vec<Restore>> {
        self.read(i64::MAX)
    }

    fn on(&mut self, reply: Reply) -> Next<Vec<Restore>> {
        match (self.looking.take(), reply) {
            (Some((entries, below)), Reply::Seen(seen)) => self.seen(&entries, below, &seen),
            (None, Reply::Standing(Ok((entries, last)))) => self.standing(entries, last),
            (_, other) => Next::failed(other.into_error()),
        }
    }
}

fn in_words(change: &Change, project: &Project) -> Vec<String> {
    let mut what = Vec::new();
    if let Some(stage) = change.to.and_then(|to| project.workflow.stage(to)) {
        what.push(format!("back to {}", stage.title));
    }
    if change.labels_after.is_some() {
        what.push("labels as they were".to_owned());
    }
    if let Some(priority) = change.priority {
        what.push(format!("priority {priority}"));
    }
    if change.metadata.is_some() {
        what.push("metadata as they were".to_owned());
    }
    let further = changes_of(&change.further).unwrap_or_default();
    what.extend(further.iter().map(FurtherChange::headline));
    what
}
