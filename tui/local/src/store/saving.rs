//! Saving label rows, whole: what came is checked and completed, row by row, before the writer has it.
//!
//! The labels are kept as the JSON that came, with authors and object numbers filled in. A save may
//! carry a thousand rows with many objects each; parsed, JSON takes ten times the memory of its text,
//! so that no more than one row is parsed at a time.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::error::Refusal;
use crate::store::catalog::Project;
use crate::time;

/// A label row as clients save it. Whatever else it holds is made on reading.
#[derive(Deserialize)]
struct Sent<'a> {
    label_hash: Option<String>,
    #[serde(default)]
    data_units: BTreeMap<String, Unit>,
    #[serde(default)]
    object_answers: Map<String, Value>,
    #[serde(default)]
    classification_answers: Map<String, Value>,
    #[serde(borrow)]
    object_actions: Option<&'a RawValue>,
    #[serde(borrow)]
    spaces: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Unit {
    labels: Option<Value>,
}

/// The texts of a row, ready to be kept but for the numbers of new objects.
pub(crate) struct Ready {
    label_hash: Option<Uuid>,
    objects: String,
    classes: String,
    actions: String,
    units: String,
    spaces: String,
}

impl Ready {
    /// Reads a row from JSON and fills in authors and times. An object without an entry in
    /// `object_answers` is refused.
    pub(crate) fn read(text: &str, author: &str, now: i64) -> Result<Self, Refusal> {
        let mut row: Sent<'_> = serde_json::from_str(text)?;
        let stamp = time::long(now);
        for (unit, sent) in &mut row.data_units {
            for object in sent.labels.iter_mut().flat_map(object_lists).flatten() {
                let hash = object
                    .get("objectHash")
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                if !row.object_answers.contains_key(hash) {
                    return Err(Refusal::Answers(format!(
                        "object {hash:?} of data unit {unit} has no entry in object_answers"
                    )));
                }
                sign(object, author, &stamp);
            }
        }
        // Objects of text and sound live in the answers alone, and so do classifications.
        let whole = |entry: &&mut Value| entry.get("featureHash").is_some();
        let objects = row.object_answers.values_mut().filter(whole);
        let signed = objects.chain(row.classification_answers.values_mut());
        signed.for_each(|entry| sign(entry, author, &stamp));
        let units: BTreeMap<&String, &Value> = row
            .data_units
            .iter()
            .filter_map(|(unit, sent)| Some((unit, sent.labels.as_ref()?)))
            .collect();
        Ok(Self {
            label_hash: row
                .label_hash
                .as_deref()
                .and_then(|h| Uuid::parse_str(h).ok()),
            objects: serde_json::to_string(&row.object_answers)?,
            classes: serde_json::to_string(&row.classification_answers)?,
            actions: object_text(row.object_actions, "object_actions")?,
            units: serde_json::to_string(&units)?,
            spaces: spaces_text(row.spaces, &row.object_answers, author, &stamp)?,
        })
    }
}

/// A part that is kept as it came, if it is an object.
fn object_text(part: Option<&RawValue>, name: &str) -> Result<String, Refusal> {
    match part.map_or("{}", RawValue::get) {
        object if object.starts_with('{') => Ok(object.to_owned()),
        _ => Err(Refusal::Invalid(format!("`{name}` is not an object"))),
    }
}

/// The labels on the parts of a data group, with authors filled in.
fn spaces_text(
    part: Option<&RawValue>,
    answers: &Map<String, Value>,
    author: &str,
    stamp: &str,
) -> Result<String, Refusal> {
    let sent = object_text(part, "spaces")?;
    if sent == "{}" {
        return Ok(sent);
    }
    let mut spaces: Map<String, Value> = serde_json::from_str(&sent)?;
    for (space, content) in &mut spaces {
        let Some(labels) = content.get_mut("labels") else {
            continue;
        };
        for object in object_lists(labels).into_iter().flatten() {
            let hash = object.get("objectHash").and_then(Value::as_str);
            let hash = hash.unwrap_or_default();
            if !answers.contains_key(hash) {
                return Err(Refusal::Answers(format!(
                    "object {hash:?} of space {space} has no entry in object_answers"
                )));
            }
            sign(object, author, stamp);
        }
    }
    Ok(serde_json::to_string(&spaces)?)
}

/// Replaces the labels of rows, whole. One row that cannot be saved refuses all.
pub(crate) fn save(
    connection: &Connection,
    project: &Project,
    rows: Vec<(Uuid, Ready)>,
    author: &str,
    now: i64,
) -> Result<usize, Refusal> {
    let mut find = connection
        .prepare_cached("SELECT id, objects FROM label WHERE hash = ?1 AND project = ?2")?;
    let mut update = connection.prepare_cached(
        "UPDATE label SET objects = ?2, classes = ?3, actions = ?4, units = ?5, spaces = ?6, edited = ?7, editor = ?8
         WHERE id = ?1",
    )?;
    let count = rows.len();
    for (hash, row) in rows {
        if row.label_hash.is_some_and(|h| h != hash) {
            return Err(Refusal::Invalid(format!(
                "the labels for row {hash} say that they belong to another row"
            )));
        }
        let found: Option<(i64, String)> = find
            .query_row(params![hash, project.id], |r| Ok((r.get(0)?, r.get(1)?)))
            .optional()?;
        let (id, before) = found
            .ok_or_else(|| Refusal::NotFound(format!("label row {hash} is not in this project")))?;
        let objects = numbered(&row.objects, &before)?;
        update.execute(params![
            id,
            objects,
            row.classes,
            row.actions,
            row.units,
            row.spaces,
            now,
            author
        ])?;
    }
    Ok(count)
}

/// The objects' answers with a number for each object: an object keeps the one it had before.
fn numbered(objects: &str, before: &str) -> Result<String, Refusal> {
    let mut objects: Map<String, Value> = serde_json::from_str(objects)?;
    let before: Map<String, Value> = serde_json::from_str(before)?;
    let number = |entry: &Value| entry.get("objectNumber").and_then(Value::as_u64);
    let known = before.values().chain(objects.values()).filter_map(number);
    let mut next = known.max().unwrap_or(0) + 1;
    for (hash, entry) in &mut objects {
        if number(entry).is_some() {
            continue;
        }
        let Some(fields) = entry.as_object_mut() else {
            continue;
        };
        let kept = before.get(hash).and_then(number);
        fields.insert("objectNumber".to_owned(), json!(kept.unwrap_or(next)));
        next += u64::from(kept.is_none());
    }
    Ok(serde_json::to_string(&objects)?)
}

/// The lists of objects in a unit's labels: one for a picture, one per frame for a video.
pub(super) fn object_lists(labels: &mut Value) -> Vec<&mut Vec<Value>> {
    let Value::Object(map) = labels else {
        return Vec::new();
    };
    if map.contains_key("objects") {
        let list = map.get_mut("objects").and_then(Value::as_array_mut);
        return list.into_iter().collect();
    }
    map.values_mut()
        .filter_map(|frame| frame.get_mut("objects")?.as_array_mut())
        .collect()
}

/// Null or absent authors mean "the caller".
fn sign(entry: &mut Value, author: &str, stamp: &str) {
    let Some(fields) = entry.as_object_mut() else {
        return;
    };
    let defaults = [
        ("createdBy", author),
        ("lastEditedBy", author),
        ("createdAt", stamp),
        ("lastEditedAt", stamp),
    ];
    for (key, value) in defaults {
        let slot = fields.entry(key).or_insert(Value::Null);
        if slot.is_null() {
            *slot = Value::String(value.to_owned());
        }
    }
}
