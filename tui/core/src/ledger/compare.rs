//! How what was written stands now, and what takes a row back.

use super::{Change, Seen, StandingEntry, Unit};
use crate::error::Error;
use crate::ids::TaskId;
use crate::labels::{ANSWERS, same_priority, saved_as};
use crate::work::wire::InitialiseOptions;
use crate::work::{LabelBlob, RowInput, RowMetadata};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Why a task is left as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Skipped(pub String);

pub(super) fn skipped<T>(why: &str) -> Result<T, Skipped> {
    Err(Skipped(why.to_owned()))
}

/// How what was written stands now.
pub(super) enum Stands {
    /// As it was written.
    AsWritten,
    /// Somebody changed it since.
    Changed(String),
    /// The labels are again as they were before.
    TakenBack,
    /// It cannot be read.
    Unknown(Error),
}

/// The part of the labels that a row's document holds.
#[must_use]
pub fn part_of(json: &str) -> InitialiseOptions {
    #[derive(serde::Deserialize)]
    struct Document {
        #[serde(default)]
        initialise: Option<InitialiseOptions>,
    }
    let document = serde_json::from_str::<Document>(json).ok();
    document.and_then(|d| d.initialise).unwrap_or_default()
}

/// The labels of a row's document.
pub(super) fn labels_of(json: &str) -> Option<Value> {
    serde_json::from_str::<Value>(json)
        .ok()?
        .get_mut("labels")
        .map(Value::take)
}

/// The client metadata of a row's document.
fn metadata_of(json: &str) -> Option<Map<String, Value>> {
    let document: Value = serde_json::from_str(json).ok()?;
    match document.pointer("/metadata/client_metadata") {
        Some(Value::Object(map)) => Some(map.clone()),
        Some(Value::Null) => Some(Map::new()),
        _ => None,
    }
}

/// The data unit of a change.
pub(super) fn unit(item: &Change) -> Unit {
    (item.data, item.branch.clone())
}

/// The rows to read for changes that were written, each with the place of its change: an agent that saw a part of
/// the labels wrote that part.
pub(super) fn rows_of(
    written: &[Change],
) -> impl Iterator<Item = (usize, (Unit, InitialiseOptions))> {
    let writes_row = |item: &Change| {
        let writes = item.labels_after.is_some() || item.priority.is_some();
        // A storage item that is named itself has no row.
        (writes || item.metadata.is_some()) && !item.data.0.is_nil()
    };
    let items = written.iter().enumerate();
    items
        .filter(move |(_, item)| writes_row(item))
        .map(|(i, item)| {
            let before = item.labels_after.as_ref().and(item.before.as_ref());
            let part = before.map(|b| part_of(&b.json)).unwrap_or_default();
            (i, (unit(item), part))
        })
}

/// The rows that were read for [`rows_of`], by the place of their change.
pub(super) fn by_place<'a>(
    written: &[Change],
    rows: &'a [Result<RowInput, Error>],
) -> BTreeMap<usize, &'a Result<RowInput, Error>> {
    rows_of(written).map(|(i, _)| i).zip(rows).collect()
}

/// How these changes stand, with the rows that were read for [`rows_of`].
pub(super) fn stand(written: &[Change], rows: &[Result<RowInput, Error>]) -> Vec<Stands> {
    let rows = by_place(written, rows);
    let each = written.iter().enumerate().map(|(i, change)| {
        let row = match rows.get(&i) {
            Some(Ok(row)) => Some(row),
            Some(Err(error)) => return Stands::Unknown(error.clone()),
            None => None,
        };
        match unchanged(change, row) {
            Ok(()) => Stands::AsWritten,
            Err(_) if is_before(change, row) => Stands::TakenBack,
            Err(Skipped(why)) => Stands::Changed(why),
        }
    });
    each.collect()
}

/// Whether the labels are as they were before the change.
fn is_before(change: &Change, row: Option<&RowInput>) -> bool {
    let before = change.before.as_ref().and_then(|b| labels_of(&b.json));
    let now = row.and_then(|row| labels_of(&row.json));
    match (change.labels_after.is_some(), before, now) {
        (true, Some(before), Some(now)) => saved_as(&now, &before),
        _ => false,
    }
}

/// Whether everything that a change wrote stands as it left it.
fn unchanged(change: &Change, row: Option<&RowInput>) -> Result<(), Skipped> {
    let was = change;
    if let (Some(wrote), Some(row)) = (&was.labels_after, row) {
        let Some(now) = labels_of(&row.json) else {
            return skipped("its label row cannot be read");
        };
        if !saved_as(&now, &wrote.read()) {
            return skipped("its labels were changed since");
        }
    }
    let now = row.and_then(|r| r.priority);
    if let (Some(wrote), Some(now)) = (was.priority, now)
        && !same_priority(now, wrote)
    {
        return skipped("its priority was changed since");
    }
    let now = row.and_then(|r| metadata_of(&r.json));
    if let (Some(wrote), Some(now)) = (&was.metadata, now)
        && now != *wrote
    {
        return skipped("its client metadata were changed since");
    }
    Ok(())
}

/// Keeps what a change overwrites, so that it can be taken back.
pub(super) fn keep_before(change: &mut Change, row: Option<RowMetadata>) {
    let Some(row) = row else { return };
    if change.priority.is_some() {
        change.old_priority = change.old_priority.or(row.priority);
    }
    if change.metadata.is_some() {
        change.item = change.item.or(row.item);
        change.old_metadata = Some(row.client_metadata.unwrap_or_default());
    }
}

/// The task of a change at the stage that it was sent to. It may have a new identity there; its data unit stays.
pub(super) fn place_of(change: &Change, seen: &Seen) -> Option<TaskId> {
    let tasks = seen.tasks.get(&change.to?)?.as_ref().ok()?;
    let item = change;
    let same = tasks.iter().find(|(task, _)| *task == item.task);
    let of_data = || tasks.iter().rev().find(|(_, data)| *data == item.data);
    same.or_else(of_data).map(|(task, _)| *task)
}

pub(super) fn taken_back(
    entry: &StandingEntry,
    place: Option<TaskId>,
    row: Option<&RowInput>,
) -> Result<Change, Skipped> {
    let was = &entry.change;
    unchanged(was, row)?;
    let (task, stage) = (place.unwrap_or(was.task), was.to.unwrap_or(was.stage));
    let mut back = Change {
        title: was.title.clone(),
        branch: was.branch.clone(),
        item: was.item.or_else(|| row?.item),
        to: was.to.map(|_| was.stage),
        direct: was.to.is_some(),
        reverts: Some(entry.id),
        ..Change::empty(task, stage, was.data)
    };
    if let (Some(wrote), Some(row)) = (&was.labels_after, row) {
        let Some(old) = was.before.as_ref().and_then(|b| labels_of(&b.json)) else {
            return skipped("the journal does not know its labels before");
        };
        back.labels_after = Some(LabelBlob::new(&whole(old, &wrote.read())));
        back.before = Some(row.clone());
    }
    if let Some(wrote) = was.priority {
        let Some(old) = was.old_priority else {
            return skipped("the journal does not know its priority before");
        };
        (back.priority, back.old_priority) = (Some(old), Some(wrote));
    }
    if let Some(wrote) = &was.metadata {
        let Some(old) = &was.old_metadata else {
            return skipped("the journal does not know its client metadata before");
        };
        (back.metadata, back.old_metadata) = (Some(old.clone()), Some(wrote.clone()));
        back.metadata_before = Some(wrote.clone());
    }
    Ok(back)
}

/// A blob in which every kind of label is present, empty where it was absent: what the undone write added of that
/// kind has to go.
fn whole(mut labels: Value, wrote: &Value) -> Value {
    let Some(map) = labels.as_object_mut() else {
        return labels;
    };
    for key in ANSWERS {
        map.entry(key).or_insert_with(|| Value::Object(Map::new()));
    }
    // A part of a group that is not named would stay as it was written.
    let parts = wrote.get("spaces").and_then(Value::as_object);
    for part in parts.into_iter().flat_map(Map::keys) {
        let labels = &mut map.entry("spaces").or_insert(Value::Null)[part]["labels"];
        if labels.is_null() {
            *labels = Value::Object(Map::new());
        }
    }
    labels
}
