//! Places that running attempts reach and wait at: which of them a person is shown, and how they go on.

use super::*;
use crate::pause::{PausePlace, PlaceKind, PointAt, Sight};
use crate::run::Beside;

impl State {
    /// Steps the open task on, as far as this.
    pub(super) fn step_until(&mut self, until: Until) -> Vec<Effect> {
        let Some(step) = &mut self.step else {
            return Vec::new();
        };
        if until != Until::Next && step.is_parked() {
            return self.let_run_go_on().unwrap_or_default();
        }
        step.until = until;
        step.to_end = until != Until::Next || step.to_end && step.at < At::Fetched;
        if step.held_since.is_some() {
            return self.go_on(until, None);
        }
        self.step_on()
    }

    /// A job has reached a place, and waits there.
    pub(super) fn job_paused(&mut self, job: JobId, place: PausePlace) -> Vec<Effect> {
        let now = self.now;
        let Some(step) = self.step.as_ref().filter(|s| s.job == Some(job)) else {
            return self.run_paused(job, place);
        };
        let ran_ms = step.ran_ms(now);
        let point = match step.until {
            Until::Return | Until::Place(_) => None,
            Until::Next | Until::End => {
                let at = PointAt::of(&place);
                self.holds_at(step.stage, &at, || Sight::inside(&step.row, &place, ran_ms))
            }
        };
        let Some(step) = &mut self.step else {
            return Vec::new();
        };
        let holds = match step.until {
            _ if place.kind == PlaceKind::Refused || point.is_some() => true,
            Until::Next => stops_at(&place),
            Until::Place(number) => number == step.places.len(),
            Until::End | Until::Return => false,
        };
        if holds {
            let line = LogLine {
                at: now,
                level: 3,
                target: "workbench".to_owned(),
                text: format!("paused at {}", point.unwrap_or_else(|| place.words())),
            };
            step.log.push(line);
        }
        step.places.push(Reached {
            place,
            ran_ms,
            edited: None,
        });
        step.held_since = Some(now);
        if holds {
            let of_run = step.of_run;
            return self.waits_beside(job, of_run.then_some(Beside::InHost));
        }
        let (until, edit) = (
            step.until,
            step.edits.get(&(step.places.len() - 1)).cloned(),
        );
        self.go_on(until, edit)
    }

    /// Edits the value that the open task is held at, and lets it go on to the next place. What is not JSON is kept, so
    /// that it can be mended.
    pub(super) fn edit_value(&mut self, text: &str) -> Vec<Effect> {
        let Some(step) = &mut self.step else {
            return Vec::new();
        };
        let number = step.places.len().saturating_sub(1);
        let Some(reached) = step.held_at().filter(|reached| reached.place.editable) else {
            self.warn(
                Kind::Error,
                "the task has gone on; nothing was edited",
                None,
            );
            return Vec::new();
        };
        let (old, at) = (reached.place.value.clone(), reached.place.words());
        let parsed: Result<serde_json::Value, _> = serde_json::from_str(text);
        let value = match parsed {
            Ok(value) => value,
            Err(error) => {
                step.draft = Some(text.to_owned());
                let why =
                    format!("{at}: what was typed is not JSON ({error}); the task stays paused");
                self.warn(Kind::Error, why, None);
                return Vec::new();
            }
        };
        step.draft = None;
        if serde_json::from_str(&old).is_ok_and(|old: serde_json::Value| old == value) {
            self.info(Kind::Task, format!("{at}: the value is as it was"));
            return Vec::new();
        }
        let json: Arc<str> = value.to_string().into();
        step.edits.insert(number, json.clone());
        self.info(
            Kind::Task,
            format!("{at}: edited; the agent goes on with it"),
        );
        self.go_on(Until::Next, Some(json))
    }

    /// Runs the open task again up to the place of this number, with the edits that were made before it, and holds it
    /// there.
    pub(super) fn fork(&mut self, number: usize) -> Vec<Effect> {
        let mut effects = self.rerun();
        let begun = effects
            .iter()
            .any(|e| matches!(e, Effect::Launch(_) | Effect::Fetch { .. }));
        if let Some(step) = self.step.as_mut().filter(|_| begun) {
            step.edits.split_off(&number);
            step.until = Until::Place(number);
        } else {
            effects.clear();
        }
        effects
    }

    /// The same inputs again, without the edits of earlier attempts.
    pub(super) fn rerun_plainly(&mut self) -> Vec<Effect> {
        if let Some(step) = &mut self.step {
            step.edits.clear();
            step.given = Arc::default();
        }
        self.rerun()
    }

    /// A debugger is about to be attached to the host of the open task, or no longer.
    pub(super) fn attach(&mut self) -> Vec<Effect> {
        let Some(step) = &mut self.step else {
            return Vec::new();
        };
        let Some(job) = step.job else {
            return Vec::new();
        };
        step.attached = !step.attached;
        vec![Effect::Attach {
            job,
            on: step.attached,
        }]
    }

    /// Lets the stepped attempt go on, as far as this; one that is not held is left alone.
    pub(super) fn go_on(&mut self, until: Until, edited: Option<Arc<str>>) -> Vec<Effect> {
        let now = self.now;
        let Some(step) = &mut self.step else {
            return Vec::new();
        };
        let (Some(job), Some(since)) = (step.job, step.held_since.take()) else {
            return Vec::new();
        };
        step.until = until;
        let held_ms = now.since(since);
        step.since = Millis(step.since.0.saturating_add_unsigned(held_ms));
        if let Some(run) = self.run.as_mut().filter(|_| step.of_run) {
            run.was_held(job, held_ms);
            run.waits_beside(job, None);
        }
        if let Some(last) = step.places.last_mut() {
            last.edited.clone_from(&edited);
        }
        vec![Effect::GoOn { job, edited }]
    }
}

/// Whether a person who steps from place to place stops at this one: what the workbench gives has been seen as
/// inputs.
const fn stops_at(place: &PausePlace) -> bool {
    !matches!(place.kind, PlaceKind::Parameter)
}
