//! Outcomes that wait for review, and a commit of them. They are kept beside the program while they are held, so that
//! they outlive it: what has changed goes out as an effect, what was kept comes back as an event. Writing, upstream and
//! to the disk, is left to the runtime.

use super::{Kind, State, last_result};
use crate::error::Error;
use crate::event::Effect;
use crate::ids::{Millis, StageId, TaskId};
use crate::text::clean;
use crate::work::Held;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

/// All outcomes that are held, by task; read as a map.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeldOutcomes {
    all: BTreeMap<TaskId, Held>,
    /// How many there are of each stage.
    of_stage: BTreeMap<StageId, usize>,
    /// Tasks whose outcome is another one than the one that is kept.
    changed: BTreeSet<TaskId>,
}

impl Deref for HeldOutcomes {
    type Target = BTreeMap<TaskId, Held>;

    fn deref(&self) -> &Self::Target {
        &self.all
    }
}

impl<'a> IntoIterator for &'a HeldOutcomes {
    type Item = (&'a TaskId, &'a Held);
    type IntoIter = std::collections::btree_map::Iter<'a, TaskId, Held>;

    fn into_iter(self) -> Self::IntoIter {
        self.all.iter()
    }
}

impl FromIterator<(TaskId, Held)> for HeldOutcomes {
    fn from_iter<T: IntoIterator<Item = (TaskId, Held)>>(outcomes: T) -> Self {
        let mut all = Self::default();
        for (task, held) in outcomes {
            all.insert(task, held);
        }
        all
    }
}

impl HeldOutcomes {
    /// How many are held of a stage.
    #[must_use]
    pub fn of_stage(&self, stage: StageId) -> usize {
        self.of_stage.get(&stage).copied().unwrap_or(0)
    }

    /// Holds an outcome, instead of the one that its task had.
    pub fn insert(&mut self, task: TaskId, held: Held) {
        self.remove(&task);
        self.changed.insert(task);
        *self.of_stage.entry(held.stage).or_default() += 1;
        self.all.insert(task, held);
    }

    /// Holds the outcome of a task no longer.
    pub fn remove(&mut self, task: &TaskId) -> Option<Held> {
        let held = self.all.remove(task)?;
        self.changed.insert(*task);
        if let Some(n) = self.of_stage.get_mut(&held.stage) {
            *n -= 1;
        }
        Some(held)
    }

    pub(super) fn take(&mut self, task: &TaskId, on: bool) {
        if let Some(held) = self.all.get_mut(task).filter(|held| held.taken != on) {
            held.taken = on;
            self.changed.insert(*task);
        }
    }

    /// What is held of a task is kept already.
    pub(super) fn kept(&mut self, task: TaskId) {
        self.changed.remove(&task);
    }

    /// A task whose outcome is somewhere else now: in a conflict, or nowhere.
    pub(super) fn touch(&mut self, task: TaskId) {
        self.changed.insert(task);
    }
}

impl State {
    /// What has changed among the held outcomes, those in conflict with them, since this was asked last.
    pub(super) fn keep_held(&mut self) -> Option<Effect> {
        let changed = std::mem::take(&mut self.held.changed);
        if changed.is_empty() || !self.options.screen {
            return None;
        }
        let kept = changed.into_iter().map(|task| {
            let ours = || self.conflicts.get(&task).map(|conflict| &conflict.ours);
            (task, self.held.get(&task).or_else(ours).cloned())
        });
        Some(Effect::KeepHeld(kept.collect()))
    }

    /// Outcomes that an earlier screen held: they wait for the project.
    pub(super) fn held_before(&mut self, outcomes: Vec<(TaskId, Held)>) -> Vec<Effect> {
        self.returning.extend(outcomes);
        self.return_held();
        Vec::new()
    }

    /// Holds again what an earlier screen held, as far as its stages are still there.
    pub(super) fn return_held(&mut self) {
        let Some(project) = self.project.clone() else {
            return;
        };
        let mut count = 0;
        for (task, held) in std::mem::take(&mut self.returning) {
            if project.workflow.stage(held.stage).is_none() || self.held.contains_key(&task) {
                continue;
            }
            let result = Ok(held.outcome.clone());
            let known = last_result(held.build, &result, 0, held.at);
            self.results.entry(task).or_insert(known);
            self.held.insert(task, held);
            self.held.kept(task);
            count += 1;
        }
        let what = match count {
            0 => return,
            1 => "1 held outcome is back".to_owned(),
            n => format!("{n} held outcomes are back"),
        };
        self.info(
            Kind::Task,
            format!("{what} from before ({{key:Review}} reviews)"),
        );
    }

    /// Everything that is held, those in conflict too, by task.
    pub(super) fn plan_and_quit(&self) -> Vec<Effect> {
        let conflicts = self.conflicts.iter().map(|(task, c)| (task, &c.ours));
        let all: BTreeMap<_, _> = self.held.iter().chain(conflicts).collect();
        vec![Effect::PlanAndExit(all.into_values().cloned().collect())]
    }

    /// The held outcomes could not be kept: they end with this process.
    pub(super) fn not_kept(&mut self, error: &Error) -> Vec<Effect> {
        let why = clean(&error.summary);
        let text = format!("held outcomes are not kept on disk: {why}; they end with this process");
        self.warn(Kind::Error, text, None);
        self.options.keeps_held = false;
        Vec::new()
    }

    /// What is held could not be written to a plan: the screen stays open.
    pub(super) fn not_planned(&mut self, error: &Error) -> Vec<Effect> {
        self.complain(error);
        Vec::new()
    }
}

/// A commit under way or just over.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CommitState {
    /// Tasks asked for.
    pub asked: usize,
    /// Tasks whose answer is here.
    pub answered: usize,
    /// Written.
    pub done: usize,
    /// Left because others had changed them.
    pub conflicts: Vec<(String, String)>,
    /// Refused.
    pub refused: Vec<(String, Error)>,
    /// When it ended.
    pub ended: Option<Millis>,
}
