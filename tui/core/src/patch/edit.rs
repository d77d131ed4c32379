//! An outcome as a person edits it: another route, priority, client metadata, a label. What results is checked as the
//! agent's own outcome was. How a label is shown for editing is left to [`super::label_text`].

use super::{changes, row_of};
use crate::error::{Error, ErrorKind};
use crate::ids::StageId;
use crate::work::{Inputs, LabelBlob, LabelChange, Outcome, Route};
use crate::workflow::Stage;
use agent_abi::model::{ModelError, Ontology, share};
use agent_abi::wire;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;

/// One edit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum OutcomeEdit {
    /// Through this pathway, by name or UUID; `None`: the task stays.
    Route(Option<String>),
    /// This priority; `None`: it is left as it is.
    Priority(Option<f64>),
    /// These client metadata; `None`: they are left as they are.
    Metadata(Option<Map<String, Value>>),
    /// The label with this hash, as [`super::label_text::text`] shows it.
    Label(String, String),
    /// Without the label with this hash.
    RemoveLabel(String),
}

/// An outcome that is to be edited.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EditTask {
    /// Its stage.
    pub stage: StageId,
    /// What was fetched for the agent.
    #[serde(with = "crate::shared")]
    pub inputs: Arc<Inputs>,
    /// The outcome.
    #[serde(with = "crate::shared")]
    pub outcome: Arc<Outcome>,
    /// What is edited.
    pub edit: OutcomeEdit,
}

/// The outcome with an edit. One that changes nothing gives the same outcome.
///
/// # Errors
/// What results does not fit the workflow or the ontology.
pub fn edited(ontology: &Arc<Ontology>, stage: &Stage, task: &EditTask) -> Result<Outcome, Error> {
    let (inputs, outcome, edit) = (&*task.inputs, &*task.outcome, &task.edit);
    let mut next = outcome.clone();
    let what = match edit {
        OutcomeEdit::Route(route) => {
            next.way = way(stage, route.as_deref())?;
            "route".to_owned()
        }
        OutcomeEdit::Priority(priority) => {
            let checked = priority.map(|p| share("a priority", p)).transpose();
            let checked = checked.map_err(|error| refused("priority", &error))?;
            let before = inputs.labels.as_ref().and_then(|row| row.priority);
            next.patch.priority = checked.map(|new| (before, new));
            "priority".to_owned()
        }
        OutcomeEdit::Metadata(metadata) => {
            next.patch.metadata.clone_from(metadata);
            "client metadata".to_owned()
        }
        OutcomeEdit::Label(hash, text) => {
            let label = label(outcome, hash)?;
            let given = super::label_text::read(label, text)
                .map_err(|why| refused(&label.name, &ModelError::Invalid(why)))?;
            let Some(given) = given else {
                return Ok(next);
            };
            relabel(ontology, inputs, &mut next, label, given)?;
            format!("label {} #{hash}", label.name)
        }
        OutcomeEdit::RemoveLabel(hash) => {
            let label = label(outcome, hash)?;
            let given = wire::Outcome {
                remove: vec![hash.clone()],
                ..wire::Outcome::default()
            };
            relabel(ontology, inputs, &mut next, label, given)?;
            format!("label {} #{hash} removed", label.name)
        }
    };
    if next != *outcome {
        next.patch.note_edit(what);
    }
    Ok(next)
}

fn way(stage: &Stage, route: Option<&str>) -> Result<Route, Error> {
    let Some(route) = route else {
        return Ok(Route::Stay);
    };
    let Some(pathway) = stage.pathway(route) else {
        let (text, _) = stage.no_pathway(route);
        return Err(Error::new(ErrorKind::Usage, text));
    };
    Ok(Route::Pathway {
        id: pathway.id,
        name: pathway.name.clone(),
        to: pathway.to,
    })
}

fn label<'o>(outcome: &'o Outcome, hash: &str) -> Result<&'o LabelChange, Error> {
    let mut labels = outcome.patch.labels.iter();
    labels.find(|label| label.hash == hash).ok_or_else(|| {
        let text = format!("the outcome changes no label #{hash} any more");
        Error::new(ErrorKind::Usage, text)
    })
}

fn refused(what: &str, why: &dyn std::fmt::Display) -> Error {
    let what = agent_abi::model::quoted(what);
    let text = format!("the edit of {what} is refused: {why}");
    Error::new(ErrorKind::Usage, text)
}

/// The labels of the outcome with what is given on top.
fn relabel(
    ontology: &Arc<Ontology>,
    inputs: &Inputs,
    next: &mut Outcome,
    label: &LabelChange,
    given: wire::Outcome,
) -> Result<(), Error> {
    let (Some(row), Some(blob)) = (&inputs.labels, &next.labels_after) else {
        return Err(refused(&label.name, &"the outcome has no label row"));
    };
    let before = row_of(ontology, &row.json)?;
    let after = before.after(Some(blob.read()), &given);
    let after = after.map_err(|error| refused(&label.name, &error))?;
    let labels = changes(&before, &after);
    next.labels_after = (!labels.is_empty()).then(|| LabelBlob::new(&after.into_labels()));
    next.patch.labels = labels;
    Ok(())
}

#[cfg(test)]
#[path = "edit_tests.rs"]
mod tests;
