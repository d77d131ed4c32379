//! Whether labels, client metadata and priorities that were read at different times are the same.

use crate::digits;
use serde_json::{Map, Number, Value};

/// The parts of a label blob that hold labels, beside the `labels` of each data unit and of each part of a group.
pub const ANSWERS: [&str; 3] = ["object_answers", "classification_answers", "object_actions"];

/// Priorities that differ by less are the same: the platform rounds them.
const SAME_PRIORITY: f64 = 1e-9;

/// What the platform fills in by itself when a row is saved.
const BOOKKEEPING: [&str; 5] = [
    "createdAt",
    "createdBy",
    "lastEditedAt",
    "lastEditedBy",
    "objectNumber",
];

/// What counts of two blobs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Eye {
    /// Everything, as it must not change between two reads.
    Reader,
    /// What a save must have kept: not what the platform fills in, nor digits beyond an `f64`.
    Saver,
}

/// Whether two blobs hold the same labels. Compared are `object_answers`, `classification_answers`,
/// `object_actions`, and the `labels` of each data unit and of each part of a group (`spaces`).
///
/// Not a difference: the order of keys, `null` or empty against absent, `1` against `1.0`, the
/// order of the objects within a frame, the key of the data unit where each side has only one, and what a
/// part of a group is beside its labels: rows that were just made name the parts, their empty forms do not.
#[must_use]
pub fn same_labels(one: &Value, other: &Value) -> bool {
    one == other || canonical(one, Eye::Reader) == canonical(other, Eye::Reader)
}

/// Whether `stored` is the result of saving `sent`: as [`same_labels`], but what the platform fills in
/// (who, when, object numbers) does not count, nor digits that no `f64` holds.
#[must_use]
pub fn saved_as(stored: &Value, sent: &Value) -> bool {
    stored == sent || canonical(stored, Eye::Saver) == canonical(sent, Eye::Saver)
}

/// Whether two sets of client metadata are the same, however their numbers are written.
#[must_use]
pub fn same_metadata(one: &Map<String, Value>, other: &Map<String, Value>) -> bool {
    fn same(one: &Value, other: &Value) -> bool {
        match (one, other) {
            (Value::Number(one), Value::Number(other)) => {
                one == other || digits::canonical(one) == digits::canonical(other)
            }
            (Value::Array(one), Value::Array(other)) => {
                one.len() == other.len() && one.iter().zip(other).all(|(a, b)| same(a, b))
            }
            (Value::Object(one), Value::Object(other)) => same_metadata(one, other),
            (one, other) => one == other,
        }
    }
    one.len() == other.len()
        && (one.iter()).all(|(key, a)| other.get(key).is_some_and(|b| same(a, b)))
}

/// Whether two priorities are the same.
#[must_use]
pub fn same_priority(one: f64, other: f64) -> bool {
    (one - other).abs() <= SAME_PRIORITY
}

fn canonical(blob: &Value, eye: Eye) -> Map<String, Value> {
    let mut out = Map::new();
    for key in ANSWERS {
        if let Some(part) = blob.get(key).and_then(|part| tidy(part, eye)) {
            out.insert(key.to_owned(), part);
        }
    }
    for key in ["data_units", "spaces"] {
        let Some(parts) = blob.get(key).and_then(Value::as_object) else {
            continue;
        };
        for (hash, part) in parts {
            // A row without a label row upstream was made from metadata; its only unit may be keyed
            // otherwise than the real one.
            let single = parts.len() == 1 && key == "data_units";
            let name = if single { "unit" } else { hash };
            if let Some(labels) = part.get("labels").and_then(|labels| tidy(labels, eye)) {
                out.insert(format!("{key}.{name}"), labels);
            }
        }
    }
    out
}

/// The canonical form; `None` stands for null, empty and absent.
fn tidy(value: &Value, eye: Eye) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Number(number) => Some(tidy_number(number, eye)),
        Value::Array(list) if list.is_empty() => None,
        Value::Array(list) => Some(tidy_list(list, eye)),
        Value::Object(map) => {
            let kept: Map<String, Value> = map
                .iter()
                .filter(|(key, _)| eye == Eye::Reader || !BOOKKEEPING.contains(&key.as_str()))
                .filter_map(|(key, value)| Some((key.clone(), tidy(value, eye)?)))
                .collect();
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        other => Some(other.clone()),
    }
}

/// Objects with hashes are a set; anything else keeps its order and its length.
fn tidy_list(list: &[Value], eye: Eye) -> Value {
    let mut keyed = Map::new();
    for item in list {
        let Some(hash) = item.get("objectHash").and_then(Value::as_str) else {
            break;
        };
        keyed.insert(hash.to_owned(), tidy(item, eye).unwrap_or_default());
    }
    if keyed.len() == list.len() {
        return Value::Object(keyed);
    }
    let tidied = list.iter().map(|item| tidy(item, eye).unwrap_or_default());
    Value::Array(tidied.collect())
}

/// One form for each number; no text of a row begins like it.
fn tidy_number(number: &Number, eye: Eye) -> Value {
    let form = match (eye, number.as_f64()) {
        (Eye::Saver, Some(nearest)) => (nearest + 0.0).to_string(),
        _ => digits::canonical(number),
    };
    Value::String(format!("\0{form}"))
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
    fn forms_of_writing_do_not_count_as_a_difference() {
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
    fn an_empty_frame_does_not_count() {
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

    #[test]
    fn digits_that_only_a_careful_reader_sees_count_between_two_reads_alone() {
        let with = |number: &str| {
            let text = format!(r#"{{"object_answers": {{"h": {{"n": [{number}]}}}}}}"#);
            serde_json::from_str::<Value>(&text).unwrap()
        };
        for (one, other) in [
            ("1", "1.0"),
            ("1.10", "1.1"),
            ("1e2", "100"),
            ("0.0", "-0.0"),
        ] {
            assert!(same_labels(&with(one), &with(other)), "{one} {other}");
        }
        let large = (with("18446744073709551616"), with("18446744073709551617"));
        assert!(!same_labels(&large.0, &large.1) && saved_as(&large.0, &large.1));
        let fine = (with("0.1"), with("0.1000000000000000055"));
        assert!(!same_labels(&fine.0, &fine.1) && saved_as(&fine.0, &fine.1));
        assert!(!saved_as(&with("0.1"), &with("0.2")));
        assert!(!same_labels(&with("1"), &with(r#""1""#)));
        let map = |number: &str| with(number).as_object().cloned().unwrap();
        assert!(same_metadata(&map("1.10"), &map("1.1")));
        assert!(
            !same_metadata(&map("1.10"), &map("1.2")) && !same_metadata(&map("1"), &Map::new())
        );
    }
}
