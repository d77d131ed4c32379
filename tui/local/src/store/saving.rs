//! Saves whole label rows. Each row is checked and completed before it is queued for the writer.
//!
//! The labels are stored as the JSON that was sent, with authors and object numbers filled in. A save may
//! carry a thousand rows with many objects each, and parsed JSON takes ten times the memory of its text,
//! so only one row is parsed at a time.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension as _, params};
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};
use uuid::Uuid;

use crate::error::{Refusal, invalid, not_found};
use crate::store::catalog::Project;
use crate::store::exact::{self, Fields, edit_objects};
use crate::store::tx::Tx;
use crate::time;

/// Fields of a row that the server computes on every read. All others are stored.
const ROW_FIELDS: [&str; 33] = [
    "annotation_task_status",
    "assigned_user_email",
    "audio_bit_depth",
    "audio_codec",
    "audio_num_channels",
    "audio_sample_rate",
    "backing_item_uuid",
    "branch_name",
    "client_metadata",
    "created_at",
    "data_hash",
    "data_link",
    "data_title",
    "data_type",
    "dataset_hash",
    "dataset_title",
    "duration",
    "file_type",
    "frames_per_second",
    "group_hash",
    "height",
    "images_data",
    "is_shadow_data",
    "is_valid",
    "label_hash",
    "label_status",
    "last_actioned_by_user_email",
    "last_edited_at",
    "number_of_frames",
    "priority",
    "task_uuid",
    "width",
    "workflow_graph_node",
];

/// The same of a data unit.
const UNIT_FIELDS: [&str; 13] = [
    "audio_bit_depth",
    "audio_codec",
    "audio_num_channels",
    "audio_sample_rate",
    "data_duration",
    "data_fps",
    "data_hash",
    "data_link",
    "data_sequence",
    "data_title",
    "data_type",
    "height",
    "width",
];

/// Author and time as JSON, for entries without them.
struct Stamp {
    author: Box<RawValue>,
    time: Box<RawValue>,
}

/// The columns of a row, complete except for the numbers of new objects.
pub(crate) struct ReadyRow {
    label_hash: Option<Uuid>,
    objects: String,
    classes: String,
    actions: String,
    units: String,
    spaces: String,
    extra: String,
}

/// Fields that clients save and this server does not interpret.
#[derive(Default, serde::Serialize)]
struct Extra<'a> {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    row: Fields<'a>,
    /// By data unit.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    units: BTreeMap<String, Fields<'a>>,
}

impl ReadyRow {
    /// Reads a row from JSON and fills in authors and times. An object without an entry in
    /// `object_answers` is refused.
    pub(crate) fn read(text: &str, author: &str, now: i64) -> Result<Self, Refusal> {
        let mut row: Fields<'_> = serde_json::from_str(text)?;
        let stamp = Stamp {
            author: to_raw_value(author)?,
            time: to_raw_value(&time::long(now))?,
        };
        let answers = object_of(row.remove("object_answers"), "object_answers")?;
        let classes = object_of(
            row.remove("classification_answers"),
            "classification_answers",
        )?;
        let actions = object_of(row.remove("object_actions"), "object_actions")?;
        let spaces = object_of(row.remove("spaces"), "spaces")?;
        let mut extra = Extra::default();
        let units = object_of(row.remove("data_units"), "data_units")?;
        let units = units_of(units, &answers, &stamp, &mut extra)?;
        let label_hash = row.get("label_hash").and_then(|h| {
            let text: Option<String> = serde_json::from_str(h.get()).ok()?;
            Uuid::parse_str(&text?).ok()
        });
        row.retain(|name, _| !ROW_FIELDS.contains(&name.as_str()));
        extra.row = row;
        // Objects of text and sound live in the answers alone, and so do classifications.
        let sign_whole = |entry: &RawValue| match exact::field(entry, "featureHash") {
            Some(_) => stamp.sign(entry),
            None => Ok(entry.to_owned()),
        };
        Ok(Self {
            label_hash,
            objects: mapped(&answers, sign_whole)?,
            classes: mapped(&classes, |entry| stamp.sign(entry))?,
            actions: serde_json::to_string(&actions)?,
            units,
            spaces: mapped_by_name(&spaces, |space, content| {
                let Some(mut fields) = exact::fields(content) else {
                    return Ok(content.to_owned());
                };
                let Some(labels) = fields.get("labels") else {
                    return Ok(content.to_owned());
                };
                let labels = signed(labels, &answers, &format!("space {space}"), &stamp)?;
                fields.insert("labels".to_owned(), &labels);
                Ok(to_raw_value(&fields)?)
            })?,
            extra: serde_json::to_string(&extra)?,
        })
    }
}

/// The labels of each data unit with authors; other fields of a unit go to `extra`.
fn units_of<'a>(
    sent: Fields<'a>,
    answers: &Fields<'_>,
    stamp: &Stamp,
    extra: &mut Extra<'a>,
) -> Result<String, Refusal> {
    let mut units = BTreeMap::new();
    for (unit, sent) in sent {
        if Uuid::parse_str(&unit).is_err() {
            return Err(invalid!(
                "`data_units` names {unit:?}, which is not a data hash"
            ));
        }
        let mut fields = object_of(Some(sent), &format!("data_units.{unit}"))?;
        if let Some(labels) = fields.remove("labels").filter(|l| l.get() != "null") {
            let place = format!("data unit {unit}");
            units.insert(unit.clone(), signed(labels, answers, &place, stamp)?);
        }
        fields.retain(|name, _| !UNIT_FIELDS.contains(&name.as_str()));
        if !fields.is_empty() {
            extra.units.insert(unit, fields);
        }
    }
    Ok(serde_json::to_string(&units)?)
}

/// The fields of a part of a row, none where it is absent.
fn object_of<'a>(part: Option<&'a RawValue>, name: &str) -> Result<Fields<'a>, Refusal> {
    let Some(part) = part else {
        return Ok(Fields::new());
    };
    if !part.get().starts_with('{') {
        return Err(invalid!("`{name}` is not an object"));
    }
    serde_json::from_str(part.get()).map_err(|e| invalid!("`{name}`: {e}"))
}

fn mapped(
    fields: &Fields<'_>,
    change: impl Fn(&RawValue) -> Result<Box<RawValue>, Refusal>,
) -> Result<String, Refusal> {
    mapped_by_name(fields, |_, value| change(value))
}

/// The fields as JSON, with each value changed.
fn mapped_by_name(
    fields: &Fields<'_>,
    change: impl Fn(&str, &RawValue) -> Result<Box<RawValue>, Refusal>,
) -> Result<String, Refusal> {
    let changed = fields
        .iter()
        .map(|(name, value)| Ok((name, change(name, value)?)))
        .collect::<Result<BTreeMap<_, _>, Refusal>>()?;
    Ok(serde_json::to_string(&changed)?)
}

/// Labels with authors on their objects. Each object must have an answer.
fn signed(
    labels: &RawValue,
    answers: &Fields<'_>,
    place: &str,
    stamp: &Stamp,
) -> Result<Box<RawValue>, Refusal> {
    edit_objects(labels, &mut |object| {
        let hash: String = exact::text(object, "objectHash").unwrap_or_default();
        if !answers.contains_key(&hash) {
            return Err(Refusal::Answers(format!(
                "object {hash:?} of {place} has no entry in object_answers"
            )));
        }
        Ok(Some(stamp.sign(object)?))
    })
}

impl Stamp {
    /// Null or absent authors mean "the caller".
    fn sign(&self, entry: &RawValue) -> Result<Box<RawValue>, Refusal> {
        let Some(mut fields) = exact::fields(entry) else {
            return Ok(entry.to_owned());
        };
        let defaults = [
            ("createdBy", &self.author),
            ("lastEditedBy", &self.author),
            ("createdAt", &self.time),
            ("lastEditedAt", &self.time),
        ];
        for (key, value) in defaults {
            let slot = fields.entry(key.to_owned()).or_insert(value);
            if slot.get() == "null" {
                *slot = value;
            }
        }
        Ok(to_raw_value(&fields)?)
    }
}

/// Replaces the labels of rows, or of none if one cannot be saved.
pub(crate) fn save(
    tx: &Tx<'_>,
    project: &Project,
    rows: Vec<(Uuid, ReadyRow)>,
) -> Result<usize, Refusal> {
    let mut find =
        tx.prepare_cached("SELECT id, objects FROM label WHERE hash = ?1 AND project = ?2")?;
    let mut update = tx.prepare_cached(
        "UPDATE label SET objects = ?2, classes = ?3, actions = ?4, units = ?5, spaces = ?6, edited = ?7, editor = ?8,
                          extra = ?9
         WHERE id = ?1",
    )?;
    let count = rows.len();
    for (hash, row) in rows {
        if row.label_hash.is_some_and(|h| h != hash) {
            return Err(invalid!(
                "the labels for row {hash} name another row as their own"
            ));
        }
        let found: Option<(i64, String)> = find
            .query_row(params![hash, project.id], |r| r.try_into())
            .optional()?;
        let (id, before) =
            found.ok_or_else(|| not_found!("label row {hash} is not in this project"))?;
        let objects = numbered(&row.objects, &before)?;
        update.execute(params![
            id,
            objects,
            row.classes,
            row.actions,
            row.units,
            row.spaces,
            tx.now,
            tx.actor,
            row.extra,
        ])?;
    }
    Ok(count)
}

/// The object number in an answer. Anything but an unsigned 64-bit integer counts as missing.
#[derive(Deserialize)]
struct Number<'a> {
    #[serde(borrow, rename = "objectNumber")]
    number: Option<&'a RawValue>,
}

fn number(entry: &RawValue) -> Option<u64> {
    let found: Number<'_> = serde_json::from_str(entry.get()).ok()?;
    found.number?.get().parse().ok()
}

/// The answers with a number for each object. Existing objects keep theirs.
fn numbered(objects: &str, before: &str) -> Result<String, Refusal> {
    let objects: Fields<'_> = serde_json::from_str(objects)?;
    let before: Fields<'_> = serde_json::from_str(before)?;
    let known = before.values().chain(objects.values());
    let known = known.filter_map(|entry| number(entry));
    let mut next = known.max().unwrap_or(0);
    let mut out: BTreeMap<&str, Box<RawValue>> = BTreeMap::new();
    for (hash, entry) in &objects {
        let fields = exact::fields(entry).filter(|_| number(entry).is_none());
        let Some(mut fields) = fields else {
            out.insert(hash, (*entry).to_owned());
            continue;
        };
        let kept = before.get(hash).and_then(|entry| number(entry));
        let given = kept.unwrap_or_else(|| {
            next = next.saturating_add(1);
            next
        });
        let given = to_raw_value(&given)?;
        fields.insert("objectNumber".to_owned(), &given);
        out.insert(hash, to_raw_value(&fields)?);
    }
    Ok(serde_json::to_string(&out)?)
}
