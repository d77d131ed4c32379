//! The rows around the call of the open task, looked at one after the other. Which they are is left to
//! [`crate::step::StepRow`], places inside of the agent to `places`.

use super::*;
use crate::run::Beside;
use crate::step::StepRow;
use serde_json::Value;

impl State {
    /// The parameters that the settings have for a stage, as JSON; `{}` without any. A title that several stages have
    /// names none of them.
    #[must_use]
    pub fn params_of(&self, stage: StageId) -> String {
        self.set_params(stage)
            .map_or_else(|| "{}".to_owned(), Value::to_string)
    }

    fn set_params(&self, stage: StageId) -> Option<&Value> {
        let all = &self.options.params;
        let workflow = &self.project.as_ref()?.workflow;
        let title = workflow.stage(stage).map(|stage| stage.title.as_str());
        let by_title = title.filter(|title| workflow.find(title).is_some());
        let by_title = by_title.and_then(|title| all.get(title));
        by_title.or_else(|| all.get(&stage.0.to_string()))
    }

    /// Whether the agent of a stage declares parameters, or the settings have some for it.
    #[must_use]
    pub fn takes_parameters(&self, stage: StageId) -> bool {
        let agent = self.agent(stage);
        agent.is_some_and(|(_, _, agent)| agent.spec.params.is_some())
            || self.set_params(stage).is_some()
    }

    /// The rows before the call of the open task; none before its inputs are here.
    #[must_use]
    pub fn step_rows_before(&self, step: &Stepper) -> Vec<StepRow> {
        let parameters = self.takes_parameters(step.stage);
        let inputs = step.inputs.as_ref();
        inputs.map_or_else(Vec::new, |inputs| StepRow::before(inputs, parameters))
    }

    /// On to the next row before the call, or to the call; past all rows without a pause point, if it is to go to
    /// its end.
    pub(super) fn look_on_before(&mut self) -> Vec<Effect> {
        let Some(step) = &self.step else {
            return Vec::new();
        };
        let rows = self.step_rows_before(step).len();
        let next = step.looks_at.map(|place| place + 1);
        if !step.to_end {
            // The task itself was seen where it was chosen.
            let next = next.unwrap_or(usize::from(rows > 1));
            if next >= rows {
                return self.step_call();
            }
            if let Some(step) = &mut self.step {
                step.looks_at = Some(next);
            }
            return Vec::new();
        }
        let inputs = step.inputs.clone().filter(|_| step.until == Until::End);
        let (stage, from) = (step.stage, next.unwrap_or(0));
        let stops = inputs.and_then(|inputs| self.holds_before(stage, &inputs, from));
        match stops {
            Some((place, why)) => {
                self.stop_at(place, &why);
                Vec::new()
            }
            None => self.step_call(),
        }
    }

    /// On to the next row after the end, the last of which is the review.
    pub(super) fn look_on_after(&mut self) {
        let Some(step) = &mut self.step else { return };
        if !matches!(step.result, Some(Ok(_))) {
            return;
        }
        let review = step.rows_after().len().saturating_sub(1);
        let next = step.looks_at.map_or(review, |place| place + 1);
        if std::mem::take(&mut step.to_end) {
            let on = step.until == Until::End && step.looks_at.is_some();
            step.looks_at = None;
            if on && self.stop_after(next) {
                return;
            }
            self.review();
        } else if next < review {
            step.looks_at = Some(next);
        } else {
            self.review();
        }
    }

    fn review(&mut self) {
        if let Some(step) = &mut self.step {
            (step.at, step.looks_at) = (At::Review, None);
        }
    }

    /// Stops at the first row after the end, from this one on, that has a pause point which holds.
    pub(super) fn stop_after(&mut self, from: usize) -> bool {
        let stops = self.step_holds_after(from);
        if let Some((place, why)) = &stops {
            self.stop_at(*place, why);
            let step = self.step.as_mut();
            if let Some(step) =
                step.filter(|s| s.rows_after().get(*place) == Some(&StepRow::Review))
            {
                (step.at, step.looks_at) = (At::Review, None);
            }
        }
        stops.is_some()
    }

    /// The open task waits at this row, for this reason.
    fn stop_at(&mut self, place: usize, why: &str) {
        let at = self.now;
        let Some(step) = &mut self.step else { return };
        (step.looks_at, step.to_end) = (Some(place), false);
        step.log.push(LogLine {
            at,
            level: 3,
            target: "workbench".to_owned(),
            text: format!("paused at {why}"),
        });
    }

    /// A job of the run waits for a person, or no longer; in its place another task runs.
    pub(super) fn waits_beside(&mut self, job: JobId, beside: Option<Beside>) -> Vec<Effect> {
        match (&mut self.run, beside) {
            (Some(run), Some(_)) if run.has(job) => {
                run.waits_beside(job, beside);
                self.advance_run()
            }
            _ => Vec::new(),
        }
    }
}
