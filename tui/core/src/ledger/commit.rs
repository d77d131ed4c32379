//! Committing outcomes: what they overwrite is read where their agents did not, and a row that somebody else changed
//! is written all the same where a person decided so.

use super::compare::{keep_before, part_of, unit};
use super::{Change, Look, Machine, Next, Reply, Request, Seen, Unit, Writing, further};
use crate::ids::TaskId;
use crate::work::Committed;

/// Commits outcomes; the result of each, in the order given.
#[derive(Clone, Debug, PartialEq)]
pub struct Commit {
    changes: Vec<Change>,
    overwrite: bool,
    step: Step,
}

#[derive(Clone, Debug, PartialEq)]
enum Step {
    /// What the changes overwrite is being read.
    Looking,
    Writing(Box<Writing>),
    /// The rows of those in conflict are being read.
    LookingAgain(Conflicts),
    /// Earlier attempts at the same tasks are being given up.
    Releasing(Conflicts),
    WritingAgain(Conflicts, Box<Writing>),
}

/// What is written over the changes of others.
#[derive(Clone, Debug, Default, PartialEq)]
struct Conflicts {
    /// The results so far, of all changes.
    results: Vec<Committed>,
    /// The changes in conflict among them.
    places: Vec<usize>,
    /// These, on what is there now.
    changes: Vec<Change>,
}

type Results = Vec<(TaskId, Committed)>;

impl Commit {
    /// Commits these. With `overwrite`, rows that somebody else changed are written too, on what is there now.
    #[must_use]
    pub const fn new(changes: Vec<Change>, overwrite: bool) -> Self {
        Self {
            changes,
            overwrite,
            step: Step::Looking,
        }
    }

    fn write(&mut self) -> Next<Results> {
        let mut writing = Writing::new(self.changes.clone());
        let next = writing.start();
        self.writing(Box::new(writing), next)
    }

    fn writing(&mut self, writing: Box<Writing>, next: Next<Vec<Committed>>) -> Next<Results> {
        match next {
            Next::Ask(request) => {
                self.step = Step::Writing(writing);
                Next::Ask(request)
            }
            Next::Over(Ok(results)) => self.written(results),
            Next::Over(Err(error)) => Next::failed(error),
        }
    }

    fn written(&mut self, results: Vec<Committed>) -> Next<Results> {
        let lost = |i: &usize| matches!(results[*i], Committed::Conflict { .. });
        let places: Vec<usize> = (0..results.len()).filter(lost).collect();
        if !self.overwrite || places.is_empty() {
            return self.over(results);
        }
        let changes: Vec<Change> = places.iter().map(|i| self.changes[*i].clone()).collect();
        let rows = changes.iter().map(|change| {
            // An agent that saw a part of the labels may replace that part only.
            let before = change.before.as_ref();
            let part = before.map(|b| part_of(&b.json)).unwrap_or_default();
            (unit(change), part)
        });
        let look = Look {
            rows: rows.collect(),
            others: further::rows_again(&changes),
            ..Look::default()
        };
        self.step = Step::LookingAgain(Conflicts {
            results,
            places,
            changes,
        });
        Next::Ask(Request::Look(look))
    }

    /// The rows as they are now take the place of those that the agents saw.
    fn seen_again(&mut self, mut conflicts: Conflicts, seen: Seen) -> Next<Results> {
        for (change, row) in conflicts.changes.iter_mut().zip(seen.rows) {
            let Ok(row) = row else {
                return self.over(conflicts.results);
            };
            change.old_priority = change.priority.and(row.priority);
            change.before = Some(row);
            // Theirs may be replaced; the journal keeps what was there.
            change.metadata_before = None;
        }
        if further::over_theirs(&mut conflicts.changes, seen.others).is_err() {
            return self.over(conflicts.results);
        }
        let tasks = conflicts.changes.iter().map(|c| c.task).collect();
        self.step = Step::Releasing(conflicts);
        Next::Ask(Request::Release(tasks))
    }

    fn writing_again(
        &mut self,
        mut conflicts: Conflicts,
        writing: Box<Writing>,
        next: Next<Vec<Committed>>,
    ) -> Next<Results> {
        match next {
            Next::Ask(request) => {
                self.step = Step::WritingAgain(conflicts, writing);
                Next::Ask(request)
            }
            Next::Over(Ok(again)) => {
                for (place, result) in conflicts.places.into_iter().zip(again) {
                    conflicts.results[place] = result;
                }
                self.over(conflicts.results)
            }
            Next::Over(Err(error)) => Next::failed(error),
        }
    }

    fn over(&self, results: Vec<Committed>) -> Next<Results> {
        let tasks = self.changes.iter().map(|change| change.task);
        Next::Over(Ok(tasks.zip(results).collect()))
    }
}

impl Machine for Commit {
    type Output = Results;

    fn start(&mut self) -> Next<Results> {
        let metadata: Vec<Unit> = unknown(&mut self.changes)
            .map(|change| unit(change))
            .collect();
        if metadata.is_empty() {
            return self.write();
        }
        Next::Ask(Request::Look(Look {
            metadata,
            ..Look::default()
        }))
    }

    fn on(&mut self, reply: Reply) -> Next<Results> {
        match (std::mem::replace(&mut self.step, Step::Looking), reply) {
            (Step::Looking, Reply::Seen(seen)) => {
                for (change, row) in unknown(&mut self.changes).zip(seen.metadata) {
                    keep_before(change, row.ok());
                }
                self.write()
            }
            (Step::Writing(mut writing), reply) => {
                let next = writing.on(reply);
                self.writing(writing, next)
            }
            (Step::LookingAgain(conflicts), Reply::Seen(seen)) => self.seen_again(conflicts, *seen),
            (Step::Releasing(conflicts), Reply::Stored(Ok(()))) => {
                let mut writing = Box::new(Writing::new(conflicts.changes.clone()));
                let next = writing.start();
                self.writing_again(conflicts, writing, next)
            }
            (Step::WritingAgain(conflicts, mut writing), reply) => {
                let next = writing.on(reply);
                self.writing_again(conflicts, writing, next)
            }
            (_, other) => Next::failed(other.into_error()),
        }
    }
}

/// Changes that overwrite something their agents were not given.
fn unknown(changes: &mut [Change]) -> impl Iterator<Item = &mut Change> {
    let unknown = |change: &&mut Change| {
        change.metadata.is_some() || change.priority.is_some() && change.old_priority.is_none()
    };
    changes.iter_mut().filter(unknown)
}
