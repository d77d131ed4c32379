//! Whether two label blobs hold the same labels.

use super::CONTENT;
use serde_json::{Map, Number, Value};

/// What the platform fills in by itself when a row is saved.
const BOOKKEEPING: [&str; 5] = [
    "createdAt",
    "createdBy",
    "lastEditedAt",
    "lastEditedBy",
    "objectNumber",
];

/// Whether two blobs hold the same labels. Compared are `object_answers`,
/// `classification_answers`, `object_actions`, `spaces` and the `labels` of each data unit.
///
/// Not a difference: the order of keys, `null` or empty against absent, `1` against `1.0`, the
/// order of the objects within a frame, the key of the data unit where each side has only one.
#[must_use]
pub fn same_labels(one: &Value, other: &Value) -> bool {
    canonical(one, true) == canonical(other, true)
}

/// Whether `stored` is what became of `sent`: as [`same_labels`], but what the platform fills in
/// (who, when, object numbers) does not count.
#[must_use]
pub fn saved_as(stored: &Value, sent: &Value) -> bool {
    canonical(stored, false) == canonical(sent, false)
}

fn canonical(blob: &Value, books: bool) -> Map<String, Value> {
    let mut out = Map::new();
    for key in CONTENT {
        if let Some(part) = blob.get(key).and_then(|part| tidy(part, books)) {
            out.insert(key.to_owned(), part);
        }
    }
    let Some(units) = blob.get("data_units").and_then(Value::as_object) else {
        return out;
    };
    for (hash, unit) in units {
        // A row without a label row upstream was made from metadata; its only unit may be keyed
        // otherwise than the real one.
        let key = if units.len() == 1 { "unit" } else { hash };
        if let Some(labels) = unit.get("labels").and_then(|labels| tidy(labels, books)) {
            out.insert(format!("data_units.{key}"), labels);
        }
    }
    out
}

/// The canonical form; `None` stands for null, empty and absent.
fn tidy(value: &Value, books: bool) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Number(number) => Some(Value::Number(tidy_number(number))),
        Value::Array(list) if list.is_empty() => None,
        Value::Array(list) => Some(tidy_list(list, books)),
        Value::Object(map) => {
            let kept: Map<String, Value> = map
                .iter()
                .filter(|(key, _)| books || !BOOKKEEPING.contains(&key.as_str()))
                .filter_map(|(key, value)| Some((key.clone(), tidy(value, books)?)))
                .collect();
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        other => Some(other.clone()),
    }
}

/// Objects with hashes are a set; anything else keeps its order and its length.
fn tidy_list(list: &[Value], books: bool) -> Value {
    let mut keyed = Map::new();
    for item in list {
        let Some(hash) = item.get("objectHash").and_then(Value::as_str) else {
            break;
        };
        keyed.insert(hash.to_owned(), tidy(item, books).unwrap_or_default());
    }
    if keyed.len() == list.len() {
        return Value::Object(keyed);
    }
    let tidied = list
        .iter()
        .map(|item| tidy(item, books).unwrap_or_default());
    Value::Array(tidied.collect())
}

fn tidy_number(number: &Number) -> Number {
    const EXACT: f64 = 9_007_199_254_740_992.0; // 2^53
    match number.as_f64() {
        #[allow(clippy::cast_possible_truncation)] // checked on the same line
        Some(value) if value.fract() == 0.0 && value.abs() < EXACT => (value as i64).into(),
        _ => number.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn blob(objects: &Value) -> Value {
        json!({
            "label_hash": "a", "last_edited_at": "now",
            "object_answers": {"h1": {"objectHash": "h1", "classifications": []}},
            "classification_answers": {}, "object_actions": {},
            "data_units": {"u": {"data_hash": "u", "labels": {"objects": objects, "classifications": []}}},
        })
    }

    #[test]
    fn forms_of_writing_are_no_difference() {
        let one = blob(&json!([
            {"objectHash": "h1", "boundingBox": {"x": 1.0, "y": 0.25}, "createdBy": null},
            {"objectHash": "h2"},
        ]));
        let other = json!({
            "object_answers": {"h1": {"classifications": null, "objectHash": "h1"}},
            "data_units": {"u": {"labels": {"objects": [
                {"objectHash": "h2"},
                {"boundingBox": {"y": 0.25, "x": 1}, "objectHash": "h1"},
            ]}}},
        });
        assert!(same_labels(&one, &other));
    }

    #[test]
    fn an_empty_frame_is_no_frame() {
        let video = |labels| json!({"data_units": {"u": {"labels": labels}}});
        let empty = video(json!({"3": {"objects": [], "classifications": []}}));
        assert!(same_labels(&empty, &video(json!({}))));
        let full = video(json!({"3": {"objects": [{"objectHash": "h"}]}}));
        assert!(!same_labels(&empty, &full));
    }

    #[test]
    fn every_change_of_a_label_is_a_difference() {
        let objects = |x: f64, name: &str| {
            blob(
                &json!([{"objectHash": "h1", "boundingBox": {"x": x}, "name": name, "polygons": [[[0.0, 1.0]]]}]),
            )
        };
        let base = objects(0.5, "Car");
        assert!(!same_labels(&base, &objects(0.500_000_1, "Car")));
        assert!(!same_labels(&base, &objects(0.5, "Bus")));
        let mut answer = base.clone();
        answer["object_answers"]["h1"]["classifications"] = json!([{"answers": "ABC"}]);
        assert!(!same_labels(&base, &answer));
        let mut gone = base.clone();
        gone["object_answers"] = json!({});
        assert!(!same_labels(&base, &gone));
        let mut ring = base.clone();
        ring["data_units"]["u"]["labels"]["objects"][0]["polygons"] = json!([[[1.0, 0.0]]]);
        assert!(!same_labels(&base, &ring));
    }

    #[test]
    fn what_the_platform_fills_in_counts_only_where_two_reads_are_compared() {
        let sent = blob(&json!([{"objectHash": "h1", "createdBy": null}]));
        let stored = blob(&json!([
            {"objectHash": "h1", "createdBy": "me@example.test", "lastEditedAt": "later"}
        ]));
        assert!(saved_as(&stored, &sent));
        assert!(!same_labels(&stored, &sent));
        let other = blob(&json!([{"objectHash": "h1", "createdBy": null, "name": "Bus"}]));
        assert!(!saved_as(&stored, &other));
    }
}
