//! Tasks of a run that wait at a pause point: what is known of them, how a person opens one, and how they go on.

use super::*;
use crate::pause::{PausePlace, PointAt, Sight};
use crate::step::Reached;

/// A task of a run that waits at a pause point.
#[derive(Clone, Debug, PartialEq)]
pub struct PausedTask {
    /// Its stage.
    pub stage: StageId,
    /// The task.
    pub row: crate::work::TaskRow,
    /// The pause point, in words.
    pub at: String,
    /// Since when.
    pub since: Millis,
    job: JobId,
    build: BuildId,
    inputs: Arc<Inputs>,
    attempts: u32,
    pid: Option<u32>,
    began: Millis,
    places: Vec<Reached>,
    /// How its attempt ended, when it waits after its end.
    ended: Option<Ended>,
}

/// How an attempt ended that its run has not heard of yet.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ended {
    result: Result<Arc<Outcome>, Error>,
    crashed: bool,
    run_us: u64,
}

impl State {
    /// A job of the run has reached a place.
    pub(super) fn run_paused(&mut self, job: JobId, place: PausePlace) -> Vec<Effect> {
        let now = self.now;
        let go_on = vec![Effect::GoOn { job, edited: None }];
        let Some(task) = self.run.as_ref().and_then(|run| run.under_way(job, now)) else {
            return go_on;
        };
        let at = PointAt::of(&place);
        let sight = || Sight::inside(&task.row, &place, task.ran_ms);
        let held = self.holds_at(task.stage, &at, sight);
        let trail = self.trails.entry(job).or_default();
        trail.push(Reached {
            ran_ms: task.ran_ms,
            place,
            edited: None,
        });
        match held {
            Some(at) => self.wait_for_person(job, at, None),
            None => go_on,
        }
    }

    /// An attempt of the run has ended; `None`: it waits at a pause point, and its run hears of it later.
    pub(super) fn run_ended(
        &mut self,
        job: JobId,
        result: Result<Arc<Outcome>, Error>,
        crashed: bool,
        run_us: u64,
    ) -> Vec<Effect> {
        self.paused.retain(|paused| paused.job != job);
        let now = self.now;
        let task = self.run.as_ref().and_then(|run| run.under_way(job, now));
        let dry =
            (self.run.as_ref()).is_some_and(|run| run.spec.sink != Sink::Commit && !run.cancelled);
        let held = task
            .filter(|_| dry && self.options.screen)
            .and_then(|task| self.holds_after(task.stage, &task.row, &result, run_us));
        let ended = Ended {
            result,
            crashed,
            run_us,
        };
        match held {
            Some(at) => self.wait_for_person(job, at, Some(ended)),
            None => self.run_hears(job, ended),
        }
    }

    /// The attempt of a task that a person had opened has ended, before their eyes.
    pub(super) fn stepped_ended(
        &mut self,
        job: JobId,
        result: Result<Arc<Outcome>, Error>,
        crashed: bool,
        run_us: u64,
    ) -> Vec<Effect> {
        let ended = Ended {
            result,
            crashed,
            run_us,
        };
        self.run_hears(job, ended)
    }

    /// The outcome of the open task is thrown away before its run hears of it.
    pub(super) fn discard_parked(&mut self) -> Option<Vec<Effect>> {
        let job = self.step.as_ref()?.job?;
        let mut ended = self.parked.remove(&job)?;
        let text = "discarded at a pause point; the task stays where it is";
        let mut error = Error::new(ErrorKind::Host, text);
        error.retry = false;
        ended.result = Err(error);
        Some(self.run_hears(job, ended))
    }

    fn run_hears(&mut self, job: JobId, ended: Ended) -> Vec<Effect> {
        self.trails.remove(&job);
        if let Some(run) = &mut self.run {
            let stage = run.stage().filter(|_| run.has(job));
            let before = run.tasks_decided();
            run.job_done(job, ended.result, ended.crashed, ended.run_us);
            let decided = run.tasks_decided().saturating_sub(before);
            self.figures.speed.add(self.now, decided);
            let counts = self.options.screen && ended.run_us > 0;
            if let Some(stage) = stage.filter(|_| counts) {
                self.figures.attempted(stage, ended.run_us);
            }
        }
        self.advance_run()
    }

    fn wait_for_person(&mut self, job: JobId, at: String, ended: Option<Ended>) -> Vec<Effect> {
        let now = self.now;
        let places = self.trails.get(&job).cloned().unwrap_or_default();
        let task = self.run.as_ref().and_then(|run| run.under_way(job, now));
        if let Some(task) = task {
            self.info(
                Kind::Task,
                format!(
                    "{}: paused at {at} ({{key:OpenPaused}} opens it)",
                    task.row.title
                ),
            );
            self.paused.push(PausedTask {
                stage: task.stage,
                row: task.row,
                at,
                since: now,
                job,
                build: task.build,
                inputs: task.inputs,
                attempts: task.attempts,
                pid: task.pid,
                began: task.since,
                places,
                ended,
            });
        }
        Vec::new()
    }

    /// Opens the task of the run that has waited longest, for stepping.
    pub(super) fn open_paused(&mut self) -> Vec<Effect> {
        let mut effects = self.leave_step();
        if self.paused.is_empty() {
            return effects;
        }
        let paused = self.paused.remove(0);
        self.steps += 1;
        let mut step = Stepper::new(self.steps, paused.stage, paused.row, paused.build, self.now);
        step.at = At::Calling;
        step.of_run = true;
        step.job = Some(paused.job);
        step.inputs = Some(paused.inputs);
        (step.pid, step.attempts) = (paused.pid, paused.attempts);
        (step.since, step.places) = (paused.began, paused.places);
        match paused.ended {
            None => step.held_since = Some(paused.since),
            Some(ended) => {
                step.at = At::Outcome;
                step.run_us = ended.run_us;
                step.result = Some(ended.result.clone());
                self.parked.insert(paused.job, ended);
            }
        }
        let line = LogLine {
            at: self.now,
            level: 3,
            target: "workbench".to_owned(),
            text: format!("paused at {}", paused.at),
        };
        step.log.push(line);
        self.step = Some(step);
        effects.extend(self.advance_run());
        effects
    }

    /// The run hears of the end of the open task, if it has not yet.
    pub(super) fn let_run_go_on(&mut self) -> Option<Vec<Effect>> {
        let step = self.step.as_mut().filter(|step| step.of_run)?;
        let job = step.job?;
        let ended = self.parked.remove(&job)?;
        (step.job, step.of_run) = (None, false);
        let text = format!("{}: goes on in the run", step.row.title);
        self.info(Kind::Task, text);
        Some(self.run_hears(job, ended))
    }

    /// The open task is left: what its run still waits for waits on, anything else that runs is killed.
    pub(super) fn leave_step(&mut self) -> Vec<Effect> {
        let Some(step) = &self.step else {
            return Vec::new();
        };
        let Some(job) = step.job else {
            return Vec::new();
        };
        let ended = self.parked.remove(&job);
        if !step.of_run {
            return vec![Effect::Kill(job)];
        }
        let waits = step.held_since.is_some() || ended.is_some();
        if let Some(inputs) = step.inputs.clone().filter(|_| waits) {
            let at = step
                .places
                .last()
                .map_or_else(|| "its outcome".to_owned(), |reached| reached.place.words());
            let paused = PausedTask {
                stage: step.stage,
                row: step.row.clone(),
                at,
                since: step.held_since.unwrap_or(self.now),
                job,
                build: step.build,
                inputs,
                attempts: step.attempts,
                pid: step.pid,
                began: step.since,
                places: step.places.clone(),
                ended,
            };
            self.paused.push(paused);
        }
        Vec::new()
    }

    /// The run ends: nothing of it waits any longer.
    pub(super) fn let_all_go_on(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        for paused in std::mem::take(&mut self.paused) {
            let job = paused.job;
            match paused.ended {
                Some(ended) => effects.extend(self.run_hears(job, ended)),
                None => effects.push(Effect::GoOn { job, edited: None }),
            }
        }
        if let Some(more) = self.let_run_go_on() {
            effects.extend(more);
        }
        effects
    }
}
