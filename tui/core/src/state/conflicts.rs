//! Tasks whose label row somebody else changed: the three sides and the three answers.
//!
//! A conflict never writes by itself. What others made of the row is asked for as soon as it is
//! known, for a limited number of tasks; for the rest when somebody looks.

use super::*;
use crate::work::LabelChange;

/// What others made of a row, as far as it was looked at.
#[derive(Clone, Debug, PartialEq)]
pub enum Theirs {
    /// Nobody looked yet.
    Unasked,
    /// The platform is being asked.
    Asked,
    /// Their changes to what the agent saw.
    Known(Vec<LabelChange>),
    /// It could not be had.
    Failed(Error),
}

/// One task in conflict.
#[derive(Clone, Debug, PartialEq)]
pub struct Conflict {
    /// Our outcome, as it was held or run.
    pub ours: Held,
    /// Who changed the row and when, as far as the platform reports it.
    pub by: String,
    /// What they made of it.
    pub theirs: Theirs,
}

/// Conflicts that are looked at by themselves; the others wait until somebody opens them.
const LOOKED_AT: usize = 100;

impl State {
    /// Our outcome of a task was not written: somebody else had changed its row.
    pub(super) fn in_conflict(&mut self, task: TaskId, ours: Held, by: String) {
        let theirs = Theirs::Unasked;
        self.held.touch(task);
        self.conflicts.insert(task, Conflict { ours, by, theirs });
    }

    /// Looks at new conflicts, up to a limit.
    pub(super) fn look_at_conflicts(&mut self) -> Vec<Effect> {
        let open = |c: &&Conflict| matches!(c.theirs, Theirs::Unasked);
        let looked = self.conflicts.len() - self.conflicts.values().filter(open).count();
        let new: Vec<TaskId> = self
            .conflicts
            .iter()
            .filter(|(_, c)| open(c))
            .map(|(task, _)| *task)
            .take(LOOKED_AT.saturating_sub(looked))
            .collect();
        self.ask_theirs(&new)
    }

    pub(super) fn ask_theirs(&mut self, tasks: &[TaskId]) -> Vec<Effect> {
        let mut inputs = Vec::new();
        for task in tasks {
            let Some(conflict) = self.conflicts.get_mut(task) else {
                continue;
            };
            if matches!(conflict.theirs, Theirs::Unasked | Theirs::Failed(_)) {
                conflict.theirs = Theirs::Asked;
                inputs.push(conflict.ours.inputs.clone());
            }
        }
        if inputs.is_empty() {
            return Vec::new();
        }
        vec![Effect::Theirs(inputs)]
    }

    pub(super) fn theirs(
        &mut self,
        results: Vec<(TaskId, Result<Vec<LabelChange>, Error>)>,
    ) -> Vec<Effect> {
        for (task, result) in results {
            if let Some(conflict) = self.conflicts.get_mut(&task) {
                conflict.theirs = match result {
                    Ok(changes) => Theirs::Known(changes),
                    Err(error) => Theirs::Failed(error),
                };
            }
        }
        Vec::new()
    }

    /// Answers conflicts.
    pub(super) fn resolve(&mut self, tasks: &[TaskId], how: OnConflict) -> Vec<Effect> {
        match how {
            OnConflict::Skip => {
                let before = self.conflicts.len();
                self.conflicts.retain(|task, _| !tasks.contains(task));
                tasks.iter().for_each(|task| self.held.touch(*task));
                let n = before - self.conflicts.len();
                let text = format!(
                    "{n} in conflict left as others made them; our outcomes are thrown away"
                );
                self.info(Kind::Commit, text);
                Vec::new()
            }
            OnConflict::Rerun => self.run_on_theirs(tasks),
            OnConflict::Overwrite => {
                if let Err(why) = self.may_write() {
                    self.warn(Kind::Error, why, None);
                    return Vec::new();
                }
                for task in tasks {
                    if let Some(conflict) = self.conflicts.remove(task) {
                        self.held.insert(*task, conflict.ours);
                    }
                }
                self.commit_held(tasks, true)
            }
        }
    }

    /// The agents run again with what is there now as their input.
    fn run_on_theirs(&mut self, tasks: &[TaskId]) -> Vec<Effect> {
        let chosen: Vec<&Conflict> = tasks.iter().filter_map(|t| self.conflicts.get(t)).collect();
        let Some(stage) = chosen.first().map(|c| c.ours.stage) else {
            return Vec::new();
        };
        let of_stage = chosen.iter().filter(|c| c.ours.stage == stage);
        let rows: Vec<_> = of_stage.map(|c| c.ours.inputs.row.clone()).collect();
        let mut effects = vec![Effect::Release(rows.iter().map(|row| row.id).collect())];
        let spec = match &self.run {
            Some(run) => RunSpec {
                source: Source::Tasks(stage, rows),
                max_tasks: None,
                filter: crate::filter::Filter::default(),
                only: Vec::new(),
                ..run.spec.clone()
            },
            None => RunSpec {
                source: Source::Tasks(stage, rows),
                ..RunSpec::default()
            },
        };
        effects.extend(self.start_again(spec));
        effects
    }
}
