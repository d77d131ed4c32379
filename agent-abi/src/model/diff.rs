//! What changed between two states of a label row: objects and classifications by their hashes.
//!
//! How a change is drawn is left to the screen.

use super::{Classification, LabelRow, Object};
use serde_json::Value;
use std::collections::HashMap;

/// What happened to a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelChangeKind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It is there in both, but not the same.
    Changed,
}

/// One changed label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelChange {
    /// What happened.
    pub kind: LabelChangeKind,
    /// Whether it is an object (else a classification).
    pub is_object: bool,
    /// Its kind in the ontology.
    pub name: String,
    /// Its hash.
    pub hash: String,
    /// Frames it is on or was on, ascending ranges, both ends included.
    pub frames: Vec<(u64, u64)>,
    /// A short text a person can read: shape, place, answers; `before → after` for a change.
    pub detail: String,
}

/// Lists what differs, objects first, in the order of `after`, removed ones last. Who made a label
/// and when does not count.
#[must_use]
pub fn diff(before: &LabelRow, after: &LabelRow) -> Vec<LabelChange> {
    let mut out = Vec::new();
    compare(&facts(before, true), &facts(after, true), true, &mut out);
    compare(&facts(before, false), &facts(after, false), false, &mut out);
    out
}

/// A label reduced to what counts.
struct Fact {
    hash: String,
    name: String,
    frames: Vec<(u64, u64)>,
    text: String,
    core: Value,
}

fn facts(row: &LabelRow, objects: bool) -> Vec<Fact> {
    if objects {
        row.objects()
            .iter()
            .map(|object| of_object(row, object))
            .collect()
    } else {
        row.classifications()
            .iter()
            .map(|c| of_classification(row, c))
            .collect()
    }
}

fn compare<'f>(before: &'f [Fact], after: &'f [Fact], is_object: bool, out: &mut Vec<LabelChange>) {
    let change = |kind, fact: &Fact, detail: String| LabelChange {
        kind,
        is_object,
        name: fact.name.clone(),
        hash: fact.hash.clone(),
        frames: fact.frames.clone(),
        detail,
    };
    let by_hash = |facts: &'f [Fact]| -> HashMap<&'f str, &'f Fact> {
        facts.iter().map(|fact| (&*fact.hash, fact)).collect()
    };
    let (known, left) = (by_hash(before), by_hash(after));
    for new in after {
        match known.get(&*new.hash) {
            None => out.push(change(LabelChangeKind::Added, new, new.text.clone())),
            Some(old) if old.core != new.core => {
                let detail = if old.text == new.text {
                    new.text.clone()
                } else {
                    format!("{} → {}", old.text, new.text)
                };
                out.push(change(LabelChangeKind::Changed, new, detail));
            }
            Some(_) => {}
        }
    }
    for old in before.iter().filter(|old| !left.contains_key(&*old.hash)) {
        out.push(change(LabelChangeKind::Removed, old, old.text.clone()));
    }
}

fn of_object(row: &LabelRow, object: &Object<'_>) -> Fact {
    let frames = object.frames();
    let mut text = object.shape().word().to_owned();
    if let Some(area) = frames.first().and_then(|frame| object.bounding_box(*frame)) {
        text = format!(
            "box {:.3} {:.3} {:.3} {:.3}",
            area.x, area.y, area.w, area.h
        );
    }
    let entry = &row.labels()["object_answers"][object.hash()];
    text.push_str(&answers(&entry["classifications"]));
    let drawn: Vec<Value> = frames
        .iter()
        .filter_map(|f| object.on_frame(*f))
        .map(bare)
        .collect();
    let actions = &row.labels()["object_actions"][object.hash()]["actions"];
    let core = serde_json::json!([frames, drawn, bare(entry), bare(actions)]);
    let frames = if frames.is_empty() {
        object.ranges()
    } else {
        joined(&frames)
    };
    Fact {
        hash: object.hash().to_owned(),
        name: object.name().to_owned(),
        frames,
        text,
        core,
    }
}

fn of_classification(row: &LabelRow, classification: &Classification<'_>) -> Fact {
    let entry = &row.labels()["classification_answers"][classification.hash()];
    let core = serde_json::json!([
        classification.ranges(),
        bare(&entry["classifications"]),
        entry["confidence"]
    ]);
    Fact {
        hash: classification.hash().to_owned(),
        name: classification.title().to_owned(),
        frames: classification.ranges(),
        text: classification
            .answer()
            .map(|a| a.to_string())
            .unwrap_or_default(),
        core,
    }
}

/// `, Colour: Red, Plate: ABC`.
fn answers(entries: &Value) -> String {
    let one = |entry: &Value| {
        let name = entry["name"].as_str()?;
        let value = match &entry["answers"] {
            Value::String(text) => text.clone(),
            Value::Array(list) => list
                .iter()
                .filter_map(|o| o["name"].as_str())
                .collect::<Vec<_>>()
                .join("+"),
            other => other.to_string(),
        };
        Some(format!(", {name}: {value}"))
    };
    entries
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(one)
        .collect()
}

/// Without who and when.
fn bare(value: &Value) -> Value {
    const NOISE: [&str; 6] = [
        "createdAt",
        "createdBy",
        "lastEditedAt",
        "lastEditedBy",
        "manualAnnotation",
        "objectNumber",
    ];
    match value {
        Value::Object(map) => map
            .iter()
            .filter(|(k, _)| !NOISE.contains(&k.as_str()))
            .map(|(k, v)| (k.clone(), bare(v)))
            .collect(),
        Value::Array(list) => list.iter().map(bare).collect(),
        other => other.clone(),
    }
}

fn joined(frames: &[u64]) -> Vec<(u64, u64)> {
    let mut out: Vec<(u64, u64)> = Vec::new();
    for frame in frames {
        match out.last_mut() {
            Some((_, end)) if *end + 1 == *frame => *end = *frame,
            _ => out.push((*frame, *frame)),
        }
    }
    out
}
