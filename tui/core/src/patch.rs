//! From what an agent gave to what it means: the outcome checked against the workflow, and the
//! label differences a person reviews.
//!
//! What differs between two label rows is known to the authors' crate; writing is left to the
//! client, drawing to the screen.

mod answer;
mod edit;
mod further;
mod items;
mod kinds;
pub mod label_text;
mod wanted;

pub use edit::{EditTask, OutcomeEdit, edited};
pub use further::changes_of;
pub use items::{dataset_named, unreadable};
pub use wanted::{
    DatasetKey, FurtherDataset, FurtherInput, FurtherInputs, FurtherProject, Wanted, WantedRow,
    wanted,
};

use crate::digits;
use crate::error::{Error, ErrorKind, foreign};
use crate::work::{Change, Inputs, LabelBlob, LabelChange, Outcome, Patch, Route, RowInput};
use crate::workflow::Stage;
pub use agent_abi::model::share;
use agent_abi::model::{
    LabelChangeKind, LabelRow, ModelError, Ontology, StorageItem, diff, duplicates,
};
use agent_abi::wire;
use answer::{read, unread};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::sync::Arc;

/// As [`judge_as`], where every label that is added is wanted, and there are no further changes.
///
/// # Errors
/// As [`judge_as`].
pub fn judge(
    stage: &Stage,
    ontology: &Arc<Ontology>,
    inputs: &Inputs,
    answer: &[u8],
) -> Result<Outcome, Error> {
    let around = FurtherInputs::default();
    judge_as(None, stage, ontology, inputs, &around, answer)
}

/// Reads an agent's answer and checks it: the pathway exists, the priority is in 0 to 1, labels
/// are only given by agents that were lent a label row. Labels that it adds and that `author` has made already
/// are not added again. `around` has what its further changes name.
///
/// # Errors
/// An error of the agent's; the task stays where it is.
pub fn judge_as(
    author: Option<&str>,
    stage: &Stage,
    ontology: &Arc<Ontology>,
    inputs: &Inputs,
    around: &FurtherInputs,
    answer: &[u8],
) -> Result<Outcome, Error> {
    let mut given = read(answer)?;
    let way = way(stage, around, &given)?;
    let refused = |error: ModelError| of_model(&error, error.to_string());
    given.priority = (given.priority)
        .map(|p| share("a priority", p))
        .transpose()
        .map_err(refused)?;
    if let Some(metadata) = &mut given.client_metadata
        && let Some(seen) = metadata_seen(inputs)?
    {
        digits::restore_map(&seen, metadata);
    }
    let further = std::mem::take(&mut given.changes);
    let further = further::judge(author, inputs, around, further)?;
    let metadata = given.client_metadata.take();
    let (priority, steps) = (given.priority, std::mem::take(&mut given.steps));
    let (labels, labels_after, already_there) = labels(author, ontology, inputs, given)?;
    let priority = priority.map(|new| (inputs.labels.as_ref().and_then(|l| l.priority), new));
    let patch = Patch {
        labels,
        priority,
        metadata,
        already_there,
        changes: changes_of(&further)?,
        edited: Vec::new(),
    };
    Ok(Outcome {
        way,
        patch,
        labels_after,
        further,
        steps: steps.into_iter().take(STEPS).map(bounded).collect(),
        unread: unread(answer),
    })
}

/// The client metadata that the agent saw: those of the storage item, else those of the label row.
///
/// # Errors
/// They cannot be read, so that nobody knows what an outcome would replace.
pub fn metadata_seen(inputs: &Inputs) -> Result<Option<Map<String, Value>>, Error> {
    let broken = |why: &dyn std::fmt::Display| {
        let text = format!("the client metadata that the agent saw cannot be read: {why}");
        Error::new(ErrorKind::Upstream, text)
    };
    if let Some(item) = &inputs.item_json {
        let item = wire::text::parse(item).map_err(|error| broken(&error))?;
        let item = StorageItem::read(item).map_err(|error| broken(&error))?;
        return Ok(Some(item.client_metadata().clone()));
    }
    let Some(row) = &inputs.labels else {
        return Ok(None);
    };
    #[derive(Deserialize)]
    struct Seen {
        metadata: SeenMetadata,
    }
    #[derive(Deserialize)]
    struct SeenMetadata {
        #[serde(default)]
        client_metadata: Option<Map<String, Value>>,
    }
    let seen: Seen = wire::text::parse(&row.json).map_err(|error| broken(&error))?;
    Ok(seen.metadata.client_metadata)
}

/// Steps of one attempt that are kept.
const STEPS: usize = 500;
/// Longest text of a step, in bytes.
const STEP: usize = 4 << 10;

fn bounded(step: wire::StepDoc) -> wire::StepDoc {
    wire::StepDoc {
        kind: foreign(step.kind, STEP),
        name: foreign(step.name, STEP),
        value: foreign(step.value, STEP),
        ..step
    }
}

fn way(stage: &Stage, around: &FurtherInputs, given: &wire::Outcome) -> Result<Route, Error> {
    let route = match (&given.route, &given.stage) {
        (None, None) => return Ok(Route::Stay),
        (None, Some(title)) => return moved_to(stage, around, title),
        (Some(route), None) => route.as_str(),
        (Some(_), Some(_)) => {
            let text = "the outcome has a \"route\" and a \"stage\"; give one of them";
            return Err(Error::new(ErrorKind::Agent, text));
        }
    };
    if let Some(p) = stage.pathway(route) {
        return Ok(Route::Pathway {
            id: p.id,
            name: p.name.clone(),
            to: p.to,
        });
    }
    let (text, near) = stage.no_pathway(route);
    let mut error = Error::new(ErrorKind::Agent, text);
    error.unknown_name = true;
    Err(match near {
        Some(near) => error.hint(format!("did the agent mean {near}?")),
        None => error,
    })
}

/// A move to a stage of the task's project, without a pathway. To the stage that it is at: it stays.
fn moved_to(stage: &Stage, around: &FurtherInputs, title: &str) -> Result<Route, Error> {
    let project = around.own.and_then(|own| around.projects.get(&own));
    let project = project.ok_or_else(|| {
        let text = "a move to a stage cannot be looked up here";
        Error::new(ErrorKind::Agent, text)
    })?;
    let workflow = &project.as_ref().map_err(Clone::clone)?.workflow;
    let to = further::stage_named(workflow, title).map_err(|mut error| {
        error.unknown_name = true;
        error
    })?;
    Ok(match to.id == stage.id {
        true => Route::Stay,
        false => Route::Stage {
            id: to.id,
            title: to.title.clone(),
        },
    })
}

/// An outcome that the model refuses.
fn of_model(error: &ModelError, text: String) -> Error {
    let mut refused = Error::new(ErrorKind::Agent, text);
    refused.unknown_name = matches!(error, ModelError::Unknown(_));
    refused
}

/// What changes, the labels after, and how many are not added because they stand there already.
type Labels = (Vec<LabelChange>, Option<LabelBlob>, usize);

fn labels(
    author: Option<&str>,
    ontology: &Arc<Ontology>,
    inputs: &Inputs,
    given: wire::Outcome,
) -> Result<Labels, Error> {
    let by_name = [given.remove.len(), given.add.len(), given.answer.len()];
    if given.labels.is_none() && by_name == [0; 3] {
        return Ok((Vec::new(), None, 0));
    }
    let Some(row) = &inputs.labels else {
        let text = "the agent changed labels but was lent no label row";
        return Err(Error::new(ErrorKind::Agent, text).hint(
            "ask for the label row: `labels: &mut LabelRow`, or WB_NEED_LABEL_ROW_WRITE in C",
        ));
    };
    changed_labels(author, ontology, row, given)
}

/// What an agent changed on a label row.
fn changed_labels(
    author: Option<&str>,
    ontology: &Arc<Ontology>,
    row: &RowInput,
    mut given: wire::Outcome,
) -> Result<Labels, Error> {
    let before = row_of(ontology, &row.json)?;
    let labels = given.labels.take().map(|mut labels| {
        digits::restore(before.labels(), &mut labels);
        labels
    });
    let by_name = [given.remove.len(), given.add.len(), given.answer.len()];
    let what = match (labels.is_some(), by_name) {
        (true, _) => "the agent's labels are refused",
        (_, [0, _, 0]) => "the agent's label cannot be added",
        _ => "the agent's changes of labels are refused",
    };
    let mut after = before
        .after(labels, &given)
        .map_err(|error| of_model(&error, format!("{what}: {error}")))?;
    let again = author.map_or_else(Vec::new, |author| duplicates(&before, &after, author));
    if !again.is_empty() {
        let doc = wire::RowDoc {
            metadata: after.metadata().clone(),
            labels: after.labels_without(&again),
        };
        after = LabelRow::from_doc(doc, ontology.clone());
    }
    let changes = changes(&before, &after);
    let kept = (!changes.is_empty()).then(|| LabelBlob::new(&after.into_labels()));
    Ok((changes, kept, again.len()))
}

/// What differs between two documents of the same label row, for people.
///
/// # Errors
/// One of them is not readable.
pub fn between(
    ontology: &Arc<Ontology>,
    before: &str,
    after: &str,
) -> Result<Vec<LabelChange>, Error> {
    let (before, after) = (row_of(ontology, before)?, row_of(ontology, after)?);
    Ok(changes(&before, &after))
}

/// Every label that differs, and the parts of a group whose labels do.
fn changes(before: &LabelRow, after: &LabelRow) -> Vec<LabelChange> {
    let mut changes: Vec<LabelChange> = diff(before, after).into_iter().map(change).collect();
    changes.extend(parts(before.labels(), after.labels()));
    changes
}

fn row_of(ontology: &Arc<Ontology>, json: &str) -> Result<LabelRow, Error> {
    LabelRow::from_json(json, ontology.clone())
        .map_err(|error| Error::new(ErrorKind::Upstream, error.to_string()))
}

/// The parts of a group on which something else changed than objects, which are compared one by one.
fn parts(before: &Value, after: &Value) -> Vec<LabelChange> {
    let rest =
        |blob: &Value, part: &str| beside_objects(blob.get("spaces")?.get(part)?.get("labels")?);
    let spaces = after.get("spaces").and_then(Value::as_object);
    let hashes = spaces.into_iter().flat_map(Map::keys);
    let change = |hash: &String| {
        (rest(before, hash) != rest(after, hash)).then(|| LabelChange {
            sign: '~',
            name: "part of the group".to_owned(),
            hash: hash.clone(),
            detail: "its labels".to_owned(),
            ..LabelChange::default()
        })
    };
    hashes.filter_map(change).collect()
}

/// Labels without the objects that have a hash, if that is anything.
fn beside_objects(labels: &Value) -> Option<Value> {
    match labels {
        Value::Null => None,
        Value::Object(map) => {
            let rest = map
                .iter()
                .filter_map(|(k, v)| Some((k.clone(), beside_objects(v)?)));
            let rest: Map<String, Value> = rest.collect();
            (!rest.is_empty()).then_some(Value::Object(rest))
        }
        Value::Array(list) => {
            let rest = list.iter().filter(|item| item.get("objectHash").is_none());
            let rest: Vec<Value> = rest.cloned().collect();
            (!rest.is_empty()).then_some(Value::Array(rest))
        }
        other => Some(other.clone()),
    }
}

/// What writing this would change, for people: computed from what is written and what stood there before.
///
/// # Errors
/// The label row before is missing or not readable.
pub fn of_item(ontology: &Arc<Ontology>, item: &Change) -> Result<Patch, Error> {
    let mut labels = match &item.labels_after {
        Some(after) => of_labels(ontology, item, after)?,
        None => Vec::new(),
    };
    for label in &mut labels {
        label.facts.text = item.excerpts.get(&label.hash).cloned();
    }
    let before = item.before.as_ref().and_then(|row| row.priority);
    Ok(Patch {
        already_there: 0,
        labels,
        priority: item.priority.map(|new| (before, new)),
        metadata: item.metadata.clone(),
        changes: changes_of(&item.further)?,
        edited: item.edited.clone(),
    })
}

fn of_labels(
    ontology: &Arc<Ontology>,
    item: &Change,
    after: &LabelBlob,
) -> Result<Vec<LabelChange>, Error> {
    let Some(before) = &item.before else {
        let text = "the label row before the change is missing";
        return Err(Error::new(ErrorKind::Upstream, text));
    };
    let before = row_of(ontology, &before.json)?;
    let doc = wire::RowDoc {
        metadata: before.metadata().clone(),
        labels: after.read(),
    };
    let after = LabelRow::from_doc(doc, ontology.clone());
    let mut changes = changes(&before, &after);
    if changes.is_empty() {
        changes.push(LabelChange {
            sign: '~',
            name: "label row".to_owned(),
            detail: "written again; no object or classification differs".to_owned(),
            ..LabelChange::default()
        });
    }
    Ok(changes)
}

pub(crate) fn change(change: agent_abi::model::LabelChange) -> LabelChange {
    let sign = match change.kind {
        LabelChangeKind::Added => '+',
        LabelChangeKind::Changed => '~',
        LabelChangeKind::Removed => '-',
    };
    LabelChange {
        sign,
        name: change.name,
        hash: change.hash,
        detail: change.detail,
        facts: change.facts,
    }
}

#[cfg(test)]
pub(crate) mod tests;
