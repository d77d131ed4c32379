//! Writing a plan: exactly what it holds, once, each task checked first.
//!
//! What the command prints of each task is left to the caller.

mod checks;

use crate::journal::{self, Change, HEAVY};
use crate::plan::{Plan, PlanLine};
use crate::session::Connection;
use std::collections::{HashMap, HashSet};
use wb_core::error::{Error, ErrorKind};
use wb_core::filter::Filter;
use wb_core::ids::{DataHash, StageId, TaskId};
use wb_core::work::Committed;

/// Tasks that are checked and written together.
const CHUNK: usize = 300;

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

/// What happens while a plan is applied.
pub struct Hooks<'a> {
    /// Whether the command was asked to stop; checked before each group of tasks.
    pub stopped: &'a dyn Fn() -> bool,
    /// Receives the result of each task.
    pub report: &'a mut dyn FnMut(&PlanLine, &Committed),
}

/// Writes what `only` selects of a plan. Without a writer nothing is sent, and every task that passes the
/// checks counts as written.
///
/// # Errors
/// The plan, the journal or a row cannot be read. A platform that cannot be reached is [`Applied::fatal`].
pub async fn apply<'a>(
    connection: &'a Connection,
    plan: &mut Plan,
    only: &Filter,
    hooks: Hooks<'a>,
) -> Result<Applied, Error> {
    let applied = connection.journal.applied(&plan.header.id.to_string())?;
    let mut applying = Applying {
        connection,
        applied,
        counts: Applied::default(),
        hooks,
    };
    applying.all(plan, only).await?;
    Ok(applying.counts)
}

struct Applying<'a> {
    connection: &'a Connection,
    /// What earlier commands applied.
    applied: HashSet<(DataHash, StageId)>,
    counts: Applied,
    hooks: Hooks<'a>,
}

/// Whether `--only` selects a line.
fn wanted(only: &Filter, line: &PlanLine, plan: &Plan) -> Result<bool, Error> {
    Ok(only.is_empty() || line.matches(only, &line.patch(&plan.ontology)?))
}

impl Applying<'_> {
    async fn all(&mut self, plan: &mut Plan, only: &Filter) -> Result<(), Error> {
        let mut chunk: Vec<(PlanLine, Change)> = Vec::new();
        let mut weight = 0;
        while self.counts.fatal.is_none() && !(self.hooks.stopped)() {
            let line = plan.next_line()?;
            let last = line.is_none();
            // What follows from another outcome of the plan is looked at when that one is written.
            let turn = chunk.first().zip(line.as_ref());
            if turn.is_some_and(|((first, _), line)| {
                (first.stage, first.follows) != (line.stage, line.follows)
            }) {
                self.write(std::mem::take(&mut chunk)).await?;
                weight = 0;
            }
            if let Some(mut line) = line
                && wanted(only, &line, plan)?
            {
                match line.change.take() {
                    None => self.counts.unchanged += 1,
                    Some(_) if self.applied.contains(&(line.data, line.stage)) => {
                        self.counts.earlier += 1;
                    }
                    Some(change) => {
                        weight += change.item.weight();
                        chunk.push((line, change));
                    }
                }
            }
            let full = chunk.len() >= CHUNK || weight > HEAVY;
            if full || last && !chunk.is_empty() {
                self.write(std::mem::take(&mut chunk)).await?;
                weight = 0;
            }
            if last {
                break;
            }
        }
        Ok(())
    }

    async fn write(&mut self, chunk: Vec<(PlanLine, Change)>) -> Result<(), Error> {
        let changes: Vec<Change> = chunk.iter().map(|(_, change)| change.clone()).collect();
        if let Some((first, _)) = chunk.first().filter(|(line, _)| line.follows.is_some()) {
            let stage = first.stage;
            return self.write_after(stage, chunk, changes).await;
        }
        let mut refused = self.gone(&changes).await?;
        self.rerouted(&chunk, &mut refused);
        self.elsewhere(&changes, &mut refused).await;
        self.stale(&changes, &mut refused).await?;
        self.write_rest(&chunk, changes, refused).await
    }

    /// Writes those that nothing speaks against, and counts all.
    async fn write_rest(
        &mut self,
        chunk: &[(PlanLine, Change)],
        changes: Vec<Change>,
        refused: HashMap<TaskId, String>,
    ) -> Result<(), Error> {
        let mut open: Vec<Change> = changes
            .iter()
            .filter(|d| !refused.contains_key(&d.item.task))
            .cloned()
            .collect();
        let mut results: HashMap<TaskId, Committed> = refused
            .into_iter()
            .map(|(task, by)| (task, Committed::Conflict { by }))
            .collect();
        let connection = self.connection;
        match &connection.writer {
            Some(writer) => {
                // What an undo restores is what stands there now, not when the plan was made.
                open.iter_mut()
                    .for_each(|change| change.old_priority = None);
                journal::before_images(writer, &connection.project, &mut open).await;
                let journal = &connection.journal;
                let written = journal::perform(writer, journal, &connection.project, &open);
                results.extend(written.await?);
            }
            None => results.extend(open.iter().map(|d| (d.item.task, Committed::Done))),
        }
        for ((line, _), change) in chunk.iter().zip(&changes) {
            if let Some(result) = results.remove(&change.item.task) {
                self.count(line, &result);
            }
        }
        Ok(())
    }

    /// Writes what follows from outcomes that this plan wrote before: each task is found where that
    /// sent it, and its row must be as that left it.
    async fn write_after(
        &mut self,
        stage: StageId,
        chunk: Vec<(PlanLine, Change)>,
        mut changes: Vec<Change>,
    ) -> Result<(), Error> {
        let mut refused = HashMap::new();
        let connection = self.connection;
        if connection.writer.is_none() {
            // A dry run has not sent them there.
            return self.write_rest(&chunk, changes, refused).await;
        }
        let Some(found) = connection.project.workflow.stage(stage) else {
            let text = "the project has no such stage any more";
            return Err(Error::new(ErrorKind::Settings, text));
        };
        let data: Vec<DataHash> = changes.iter().map(|d| d.item.data).collect();
        let there = connection
            .reader
            .tasks_of(connection.project.hash, found, &data)
            .await?;
        let there: HashMap<DataHash, TaskId> = there.iter().map(|r| (r.data, r.id)).collect();
        for change in &mut changes {
            match there.get(&change.item.data) {
                Some(task) => change.item.task = *task,
                None => {
                    let text = "the task has not arrived here: the step of this plan before it was not written";
                    refused.insert(change.item.task, text.to_owned());
                }
            }
        }
        self.rest_on_what_was_written(&mut changes, &mut refused)
            .await?;
        self.write_rest(&chunk, changes, refused).await
    }

    fn count(&mut self, line: &PlanLine, result: &Committed) {
        let counts = &mut self.counts;
        match result {
            Committed::Done if line.pathway.is_some() => counts.moved += 1,
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
        (self.hooks.report)(line, result);
    }
}
