//! The end of a batch: what is committed of it, and the one report that every task gets.

use super::{BatchPhase, RERUNS, Run, Work};
use crate::error::{Error, ErrorKind};
use crate::event::Effect;
use crate::ids::{BatchId, StageId, TaskId};
use crate::patch::metadata_seen;
use crate::run::{Ending, OnConflict, Report, Sink};
use crate::work::{Change, Committed, Inputs, Outcome, Route};
use serde_json::Map;
use std::collections::HashMap;
use std::sync::Arc;

impl Run {
    pub(super) fn commit(&mut self, effects: &mut Vec<Effect>) {
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
            let changes: Vec<Change> = match self.spec.sink {
                Sink::Commit => batch
                    .work
                    .iter()
                    .filter_map(|w| commit_item(w, stage))
                    .collect(),
                Sink::Hold | Sink::Report => Vec::new(),
            };
            if changes.is_empty() {
                effects.extend(self.finish(id, &[]));
            } else {
                effects.push(Effect::Commit {
                    batch: id,
                    changes,
                    overwrite: self.spec.on_conflict == OnConflict::Overwrite,
                });
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
    fn runs_again(&mut self, task: TaskId) -> bool {
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
            if matches!(written, Some(Committed::Conflict { .. })) && self.runs_again(work.row.id) {
                self.known.0 -= 1;
                self.pending.push_back(work.row);
                continue;
            }
            let (task, succeeded) = (work.row.id, result.is_ok());
            let gone = matches!(written, Some(Committed::AlreadyMoved));
            let (ending, outcome) = ending(result, written);
            self.known.1 += u64::from(succeeded && matches!(ending, Ending::Failed(_)));
            if let Ending::Failed(error) = &ending
                && ends_the_run(error)
            {
                self.fatal.get_or_insert(error.clone());
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
                gone,
                follows: self.arrived.get(&task).map(|c| c.from),
            };
            self.carry(&report);
            self.totals.count(&report);
            effects.push(Effect::Record(Box::new(report)));
        }
        effects
    }
}

/// An error that would meet every further task too; a journal that cannot be written is one of the settings.
pub(super) fn ends_the_run(error: &Error) -> bool {
    matches!(
        error.kind,
        ErrorKind::Access
            | ErrorKind::Network
            | ErrorKind::Refused
            | ErrorKind::Settings
            | ErrorKind::Bug
    )
}

fn ending(
    result: Result<Arc<Outcome>, Error>,
    written: Option<&Committed>,
) -> (Ending, Option<Arc<Outcome>>) {
    let outcome = match result {
        Ok(outcome) => outcome,
        Err(error) if error.kind == ErrorKind::Conflict => {
            return (Ending::Conflict(error.into_facts().summary), None);
        }
        Err(error) => return (Ending::Failed(error), None),
    };
    let ending = match written {
        Some(Committed::Refused(error) | Committed::Partial { error, .. }) => {
            Ending::Failed(error.clone())
        }
        Some(Committed::Conflict { by }) => Ending::Conflict(by.clone()),
        Some(Committed::AlreadyMoved) => {
            Ending::Conflict("the task had already left the stage".into())
        }
        Some(Committed::Done) | None if outcome.way == Route::Stay => Ending::Stayed,
        Some(Committed::Done) | None => Ending::Moved,
    };
    (ending, Some(outcome))
}

/// What is to be written for a task; nothing for one that failed or changes nothing.
fn commit_item(work: &Work, stage: StageId) -> Option<Change> {
    let outcome = work.result.as_ref()?.as_ref().ok()?;
    let inputs = work.inputs.as_ref()?;
    item(outcome, inputs, stage)
}

/// What is to be written for an outcome; `None` when it changes nothing.
#[must_use]
pub fn item(outcome: &Outcome, inputs: &Inputs, stage: StageId) -> Option<Change> {
    let way = &outcome.way;
    if *way == Route::Stay && outcome.patch.is_empty() {
        return None;
    }
    let priority = outcome.patch.priority.map(|(_, new)| new);
    let labels = inputs.labels.as_ref();
    Some(Change {
        before: inputs.labels.clone(),
        labels_after: outcome.labels_after.clone(),
        priority,
        metadata: outcome.patch.metadata.clone(),
        metadata_before: (outcome.patch.metadata.as_ref())
            // What cannot be read is compared with nothing, and so refused; `judge` has seen to it before.
            .and_then(|_| metadata_seen(inputs).unwrap_or_else(|_| Some(Map::new()))),
        item: labels.and_then(|l| l.item),
        pathway: way.pathway(),
        to: way.to(),
        direct: matches!(way, Route::Stage { .. }),
        old_priority: priority.and(labels).and_then(|l| l.priority),
        excerpts: outcome.patch.excerpts(),
        further: outcome.further.clone(),
        edited: outcome.patch.edited.clone(),
        ..Change::nothing(&inputs.row, stage)
    })
}
