//! Tasks of a run that wait at a pause point: what is known of them, how a person opens one, and how they go on.

use super::*;
use crate::event::Launch;
use crate::pause::{PausePlace, PointAt, Sight};
use crate::run::Beside;
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
    /// Where it waits, when that is not at the last of these places.
    outside: Option<Outside>,
}

/// What a task of the run waits with outside of its agent.
#[derive(Clone, Debug, PartialEq)]
enum Outside {
    /// Its agent is called once it goes on; the row that it waits at.
    Before(Box<Launch>, usize),
    /// How its attempt ended.
    After(Ended),
}

/// How an attempt ended that its run has not heard of yet.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ended {
    result: Result<Arc<Outcome>, Error>,
    crashed: bool,
    run_us: u64,
}

impl Ended {
    /// A person has edited the outcome.
    pub(super) fn edit(&mut self, outcome: Arc<Outcome>) {
        self.result = Ok(outcome);
    }
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
        let held = (self
            .run_holds()
            .then(|| self.holds_at(task.stage, &at, sight)))
        .flatten();
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

    /// Keeps back those of these launches whose tasks wait at a pause point before the call. Whether there are any.
    pub(super) fn keep_back(&mut self, launches: &mut Vec<Effect>) -> bool {
        let mut kept = false;
        for effect in std::mem::take(launches) {
            let holds = match &effect {
                Effect::Launch(launch) if self.run_waits(launch.stage) => {
                    self.holds_before(launch.stage, &launch.inputs, 0)
                }
                _ => None,
            };
            match (effect, holds) {
                (Effect::Launch(launch), Some((place, at))) => {
                    kept = true;
                    let job = launch.job;
                    let waits = Outside::Before(Box::new(launch), place);
                    self.add_paused(job, at, Some(waits));
                }
                (effect, _) => launches.push(effect),
            }
        }
        kept
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
            Some(at) => self.wait_for_person(job, at, Some(Outside::After(ended))),
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
        let mut ended = match self.kept_back.remove(&job) {
            Some(_) => Ended {
                result: Err(Error::new(ErrorKind::Host, "")),
                crashed: false,
                run_us: 0,
            },
            None => self.parked.remove(&job)?,
        };
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

    fn wait_for_person(&mut self, job: JobId, at: String, waits: Option<Outside>) -> Vec<Effect> {
        self.add_paused(job, at, waits);
        self.advance_run()
    }

    fn add_paused(&mut self, job: JobId, at: String, waits: Option<Outside>) {
        let now = self.now;
        let places = self.trails.get(&job).cloned().unwrap_or_default();
        if let Some(run) = &mut self.run {
            let inside = waits.is_none();
            run.waits_beside(
                job,
                Some(if inside {
                    Beside::InHost
                } else {
                    Beside::Outside
                }),
            );
        }
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
                outside: waits,
            });
        }
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
        let mut ends = false;
        match paused.outside {
            None => step.held_since = Some(paused.since),
            Some(Outside::Before(launch, place)) => {
                step.at = At::Fetched;
                step.looks_at = Some(place);
                step.attempts = step.attempts.saturating_sub(1); // it has not begun
                self.kept_back.insert(paused.job, launch);
            }
            Some(Outside::After(ended)) => {
                step.at = At::Outcome;
                step.run_us = ended.run_us;
                step.result = Some(ended.result.clone());
                self.parked.insert(paused.job, ended);
                ends = true;
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
        if let Some((place, _)) = self.step_holds_after(0).filter(|_| ends)
            && let Some(step) = &mut self.step
        {
            step.looks_at = Some(place);
        }
        effects.extend(self.advance_run());
        effects
    }

    /// Calls the agent of the open task, whose run has given it out already.
    pub(super) fn launch_paused(&mut self) -> Vec<Effect> {
        let now = self.now;
        let Some(step) = &mut self.step else {
            return Vec::new();
        };
        let Some(mut launch) = step.job.and_then(|job| self.kept_back.remove(&job)) else {
            return Vec::new();
        };
        (step.at, step.since) = (At::Calling, now);
        step.attempts = launch.attempt;
        step.limit_ms = launch.deadline_ms;
        step.begin_attempt();
        (launch.pauses, launch.given) = (true, Arc::clone(&step.given));
        if let Some(run) = &mut self.run {
            run.waits_beside(launch.job, None);
        }
        vec![Effect::Launch(*launch)]
    }

    /// The run hears of the end of the open task, if it has not yet.
    pub(super) fn let_run_go_on(&mut self) -> Option<Vec<Effect>> {
        let step = self.step.as_mut().filter(|step| step.of_run)?;
        let job = step.job?;
        if self.kept_back.contains_key(&job) {
            step.until = Until::End;
            return Some(self.launch_paused());
        }
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
        if !step.of_run {
            return vec![Effect::Kill(job)];
        }
        let ended = self.parked.remove(&job).map(Outside::After);
        let kept = self.kept_back.remove(&job);
        let kept = kept.map(|launch| Outside::Before(launch, step.looks_at.unwrap_or(0)));
        let outside = kept.or(ended);
        let waits = step.held_since.is_some() || outside.is_some();
        if let Some(inputs) = step.inputs.clone().filter(|_| waits) {
            let at = match (&outside, step.held_at()) {
                (Some(Outside::Before(..)), _) => "its inputs".to_owned(),
                (_, Some(reached)) => reached.place.words(),
                _ => "its outcome".to_owned(),
            };
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
                outside,
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
            if let Some(run) = &mut self.run {
                run.waits_beside(job, None);
            }
            match paused.outside {
                Some(Outside::After(ended)) => effects.extend(self.run_hears(job, ended)),
                Some(Outside::Before(launch, _)) => effects.push(Effect::Launch(*launch)),
                None => effects.push(Effect::GoOn { job, edited: None }),
            }
        }
        if let Some(more) = self.let_run_go_on() {
            effects.extend(more);
        }
        effects
    }
}
