//! A label as the JSON that a person edits, `{"frame": 0, "boundingBox": {…}, "attributes": {"Colour": "Red"}}`, and what
//! the edited text asks for. Shapes are written as agents write them by name ([`wire::AddLabel`]); applying and checking
//! them is left to the model.

use crate::work::LabelChange;
use agent_abi::model::AnswerFact;
use agent_abi::wire::{self, AddLabel, AnswerLabel};
use serde_json::{Map, Value, json};

const ANSWER: &str = "answer";
const ATTRIBUTES: &str = "attributes";
const FRAME: &str = "frame";
const DYNAMIC: &str = "dynamic";

/// The label as JSON, indented; `None` where it cannot be edited: it is removed, or not a label.
#[must_use]
pub fn text(label: &LabelChange) -> Option<String> {
    let doc = document(label)?;
    serde_json::to_string_pretty(&doc).ok()
}

fn document(label: &LabelChange) -> Option<Map<String, Value>> {
    let facts = &label.facts;
    if label.sign == '-' || facts.kind.is_empty() {
        return None;
    }
    let mut doc = Map::new();
    if let Some((key, shape)) = facts.geometry.as_ref().and_then(shape) {
        let first = facts.frames.first().map(|[from, _]| *from);
        let frame = facts.geometry_frame.or(first).or(facts.page);
        doc.extend(frame.map(|frame| (FRAME.to_owned(), frame.into())));
        doc.insert(key, shape);
    }
    let is_object = facts.kind == "object";
    let (mut attributes, mut dynamic) = (Map::new(), Vec::new());
    for (place, answer) in facts.answers.iter().enumerate() {
        let Some(name) = answer.path.last() else {
            continue;
        };
        if !is_object && place == 0 && answer.path.len() == 1 {
            doc.insert(ANSWER.to_owned(), answer.value.clone());
        } else if answer.frames.is_empty() {
            let value = answer.value.clone();
            attributes.entry(name.clone()).or_insert(value);
        } else {
            dynamic.push(json!({"name": name, "value": answer.value, "frames": answer.frames}));
        }
    }
    if is_object || !attributes.is_empty() {
        doc.insert(ATTRIBUTES.to_owned(), attributes.into());
    }
    if !dynamic.is_empty() {
        doc.insert(DYNAMIC.to_owned(), dynamic.into());
    }
    Some(doc)
}

/// A shape in the notation of labels by name; masks have none that a person could edit.
fn shape(geometry: &Value) -> Option<(String, Value)> {
    let (key, shape) = geometry.as_object()?.iter().next()?;
    let shape = match key.as_str() {
        "polygon" | "polyline" => Value::Array(points(shape)),
        "point" => points(shape).into_iter().next()?,
        "polygons" => polygons(shape)?,
        "skeleton" => {
            let vertex = |vertex: &Value| {
                let name = vertex["name"].as_str()?.to_owned();
                Some((name, json!([vertex["x"], vertex["y"]])))
            };
            let all = shape.as_object()?.values().map(vertex);
            Value::Object(all.collect::<Option<_>>()?)
        }
        "bitmask" => return None,
        _ => shape.clone(),
    };
    Some((key.clone(), shape))
}

/// `{"0": {"x", "y"}, "1": …}` in the order of its numbers, or a list of such points.
fn points(shape: &Value) -> Vec<Value> {
    let point = |point: &Value| json!([point["x"], point["y"]]);
    match shape {
        Value::Object(map) => {
            let mut all: Vec<(u64, &Value)> = map
                .iter()
                .filter_map(|(number, point)| Some((number.parse().ok()?, point)))
                .collect();
            all.sort_by_key(|(number, _)| *number);
            all.into_iter().map(|(_, at)| point(at)).collect()
        }
        Value::Array(list) => list.iter().map(point).collect(),
        _ => Vec::new(),
    }
}

/// Rings as flat lists, to rings of pairs.
fn polygons(shape: &Value) -> Option<Value> {
    let pairs = |ring: &Value| {
        let flat = ring.as_array()?;
        let pairs = flat.chunks(2).map(|pair| Value::Array(pair.to_vec()));
        Some(Value::Array(pairs.collect()))
    };
    let rings = |polygon: &Value| {
        let rings = polygon.as_array()?.iter().map(pairs);
        Some(Value::Array(rings.collect::<Option<_>>()?))
    };
    let all = shape.as_array()?.iter().map(rings);
    Some(Value::Array(all.collect::<Option<_>>()?))
}

/// What the edited text asks for; `None`: nothing has changed.
///
/// # Errors
/// Why it cannot be read.
pub(super) fn read(label: &LabelChange, text: &str) -> Result<Option<wire::Outcome>, String> {
    let old = document(label).ok_or("it cannot be edited")?;
    let new: Map<String, Value> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if new == old {
        return Ok(None);
    }
    let known = |key: &str| old.contains_key(key);
    if let Some(key) = new.keys().find(|key| !known(key)) {
        let names: Vec<&str> = old.keys().map(String::as_str).collect();
        return Err(format!(
            "\"{key}\" is not known; there are: {}",
            names.join(", ")
        ));
    }
    if let Some(key) = old.keys().find(|key| !new.contains_key(*key)) {
        return Err(format!("\"{key}\" is missing"));
    }
    if let Some(missing) = missing(&old, &new) {
        return Err(format!(
            "an answer cannot be taken back: \"{missing}\" is missing"
        ));
    }
    Ok(Some(wire::Outcome {
        add: shapes(label, &old, &new)?,
        answer: answers(label, &old, &new)?,
        ..wire::Outcome::default()
    }))
}

/// The shape, where it or its frame has changed.
fn shapes(
    label: &LabelChange,
    old: &Map<String, Value>,
    new: &Map<String, Value>,
) -> Result<Vec<AddLabel>, String> {
    let beside = [FRAME, ANSWER, ATTRIBUTES, DYNAMIC];
    let keys = old.keys().filter(|key| !beside.contains(&key.as_str()));
    let changed = keys.filter(|key| new[*key] != old[*key] || old.get(FRAME) != new.get(FRAME));
    let one = |key: &String| {
        let mut doc = json!({"hash": label.hash, key: new[key]});
        if let Some(frame) = new.get(FRAME) {
            doc[FRAME] = frame.clone();
        }
        if let Some(part) = &label.facts.part {
            doc["part"] = part.as_str().into();
        }
        serde_json::from_value(doc).map_err(|error| error.to_string())
    };
    changed.map(one).collect()
}

/// The answers that have changed.
fn answers(
    label: &LabelChange,
    old: &Map<String, Value>,
    new: &Map<String, Value>,
) -> Result<Vec<AnswerLabel>, String> {
    let mut all = Vec::new();
    let mut push = |name: Option<&str>, value: &Value, frames: Option<Vec<[u64; 2]>>| {
        all.push(AnswerLabel {
            hash: label.hash.clone(),
            name: name.map(str::to_owned),
            value: value.clone(),
            part: label.facts.part.clone().filter(|_| frames.is_some()),
            frames,
        });
    };
    if let Some(value) = new
        .get(ANSWER)
        .filter(|value| old.get(ANSWER) != Some(value))
    {
        push(None, value, None);
    }
    if let Some(attributes) = new.get(ATTRIBUTES) {
        let attributes = attributes.as_object();
        for (name, value) in attributes.ok_or("\"attributes\" is not an object")? {
            if old[ATTRIBUTES].get(name) != Some(value) {
                push(Some(name), value, None);
            }
        }
    }
    let before = dynamic(old)?;
    for entry in dynamic(new)? {
        if !before.contains(&entry) {
            let name = entry.path.last().map(String::as_str);
            push(name, &entry.value, Some(entry.frames));
        }
    }
    Ok(all)
}

fn missing<'o>(old: &'o Map<String, Value>, new: &Map<String, Value>) -> Option<&'o String> {
    let names = old.get(ATTRIBUTES)?.as_object()?.keys();
    let is_there = |name: &&String| {
        new.get(ATTRIBUTES)
            .is_some_and(|all| all.get(name).is_some())
    };
    names.into_iter().find(|name| !is_there(name))
}

/// Answers of dynamic attributes; the path is the name alone.
fn dynamic(doc: &Map<String, Value>) -> Result<Vec<AnswerFact>, String> {
    let all = doc.get(DYNAMIC).cloned().unwrap_or_else(|| json!([]));
    let all: Vec<Map<String, Value>> =
        serde_json::from_value(all).map_err(|error| format!("\"dynamic\": {error}"))?;
    let one = |entry: Map<String, Value>| {
        let frames = entry.get("frames").cloned().unwrap_or_default();
        let frames = serde_json::from_value(frames);
        let name = entry.get("name").and_then(Value::as_str);
        Ok(AnswerFact {
            path: vec![name.ok_or("\"dynamic\": \"name\" is missing")?.to_owned()],
            value: entry.get("value").cloned().unwrap_or_default(),
            frames: frames.map_err(|error| format!("\"frames\": {error}"))?,
        })
    };
    all.into_iter().map(one).collect()
}
