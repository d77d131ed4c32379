//! The turns of watched tasks: a round for each build, inputs on their way, jobs, results. What is looked up of the tasks
//! is kept by [`super::list`]; how many run at a time is decided by the engine.

use super::list::{NextWatched, RunningWatched, Watch};
use super::memory::{drop_unkept, keep};
use super::{WatchAt, WatchComparison, WatchResult};
use crate::error::Error;
use crate::ids::{BatchId, BuildId, JobId, StageId, TaskId};
use crate::work::{FetchSpec, Inputs, TaskRow};
use std::collections::HashMap;
use std::sync::Arc;

impl Watch {
    /// The stages that have watched tasks.
    pub(crate) fn stages(&self) -> Vec<StageId> {
        self.stages.keys().copied().collect()
    }

    /// A stage has this build now: if it had another one, all its tasks run again. The jobs on the older one.
    pub(crate) fn begin_round(&mut self, stage: StageId, build: Option<BuildId>) -> Vec<JobId> {
        let Some(round) = self.stages.get_mut(&stage) else {
            return Vec::new();
        };
        round.without_agent = build.is_none();
        if build.is_none() || round.build == build {
            return Vec::new();
        }
        round.build = build;
        // The smaller part joins the larger one: each task is moved at most once for each time that it ran.
        if round.todo.len() < round.done.len() {
            std::mem::swap(&mut round.todo, &mut round.done);
        }
        let mut rest = std::mem::take(&mut round.done);
        round.todo.append(&mut rest);
        let on = |running: &&RunningWatched| Some(running.build) != build;
        let older = self.running.values().filter(on).map(|running| running.task);
        let ready = self
            .ready
            .iter()
            .filter_map(|(_, number)| Some(self.by_number(*number)?.row.id));
        let back: Vec<TaskId> = older.chain(ready).collect();
        let here = |id: &TaskId| self.task(*id).is_some_and(|task| task.stage == stage);
        let back: Vec<TaskId> = back.into_iter().filter(here).collect();
        let mut jobs: Vec<JobId> = back
            .into_iter()
            .filter_map(|id| self.back_to_idle(id))
            .collect();
        jobs.sort_unstable();
        jobs
    }

    /// Tasks that run next, or whose inputs are on their way.
    pub(crate) fn ahead(&self) -> usize {
        self.ready.len() + self.fetching
    }

    /// Whether a task runs next.
    pub(crate) fn is_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// The batches of inputs that are on their way.
    pub(crate) fn batches(&self) -> usize {
        self.fetches.len()
    }

    /// The stage whose next task was the quickest.
    pub(crate) fn next_stage(&self) -> Option<StageId> {
        let stages = self.stages.iter().filter(|(_, stage)| !stage.without_agent);
        let first = stages.filter_map(|(id, stage)| Some((*stage.todo.first()?, *id)));
        first.min().map(|(_, id)| id)
    }

    /// Takes the next task of a stage: it runs next if its inputs are here, fetched for the same; else it is given back, to
    /// have them fetched.
    pub(crate) fn take_next(&mut self, stage: StageId, fetch: &FetchSpec) -> Option<TaskRow> {
        let turn = self.stages.get_mut(&stage)?.todo.pop_first()?;
        let task = self.by_number(turn.1)?;
        let here = task.inputs.is_some() && task.fetched_for.as_deref() == Some(fetch);
        if !here {
            return Some(task.row.clone());
        }
        self.change(turn.1, |task, _| task.at = WatchAt::Ready);
        self.ready.insert(turn);
        None
    }

    /// The inputs of these tasks are on their way.
    pub(crate) fn fetch(&mut self, batch: BatchId, rows: &[TaskRow], fetch: FetchSpec) {
        let tasks: Vec<TaskId> = rows.iter().map(|row| row.id).collect();
        for id in &tasks {
            if let Some(number) = self.numbers.get(id).copied() {
                self.change(number, |task, _| task.at = WatchAt::Fetching(batch));
                self.fetching += 1;
            }
        }
        self.fetches.insert(batch, (tasks, Arc::new(fetch)));
    }

    /// Whose inputs these are, with what they were fetched for.
    pub(crate) fn take_fetch(&mut self, batch: BatchId) -> Option<(Vec<TaskId>, Arc<FetchSpec>)> {
        self.fetches.remove(&batch)
    }

    /// The inputs of a task came, or could not be had.
    pub(crate) fn fetched(
        &mut self,
        id: TaskId,
        batch: BatchId,
        result: &Result<Arc<Inputs>, Error>,
        fetch: &Arc<FetchSpec>,
    ) {
        let Some(number) = self.numbers.get(&id).copied() else {
            return;
        };
        let there = self
            .by_number(number)
            .filter(|task| task.at == WatchAt::Fetching(batch));
        let Some((stage, us)) = there.map(|task| (task.stage, task.us)) else {
            return;
        };
        self.fetching -= 1;
        let place = self.stages.entry(stage).or_default();
        match result {
            Ok(_) => drop(self.ready.insert((us, number))),
            Err(_) => drop(place.done.insert((us, number))),
        }
        self.change(number, |task, memory| match result {
            Ok(inputs) => {
                task.at = WatchAt::Ready;
                task.error = None;
                memory.free_inputs(std::mem::take(&mut task.kept_inputs));
                let size = inputs.size() + size_of::<Inputs>();
                if memory.take_inputs(size, task.wanted) {
                    task.kept_inputs = size;
                }
                task.inputs = Some(Arc::clone(inputs));
                task.fetched_for = Some(Arc::clone(fetch));
            }
            Err(error) => {
                task.at = WatchAt::Idle;
                task.error = Some(error.clone());
            }
        });
        self.unreported |= result.is_err();
    }

    /// The task that runs next. One whose inputs were fetched for an agent that asked for something else has its turn
    /// again.
    pub(crate) fn take_ready(
        &mut self,
        fits: impl Fn(StageId, &FetchSpec) -> bool,
    ) -> Option<NextWatched> {
        while let Some(turn) = self.ready.pop_first() {
            let task = self.by_number(turn.1)?;
            let fetched = task.inputs.clone().zip(task.fetched_for.clone());
            let (stage, id) = (task.stage, task.row.id);
            match fetched.filter(|(_, fetch)| fits(stage, fetch)) {
                Some((inputs, _)) => {
                    return Some(NextWatched {
                        task: id,
                        stage,
                        inputs,
                    });
                }
                None => drop(self.back_to_idle(id)),
            }
        }
        None
    }

    /// The agent of a task was called.
    pub(crate) fn started(&mut self, job: JobId, running: RunningWatched) {
        let Some(number) = self.numbers.get(&running.task).copied() else {
            return;
        };
        let build = running.build;
        self.change(number, |task, _| task.at = WatchAt::Running(job, build));
        self.running.insert(job, running);
    }

    /// The jobs under way.
    pub(crate) const fn jobs(&self) -> &HashMap<JobId, RunningWatched> {
        &self.running
    }

    /// A job under way.
    pub(crate) fn job_mut(&mut self, job: JobId) -> Option<&mut RunningWatched> {
        self.running.get_mut(&job)
    }

    /// A job ended, and gave this. Gives the result that it is to be compared with, if there is one.
    pub(crate) fn ran(
        &mut self,
        job: JobId,
        result: WatchResult,
    ) -> Option<(RunningWatched, Option<WatchResult>)> {
        let running = self.running.remove(&job)?;
        let number = *self.numbers.get(&running.task)?;
        let (pinned, us) = (self.kept, result.run_us);
        self.compare_no_longer(number);
        let (stage, before) = self.change(number, |task, memory| {
            task.at = WatchAt::Idle;
            task.us = us;
            task.comparison = None;
            let older = task.now.take().filter(|older| older.build != result.build);
            if older.is_some() && !(pinned && task.before.is_some()) {
                task.before = older;
            }
            task.now = Some(result);
            task.log.clone_from(&running.log);
            // Before it is known whether there is room for both.
            let before = task.before.clone();
            keep(task, memory);
            drop_unkept(task);
            (task.stage, before)
        })?;
        self.stages
            .entry(stage)
            .or_default()
            .done
            .insert((us, number));
        self.unreported = true;
        Some((running, before))
    }

    /// Both results of a task are being compared; the number of that comparison.
    pub(crate) fn compares(&mut self, id: TaskId) -> Option<u64> {
        let number = *self.numbers.get(&id)?;
        self.comparisons += 1;
        let ticket = self.comparisons;
        let before = self.change(number, |task, _| task.comparing.replace(ticket))?;
        self.comparing += usize::from(before.is_none());
        Some(ticket)
    }

    /// How both results of a task differ; one whose number is another one comes too late.
    pub(crate) fn compared(
        &mut self,
        id: TaskId,
        ticket: Option<u64>,
        comparison: WatchComparison,
    ) {
        let Some(number) = self.numbers.get(&id).copied() else {
            return;
        };
        let late = self
            .by_number(number)
            .is_none_or(|task| task.comparing != ticket);
        if late {
            return;
        }
        let was = self.change(number, |task, memory| {
            task.comparison = Some(comparison);
            keep(task, memory);
            task.comparing.take()
        });
        self.comparing -= usize::from(was.flatten().is_some());
    }

    /// A comparison of a task that is under way comes too late.
    pub(super) fn compare_no_longer(&mut self, number: u64) {
        let compared = self.change(number, |task, _| task.comparing.take());
        self.comparing -= usize::from(compared.flatten().is_some());
    }

    /// What is there now is what newer builds are compared with.
    pub(crate) fn pin(&mut self) {
        self.pinned = self.newest();
        for place in 0..self.tasks.len() {
            let number = self.tasks[place].0;
            self.compare_no_longer(number);
            self.change(number, |task, memory| {
                task.before.clone_from(&task.now);
                task.comparison = None;
                keep(task, memory);
            });
        }
    }
}
