//! Specs that a queue gives again: what the journal of this folder has about them.

use super::TaskBatch;
use crate::headless::specs::Answer;
use std::collections::{HashMap, HashSet};
use wb_core::error::Error;
use wb_core::ids::{DataHash, PathwayId, TaskId};
use wb_core::journal::Op;
use wb_core::work::TaskRow;
use wb_engine::runtime::{Engine, now};

/// An interrupted command goes on with what its queue gives again: it is over, but for the answers that nobody
/// was given. Gives the tasks among them that stay.
pub(super) fn go_on(engine: &Engine, kind: &str) -> Result<HashSet<TaskId>, Error> {
    let (Some(journal), Some(project), false) = (
        engine.journal(),
        &engine.state().project,
        engine.state().options.dry_run,
    ) else {
        return Ok(HashSet::new());
    };
    let mut stayed = HashSet::new();
    let gone = |op: &Op| op.kind == kind && op.interrupted && !op.under_way;
    for op in journal.ops()?.iter().filter(|op| gone(op)) {
        if op.project == project.hash.to_string() {
            stayed.extend(journal.stayed(op.id)?);
            journal.gone_on(project.hash, op.id, now().0)?;
        }
    }
    Ok(stayed)
}

impl TaskBatch {
    /// What an earlier command left, or an earlier line, is finished before anything is run.
    pub(super) async fn finish_earlier(&mut self) {
        if self.engine.state().options.dry_run {
            return;
        }
        match self.engine.settle().await {
            Ok(settled) => settled.lines().iter().for_each(|line| notice!("{line}")),
            Err(error) => tracing::warn!("{error}"),
        }
    }

    /// Tasks that this folder has sent on from the stage, with the pathway if there was one: a queue may give a spec again whose
    /// answer it never got.
    pub(super) fn done_before(
        &self,
        wanted: &[(TaskId, DataHash)],
    ) -> Result<HashMap<TaskId, Option<PathwayId>>, Error> {
        match (self.engine.journal(), &self.engine.state().project) {
            (Some(journal), Some(project)) => {
                let tasks = wanted.iter().map(|(task, _)| *task);
                journal.sent_on(project.hash, self.stage, tasks)
            }
            _ => Ok(HashMap::new()),
        }
    }

    /// Parts the tasks that are to be run from those that have an answer already.
    pub(super) fn sort(
        &mut self,
        wanted: &[(TaskId, DataHash)],
        rows: &[TaskRow],
        done: &HashMap<TaskId, Option<PathwayId>>,
        again: &HashSet<TaskId>,
    ) -> (Vec<TaskRow>, HashMap<TaskId, Answer>) {
        let mut there: HashMap<TaskId, &TaskRow> = rows.iter().map(|r| (r.id, r)).collect();
        let others: HashMap<DataHash, TaskId> = rows.iter().rev().map(|r| (r.data, r.id)).collect();
        let (mut run, mut runs, mut answers) = (Vec::new(), HashSet::new(), HashMap::new());
        for (task, data) in wanted {
            if let Some(row) = there.remove(task) {
                if self.stayed.remove(task) {
                    answers.insert(*task, Answer::done(None));
                    continue;
                }
                runs.insert(row.id);
                run.push(row.clone());
                continue;
            }
            if runs.contains(task) || answers.contains_key(task) {
                continue;
            }
            if let Some(pathway) = done.get(task) {
                answers.insert(*task, Answer::done(*pathway));
                continue;
            }
            if again.contains(task) {
                answers.insert(*task, Answer::done(None));
                continue;
            }
            let other = others.get(data).copied();
            answers.insert(*task, Answer::stale(self.stage_title(), other));
        }
        (run, answers)
    }
}
