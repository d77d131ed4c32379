//! Writing a group of changes: what is written in part of their tasks is finished first; then the changes are noted,
//! sent, and their answers noted.

use super::settling::Settling;
use super::{
    Answered, Before, Change, Machine, Next, OpenEntry, Reply, Request, Scope, Seen, further,
};
use crate::error::ErrorKind;
use crate::work::Committed;
use std::collections::{HashMap, HashSet};

/// Writes changes; the result of each, in the order given.
#[derive(Clone, Debug, PartialEq)]
pub struct Writing {
    changes: Vec<Change>,
    results: Vec<Option<Committed>>,
    step: Step,
}

#[derive(Clone, Debug, PartialEq)]
enum Step {
    /// Entries of the same tasks that are written in part are claimed.
    Claiming,
    /// These are being finished.
    Finishing(Vec<OpenEntry>, Box<Settling>),
    /// What the further changes of these overwrite is being read.
    Learning(Vec<usize>),
    /// The changes at these places are being noted.
    Noting(Vec<usize>),
    /// They are being sent, each with its entry.
    Sending(Vec<(usize, i64)>),
    /// Their answers are being noted.
    NotingAnswers,
}

impl Writing {
    /// Writes these changes.
    #[must_use]
    pub fn new(changes: Vec<Change>) -> Self {
        Self {
            results: vec![None; changes.len()],
            changes,
            step: Step::Claiming,
        }
    }

    /// What is being written.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    fn over(&mut self) -> Next<Vec<Committed>> {
        let results = std::mem::take(&mut self.results).into_iter();
        Next::Over(Ok(results
            .map(|result| result.unwrap_or(Committed::Done))
            .collect()))
    }

    fn note(&mut self) -> Next<Vec<Committed>> {
        let open: Vec<usize> = (0..self.changes.len())
            .filter(|i| self.results[*i].is_none())
            .collect();
        if open.is_empty() {
            return self.over();
        }
        let look = further::unknown(&self.at(&open));
        if look.is_empty() {
            return self.note_these(open);
        }
        self.step = Step::Learning(open);
        Next::Ask(Request::Look(look))
    }

    fn at(&self, places: &[usize]) -> Vec<Change> {
        places.iter().map(|i| self.changes[*i].clone()).collect()
    }

    fn learned(&mut self, open: Vec<usize>, seen: Seen) -> Next<Vec<Committed>> {
        let mut changes = self.at(&open);
        further::keep(&mut changes, seen);
        for (place, change) in open.iter().zip(changes) {
            self.changes[*place] = change;
        }
        self.note_these(open)
    }

    fn note_these(&mut self, open: Vec<usize>) -> Next<Vec<Committed>> {
        let changes = self.at(&open);
        self.step = Step::Noting(open);
        Next::Ask(Request::Note(changes))
    }

    /// A change whose task was written in part has its result: what was to be written twice is written once.
    fn finished(&mut self, open: Vec<OpenEntry>, results: Vec<Committed>) {
        let mut found = HashMap::new();
        for (entry, result) in open.into_iter().zip(results) {
            found.insert(entry.change.task, (entry.change, result));
        }
        for (change, place) in self.changes.iter().zip(&mut self.results) {
            *place = match found.get(&change.task) {
                Some((earlier, Committed::Done)) if !change.sets_the_same(earlier) => {
                    let by = "an earlier outcome of this task, which is written now".to_owned();
                    Some(Committed::Conflict { by })
                }
                // What was written is not there any more: this one takes its place.
                Some((_, Committed::Refused(error))) if error.kind == ErrorKind::Conflict => None,
                Some((_, result)) => Some(result.clone()),
                None => None,
            };
        }
    }

    fn noted(&mut self, places: Vec<usize>, entries: Vec<Option<i64>>) -> Next<Vec<Committed>> {
        let mut sending = Vec::with_capacity(places.len());
        for (place, entry) in places.into_iter().zip(entries) {
            match entry {
                Some(entry) => sending.push((place, entry)),
                None => self.results[place] = Some(written_elsewhere()),
            }
        }
        if sending.is_empty() {
            return self.over();
        }
        let entries = sending.iter().map(|(_, entry)| *entry).collect();
        self.step = Step::Sending(sending);
        Next::Ask(Request::Send(entries))
    }

    fn sent(&mut self, sent: &[(usize, i64)], results: Vec<Committed>) -> Next<Vec<Committed>> {
        let mut answers = Vec::with_capacity(sent.len());
        for ((place, entry), result) in sent.iter().zip(results) {
            let result = result.with_advice();
            self.results[*place] = Some(result.clone());
            answers.push(Answered {
                entry: *entry,
                result,
                before: Before::New,
            });
        }
        self.step = Step::NotingAnswers;
        Next::Ask(Request::NoteAnswers(answers))
    }
}

impl Machine for Writing {
    type Output = Vec<Committed>;

    fn start(&mut self) -> Next<Self::Output> {
        if self.changes.is_empty() {
            return Next::Over(Ok(Vec::new()));
        }
        let changes = self.changes.iter();
        let except: HashSet<i64> = changes.clone().filter_map(|c| c.reverts).collect();
        let tasks = changes.map(|c| c.task).collect();
        Next::Ask(Request::Claim(Scope::Tasks { tasks, except }))
    }

    fn on(&mut self, reply: Reply) -> Next<Self::Output> {
        match (std::mem::replace(&mut self.step, Step::Claiming), reply) {
            (Step::Claiming, Reply::Open(Ok(open))) if open.is_empty() => self.note(),
            (Step::Claiming, Reply::Open(Ok(open))) => {
                let mut settling = Settling::new(open.clone());
                let next = settling.start();
                self.finishing(open, settling, next)
            }
            (Step::Finishing(open, mut settling), reply) => {
                let next = settling.on(reply);
                self.finishing(open, *settling, next)
            }
            (Step::Learning(open), Reply::Seen(seen)) => self.learned(open, *seen),
            (Step::Noting(places), Reply::Noted(Ok(entries))) => self.noted(places, entries),
            (Step::Sending(sent), Reply::Sent(results)) => self.sent(&sent, results),
            // Everything is sent: an entry whose answer is not stored stays open, and is finished by the next command.
            (Step::NotingAnswers, Reply::Stored(_)) => self.over(),
            (_, other) => Next::failed(other.into_error()),
        }
    }
}

impl Writing {
    fn finishing(
        &mut self,
        open: Vec<OpenEntry>,
        settling: Settling,
        next: Next<Vec<Committed>>,
    ) -> Next<Vec<Committed>> {
        match next {
            Next::Ask(request) => {
                self.step = Step::Finishing(open, Box::new(settling));
                Next::Ask(request)
            }
            Next::Over(Ok(results)) => {
                self.finished(open, results);
                self.note()
            }
            Next::Over(Err(error)) => Next::failed(error),
        }
    }
}

/// The result of a task that another process of this folder is writing: both read the row before either wrote,
/// which no read of the platform would show.
fn written_elsewhere() -> Committed {
    Committed::Conflict {
        by: "another workbench process of this folder, at this moment".to_owned(),
    }
}
