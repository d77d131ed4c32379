//! From what an agent gave to what it means: the outcome checked against the workflow, and the
//! label differences a person reviews.
//!
//! Writing is left to the client, drawing to the screen.

use crate::fault::{Fault, FaultKind};
use crate::work::{Inputs, LabelChange, Outcome, Patch, Project, Way};
use crate::workflow::{Stage, nearest};
use agent_abi::wire;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Reads an agent's answer and checks it: the pathway exists, the priority is in 0 to 1, labels
/// are only given by agents that were lent a label row.
///
/// # Errors
/// A fault of the agent's; the task stays where it is.
pub fn judge(
    stage: &Stage,
    project: &Project,
    inputs: &Inputs,
    answer: &[u8],
) -> Result<Outcome, Fault> {
    let given: wire::Outcome = serde_json::from_slice(answer).map_err(|error| {
        Fault::new(
            FaultKind::Agent,
            format!("the agent's answer is no outcome: {error}"),
        )
        .hint("an outcome is JSON such as {\"route\":\"complete\"}; see agent_abi::wire::Outcome")
    })?;
    let way = way(stage, given.route.as_deref())?;
    if let Some(p) = given.priority
        && !(0.0..=1.0).contains(&p)
    {
        return Err(Fault::new(
            FaultKind::Agent,
            format!("priority {p} is outside 0 to 1"),
        ));
    }
    let (labels, labels_after) = labels(project, inputs, given.labels, &given.add)?;
    let priority = given
        .priority
        .map(|new| (inputs.labels.as_ref().and_then(|l| l.priority), new));
    let patch = Patch {
        labels,
        priority,
        metadata: given.client_metadata,
    };
    Ok(Outcome {
        way,
        patch,
        labels_after,
        steps: given.steps,
    })
}

fn way(stage: &Stage, route: Option<&str>) -> Result<Way, Fault> {
    let Some(route) = route else {
        return Ok(Way::Stay);
    };
    if let Some(p) = stage.pathway(route) {
        return Ok(Way::Pathway {
            id: p.id,
            name: p.name.clone(),
            to: p.to,
        });
    }
    let names: Vec<&str> = stage.pathways.iter().map(|p| p.name.as_str()).collect();
    let mut fault = Fault::new(
        FaultKind::Agent,
        format!(
            "no pathway \"{route}\" leaves stage \"{}\"; there are: {}",
            stage.title,
            names.join(", ")
        ),
    );
    if let Some(near) = nearest(route, names.into_iter()).first() {
        fault = fault.hint(format!("did the agent mean \"{near}\"?"));
    }
    Err(fault)
}

type Labels = (Vec<LabelChange>, Option<Arc<Value>>);

fn labels(
    project: &Project,
    inputs: &Inputs,
    after: Option<Value>,
    add: &[wire::AddLabel],
) -> Result<Labels, Fault> {
    if after.is_none() && add.is_empty() {
        return Ok((Vec::new(), None));
    }
    let Some(row) = &inputs.labels else {
        return Err(Fault::new(
            FaultKind::Agent,
            "the agent changed labels but was lent no label row",
        )
        .hint(
            "ask for the label row: `labels: &mut LabelRow`, or needs WB_NEED_LABEL_ROW_WRITE in C",
        ));
    };
    let doc: wire::RowDoc = serde_json::from_str(&row.json).map_err(|error| {
        Fault::new(
            FaultKind::Upstream,
            format!("the label row is not readable: {error}"),
        )
    })?;
    let before = doc.labels;
    let after = after.unwrap_or_else(|| before.clone());
    for label in add {
        let _ = (&project.doc.ontology, label);
    }
    let changes = diff(&before, &after);
    let kept = (!changes.is_empty()).then(|| Arc::new(after));
    Ok((changes, kept))
}

/// The parts of a label blob that are labels: what a save replaces. Everything else (titles,
/// links, dates) belongs to the platform.
#[must_use]
pub fn content(blob: &Value) -> Value {
    let part = |key: &str| {
        blob.get(key)
            .cloned()
            .unwrap_or_else(|| Value::Object(Map::new()))
    };
    let units: Map<String, Value> = blob
        .get("data_units")
        .and_then(Value::as_object)
        .map(|units| {
            let labels = |unit: &Value| unit.get("labels").cloned().unwrap_or(Value::Null);
            units
                .iter()
                .map(|(hash, unit)| (hash.clone(), labels(unit)))
                .collect()
        })
        .unwrap_or_default();
    serde_json::json!({
        "object_answers": part("object_answers"),
        "classification_answers": part("classification_answers"),
        "object_actions": part("object_actions"),
        "data_units": units,
    })
}

/// One object or classification as it stands in a blob.
#[derive(Default, PartialEq)]
struct Seen {
    name: String,
    /// Where and how: unit and frame to geometry.
    places: BTreeMap<(String, u64), Value>,
    answers: Vec<Value>,
    range: Value,
}

/// What differs between two label blobs, one entry for each object and classification.
#[must_use]
pub fn diff(before: &Value, after: &Value) -> Vec<LabelChange> {
    let (old, new) = (seen(before), seen(after));
    let mut changes = Vec::new();
    for (hash, now) in &new {
        let change = |sign, detail| LabelChange {
            sign,
            name: now.name.clone(),
            hash: hash.clone(),
            detail,
        };
        match old.get(hash) {
            None => changes.push(change('+', describe(now))),
            Some(then) if then != now => changes.push(change('~', describe_change(then, now))),
            Some(_) => {}
        }
    }
    for (hash, then) in old.iter().filter(|(hash, _)| !new.contains_key(*hash)) {
        let (name, detail) = (then.name.clone(), describe(then));
        changes.push(LabelChange {
            sign: '-',
            name,
            hash: hash.clone(),
            detail,
        });
    }
    changes
}

fn seen(blob: &Value) -> BTreeMap<String, Seen> {
    let mut all: BTreeMap<String, Seen> = BTreeMap::new();
    for (unit, value) in members(blob, "data_units") {
        let Some(labels) = value.get("labels").and_then(Value::as_object) else {
            continue;
        };
        if labels.contains_key("objects") {
            frame(&mut all, unit, 0, &value["labels"]);
        } else {
            for (number, labels) in labels {
                frame(&mut all, unit, number.parse().unwrap_or(0), labels);
            }
        }
    }
    for (hash, answer) in members(blob, "object_answers") {
        answers(all.entry(hash.clone()).or_default(), answer);
    }
    for (hash, action) in members(blob, "object_actions") {
        let dynamic = action
            .get("actions")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        all.entry(hash.clone()).or_default().answers.extend(dynamic);
    }
    for (hash, answer) in members(blob, "classification_answers") {
        let entry = all.entry(hash.clone()).or_default();
        answers(entry, answer);
        if entry.name.is_empty() {
            entry.name = text(answer.pointer("/classifications/0"), "name");
        }
    }
    // An answer without any object, range or content is an orphan: readers ignore it.
    all.retain(|_, s| !s.places.is_empty() || !s.answers.is_empty() || !s.range.is_null());
    all
}

fn members<'a>(blob: &'a Value, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    blob.get(key)
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
}

fn text(value: Option<&Value>, key: &str) -> String {
    value
        .and_then(|v| v.get(key))
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

const GEOMETRY: [&str; 12] = [
    "boundingBox",
    "rotatableBoundingBox",
    "polygons",
    "polygon",
    "polyline",
    "point",
    "bitmask",
    "skeleton",
    "cuboid",
    "cuboid_2d",
    "ellipse",
    "circle",
];

fn frame(all: &mut BTreeMap<String, Seen>, unit: &str, number: u64, labels: &Value) {
    for object in labels
        .get("objects")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let entry = all.entry(text(Some(object), "objectHash")).or_default();
        entry.name = text(Some(object), "name");
        let mut place = Map::new();
        for key in GEOMETRY.iter().chain(&["confidence", "theta"]) {
            if let Some(value) = object.get(*key) {
                place.insert((*key).to_owned(), value.clone());
            }
        }
        entry
            .places
            .insert((unit.to_owned(), number), Value::Object(place));
    }
}

fn answers(entry: &mut Seen, answer: &Value) {
    if let Some(list) = answer.get("classifications").and_then(Value::as_array) {
        entry.answers.extend(list.iter().cloned());
    }
    if let Some(range) = answer.get("range") {
        entry.range = range.clone();
    }
    let name = text(Some(answer), "name");
    if !name.is_empty() {
        entry.name = name;
    }
}

fn describe(seen: &Seen) -> String {
    let mut parts = Vec::new();
    if let Some(((_, number), place)) = seen.places.first_key_value() {
        parts.push(geometry(place));
        match seen.places.len() {
            1 if *number > 0 => parts.push(format!("on frame {number}")),
            1 => {}
            many => parts.push(format!("on {many} frames from {number}")),
        }
    } else if let Some(ranges) = seen.range.as_array().filter(|r| !r.is_empty()) {
        let span = |r: &Value| format!("{}–{}", r[0], r[1]);
        let spans: Vec<String> = ranges.iter().take(3).map(span).collect();
        if spans != ["0–0"] {
            parts.push(spans.join(", "));
        }
    }
    parts.extend(seen.answers.iter().map(answer_text));
    parts.join(" ")
}

fn describe_change(then: &Seen, now: &Seen) -> String {
    let mut parts = Vec::new();
    let moved = now
        .places
        .iter()
        .filter(|(k, v)| then.places.get(*k).is_some_and(|t| t != *v));
    let moved: Vec<_> = moved.collect();
    if let Some(((unit, number), place)) = moved.first() {
        let old = &then.places[&(unit.clone(), *number)];
        parts.push(format!("{} → {}", geometry(old), geometry(place)));
        if moved.len() > 1 {
            parts.push(format!("and on {} more frames", moved.len() - 1));
        }
    }
    let gained = now
        .places
        .keys()
        .filter(|k| !then.places.contains_key(*k))
        .count();
    let lost = then
        .places
        .keys()
        .filter(|k| !now.places.contains_key(*k))
        .count();
    if gained > 0 {
        parts.push(format!("+{gained} frames"));
    }
    if lost > 0 {
        parts.push(format!("-{lost} frames"));
    }
    if then.answers != now.answers {
        let list = |seen: &Seen| {
            seen.answers
                .iter()
                .map(answer_text)
                .collect::<Vec<_>>()
                .join(" ")
        };
        parts.push(format!("{} → {}", or_dash(list(then)), or_dash(list(now))));
    }
    if then.range != now.range {
        parts.push(format!("range {} → {}", then.range, now.range));
    }
    if parts.is_empty() {
        "changed".to_owned()
    } else {
        parts.join(" ")
    }
}

fn or_dash(text: String) -> String {
    if text.is_empty() {
        "–".to_owned()
    } else {
        text
    }
}

fn geometry(place: &Value) -> String {
    let number = |v: &Value, key: &str| v.get(key).and_then(Value::as_f64).unwrap_or(f64::NAN);
    for (key, word) in [
        ("boundingBox", "box"),
        ("rotatableBoundingBox", "rotated box"),
    ] {
        if let Some(b) = place.get(key) {
            let [x, y, w, h] = ["x", "y", "w", "h"].map(|k| number(b, k));
            return format!("{word} {x:.2} {y:.2} {w:.2} {h:.2}");
        }
    }
    if let Some(p) = place.pointer("/point/0") {
        return format!("point {:.2} {:.2}", number(p, "x"), number(p, "y"));
    }
    for key in ["polygon", "polyline", "skeleton"] {
        if let Some(points) = place.get(key).and_then(Value::as_object) {
            return format!("{key} of {} points", points.len());
        }
    }
    GEOMETRY
        .iter()
        .find(|k| place.get(**k).is_some())
        .map_or_else(String::new, |k| (*k).to_owned())
}

fn answer_text(answer: &Value) -> String {
    let value = match answer.get("answers") {
        Some(Value::Array(options)) => options
            .iter()
            .map(|o| text(Some(o), "name"))
            .collect::<Vec<_>>()
            .join(", "),
        Some(Value::String(words)) => format!("\"{words}\""),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    format!("{}={value}", text(Some(answer), "name"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn blob(objects: Value, classifications: Value) -> Value {
        json!({"data_units": {"u": {"labels": {"objects": objects, "classifications": []}}},
               "object_answers": {"a": {"objectHash": "a", "classifications": []}},
               "classification_answers": classifications, "object_actions": {}})
    }

    fn car(x: f64) -> Value {
        json!([{"name": "Car", "objectHash": "a", "boundingBox": {"x": x, "y": 0.2, "w": 0.3, "h": 0.4}}])
    }

    #[test]
    fn added_moved_and_removed_objects_are_told_apart() {
        let none = blob(json!([]), json!({}));
        let (one, two) = (blob(car(0.1), json!({})), blob(car(0.5), json!({})));
        assert_eq!(diff(&one, &one), []);
        let line = |from, to| {
            let changes = diff(from, to);
            assert_eq!(changes.len(), 1);
            format!(
                "{} {} {}",
                changes[0].sign, changes[0].name, changes[0].detail
            )
        };
        assert_eq!(line(&none, &one), "+ Car box 0.10 0.20 0.30 0.40");
        assert_eq!(
            line(&one, &two),
            "~ Car box 0.10 0.20 0.30 0.40 → box 0.50 0.20 0.30 0.40"
        );
        assert_eq!(line(&one, &none), "- Car box 0.10 0.20 0.30 0.40");
    }

    #[test]
    fn a_classification_shows_its_answer() {
        let answer = json!({"c": {"classificationHash": "c", "featureHash": "f", "range": [[0, 0]],
            "classifications": [{"name": "Weather", "answers": [{"name": "Night"}]}]}});
        let changes = diff(&blob(json!([]), json!({})), &blob(json!([]), answer));
        assert_eq!(
            (changes[0].name.as_str(), changes[0].detail.as_str()),
            ("Weather", "Weather=Night")
        );
    }

    #[test]
    fn content_leaves_out_what_belongs_to_the_platform() {
        let mut one = blob(car(0.1), json!({}));
        let before = content(&one);
        one["last_edited_at"] = json!("later");
        one["data_units"]["u"]["data_title"] = json!("other");
        assert_eq!(content(&one), before);
        one["data_units"]["u"]["labels"]["objects"][0]["unknown_to_us"] = json!(1);
        assert_ne!(content(&one), before);
    }
}
