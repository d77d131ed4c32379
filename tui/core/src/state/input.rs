//! Commands from the UI or CLI, and what follows from each.

use super::*;
use crate::command::Command::{EditGiven, EditOutcome, EditValue};
use crate::ledger::Recovery;
use crate::queue::Sort;

impl State {
    pub(super) fn input(&mut self, command: Command) -> Vec<Effect> {
        match command {
            Command::Quit => self.quit(),
            Command::PlanAndQuit => self.plan_and_quit(),
            Command::GoOnInBackground => self.go_on_in_background(),
            Command::StopBackground(run) => self.stop_background(run),
            Command::Suspend => vec![Effect::Suspend],
            Command::Refresh(stage) => self.refresh_stage(stage),
            Command::ReadProject => self.read_project().into_iter().collect(),
            Command::OpenStage(stage) => self.open_stage(stage),
            Command::Show(shown) => self.show(shown),
            Command::Filter { stage, text } => self.filter(stage, &text),
            Command::Sort(stage, sort, reversed) => self.sort(stage, sort, reversed),
            Command::Know { stage, rows } => self.know_rows(stage, rows).into_iter().collect(),
            Command::Mark { stage, tasks, on } => self.mark(stage, &tasks, on),
            Command::MarkAll { stage, on } => self.mark_all(stage, on),
            Command::Open { stage, task } => self.open(stage, task),
            Command::CancelQueuedStep => self.cancel_queued_step(),
            Command::Step(until) => self.step_until(until),
            edit @ (EditValue(_) | EditGiven(_) | EditOutcome { .. }) => self.edit(edit),
            Command::Fork(number) => self.fork(number),
            Command::Attach => self.attach(),
            Command::Rerun => self.rerun_plainly(),
            Command::Discard => self.discard(),
            Command::Accept => self.accept(),
            Command::KillJob => self.kill_job(),
            Command::Run(spec) => self.start_run(*spec),
            Command::PauseRun => self.with_run(|run| run.paused = !run.paused),
            Command::CancelRun | Command::WindUp | Command::StopAgents => self.stop_run(&command),
            Command::OpenPaused => self.open_paused(),
            Command::Point { stage, at, change } => self.change_point(stage, at, change),
            Command::Concurrency(delta) => self.concurrency(delta),
            Command::SetConcurrency(n) => self.set_concurrency(n),
            Command::Rate(rate) => self.set_rate(rate),
            Command::Timeout(ms) => self.set_timeout(ms),
            Command::DefaultTimeout(ms) => self.set_default_timeout(ms),
            Command::Retry { stage, rows } => self.retry(stage, rows),
            Command::Watch { stage, rows, on } => self.watch(stage, rows, on),
            Command::UnwatchAll => self.unwatch_all(),
            Command::WatchAgain(tasks) => self.watch_again(&tasks),
            Command::KeepWatchResults(keep) => self.keep_looks(keep),
            Command::HoldWatched(task) => self.hold_watched(task),
            Command::Compare(command) => self.compare(command),
            Command::Theirs(tasks) => self.ask_theirs(&tasks),
            Command::Resolve { tasks, how } => self.resolve(&tasks, how),
            Command::Journal | Command::UndoNewest => self.journal_command(&command),
            Command::OpenOp(op) => self.open_op(op),
            Command::ReviewUndo(op) => self.review_undo(op),
            Command::Undo(op) => self.undo(op),
            Command::Finish => self.finish_interrupted(),
            Command::Recover(scope) => self.begin_recovery(Recovery::new(scope)),
            Command::Apply(plan) => self.begin_apply(plan),
            Command::StopOperations => self.stop_operations(),
            Command::Confirm { title, then } => self.confirm(title, *then),
            Command::Take { tasks, on } => self.take_held(&tasks, on),
            Command::Drop(tasks) => self.drop_held(&tasks),
            Command::Commit(tasks) => self.commit_held(&tasks, false),
            Command::Live(live) => self.go_live(live),
        }
    }

    /// Reads the journal, perhaps to undo its newest operation.
    fn journal_command(&mut self, command: &Command) -> Vec<Effect> {
        match command {
            Command::UndoNewest => self.undo_newest(),
            _ => vec![Effect::Journal],
        }
    }

    /// Does a command with the title of a protected project that was typed for it.
    fn confirm(&mut self, title: String, command: Command) -> Vec<Effect> {
        self.typed_title = Some(title);
        let effects = self.input(command);
        self.typed_title = None;
        effects
    }

    fn sort(&mut self, stage: StageId, sort: Sort, reversed: bool) -> Vec<Effect> {
        self.with_queue(stage, |queue, now, results| {
            (queue.sort, queue.reversed) = (sort, reversed);
            queue.refresh_view(now, results);
        });
        self.know(stage).into_iter().collect()
    }

    fn mark(&mut self, stage: StageId, tasks: &[TaskId], on: bool) -> Vec<Effect> {
        self.with_queue(stage, |queue, _, _| match on {
            true => queue.marks.extend(tasks),
            false => queue.marks.retain(|task| !tasks.contains(task)),
        })
    }

    fn mark_all(&mut self, stage: StageId, on: bool) -> Vec<Effect> {
        self.with_queue(stage, |queue, _, _| {
            let view = queue.view.iter().filter(|_| on);
            let rows = view.filter_map(|i| queue.rows.get(*i as usize));
            queue.marks = rows.map(|row| row.id).collect();
        })
    }

    fn kill_job(&self) -> Vec<Effect> {
        let step = self.step.as_ref().filter(|step| step.at == At::Calling);
        let job = step.and_then(|step| step.job);
        job.map(Effect::Kill).into_iter().collect()
    }

    fn take_held(&mut self, tasks: &[TaskId], on: bool) -> Vec<Effect> {
        for task in tasks {
            self.held.take(task, on);
        }
        Vec::new()
    }

    fn drop_held(&mut self, tasks: &[TaskId]) -> Vec<Effect> {
        for task in tasks {
            self.held.remove(task);
        }
        let n = tasks.len();
        let text = format!("{n} held outcomes thrown away; nothing was written");
        self.info(Kind::Task, text);
        Vec::new()
    }

    fn go_live(&mut self, live: bool) -> Vec<Effect> {
        if let (true, Err(why)) = (live, self.may_write()) {
            self.warn(Kind::Error, why, None);
            return Vec::new();
        }
        self.live = live;
        let mode = match live {
            true => "LIVE: runs write each batch as it finishes",
            false => "HOLD: writes wait for a commit",
        };
        self.info(Kind::Run, mode);
        Vec::new()
    }

    fn filter(&mut self, stage: StageId, text: &str) -> Vec<Effect> {
        let project = self.project.clone();
        let stages = project.as_ref().map_or(&[][..], |p| &p.workflow.stages);
        self.with_queue(stage, |q, now, results| {
            q.set_filter(text, stages, now, results);
        });
        self.know(stage).into_iter().collect()
    }

    pub(super) fn with_queue(
        &mut self,
        stage: StageId,
        change: impl FnOnce(&mut Queue, Millis, &HashMap<TaskId, LastResult>),
    ) -> Vec<Effect> {
        if let Some(queue) = self.queues.get_mut(&stage) {
            change(queue, self.now, &self.results);
        }
        Vec::new()
    }

    pub(super) fn with_run(&mut self, change: impl FnOnce(&mut Run)) -> Vec<Effect> {
        if let Some(run) = self.run.as_mut().filter(|r| !r.is_over()) {
            change(run);
        }
        self.advance_run()
    }

    /// One stage, or all and the project.
    fn refresh_stage(&mut self, stage: Option<StageId>) -> Vec<Effect> {
        match stage {
            None => self.refresh(),
            Some(stage) => self.list(stage).into_iter().collect(),
        }
    }

    fn show(&mut self, shown: Shown) -> Vec<Effect> {
        self.shown = shown;
        Vec::new()
    }

    fn stop_run(&mut self, how: &Command) -> Vec<Effect> {
        match how {
            Command::StopAgents => self.run.as_mut().map_or_else(Vec::new, Run::stop_agents),
            Command::WindUp => self.end_run(Run::wind_up),
            _ => self.end_run(Run::cancel),
        }
    }

    pub(super) fn end_run(&mut self, how: impl FnOnce(&mut Run)) -> Vec<Effect> {
        let mut effects = self.with_run(how);
        effects.extend(self.let_all_go_on());
        effects
    }

    pub(super) fn quit(&mut self) -> Vec<Effect> {
        let mut effects = self.with_run(|run| run.cancelled = true);
        if let Some(job) = self.step.as_ref().and_then(|s| s.job) {
            effects.push(Effect::Kill(job));
        }
        let mut watched: Vec<JobId> = self.watch.jobs().keys().copied().collect();
        watched.sort_unstable();
        effects.extend(watched.into_iter().map(Effect::Kill));
        effects.push(Effect::Exit);
        effects
    }
}
