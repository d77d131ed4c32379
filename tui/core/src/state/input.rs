//! What a person or a script wishes: each command and what follows from it.

use super::*;

impl State {
    pub(super) fn input(&mut self, command: Command) -> Vec<Effect> {
        match command {
            Command::Quit => self.quit(),
            Command::Suspend => vec![Effect::Suspend],
            Command::Refresh(stage) => self.refresh(stage),
            Command::OpenStage(stage) => self.open_stage(stage),
            Command::Filter { stage, text } => self.filter(stage, &text),
            Command::Sort(stage) => self.with_queue(stage, |q, now, results| {
                q.sort = q.sort.next();
                q.refresh_view(now, results);
            }),
            Command::Mark { stage, tasks, on } => self.with_queue(stage, |q, _, _| {
                for task in tasks {
                    if on {
                        q.marks.insert(task);
                    } else {
                        q.marks.remove(&task);
                    }
                }
            }),
            Command::MarkAll { stage, on } => self.with_queue(stage, |q, _, _| {
                q.marks.clear();
                if on {
                    let rows = &q.rows;
                    q.marks = q
                        .view
                        .iter()
                        .filter_map(|i| rows.get(*i as usize))
                        .map(|r| r.id)
                        .collect();
                }
            }),
            Command::Open { stage, task } => self.open(stage, task),
            Command::Step => self.step_on(),
            Command::ToEnd => {
                if let Some(step) = &mut self.step {
                    step.to_end = true;
                }
                self.step_on()
            }
            Command::Rerun => self.rerun(),
            Command::Discard => self.discard(),
            Command::Accept => self.accept(),
            Command::KillJob => self
                .step
                .as_ref()
                .and_then(|s| s.job)
                .map(Effect::Kill)
                .into_iter()
                .collect(),
            Command::Run(spec) => self.start_run(*spec),
            Command::PauseRun => self.with_run(|run| run.paused = !run.paused),
            Command::CancelRun => self.with_run(Run::cancel),
            Command::WindUp => self.with_run(Run::wind_up),
            Command::StopAgents => self.run.as_mut().map_or_else(Vec::new, Run::stop_agents),
            Command::Concurrency(delta) => self.concurrency(delta),
            Command::Take { tasks, on } => {
                for task in tasks {
                    if let Some(held) = self.held.get_mut(&task) {
                        held.taken = on;
                    }
                }
                Vec::new()
            }
            Command::Drop(tasks) => {
                for task in &tasks {
                    self.held.remove(task);
                }
                self.say(
                    Kind::Task,
                    format!(
                        "{} held outcomes thrown away; nothing was written",
                        tasks.len()
                    ),
                );
                Vec::new()
            }
            Command::Commit(tasks) => self.commit_held(&tasks, false),
            Command::Confirm { title, then } => {
                self.typed_title = Some(title);
                let effects = self.input(*then);
                self.typed_title = None;
                effects
            }
            Command::Rate(rate) => self.set_rate(rate),
            Command::Timeout(ms) => self.set_timeout(ms),
            Command::DefaultTimeout(ms) => {
                self.options.timeout_ms = ms;
                if let Some(run) = self.run.as_mut().filter(|r| !r.is_over()) {
                    run.spec.timeout_ms = ms;
                }
                Vec::new()
            }
            Command::SetConcurrency(n) => self.set_concurrency(n),
            Command::Retry { stage, rows } => self.retry(stage, rows),
            Command::Theirs(tasks) => self.ask_theirs(&tasks),
            Command::Resolve { tasks, how } => self.resolve(&tasks, how),
            Command::Journal => vec![Effect::Journal],
            Command::UndoNewest => {
                self.journal.undo_newest = true;
                vec![Effect::Journal]
            }
            Command::OpenOp(op) => self.open_op(op),
            Command::ReviewUndo(op) => self.review_undo(op),
            Command::Undo(op) => self.undo(op),
            Command::Finish => self.finish_interrupted(),
            Command::Apply(plan) => self.begin_apply(plan),
            Command::StopOperations => {
                self.stop_operations();
                Vec::new()
            }
            Command::Watch { stage, rows, on } => self.watch(stage, rows, on),
            Command::WatchAgain(tasks) => self.watch_again(&tasks),
            Command::KeepWatchResults(keep) => {
                self.keep_looks(keep);
                Vec::new()
            }
            Command::HoldWatched(task) => {
                self.hold_watched(task);
                Vec::new()
            }
            Command::Live(live) => {
                if let (true, Err(why)) = (live, self.may_write()) {
                    self.warn(Kind::Error, why, None);
                } else {
                    self.live = live;
                    let mode = if live {
                        "LIVE: runs write each batch as it finishes"
                    } else {
                        "HOLD: writes wait for a commit"
                    };
                    self.say(Kind::Run, mode);
                }
                Vec::new()
            }
        }
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

    pub(super) fn quit(&mut self) -> Vec<Effect> {
        let mut effects = self.with_run(|run| run.cancelled = true);
        if let Some(job) = self.step.as_ref().and_then(|s| s.job) {
            effects.push(Effect::Kill(job));
        }
        for task in &self.watch.tasks {
            if let crate::watch::Phase::Running(job, _) = task.phase {
                effects.push(Effect::Kill(job));
            }
        }
        effects.push(Effect::Exit);
        effects
    }
}
