//! Edits of a person: what the agent of the open task is given, and outcomes before they are written. Checking an edited
//! outcome is left to [`crate::patch`], values of places that an agent has reached to `places`.

use super::*;
use crate::patch::{EditTask, OutcomeEdit};
use crate::work::GivenEdits;

impl State {
    /// Edits something of a task.
    pub(super) fn edit(&mut self, command: Command) -> Vec<Effect> {
        match command {
            Command::EditValue(text) => self.edit_value(&text),
            Command::EditGiven(given) => self.edit_given(*given),
            Command::EditOutcome { task, edit } => self.edit_outcome(task, *edit),
            _ => Vec::new(),
        }
    }

    /// What the agent of the open task is given in its next attempt.
    pub(super) fn edit_given(&mut self, given: GivenEdits) -> Vec<Effect> {
        let Some(step) = &mut self.step else {
            return Vec::new();
        };
        if matches!(step.at, At::Calling | At::Committing | At::Committed) {
            let why = "the agent has been called; nothing was edited";
            self.warn(Kind::Error, why, None);
            return Vec::new();
        }
        let same = *step.given == given;
        step.given = Arc::new(given);
        let names = step.given.names();
        let title = step.row.title.clone();
        let text = match (same, names.is_empty()) {
            (true, _) => format!("{title}: as it was"),
            (_, true) => format!("{title}: as it was fetched"),
            _ => format!("{title}: edited for this step: {}", names.join(", ")),
        };
        self.info(Kind::Task, text);
        Vec::new()
    }

    /// The outcome of a task that may be edited: that of the open one, or one that is held.
    #[must_use]
    pub fn editable(&self, task: TaskId) -> Option<(StageId, &Arc<Inputs>, &Arc<Outcome>)> {
        let step = self.step.as_ref().filter(|step| step.row.id == task);
        let open = step.filter(|step| matches!(step.at, At::Outcome | At::Review));
        let open = open.and_then(|step| match (&step.inputs, &step.result) {
            (Some(inputs), Some(Ok(outcome))) => Some((step.stage, inputs, outcome)),
            _ => None,
        });
        let held = || {
            let held = self.held.get(&task)?;
            Some((held.stage, &held.inputs, &held.outcome))
        };
        open.or_else(held)
    }

    /// Edits an outcome; what results comes back once it is checked.
    pub(super) fn edit_outcome(&mut self, task: TaskId, edit: OutcomeEdit) -> Vec<Effect> {
        self.refused_edit = None;
        let Some((stage, inputs, outcome)) = self.editable(task) else {
            let why = "this task has no outcome to edit";
            self.warn(Kind::Error, why, None);
            return Vec::new();
        };
        vec![Effect::EditOutcome(Arc::new(EditTask {
            stage,
            inputs: inputs.clone(),
            outcome: outcome.clone(),
            edit,
        }))]
    }

    /// An edited outcome takes the place of the one that it was made of, wherever that still stands.
    pub(super) fn outcome_edited(
        &mut self,
        edit: &EditTask,
        result: Result<Arc<Outcome>, Error>,
    ) -> Vec<Effect> {
        let next = match result {
            Ok(next) => next,
            Err(error) => {
                self.complain(&error);
                self.refused_edit = Some((edit.inputs.row.id, error));
                return Vec::new();
            }
        };
        let (task, was) = (edit.inputs.row.id, &edit.outcome);
        let title = edit.inputs.row.title.clone();
        if next == *was {
            self.info(Kind::Task, format!("{title}: the outcome is as it was"));
            return Vec::new();
        }
        let mut stands = false;
        if let Some(step) = self.step.as_mut().filter(|step| step.row.id == task)
            && matches!(step.at, At::Outcome | At::Review)
            && matches!(&step.result, Some(Ok(now)) if now == was)
        {
            stands = true;
            step.result = Some(Ok(next.clone()));
            if step.looks_at.is_some() {
                step.looks_at = step
                    .rows_after()
                    .iter()
                    .position(|row| *row == StepRow::Outcome);
            }
            if let Some(parked) = step.job.and_then(|job| self.parked.get_mut(&job)) {
                parked.edit(next.clone());
            }
        }
        if let Some(mut held) = self
            .held
            .get(&task)
            .filter(|held| held.outcome == *was)
            .cloned()
        {
            stands = true;
            held.outcome = next.clone();
            self.held.insert(task, held);
        }
        if !stands {
            let why = format!("{title}: the outcome is another one by now; nothing was edited");
            self.warn(Kind::Error, why, None);
            return Vec::new();
        }
        let how = next.patch.edited_line().unwrap_or_default();
        self.info(Kind::Task, format!("{title}: {how}"));
        Vec::new()
    }

    /// What a person edited in the attempt of the open task that has just ended, noted with its outcome.
    pub(super) fn note_edits(&self, result: &mut Result<Arc<Outcome>, Error>) {
        let (Some(step), Ok(outcome)) = (&self.step, result) else {
            return;
        };
        let given = step.given.names().into_iter().map(str::to_owned);
        let places = step.places.iter().filter(|place| place.edited.is_some());
        let places = places.map(|reached| reached.place.words());
        let all: Vec<String> = given.chain(places).collect();
        if !all.is_empty() {
            let outcome = Arc::make_mut(outcome);
            all.into_iter()
                .for_each(|what| outcome.patch.note_edit(what));
        }
    }
}
