//! Finishing entries that earlier commands left without an answer, or written in part: only what is missing is sent,
//! after a look at what is there.

use super::compare::{Stands, rows_of, stand};
use super::{
    Answered, Before, Change, Look, Machine, Next, OpenEntry, Reply, Request, Scope, Seen,
};
use crate::error::{Error, ErrorKind};
use crate::journal::{Op, Settled};
use crate::labels::same_priority;
use crate::work::{Committed, Written};

/// Finishes claimed entries; the result of each, in the order given.
#[derive(Clone, Debug, PartialEq)]
pub struct Settling {
    open: Vec<OpenEntry>,
    results: Vec<Option<Committed>>,
    step: Step,
}

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Looking,
    /// The rest of the entries at these places is being sent.
    Sending(Vec<usize>),
    /// These results are being noted.
    NotingAnswers(Vec<Committed>),
}

impl Settling {
    /// Finishes these.
    #[must_use]
    pub fn new(open: Vec<OpenEntry>) -> Self {
        Self {
            results: vec![None; open.len()],
            open,
            step: Step::Looking,
        }
    }

    /// What was written of each entry, as changes of their own.
    fn written(&self) -> Vec<Change> {
        let entries = self.open.iter();
        entries.map(|e| e.change.only(e.written)).collect()
    }

    /// Where the tasks are of which something is written, what is there of it, and the priorities that are to be set.
    fn look(&self) -> Look {
        let mut look = Look {
            client_metadata: true,
            ..Look::default()
        };
        for entry in self.open.iter().filter(|e| e.written.any()) {
            let item = &entry.change;
            look.tasks.entry(item.stage).or_default().push(item.data);
        }
        look.rows = rows_of(&self.written()).map(|(_, row)| row).collect();
        for entry in &self.open {
            let rest = rest(entry);
            if rest.priority.is_some() && rest.old_priority.is_some() {
                let item = &rest;
                look.metadata.push((item.data, item.branch.clone()));
            }
        }
        look
    }

    /// What is missing of an entry of which something is written; its result, where its task has left, or where
    /// somebody changed the row since.
    fn missing(entry: &OpenEntry, stands: &Stands, seen: &Seen) -> Result<Change, Committed> {
        if !entry.written.any() {
            return Ok(entry.change.clone());
        }
        let item = &entry.change;
        match seen.tasks.get(&item.stage) {
            Some(Err(error)) => return Err(Committed::Refused(error.clone())),
            Some(Ok(tasks)) if !tasks.iter().any(|(task, _)| *task == item.task) => {
                return Err(Committed::AlreadyMoved);
            }
            _ => {}
        }
        match stands {
            Stands::AsWritten => Ok(rest(entry)),
            Stands::Changed(by) => Err(Committed::Conflict { by: by.clone() }),
            // Its further changes stand, so that it must not be forgotten.
            Stands::TakenBack if entry.written.further != 0 => Err(Committed::Conflict {
                by: "somebody who took its labels out again".to_owned(),
            }),
            Stands::TakenBack => {
                let text = "somebody took its labels out again, so nothing was finished";
                Err(Committed::Refused(Error::new(ErrorKind::Conflict, text)))
            }
            Stands::Unknown(error) => Err(Committed::Refused(error.clone())),
        }
    }

    fn seen(&mut self, seen: &Seen) -> Next<Vec<Committed>> {
        let stands = stand(&self.written(), &seen.rows);
        let mut priorities = seen.metadata.iter();
        let (mut places, mut rests) = (Vec::new(), Vec::new());
        for (i, (entry, stands)) in self.open.iter().zip(&stands).enumerate() {
            let asked = rest(entry);
            let asked = asked.priority.zip(asked.old_priority);
            let theirs = asked.and_then(|(ours, old)| {
                // Somebody else's priority stays: one that is neither what was there nor what is to be set.
                match priorities.next()? {
                    Ok(row) => row
                        .priority
                        .filter(|now| !same_priority(*now, ours) && !same_priority(*now, old))
                        .map(|now| Committed::Conflict {
                            by: format!("somebody else (priority {now})"),
                        }),
                    Err(error) => Some(Committed::Refused(error.clone())),
                }
            });
            match (Self::missing(entry, stands, seen), theirs) {
                (Err(result), _) | (Ok(_), Some(result)) => self.results[i] = Some(result),
                (Ok(mut change), None) => {
                    // The commit compares client metadata with what was there when the change was noted.
                    let before = &mut change.metadata_before;
                    *before = before.take().or_else(|| change.old_metadata.clone());
                    places.push(i);
                    rests.push((entry.id, change));
                }
            }
        }
        if rests.is_empty() {
            return self.note();
        }
        self.step = Step::Sending(places);
        Next::Ask(Request::SendRest(rests))
    }

    fn note(&mut self) -> Next<Vec<Committed>> {
        let results = std::mem::take(&mut self.results);
        let results: Vec<Committed> = (self.open.iter().zip(results))
            .map(|(entry, result)| {
                together(result.unwrap_or(Committed::Done), entry.written).with_advice()
            })
            .collect();
        let answers = self
            .open
            .iter()
            .zip(&results)
            .map(|(entry, result)| Answered {
                entry: entry.id,
                result: result.clone(),
                before: Before::of(entry),
            });
        let answers = answers.collect();
        self.step = Step::NotingAnswers(results);
        Next::Ask(Request::NoteAnswers(answers))
    }
}

impl Machine for Settling {
    type Output = Vec<Committed>;

    fn start(&mut self) -> Next<Self::Output> {
        let look = self.look();
        match (self.open.is_empty(), look.is_empty()) {
            (true, _) => Next::Over(Ok(Vec::new())),
            (false, true) => self.seen(&Seen::default()),
            (false, false) => Next::Ask(Request::Look(look)),
        }
    }

    fn on(&mut self, reply: Reply) -> Next<Self::Output> {
        match (std::mem::replace(&mut self.step, Step::Looking), reply) {
            (Step::Looking, Reply::Seen(seen)) => self.seen(&seen),
            (Step::Sending(places), Reply::Sent(results)) => {
                for (place, result) in places.into_iter().zip(results) {
                    self.results[place] = Some(result);
                }
                self.note()
            }
            (Step::NotingAnswers(results), Reply::Stored(stored)) => {
                Next::Over(stored.map(|()| results))
            }
            (_, other) => Next::failed(other.into_error()),
        }
    }
}

/// What is not upstream yet of an entry.
fn rest(entry: &OpenEntry) -> Change {
    entry.change.without(entry.written)
}

/// The result of an entry of which this much was written before.
fn together(result: Committed, written: Written) -> Committed {
    match result {
        // What was written is not there any more, so that nothing is left in part.
        Committed::Refused(error) if error.kind == ErrorKind::Conflict => Committed::Refused(error),
        Committed::Partial {
            written: more,
            error,
        } => Committed::Partial {
            written: written.and(more),
            error,
        },
        other => other.after(written),
    }
}

/// Finishes what earlier commands left open.
#[derive(Clone, Debug, PartialEq)]
pub struct Recovery {
    scope: Scope,
    /// Whether interrupted commits of the screen are ended: there is no command to go on with, and what they had
    /// not written yet is gone with their process.
    ends_commits: bool,
    step: RecoveryStep,
}

#[derive(Clone, Debug, PartialEq)]
enum RecoveryStep {
    Claiming,
    Settling(Vec<OpenEntry>, Box<Settling>),
    /// The commits of the screen are looked up.
    Listing(Settled),
    Ending(Settled),
}

impl Recovery {
    /// Finishes the entries in this scope.
    #[must_use]
    pub const fn new(scope: Scope) -> Self {
        Self {
            scope,
            ends_commits: false,
            step: RecoveryStep::Claiming,
        }
    }

    /// Finishes everything, for the screen.
    #[must_use]
    pub const fn of_the_screen() -> Self {
        Self {
            scope: Scope::All,
            ends_commits: true,
            step: RecoveryStep::Claiming,
        }
    }

    fn settling(
        &mut self,
        open: Vec<OpenEntry>,
        settling: Settling,
        next: Next<Vec<Committed>>,
    ) -> Next<Settled> {
        match next {
            Next::Ask(request) => {
                self.step = RecoveryStep::Settling(open, Box::new(settling));
                Next::Ask(request)
            }
            Next::Over(Ok(results)) => match settled(&open, results) {
                Ok(settled) => self.settled(settled),
                Err(error) => Next::failed(error),
            },
            Next::Over(Err(error)) => Next::failed(error),
        }
    }

    fn settled(&mut self, settled: Settled) -> Next<Settled> {
        if !self.ends_commits {
            return Next::Over(Ok(settled));
        }
        self.step = RecoveryStep::Listing(settled);
        Next::Ask(Request::Operations)
    }
}

impl Machine for Recovery {
    type Output = Settled;

    fn start(&mut self) -> Next<Settled> {
        Next::Ask(Request::Claim(self.scope.clone()))
    }

    fn on(&mut self, reply: Reply) -> Next<Settled> {
        let step = std::mem::replace(&mut self.step, RecoveryStep::Claiming);
        match (step, reply) {
            (RecoveryStep::Claiming, Reply::Open(Ok(open))) if open.is_empty() => {
                self.settled(Settled::default())
            }
            (RecoveryStep::Claiming, Reply::Open(Ok(open))) => {
                let mut settling = Settling::new(open.clone());
                let next = settling.start();
                self.settling(open, settling, next)
            }
            (RecoveryStep::Settling(open, mut settling), reply) => {
                let next = settling.on(reply);
                self.settling(open, *settling, next)
            }
            (RecoveryStep::Listing(settled), Reply::Operations(Ok(ops))) => {
                let over = |op: &&Op| op.finishable() && op.open == 0;
                let over: Vec<i64> = ops.iter().filter(over).map(|op| op.id).collect();
                if over.is_empty() {
                    return Next::Over(Ok(settled));
                }
                self.step = RecoveryStep::Ending(settled);
                Next::Ask(Request::EndOperations(over))
            }
            (RecoveryStep::Ending(settled), Reply::Stored(stored)) => {
                Next::Over(stored.map(|()| settled))
            }
            (_, other) => Next::failed(other.into_error()),
        }
    }
}

/// The counts of these results; the first error of one that could not be sent at all.
fn settled(open: &[OpenEntry], results: Vec<Committed>) -> Result<Settled, Error> {
    let stuck = |result: &Committed| match result {
        Committed::Refused(error) => matches!(error.kind, ErrorKind::Network | ErrorKind::Access),
        Committed::Partial { error, .. } => error.kind == ErrorKind::Network,
        _ => false,
    };
    if let Some(error) = results.iter().find(|r| stuck(r)).and_then(Committed::error) {
        return Err(error.clone());
    }
    let mut settled = Settled {
        found: results.len(),
        ..Settled::default()
    };
    for (entry, result) in open.iter().zip(results) {
        match result {
            Committed::Done | Committed::AlreadyMoved => settled.finished += 1,
            Committed::Partial { error, .. } => {
                settled.in_part += 1;
                settled.why.get_or_insert(error);
            }
            Committed::Conflict { .. } if entry.written.labels => settled.changed += 1,
            Committed::Conflict { .. } | Committed::Refused(_) => settled.left += 1,
        }
    }
    Ok(settled)
}
