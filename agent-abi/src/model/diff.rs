//! What changed between two states of a label row: objects and classifications by their hashes.
//!
//! How a change is drawn is left to the screen.

use super::{Classification, LabelRow, Object, quoted};
use serde_json::Value;
use std::collections::{HashMap, HashSet};

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
#[non_exhaustive]
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
    compare((before, after), true, &mut out);
    compare((before, after), false, &mut out);
    out
}

/// A label reduced to what counts. Nothing of it is copied: most labels are the same in both rows.
pub(super) struct Fact<'r> {
    pub hash: &'r str,
    name: &'r str,
    /// The part of a data group that it lies on.
    pub part: Option<&'r str>,
    /// Frames or ranges.
    pub frames: Vec<(u64, u64)>,
    /// Everything else that is compared.
    pub values: Vec<&'r Value>,
    /// Its authors, beside the values.
    pub answers: &'r Value,
    pub label: Label<'r>,
}

pub(super) enum Label<'r> {
    Object(Object<'r>),
    /// An object on a part of a data group, as it stands on its first frame there.
    OnPart(&'r Value),
    Classification(Classification<'r>),
}

impl Fact<'_> {
    /// Whether both are the same but for who and when.
    pub(super) fn same(&self, other: &Fact<'_>) -> bool {
        self.part == other.part
            && self.frames == other.frames
            && self.values.len() == other.values.len()
            && (self.values.iter().zip(&other.values)).all(|(one, other)| same(one, other))
    }

    /// What a person reads.
    fn text(&self, row: &LabelRow) -> String {
        match &self.label {
            Label::Object(object) => text_of_object(row, object),
            Label::OnPart(object) => {
                let shape = object["shape"].as_str().unwrap_or("object");
                let part = self.part.unwrap_or_default();
                let answers = answers(&self.answers["classifications"]);
                format!("{shape} on part {}{answers}", quoted(part))
            }
            Label::Classification(class) => {
                class.answer().map(|a| a.to_string()).unwrap_or_default()
            }
        }
    }
}

pub(super) fn facts(row: &LabelRow, objects: bool) -> Vec<Fact<'_>> {
    if objects {
        let mut all = on_parts(row);
        let known: HashSet<&str> = all.iter().map(|fact| fact.hash).collect();
        let others = row.every_object().into_iter();
        let others = others.filter(|object| !known.contains(object.hash()));
        all.extend(others.map(|object| of_object(row, object)));
        all
    } else {
        let all = row.every_classification().into_iter();
        all.map(|class| of_classification(row, class)).collect()
    }
}

/// The place of each label by its hash; of two with one hash the first counts.
fn places<'f>(facts: &'f [Fact<'_>]) -> HashMap<&'f str, usize> {
    let hashes = facts.iter().enumerate().rev();
    hashes.map(|(i, fact)| (fact.hash, i)).collect()
}

fn compare(rows: (&LabelRow, &LabelRow), is_object: bool, out: &mut Vec<LabelChange>) {
    let (before, after) = (facts(rows.0, is_object), facts(rows.1, is_object));
    let (old_places, new_places) = (places(&before), places(&after));
    let change = |kind, fact: &Fact<'_>, detail: String| LabelChange {
        kind,
        is_object,
        name: fact.name.to_owned(),
        hash: fact.hash.to_owned(),
        frames: fact.frames.clone(),
        detail,
    };
    for new in &after {
        match old_places.get(new.hash).map(|i| &before[*i]) {
            None => out.push(change(LabelChangeKind::Added, new, new.text(rows.1))),
            Some(old) if !old.same(new) => {
                let (was, is) = (old.text(rows.0), new.text(rows.1));
                let detail = if was == is {
                    is
                } else {
                    format!("{was} → {is}")
                };
                out.push(change(LabelChangeKind::Changed, new, detail));
            }
            Some(_) => {}
        }
    }
    for old in before
        .iter()
        .filter(|old| !new_places.contains_key(old.hash))
    {
        out.push(change(LabelChangeKind::Removed, old, old.text(rows.0)));
    }
}

/// The objects on the parts of a data group.
fn on_parts(row: &LabelRow) -> Vec<Fact<'_>> {
    let mut facts: Vec<Fact<'_>> = Vec::new();
    let mut places: HashMap<(&str, &str), usize> = HashMap::new();
    for (part, frame, object) in row.objects_on_parts() {
        let Some(hash) = object.get("objectHash").and_then(Value::as_str) else {
            continue;
        };
        let place = *places.entry((part, hash)).or_insert_with(|| {
            facts.push(Fact {
                hash,
                name: object["name"].as_str().unwrap_or_default(),
                part: Some(row.part_name(part)),
                frames: Vec::new(),
                values: Vec::new(),
                answers: &row.labels()["object_answers"][hash],
                label: Label::OnPart(object),
            });
            facts.len() - 1
        });
        facts[place].frames.push((frame, frame));
        facts[place].values.push(object);
    }
    for fact in &mut facts {
        let frames: Vec<u64> = fact.frames.iter().map(|(frame, _)| *frame).collect();
        fact.frames = joined(&frames);
        fact.values.push(fact.answers);
        fact.values
            .push(&row.labels()["object_actions"][fact.hash]["actions"]);
    }
    facts
}

fn of_object<'r>(row: &'r LabelRow, object: Object<'r>) -> Fact<'r> {
    let frames = object.frames();
    let mut values: Vec<&Value> = (frames.iter().filter_map(|f| object.on_frame(*f))).collect();
    values.push(&row.labels()["object_answers"][object.hash()]);
    values.push(&row.labels()["object_actions"][object.hash()]["actions"]);
    let frames = if frames.is_empty() {
        object.ranges()
    } else {
        joined(&frames)
    };
    Fact {
        hash: object.hash(),
        name: object.name(),
        part: row.part_of_answer("object_answers", object.hash()),
        frames,
        values,
        answers: &row.labels()["object_answers"][object.hash()],
        label: Label::Object(object),
    }
}

fn text_of_object(row: &LabelRow, object: &Object<'_>) -> String {
    let first = object.frames().first().copied();
    let mut text = match first.and_then(|frame| object.bounding_box(frame)) {
        Some(area) => format!(
            "box {:.3} {:.3} {:.3} {:.3}",
            area.x, area.y, area.w, area.h
        ),
        None => object.shape().word().to_owned(),
    };
    let entry = &row.labels()["object_answers"][object.hash()];
    text.push_str(&answers(&entry["classifications"]));
    text
}

fn of_classification<'r>(row: &'r LabelRow, classification: Classification<'r>) -> Fact<'r> {
    let entry = &row.labels()["classification_answers"][classification.hash()];
    Fact {
        hash: classification.hash(),
        name: classification.title(),
        part: row.part_of_answer("classification_answers", classification.hash()),
        frames: classification.ranges(),
        // Those of a data group name their parts in the answer itself.
        values: vec![
            &entry["classifications"],
            &entry["confidence"],
            &entry["spaces"],
        ],
        answers: entry,
        label: Label::Classification(classification),
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

/// Who made it and when.
pub(super) const NOISE: [&str; 6] = [
    "createdAt",
    "createdBy",
    "lastEditedAt",
    "lastEditedBy",
    "manualAnnotation",
    "objectNumber",
];

/// Whether two values are the same but for who and when.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let counts = |(key, _): &(&String, &Value)| !NOISE.contains(&key.as_str());
            one.iter().filter(counts).count() == other.iter().filter(counts).count()
                && (one.iter().filter(counts))
                    .all(|(key, value)| other.get(key).is_some_and(|other| same(value, other)))
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (one, other) => one == other,
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
