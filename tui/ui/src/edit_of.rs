//! What a person can edit, with its value as JSON and the command that an edit is. Typing it is left to
//! [`crate::overlays::edit_value`], choosing it to [`crate::overlays::edit_list`].

use serde_json::{Map, Value};
use wb_core::command::Command;
use wb_core::ids::TaskId;
use wb_core::patch::{OutcomeEdit, label_text};
use wb_core::state::State;
use wb_core::step::At;
use wb_core::work::{GivenEdits, LabelChange, Outcome};

/// One thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EditOf {
    /// The value of the checkpoint that the open task is paused at.
    Place,
    /// The parameters that the agent is given.
    Params,
    /// The client metadata that the agent is given.
    GivenMetadata,
    /// The priority that the agent is given.
    GivenPriority,
    /// The priority that an outcome sets.
    Priority(TaskId),
    /// The client metadata that an outcome sets.
    Metadata(TaskId),
    /// A label of an outcome, by its hash.
    Label(TaskId, String),
}

impl EditOf {
    /// It in a sentence.
    #[must_use]
    pub fn words(&self, state: &State) -> String {
        match self {
            Self::Place => {
                let place = state.step.as_ref().and_then(|step| step.held_at());
                place.map_or_else(|| "the value".to_owned(), |at| at.place.words())
            }
            Self::Params => "parameters, for this step".to_owned(),
            Self::GivenMetadata => "client metadata, for this step".to_owned(),
            Self::GivenPriority => "priority, for this step".to_owned(),
            Self::Priority(_) => "priority".to_owned(),
            Self::Metadata(_) => "client metadata".to_owned(),
            Self::Label(task, hash) => {
                let name = label(state, *task, hash).map_or("", |label| label.name.as_str());
                format!("label {name} #{hash}")
            }
        }
    }

    /// Its value as JSON; `null` where it is left as it is. `None`: it is not there any more, or cannot be edited.
    #[must_use]
    pub fn value(&self, state: &State) -> Option<String> {
        let step = state.step.as_ref();
        let given = || {
            let before =
                step.filter(|s| !matches!(s.at, At::Calling | At::Committing | At::Committed));
            Some(&*before?.given)
        };
        let map =
            |map: Option<Map<String, Value>>| map.map_or(Value::Null, Value::from).to_string();
        Some(match self {
            Self::Place => {
                let reached = step?.held_at()?;
                reached.place.value.to_string()
            }
            Self::Params => match &given()?.params {
                Some(params) => Value::from(params.clone()).to_string(),
                None => state.params_of(step?.stage),
            },
            Self::GivenMetadata => match &given()?.metadata {
                Some(metadata) => map(Some(metadata.clone())),
                None => {
                    let seen = wb_core::patch::metadata_seen(step?.inputs.as_ref()?);
                    map(seen.ok()?)
                }
            },
            Self::GivenPriority => {
                let row = step?.inputs.as_ref()?.labels.as_ref()?;
                number(given()?.priority.or(row.priority))
            }
            Self::Priority(task) => {
                number(outcome(state, *task)?.patch.priority.map(|(_, new)| new))
            }
            Self::Metadata(task) => map(outcome(state, *task)?.patch.metadata.clone()),
            Self::Label(task, hash) => {
                let text = label_text::text(label(state, *task, hash)?)?;
                let doc: Value = serde_json::from_str(&text).ok()?;
                doc.to_string()
            }
        })
    }

    /// Whether its value is still this one.
    #[must_use]
    pub fn stands(&self, old: &str, state: &State) -> bool {
        match self {
            // Read of the label row, which takes a while and does not change.
            Self::GivenMetadata => {
                let step = state.step.as_ref();
                step.is_some_and(|s| !matches!(s.at, At::Calling | At::Committing | At::Committed))
            }
            of => of.value(state).as_deref() == Some(old),
        }
    }

    /// What an edit does.
    ///
    /// # Errors
    /// Why the text is not a value of it.
    pub fn command(&self, text: &str, state: &State) -> Result<Command, String> {
        let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let given = |change: &dyn Fn(&mut GivenEdits)| {
            let mut given =
                (state.step.as_ref()).map_or_else(GivenEdits::default, |s| (*s.given).clone());
            change(&mut given);
            Command::EditGiven(Box::new(given))
        };
        let edit = |task: TaskId, edit| Command::EditOutcome {
            task,
            edit: Box::new(edit),
        };
        Ok(match self {
            Self::Place => Command::EditValue(text.to_owned()),
            Self::Params => {
                let params = object(value)?;
                given(&|given| given.params.clone_from(&params))
            }
            Self::GivenMetadata => {
                let metadata = object(value)?;
                given(&|given| given.metadata.clone_from(&metadata))
            }
            Self::GivenPriority => {
                let priority = share(&value)?;
                given(&|given| given.priority = priority)
            }
            Self::Priority(task) => edit(*task, OutcomeEdit::Priority(share(&value)?)),
            Self::Metadata(task) => edit(*task, OutcomeEdit::Metadata(object(value)?)),
            Self::Label(task, hash) => {
                let (hash, text) = (hash.clone(), text.to_owned());
                edit(*task, OutcomeEdit::Label(hash, text))
            }
        })
    }
}

fn number(number: Option<f64>) -> String {
    number.map_or_else(|| "null".to_owned(), |number| number.to_string())
}

fn object(value: Value) -> Result<Option<Map<String, Value>>, String> {
    match value {
        Value::Null => Ok(None),
        Value::Object(map) => Ok(Some(map)),
        _ => {
            Err("this is an object, {\"name\": value, …}, or null to leave it as it is".to_owned())
        }
    }
}

fn share(value: &Value) -> Result<Option<f64>, String> {
    match value.as_f64() {
        None if value.is_null() => Ok(None),
        Some(number) if (0.0..=1.0).contains(&number) => Ok(Some(number)),
        _ => Err("a priority is between 0 and 1, or null to leave it as it is".to_owned()),
    }
}

fn outcome(state: &State, task: TaskId) -> Option<&Outcome> {
    Some(state.editable(task)?.2)
}

fn label<'s>(state: &'s State, task: TaskId, hash: &str) -> Option<&'s LabelChange> {
    let mut labels = outcome(state, task)?.patch.labels.iter();
    labels.find(|label| label.hash == hash)
}
