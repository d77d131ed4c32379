//! Label rows: created empty, saved whole, edited by somebody else.
//!
//! The labels are kept as the JSON that came, with authors and object numbers filled in. How they are
//! read is in `blob`.

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::error::Refusal;
use crate::store::catalog::Project;
use crate::time;

/// The label rows of data units on a branch that do not exist yet.
pub(crate) fn missing(
    connection: &Connection,
    project: &Project,
    data_hashes: &[Uuid],
    branch: &str,
) -> Result<bool, Refusal> {
    let mut find = connection.prepare_cached(
        "SELECT 1 FROM label l JOIN data d ON d.id = l.data WHERE l.project = ?1 AND d.hash = ?2 AND l.branch = ?3",
    )?;
    for hash in data_hashes {
        if !find.exists(params![project.id, hash, branch])? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Creates empty label rows where there are none. Idempotent.
pub(crate) fn create(
    connection: &Connection,
    project: &Project,
    data_hashes: &[Uuid],
    branch: &str,
    author: &str,
    now: i64,
) -> Result<(), Refusal> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO label(project, data, branch, hash, created, edited, creator, editor,
                           objects, classes, actions, units, spaces)
         VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?6, '{}', '{}', '{}', '{}', '{}')
         ON CONFLICT(project, data, branch) DO NOTHING",
    )?;
    for hash in data_hashes {
        let (data, dataset) = data_in_project(connection, project, *hash)?;
        debug_assert!(project.dataset(dataset).is_some());
        // Named by project, branch and data unit: the same row has the same hash in every run.
        let label = Uuid::new_v5(&project.uuid, format!("label/{branch}/{hash}").as_bytes());
        insert.execute(params![project.id, data, branch, label, now, author])?;
    }
    Ok(())
}

fn data_in_project(
    connection: &Connection,
    project: &Project,
    hash: Uuid,
) -> Result<(i64, i64), Refusal> {
    let mut find = connection.prepare_cached("SELECT id, dataset FROM data WHERE hash = ?1")?;
    let found: Option<(i64, i64)> = find
        .query_row([hash], |r| Ok((r.get(0)?, r.get(1)?)))
        .optional()?;
    found
        .filter(|(_, dataset)| project.dataset(*dataset).is_some())
        .ok_or_else(|| Refusal::NotFound(format!("data unit {hash} is not in this project")))
}

/// The lists of objects in a unit's labels: one for a picture, one per frame for a video.
pub(super) fn object_lists(labels: &mut Value) -> Vec<&mut Vec<Value>> {
    let Value::Object(map) = labels else {
        return Vec::new();
    };
    if map.contains_key("objects") {
        return map
            .get_mut("objects")
            .and_then(Value::as_array_mut)
            .into_iter()
            .collect();
    }
    map.values_mut()
        .filter_map(|frame| frame.get_mut("objects")?.as_array_mut())
        .collect()
}

/// A label row as clients save it. Whatever else it holds is made on reading.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct SavedRow {
    label_hash: Option<String>,
    data_units: Map<String, Value>,
    object_answers: Map<String, Value>,
    classification_answers: Map<String, Value>,
    object_actions: Map<String, Value>,
    spaces: Map<String, Value>,
}

/// Replaces the labels of rows, whole. One row that cannot be saved refuses all.
pub(crate) fn save(
    connection: &Connection,
    project: &Project,
    rows: Vec<(Uuid, SavedRow)>,
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
    for (hash, mut row) in rows {
        if row
            .label_hash
            .as_deref()
            .and_then(|h| Uuid::parse_str(h).ok())
            .is_some_and(|h| h != hash)
        {
            return Err(Refusal::Invalid(format!(
                "the labels for row {hash} say that they belong to another row"
            )));
        }
        let found: Option<(i64, String)> = find
            .query_row(params![hash, project.id], |r| Ok((r.get(0)?, r.get(1)?)))
            .optional()?;
        let (id, before) = found
            .ok_or_else(|| Refusal::NotFound(format!("label row {hash} is not in this project")))?;
        row.complete(&before, author, now)?;
        let units: Map<String, Value> = std::mem::take(&mut row.data_units)
            .into_iter()
            .filter_map(|(unit, mut value)| Some((unit, value.get_mut("labels")?.take())))
            .collect();
        update.execute(params![
            id,
            serde_json::to_string(&row.object_answers)?,
            serde_json::to_string(&row.classification_answers)?,
            serde_json::to_string(&row.object_actions)?,
            serde_json::to_string(&units)?,
            serde_json::to_string(&row.spaces)?,
            now,
            author
        ])?;
    }
    Ok(count)
}

impl SavedRow {
    /// Fills in what the platform fills in: authors, times, object numbers. Objects without an entry
    /// in `object_answers` are refused.
    fn complete(&mut self, before: &str, author: &str, now: i64) -> Result<(), Refusal> {
        let stamp = time::long(now);
        for (unit, value) in &mut self.data_units {
            let Some(labels) = value.get_mut("labels") else {
                continue;
            };
            for object in object_lists(labels).into_iter().flatten() {
                let hash = object
                    .get("objectHash")
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                if !self.object_answers.contains_key(hash) {
                    return Err(Refusal::Answers(format!(
                        "object {hash:?} of data unit {unit} has no entry in object_answers"
                    )));
                }
                sign(object, author, &stamp);
            }
        }
        // Objects of text and sound live in the answers alone, and so do classifications.
        let whole = |entry: &&mut Value| entry.get("featureHash").is_some();
        self.object_answers
            .values_mut()
            .filter(whole)
            .for_each(|e| sign(e, author, &stamp));
        self.classification_answers
            .values_mut()
            .for_each(|e| sign(e, author, &stamp));
        self.number_objects(before)
    }

    fn number_objects(&mut self, before: &str) -> Result<(), Refusal> {
        let before: Map<String, Value> = serde_json::from_str(before)?;
        let number = |entry: &Value| entry.get("objectNumber").and_then(Value::as_u64);
        let known = before
            .values()
            .chain(self.object_answers.values())
            .filter_map(number);
        let mut next = known.max().unwrap_or(0) + 1;
        for (hash, entry) in &mut self.object_answers {
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
        Ok(())
    }
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

/// Somebody else edits a row: a text classification is set, or all classifications go where the
/// ontology has none of text.
pub(crate) fn disturb(
    connection: &Connection,
    project: &Project,
    label: Uuid,
    editor: &str,
    now: i64,
) -> Result<(), Refusal> {
    let sql = "SELECT id, classes FROM label WHERE hash = ?1 AND project = ?2";
    let found: Option<(i64, String)> = connection
        .prepare_cached(sql)?
        .query_row(params![label, project.id], |r| Ok((r.get(0)?, r.get(1)?)))
        .optional()?;
    let Some((id, classes)) = found else {
        return Ok(());
    };
    let mut classes: Map<String, Value> = serde_json::from_str(&classes)?;
    let hash = crate::ids::short_hash(crate::ids::mix(now.unsigned_abs()));
    let ontology: Value = serde_json::from_str(project.ontology.editor.get())?;
    let text = ontology["classifications"]
        .as_array()
        .and_then(|list| list.iter().find(|c| c["attributes"][0]["type"] == "text"));
    if let Some(found) = text {
        let attribute = &found["attributes"][0];
        let name = attribute["name"].as_str().unwrap_or_default();
        let entry = json!({
            "classificationHash": hash, "featureHash": found["featureNodeHash"], "spaces": {}, "range": [[0, 0]],
            "createdBy": editor, "createdAt": time::long(now), "lastEditedBy": editor,
            "lastEditedAt": time::long(now), "confidence": 1.0, "manualAnnotation": true,
            "classifications": [{
                "name": name, "value": name.to_lowercase(), "answers": "edited by somebody else",
                "featureHash": attribute["featureNodeHash"], "manualAnnotation": true,
            }],
        });
        classes.retain(|_, c| c["featureHash"] != found["featureNodeHash"]);
        classes.insert(hash, entry);
    } else {
        classes.clear();
    }
    connection
        .prepare_cached("UPDATE label SET classes = ?2, edited = ?3, editor = ?4 WHERE id = ?1")?
        .execute(params![id, serde_json::to_string(&classes)?, now, editor])?;
    Ok(())
}
