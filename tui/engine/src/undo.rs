//! The inverse of what was written: labels, priority and metadata as they were, the task back where
//! it came from. A task that somebody changed since is named and left, as a whole. The screen and
//! `workbench undo` both come here. How a whole operation goes back stands in `back`.

mod back;

pub use back::take_back;

use crate::journal::{self, Change, Entry, Journal, options_of};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap, HashSet};
use wb_client::Reader;
use wb_core::error::Error;
use wb_core::ids::{DataHash, StageId, TaskId};
use wb_core::journal::Restore;
use wb_core::work::wire::{IncludeOptions, InitialiseOptions};
use wb_core::work::{CommitItem, LabelBlob, Project, RowInput};

/// Why a task is left.
#[derive(Debug, PartialEq, Eq)]
pub struct Skipped(pub String);

fn skipped<T>(why: &str) -> Result<T, Skipped> {
    Err(Skipped(why.to_owned()))
}

/// Entries that are looked at and taken back together.
const CHUNK: usize = 300;

/// What became of one task of an undo.
pub enum Told<'a> {
    /// As it was before.
    Restored,
    /// Somebody changed it since.
    Left(&'a str),
    /// The platform refused it.
    Failed(&'a str),
}

/// What an undo of an operation would do, task by task. Nothing is written.
///
/// # Errors
/// The journal cannot be read, or the platform not be asked.
pub async fn preview(
    reader: &Reader,
    journal: &Journal,
    project: &Project,
    op: i64,
) -> Result<Vec<Restore>, Error> {
    // Of a unit that was written twice only the newest write can be looked at now.
    let mut units = HashSet::new();
    let mut all: Vec<Restore> = Vec::new();
    let mut places: HashMap<DataHash, usize> = HashMap::new();
    let mut older = Vec::new();
    let mut below = i64::MAX;
    loop {
        let (entries, last) = journal.standing(op, below, CHUNK)?;
        let (newest, before): (Vec<Entry>, Vec<Entry>) =
            (entries.into_iter()).partition(|e| units.insert(e.change.item.data));
        for (entry, found) in newest.iter().zip(inverse(reader, project, &newest).await?) {
            let (what, left) = match found {
                Err(_) if entry.overtaken => continue,
                Ok(change) => (in_words(&change, project), None),
                Err(Skipped(why)) => (Vec::new(), Some(why)),
            };
            let title = entry.change.item.title.to_string();
            if left.is_none() {
                places.insert(entry.change.item.data, all.len());
            }
            all.push(Restore { title, what, left });
        }
        let stage = |e: Entry| (e.change.item.data, e.change.item.stage);
        older.extend(before.into_iter().map(stage));
        let Some(last) = last else { break };
        below = last;
    }
    for (data, stage) in older {
        let from = project.workflow.stage(stage);
        if let (Some(place), Some(from)) = (places.get(&data), from) {
            all[*place]
                .what
                .push(format!("then back to {}", from.title));
        }
    }
    Ok(all)
}

fn in_words(change: &Change, project: &Project) -> Vec<String> {
    let mut what = Vec::new();
    if let Some(stage) = change.to.and_then(|to| project.workflow.stage(to)) {
        what.push(format!("back to {}", stage.title));
    }
    if change.item.labels_after.is_some() {
        what.push("labels as they were".to_owned());
    }
    if let Some(priority) = change.item.priority {
        what.push(format!("priority {priority}"));
    }
    if change.item.metadata.is_some() {
        what.push("metadata as they were".to_owned());
    }
    what
}

/// What takes each entry back, in the order given.
///
/// # Errors
/// The platform cannot be asked where the tasks are.
pub async fn inverse(
    reader: &Reader,
    project: &Project,
    entries: &[Entry],
) -> Result<Vec<Result<Change, Skipped>>, Error> {
    let places = places(reader, project, entries).await?;
    let rows = rows(reader, project, entries).await;
    let each = entries.iter().enumerate().map(|(i, entry)| {
        let place = match (entry.change.to, places.get(&i)) {
            (Some(_), None) => {
                let stage = entry
                    .change
                    .to
                    .and_then(|to| project.workflow.stage(to))
                    .map_or("its stage", |s| s.title.as_str());
                return skipped(&format!(
                    "the task is no longer at \"{stage}\", where it was sent"
                ));
            }
            (_, place) => place.copied(),
        };
        let row = match rows.get(&i) {
            Some(Ok(row)) => Some(row),
            Some(Err(error)) => return skipped(&error.summary),
            None => None,
        };
        one(entry, place, row)
    });
    Ok(each.collect())
}

/// Where the moved tasks are now: the task that each is at the stage it was sent to.
async fn places(
    reader: &Reader,
    project: &Project,
    entries: &[Entry],
) -> Result<HashMap<usize, TaskId>, Error> {
    let mut stages: BTreeMap<StageId, Vec<usize>> = BTreeMap::new();
    for (i, entry) in entries.iter().enumerate() {
        if let Some(to) = entry.change.to {
            stages.entry(to).or_default().push(i);
        }
    }
    let mut found = HashMap::new();
    for (stage, members) in stages {
        let Some(stage) = project.workflow.stage(stage) else {
            continue;
        };
        let data: Vec<DataHash> = members
            .iter()
            .map(|i| entries[*i].change.item.data)
            .collect();
        let rows = reader.tasks_of(project.hash, stage, &data).await?;
        let by_id: HashMap<TaskId, _> = rows.iter().map(|r| (r.id, r)).collect();
        let by_data: HashMap<DataHash, TaskId> = rows.iter().map(|r| (r.data, r.id)).collect();
        for i in members {
            let item = &entries[i].change.item;
            // A task may get a new identity with its new stage; its data unit stays.
            let task = by_id
                .get(&item.task)
                .map(|r| r.id)
                .or_else(|| by_data.get(&item.data).copied());
            if let Some(task) = task {
                found.insert(i, task);
            }
        }
    }
    Ok(found)
}

/// The label rows as they are now, where something of them was written.
async fn rows(
    reader: &Reader,
    project: &Project,
    entries: &[Entry],
) -> HashMap<usize, Result<RowInput, Error>> {
    let mut groups: BTreeMap<String, (InitialiseOptions, Vec<usize>)> = BTreeMap::new();
    for (i, entry) in entries.iter().enumerate() {
        let item = &entry.change.item;
        if item.labels_after.is_none() && item.priority.is_none() && item.metadata.is_none() {
            continue;
        }
        // What an agent saw only a part of is compared and restored in that part.
        let options = item
            .labels_after
            .as_ref()
            .and(item.before.as_ref())
            .map(|b| options_of(&b.json))
            .unwrap_or_default();
        let key = serde_json::to_string(&options).unwrap_or_default();
        groups
            .entry(key)
            .or_insert_with(|| (options, Vec::new()))
            .1
            .push(i);
    }
    let include = IncludeOptions {
        client_metadata: true,
        ..IncludeOptions::default()
    };
    let mut found = HashMap::new();
    for (options, members) in groups.into_values() {
        let units: Vec<_> = members
            .iter()
            .map(|i| {
                (
                    entries[*i].change.item.data,
                    entries[*i].change.item.branch.clone(),
                )
            })
            .collect();
        let rows = reader
            .label_rows(project.hash, &units, &include, &options)
            .await;
        found.extend(members.into_iter().zip(rows));
    }
    found
}

fn labels_of(json: &str) -> Option<Value> {
    serde_json::from_str::<Value>(json)
        .ok()?
        .get_mut("labels")
        .map(Value::take)
}

/// How what was written stands now.
pub enum Stands {
    /// As it was written.
    AsWritten,
    /// Somebody changed it since.
    Changed(String),
    /// The labels are again as they were before.
    TakenBack,
    /// It cannot be read.
    Unknown(Error),
}

/// Looks at what these entries wrote, in the order given.
pub async fn stand(reader: &Reader, project: &Project, entries: &[Entry]) -> Vec<Stands> {
    let rows = rows(reader, project, entries).await;
    let each = entries.iter().enumerate().map(|(i, entry)| {
        let row = match rows.get(&i) {
            Some(Ok(row)) => Some(row),
            Some(Err(error)) => return Stands::Unknown(error.clone()),
            None => None,
        };
        match unchanged(&entry.change, row) {
            Ok(()) => Stands::AsWritten,
            Err(_) if is_before(&entry.change, row) => Stands::TakenBack,
            Err(Skipped(why)) => Stands::Changed(why),
        }
    });
    each.collect()
}

/// Whether the labels are as they were before the change.
fn is_before(change: &Change, row: Option<&RowInput>) -> bool {
    let before = change.item.before.as_ref().and_then(|b| labels_of(&b.json));
    let now = row.and_then(|row| labels_of(&row.json));
    match (change.item.labels_after.is_some(), before, now) {
        (true, Some(before), Some(now)) => wb_client::saved_as(&now, &before),
        _ => false,
    }
}

/// Whether everything that a change wrote stands as it left it.
fn unchanged(change: &Change, row: Option<&RowInput>) -> Result<(), Skipped> {
    let was = &change.item;
    if let (Some(wrote), Some(row)) = (&was.labels_after, row) {
        let Some(now) = labels_of(&row.json) else {
            return skipped("its label row cannot be read");
        };
        if !wb_client::saved_as(&now, &wrote.read()) {
            return skipped("its labels were changed since");
        }
    }
    let now = row.and_then(|r| r.priority);
    if let (Some(wrote), Some(now)) = (was.priority, now)
        && !wb_client::same_priority(now, wrote)
    {
        return skipped("its priority was changed since");
    }
    let now = row.and_then(|r| journal::metadata_of(&r.json));
    if let (Some(wrote), Some(now)) = (&was.metadata, now)
        && now != *wrote
    {
        return skipped("its client metadata were changed since");
    }
    Ok(())
}

fn one(entry: &Entry, place: Option<TaskId>, row: Option<&RowInput>) -> Result<Change, Skipped> {
    let change = &entry.change;
    unchanged(change, row)?;
    let was = &change.item;
    let mut item = CommitItem {
        task: place.unwrap_or(was.task),
        stage: change.to.unwrap_or(was.stage),
        data: was.data,
        title: was.title.clone(),
        branch: was.branch.clone(),
        before: None,
        labels_after: None,
        priority: None,
        metadata: None,
        metadata_before: None,
        item: was.item.or_else(|| row?.item),
        pathway: None,
    };
    if let (Some(wrote), Some(row)) = (&was.labels_after, row) {
        let Some(old) = was.before.as_ref().and_then(|b| labels_of(&b.json)) else {
            return skipped("the journal does not know its labels before");
        };
        item.labels_after = Some(LabelBlob::new(&whole(old, &wrote.read())));
        item.before = Some(row.clone());
    }
    let mut old_priority = None;
    if let Some(wrote) = was.priority {
        let Some(old) = change.old_priority else {
            return skipped("the journal does not know its priority before");
        };
        (item.priority, old_priority) = (Some(old), Some(wrote));
    }
    let mut old_metadata = None;
    if let Some(wrote) = &was.metadata {
        let Some(old) = &change.old_metadata else {
            return skipped("the journal does not know its client metadata before");
        };
        (item.metadata, old_metadata) = (Some(old.clone()), Some(wrote.clone()));
        item.metadata_before = Some(wrote.clone());
    }
    let to = change.to.map(|_| was.stage);
    Ok(Change {
        item,
        to,
        direct: to.is_some(),
        old_priority,
        old_metadata,
        reverts: Some(entry.id),
    })
}

/// A blob that says of every kind of label that there is none, where it was silent: what the undone
/// write added of that kind has to go.
fn whole(mut labels: Value, wrote: &Value) -> Value {
    let Some(map) = labels.as_object_mut() else {
        return labels;
    };
    for key in ["object_answers", "classification_answers", "object_actions"] {
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
