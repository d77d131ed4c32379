//! Feeding the figures of stages from what happens, and bringing back what an earlier screen of the folder kept: figures
//! at once, results of tasks when their stages are listed.

use super::State;
use crate::event::Effect;
use crate::figures::{
    FiguresBefore, KeptFigures, KeptResult, KeptRun, LastCommit, RunName, StageFigures, TakenRoute,
};
use crate::ids::{OperationId, StageId, TaskId};
use crate::queue::{LastResult, Sort};
use crate::run::{Ending, Report, Run, Sink};
use crate::work::{Committed, Outcome, Route, TaskRow};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What still stands of the last commit of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitStanding {
    /// Nothing was taken back.
    Undoable,
    /// A part was taken back.
    Partly,
    /// All of it was taken back.
    TakenBack,
    /// Its operation is not in the journal any more.
    Pruned,
}

impl State {
    /// The figures of a stage; `None`: nothing ran there yet.
    #[must_use]
    pub fn stage_figures(&self, stage: StageId) -> Option<&StageFigures> {
        self.figures.of(stage)
    }

    fn run_at(&self, stage: StageId) -> Option<&Run> {
        let run = self.run.as_ref().filter(|run| !run.is_over());
        run.filter(|run| run.stage() == Some(stage))
    }

    /// Tasks a second that the run under way decides at a stage now.
    #[must_use]
    pub fn stage_speed(&self, stage: StageId) -> Option<f64> {
        self.run_at(stage)?;
        Some(self.figures.speed.per_second(self.now))
    }

    /// Jobs that run at a stage now: of the run, and of the open task.
    #[must_use]
    pub fn in_flight(&self, stage: StageId) -> usize {
        let of_run = self.run_at(stage).map_or(0, Run::jobs_under_way);
        let stepped = self
            .step
            .as_ref()
            .is_some_and(|step| step.stage == stage && step.job.is_some() && !step.of_run);
        of_run + usize::from(stepped)
    }

    /// Tasks of a stage that the run under way has not decided yet, as far as that is known.
    #[must_use]
    pub fn left_at(&self, stage: StageId) -> Option<u64> {
        let run = self.run_at(stage)?;
        let (decided, listed) = (run.decided(), run.waiting());
        if let Some(listed) = listed {
            return Some(listed.saturating_sub(decided - run.totals.tasks));
        }
        if run.stages.len() == 1 {
            return Some(self.run_expects(run)?.saturating_sub(decided));
        }
        let (waiting, true) = self.count(stage)? else {
            return None;
        };
        let most = run.spec.max_tasks.unwrap_or(waiting);
        let last = self.stage_figures(stage)?.last_run.as_ref();
        let last = last.filter(|last| last.number == run.id);
        let (final_here, moved) = last.map_or((0, 0), |last| (last.tasks, last.moved));
        // Those that were written through a pathway have left the queue.
        let left = if last.is_some_and(|last| last.live) {
            moved
        } else {
            0
        };
        let all = (waiting as u64 + left).min(most as u64);
        Some(all.saturating_sub(final_here + (decided - run.totals.tasks)))
    }

    /// Milliseconds until the run under way is through with a stage, at the speed of now.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // a time to be read by a person
    pub fn stage_time_left(&self, stage: StageId) -> Option<f64> {
        let speed = self.stage_speed(stage).filter(|speed| *speed > 0.0)?;
        Some(self.left_at(stage)? as f64 * 1000.0 / speed)
    }

    /// What stands of the last commit of a stage, as far as this process knows.
    #[must_use]
    pub fn commit_standing(&self, commit: &LastCommit) -> CommitStanding {
        if let (Some(number), Some(ops)) = (commit.number, &self.journal.ops) {
            return match ops.iter().find(|op| op.id == number) {
                None => CommitStanding::Pruned,
                Some(op) if op.standing() == 0 => CommitStanding::TakenBack,
                Some(op) if op.undone > 0 => CommitStanding::Partly,
                Some(_) => CommitStanding::Undoable,
            };
        }
        match commit.taken_back {
            0 => CommitStanding::Undoable,
            n if n >= commit.tasks => CommitStanding::TakenBack,
            _ => CommitStanding::Partly,
        }
    }

    /// The hash of the library of a build.
    fn hash_of(&self, report: &Report) -> &str {
        let build = self.builds.get(report.build);
        build.map_or("", |build| build.probed.hash.as_str())
    }

    /// A task of the run is final.
    pub(super) fn figure_report(&mut self, report: &Report, last: &LastResult) {
        let Some(run) = &self.run else { return };
        let run = RunName {
            number: run.id,
            live: run.spec.sink == Sink::Commit,
            began: run.started,
        };
        let (stage, hash) = (report.stage, self.hash_of(report).to_owned());
        self.figures
            .reported(stage, run, taken_route(report), &hash);
        let outcome = report.outcome.clone().filter(|_| !last.failed);
        self.keep_result(run.number, stage, &report.row, last, outcome);
    }

    /// The newest run has begun, or is over.
    pub(super) fn figure_run(&mut self) {
        let Some(run) = self.run.as_ref().filter(|_| self.options.screen) else {
            return;
        };
        let kept = KeptRun {
            number: run.id,
            live: run.spec.sink == Sink::Commit,
            began: run.started,
            ended: run.ended,
            stopped: run.stopped(),
            stages: run.stages.clone(),
            tasks: run.totals.tasks,
            failed: run.totals.failed,
        };
        match kept.ended {
            None => self.figures.run_began(kept),
            Some(_) => self.figures.run_over(kept),
        }
    }

    /// The last result of a task comes back at the next start.
    pub(super) fn keep_result(
        &mut self,
        run: u64,
        stage: StageId,
        row: &TaskRow,
        last: &LastResult,
        outcome: Option<Arc<Outcome>>,
    ) {
        self.figures.keep(KeptResult {
            run,
            stage,
            task: row.id,
            title: row.title.to_string().into(),
            updated: row.updated,
            last: last.clone(),
            outcome,
        });
    }

    /// Held outcomes were committed; they are still held.
    pub(super) fn figure_commits(
        &mut self,
        results: &[(TaskId, Committed)],
        operation: Option<OperationId>,
    ) {
        let mut written: BTreeMap<StageId, usize> = BTreeMap::new();
        for (task, _) in results.iter().filter(|(_, r)| *r == Committed::Done) {
            if let Some(held) = self.held.get(task) {
                *written.entry(held.stage).or_default() += 1;
            }
        }
        for (stage, tasks) in written {
            self.figure_commit(stage, operation, tasks);
        }
    }

    /// An operation has written for tasks of a stage.
    pub(super) fn figure_commit(
        &mut self,
        stage: StageId,
        operation: Option<OperationId>,
        tasks: usize,
    ) {
        let now = self.now;
        self.figures.committed(stage, operation, tasks as u64, now);
    }

    /// What has to be kept now; everything when the process is about to end.
    pub(super) fn keep_figures(&mut self, effects: &[Effect]) -> Option<Effect> {
        if !self.options.screen {
            return None;
        }
        let ends = |effect: &Effect| matches!(effect, Effect::Exit | Effect::PlanAndExit(_));
        let leaving = effects.iter().any(ends);
        let kept: KeptFigures = self.figures.take_changes(self.now, leaving)?;
        Some(Effect::KeepFigures(Box::new(kept)))
    }

    /// The figures of an earlier screen. Numbers of runs go on where it ended.
    pub(super) fn figures_before(&mut self, before: FiguresBefore) -> Vec<Effect> {
        self.runs = self.runs.max(before.last_run);
        self.figures.bring_back(before.stages);
        // Whether the last commits can still be taken back: another command may have done it.
        let commits = self.figures.has_commits();
        commits.then_some(Effect::Journal).into_iter().collect()
    }

    /// Results of an earlier screen; they wait until the tasks of their stages are listed.
    pub(super) fn results_before(&mut self, results: Vec<KeptResult>, all: bool) -> Vec<Effect> {
        for result in results {
            let of_stage = self.figures.coming.entry(result.stage).or_default();
            of_stage.insert(result.task, result);
        }
        if all {
            self.figures.all_here = true;
            let stages: Vec<StageId> = self.figures.coming.keys().copied().collect();
            stages.into_iter().for_each(|stage| self.return_all(stage));
        }
        Vec::new()
    }

    /// All results are here: those of the tasks of a stage that are listed already come back.
    fn return_all(&mut self, stage: StageId) {
        let Some(queue) = self.queues.get_mut(&stage) else {
            return;
        };
        let rows = std::mem::take(&mut queue.rows);
        let found = self.return_results(stage, &rows);
        let Some(queue) = self.queues.get_mut(&stage) else {
            return;
        };
        queue.rows = rows;
        if queue.loaded.is_some() {
            self.figures.coming.remove(&stage);
        }
        let ordered = queue.sort != Sort::Listed || queue.reversed || !queue.filter.is_empty();
        if found && ordered {
            queue.refresh_view(self.now, &self.results);
        }
    }

    /// Tasks of a stage are listed: what they gave in an earlier process comes back, unless they have changed since.
    pub(super) fn return_results(&mut self, stage: StageId, rows: &[TaskRow]) -> bool {
        if !self.figures.all_here {
            return false;
        }
        let Some(coming) = self.figures.coming.get_mut(&stage) else {
            return false;
        };
        let mut found = false;
        for row in rows {
            let kept = coming.remove(&row.id).filter(|k| k.holds_for(row.updated));
            found |= kept.is_some_and(|kept| bring_back(&mut self.results, row.id, kept.last));
        }
        found
    }

    /// The first listing of a stage is complete: other tasks have left.
    pub(super) fn results_are_back(&mut self, stage: StageId) {
        if self.figures.all_here {
            self.figures.coming.remove(&stage);
        }
    }
}

fn taken_route(report: &Report) -> TakenRoute {
    match (&report.ending, report.outcome.as_ref().map(|o| &o.way)) {
        (Ending::Failed(_), _) => TakenRoute::Failed,
        (Ending::Conflict(_), _) => TakenRoute::Conflict,
        (_, Some(Route::Pathway { id, .. })) => TakenRoute::Pathway(*id),
        (_, Some(Route::Stage { id, .. })) => TakenRoute::Stage(*id),
        (_, Some(Route::Stay) | None) => TakenRoute::Stay,
    }
}

/// Puts an earlier result where no newer one is.
fn bring_back(results: &mut HashMap<TaskId, LastResult>, task: TaskId, last: LastResult) -> bool {
    let newer = results.get(&task).is_some_and(|known| known.at > last.at);
    if !newer {
        results.insert(task, last);
    }
    !newer
}
