//! A run that writes nothing goes on all the same: what an agent makes of a task is the input of the
//! agent of the stage that the task is sent to, as it will be once the outcome is written.

use super::Run;
use crate::error::{Error, ErrorKind};
use crate::ids::StageId;
use crate::run::{Ending, Report, Sink};
use crate::work::{Inputs, Outcome, RowInput, TaskRow, wire};
use serde_json::{Map, Value};
use std::sync::Arc;

/// A task on its way to a later stage of the run.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Carried {
    row: TaskRow,
    pub(super) from: StageId,
    /// Of the stages that it went through, the latest last.
    outcomes: Vec<Arc<Outcome>>,
}

impl Run {
    /// Sends the task of a report on, when a later stage of this run is where it goes.
    pub(super) fn carry(&mut self, report: &Report) {
        if !self.spec.chain || self.spec.sink != Sink::Report || report.ending != Ending::Moved {
            return;
        }
        let Some(outcome) = &report.outcome else {
            return;
        };
        let Some(to) = outcome.way.to() else {
            return;
        };
        if !self.stages.iter().skip(self.stage_at + 1).any(|s| *s == to) {
            return;
        }
        // Of labels that its agent saw only a part of, nobody knows the whole before they are saved.
        let part = |i: &Arc<Inputs>| i.labels.as_ref().is_some_and(|l| is_part(&l.json));
        if outcome.labels_after.is_some() && report.inputs.as_ref().is_some_and(part) {
            self.not_carried += 1;
            return;
        }
        let earlier = self.arrived.get(&report.row.id);
        let earlier = earlier.map_or_else(Vec::new, |earlier| earlier.outcomes.clone());
        self.further_unseen += u64::from(!outcome.further.is_empty());
        self.carried.entry(to).or_default().push(Carried {
            row: report.row.clone(),
            from: report.stage,
            outcomes: [earlier, vec![outcome.clone()]].concat(),
        });
    }

    /// The tasks that earlier stages sent to this one are taken after those that wait there.
    pub(super) fn arrive(&mut self) {
        self.arrived.clear();
        self.arriving.clear();
        let here = self.stage().and_then(|stage| self.carried.remove(&stage));
        for carried in here.into_iter().flatten() {
            let read_in_part = self.fetch.initialise != Default::default();
            let drawn = |outcome: &Arc<Outcome>| outcome.labels_after.is_some();
            if read_in_part && carried.outcomes.iter().any(drawn) {
                self.not_carried += 1;
                continue;
            }
            self.arriving.push(carried.row.clone());
            self.arrived.insert(carried.row.id, carried);
        }
    }

    /// The rows of the tasks that arrived and are not taken yet, in the order in which they were sent.
    pub(super) fn arrivals(&mut self) -> Vec<TaskRow> {
        std::mem::take(&mut self.arriving)
    }
}

/// Whether a row's document holds a part of the labels only.
fn is_part(json: &str) -> bool {
    serde_json::from_str::<Value>(json)
        .is_ok_and(|doc| doc.get("initialise").is_some_and(|i| !i.is_null()))
}

fn read(what: &str, json: &str) -> Result<Map<String, Value>, Error> {
    wire::text::parse(json).map_err(|error| {
        let text = format!("the {what} cannot be read: {error}");
        Error::new(ErrorKind::Upstream, text)
    })
}

impl Carried {
    /// The inputs as they will be once the outcomes are written.
    ///
    /// # Errors
    /// A document of the inputs cannot be read, so that nobody knows what it will be.
    pub(super) fn onto(&self, inputs: &Arc<Inputs>) -> Result<Arc<Inputs>, Error> {
        let mut each = self.outcomes.iter();
        each.try_fold(inputs.clone(), |inputs, outcome| onto(outcome, inputs))
    }
}

fn onto(outcome: &Outcome, inputs: Arc<Inputs>) -> Result<Arc<Inputs>, Error> {
    let (patch, after) = (&outcome.patch, &outcome.labels_after);
    if patch.is_empty() && after.is_none() {
        return Ok(inputs);
    }
    let mut new = Arc::unwrap_or_clone(inputs);
    if let Some(labels) = &mut new.labels {
        onto_row(outcome, labels)?;
    }
    if let (Some(metadata), Some(item)) = (&patch.metadata, &new.item_json) {
        let mut value: Map<String, Value> = read("storage item", item)?;
        let metadata = Value::Object(metadata.clone());
        value.insert("clientMetadata".to_owned(), metadata);
        new.item_json = Some(Value::Object(value).to_string().into());
    }
    Ok(Arc::new(new))
}

fn onto_row(outcome: &Outcome, row: &mut RowInput) -> Result<(), Error> {
    let mut doc: Map<String, Value> = read("label row", &row.json)?;
    if let Some(after) = &outcome.labels_after {
        doc.insert("labels".to_owned(), after.read());
    }
    let metadata = doc.get_mut("metadata").and_then(Value::as_object_mut);
    if let Some(metadata) = metadata {
        if let Some((_, priority)) = outcome.patch.priority {
            metadata.insert("priority".to_owned(), priority.into());
        }
        if let Some(client) = &outcome.patch.metadata {
            let client = Value::Object(client.clone());
            metadata.insert("client_metadata".to_owned(), client);
        }
    }
    if let Some((_, priority)) = outcome.patch.priority {
        row.priority = Some(priority);
    }
    row.json = Value::Object(doc).to_string().into();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patch::tests::inputs;
    use crate::work::{LabelBlob, Patch, Route};
    use serde_json::json;

    #[test]
    fn a_later_stage_has_what_each_stage_before_it_wrote() {
        let outcome = |labels: Option<Value>, priority: Option<f64>| {
            Arc::new(Outcome {
                way: Route::Stay,
                patch: Patch {
                    priority: priority.map(|new| (None, new)),
                    ..Patch::default()
                },
                labels_after: labels.map(|labels| LabelBlob::new(&labels)),
                further: Vec::new(),
                steps: Vec::new(),
                unread: Vec::new(),
            })
        };
        let carried = Carried {
            row: inputs(true).row,
            from: StageId(uuid::Uuid::nil()),
            outcomes: vec![
                outcome(Some(json!({"drawn": "at first"})), Some(0.75)),
                outcome(None, Some(0.25)),
            ],
        };
        let row = carried.onto(&Arc::new(inputs(true))).unwrap();
        let row = row.labels.as_ref().unwrap();
        assert!(row.json.contains(r#""drawn":"at first""#), "{}", row.json);
        assert_eq!(row.priority, Some(0.25));
    }
}
