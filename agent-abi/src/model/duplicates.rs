//! Labels that are added although they stand there already: of the same class, at the same place, with the same
//! answers, made by the same person or key. What becomes of them is left to the workbench.

use super::LabelRow;
use super::diff::{Fact, Label, NOISE, facts};
use serde_json::{Map, Value};
use std::collections::HashSet;

/// How far two coordinates (shares of width and height) may lie apart and be the same.
const SAME: f64 = 1e-4;
/// Keys that belong to one label of a pair, and do not change its meaning.
const OWN: [&str; 8] = [
    "objectHash",
    "classificationHash",
    "name",
    "value",
    "color",
    "confidence",
    "reviews",
    "isDeleted",
];

/// The hashes of labels that `after` adds to `before` although `before` has them already, made by `author` and
/// still there. One that stands there speaks for one that is added.
#[must_use]
pub fn duplicates(before: &LabelRow, after: &LabelRow, author: &str) -> Vec<String> {
    let mut found = Vec::new();
    for objects in [true, false] {
        let (old, new) = (facts(before, objects), facts(after, objects));
        let known: HashSet<&str> = old.iter().map(|fact| fact.hash).collect();
        let kept = |old: &&Fact<'_>| new.iter().any(|n| n.hash == old.hash && n.same(old));
        let mut standing: Vec<&Fact<'_>> = (old.iter())
            .filter(|fact| is_of(fact, author))
            .filter(kept)
            .collect();
        for added in new.iter().filter(|fact| !known.contains(fact.hash)) {
            if let Some(at) = standing.iter().position(|old| means_the_same(old, added)) {
                standing.swap_remove(at);
                found.push(added.hash.to_owned());
            }
        }
    }
    found
}

impl LabelRow {
    /// The labels without those of these hashes.
    #[must_use]
    pub fn labels_without(&self, hashes: &[String]) -> Value {
        let mut labels = self.labels().clone();
        let Some(row) = labels.as_object_mut() else {
            return labels;
        };
        for key in ["object_answers", "classification_answers", "object_actions"] {
            if let Some(Value::Object(answers)) = row.get_mut(key) {
                answers.retain(|hash, _| !hashes.contains(hash));
            }
        }
        for key in ["data_units", "spaces"] {
            if let Some(Value::Object(parts)) = row.get_mut(key) {
                for labels in parts.values_mut().filter_map(|part| part.get_mut("labels")) {
                    take_out(labels, hashes);
                }
            }
        }
        labels
    }
}

fn take_out(labels: &mut Value, hashes: &[String]) {
    match labels {
        Value::Array(list) => list.retain(|item| {
            let hash = |key: &str| item.get(key).and_then(Value::as_str);
            let hash = hash("objectHash").or_else(|| hash("classificationHash"));
            hash.is_none_or(|hash| hashes.iter().all(|gone| gone != hash))
        }),
        Value::Object(map) => map.values_mut().for_each(|value| take_out(value, hashes)),
        _ => {}
    }
}

/// Whether nobody else made or edited a label.
fn is_of(fact: &Fact<'_>, author: &str) -> bool {
    let mut made = false;
    for value in fact.values.iter().chain([&fact.answers]) {
        let by = |key: &str| value.get(key).and_then(Value::as_str);
        for (key, who) in [
            ("createdBy", by("createdBy")),
            ("lastEditedBy", by("lastEditedBy")),
        ] {
            match who {
                Some(who) if who.eq_ignore_ascii_case(author) => made |= key == "createdBy",
                Some(_) => return false,
                None => {}
            }
        }
    }
    made
}

fn means_the_same(one: &Fact<'_>, other: &Fact<'_>) -> bool {
    class(one) == class(other)
        && one.part == other.part
        && one.frames == other.frames
        && one.values.len() == other.values.len()
        && (one.values.iter().zip(&other.values)).all(|(one, other)| alike(one, other))
}

fn class<'f>(fact: &'f Fact<'_>) -> &'f str {
    match &fact.label {
        Label::Object(object) => object.feature_hash(),
        Label::OnPart(object) => object["featureHash"].as_str().unwrap_or_default(),
        Label::Classification(class) => class.feature_hash(),
    }
}

fn counts(key: &str, value: &Value) -> bool {
    !NOISE.contains(&key) && !OWN.contains(&key) && !is_empty(value)
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.values().all(is_empty),
        _ => false,
    }
}

fn alike(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(a), Value::Number(b)) => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => (a - b).abs() <= SAME,
            _ => a == b,
        },
        (Value::Object(one), Value::Object(other)) => alike_maps(one, other),
        (Value::Array(one), Value::Array(other)) => alike_lists(one, other),
        (one, other) => one == other || is_empty(one) && is_empty(other),
    }
}

fn alike_maps(one: &Map<String, Value>, other: &Map<String, Value>) -> bool {
    let number = |map: &Map<String, Value>| map.iter().filter(|(k, v)| counts(k, v)).count();
    number(one) == number(other)
        && one
            .iter()
            .filter(|(key, value)| counts(key, value))
            .all(|(key, value)| other.get(key).is_some_and(|other| alike(value, other)))
}

/// Attributes and their options are sets; points are in order.
fn alike_lists(one: &[Value], other: &[Value]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    if !one.iter().all(|value| value.get("featureHash").is_some()) {
        return one.iter().zip(other).all(|(one, other)| alike(one, other));
    }
    let mut left: Vec<&Value> = other.iter().collect();
    one.iter().all(|one| {
        let found = left.iter().position(|other| alike(one, other));
        found.map(|at| left.swap_remove(at)).is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Ontology;
    use crate::wire::RowDoc;
    use serde_json::json;
    use std::sync::Arc;

    const ME: &str = "agent@example.test";

    fn ontology() -> Arc<Ontology> {
        let options = json!([{"id": "1.1", "label": "Red", "value": "red", "featureNodeHash": "RedRed01"},
            {"id": "1.2", "label": "Blue", "value": "blue", "featureNodeHash": "BlueBlu1"}]);
        let colour = json!([{"id": "1", "name": "Colour", "type": "radio", "required": false, "dynamic": false,
            "featureNodeHash": "Colour01", "options": options}]);
        let editor = json!({"objects": [{"id": "1", "name": "Car", "color": "#D33115", "shape": "bounding_box",
            "featureNodeHash": "CarBox01", "attributes": colour},
            {"id": "2", "name": "Bus", "color": "#D33115", "shape": "bounding_box", "featureNodeHash": "BusBox01"}],
            "classifications": []});
        Arc::new(Ontology::from_editor(&editor).unwrap())
    }

    fn object(hash: &str, class: &str, x: f64, by: Option<&str>) -> Value {
        json!({"objectHash": hash, "featureHash": class, "name": "Car", "shape": "bounding_box", "color": "#D33115",
            "value": "car", "createdBy": by, "lastEditedBy": by, "confidence": 1.0, "manualAnnotation": false,
            "boundingBox": {"x": x, "y": 0.2, "w": 0.3, "h": 0.4}})
    }

    fn row(objects: &[Value]) -> LabelRow {
        let answers: Map<String, Value> = (objects.iter())
            .map(|o| {
                (
                    o["objectHash"].as_str().unwrap().to_owned(),
                    json!({"objectHash": o["objectHash"], "classifications": o["answers"]}),
                )
            })
            .collect();
        let labels = json!({"data_hash": "u", "data_type": "image", "object_answers": answers,
            "classification_answers": {}, "object_actions": {}, "data_units": {"u": {"data_hash": "u",
            "data_type": "image/png", "data_sequence": 0, "width": 10, "height": 10,
            "labels": {"objects": objects, "classifications": []}}}});
        let doc = RowDoc {
            metadata: json!({"data_type": "IMAGE"}),
            labels,
        };
        LabelRow::from_doc(doc, ontology())
    }

    fn found(before: &[Value], added: &[Value]) -> Vec<String> {
        let after: Vec<Value> = before.iter().chain(added).cloned().collect();
        duplicates(&row(before), &row(&after), ME)
    }

    #[test]
    fn what_stands_there_by_the_same_key_is_a_duplicate_within_a_tolerance() {
        let mine = object("aaaaaaaa", "CarBox01", 0.1, Some(ME));
        for (x, wanted) in [(0.1, 1), (0.100_05, 1), (0.1002, 0), (0.5, 0)] {
            let added = object("bbbbbbbb", "CarBox01", x, None);
            assert_eq!(
                found(std::slice::from_ref(&mine), &[added]).len(),
                wanted,
                "{x}"
            );
        }
        let bus = object("bbbbbbbb", "BusBox01", 0.1, None);
        assert!(
            found(std::slice::from_ref(&mine), &[bus]).is_empty(),
            "another class"
        );
        let mut red = object("bbbbbbbb", "CarBox01", 0.1, None);
        red["answers"] = json!([{"name": "Colour", "value": "colour", "featureHash": "Colour01",
            "answers": [{"name": "Red", "value": "red", "featureHash": "RedRed01"}]}]);
        assert!(found(&[mine], &[red]).is_empty(), "another answer");
    }

    #[test]
    fn what_others_made_or_edited_is_not_a_duplicate() {
        let added = || object("bbbbbbbb", "CarBox01", 0.1, None);
        let theirs = object("aaaaaaaa", "CarBox01", 0.1, Some("ann@example.test"));
        assert!(found(&[theirs], &[added()]).is_empty());
        let mut edited = object("aaaaaaaa", "CarBox01", 0.1, Some(ME));
        edited["lastEditedBy"] = json!("ann@example.test");
        assert!(found(&[edited], &[added()]).is_empty());
        let nobodys = object("aaaaaaaa", "CarBox01", 0.1, None);
        assert!(found(&[nobodys], &[added()]).is_empty());
    }

    #[test]
    fn one_that_stands_there_speaks_for_one_that_is_added() {
        let mine = object("aaaaaaaa", "CarBox01", 0.1, Some(ME));
        let two = [
            object("bbbbbbbb", "CarBox01", 0.1, None),
            object("cccccccc", "CarBox01", 0.1, None),
        ];
        assert_eq!(found(std::slice::from_ref(&mine), &two), ["bbbbbbbb"]);
        // One that the agent takes away itself speaks for nothing.
        let replaced = duplicates(&row(&[mine]), &row(&two), ME);
        assert!(replaced.is_empty());
    }

    #[test]
    fn a_row_without_a_label_has_nothing_of_it_left() {
        let mine = object("aaaaaaaa", "CarBox01", 0.1, Some(ME));
        let added = object("bbbbbbbb", "CarBox01", 0.1, None);
        let after = row(&[mine.clone(), added]);
        let left = after.labels_without(&["bbbbbbbb".to_owned()]);
        assert!(!left.to_string().contains("bbbbbbbb"), "{left}");
        assert_eq!(left, *row(&[mine]).labels());
    }

    /// A data group with labels on its parts.
    fn group(labels: &[(&str, Value)], answers: &Value) -> LabelRow {
        let mut spaces = json!({"left": {"labels": {"0": {"objects": []}}}, "right": {"labels": {"0": {"objects": []}}}});
        let mut entries = json!({});
        for (part, object) in labels {
            let list = spaces[part]["labels"]["0"]["objects"]
                .as_array_mut()
                .unwrap();
            list.push(object.clone());
            let hash = object["objectHash"].as_str().unwrap();
            entries[hash] = json!({"objectHash": hash, "classifications": object["answers"]});
        }
        let labels = json!({"data_hash": "g", "data_type": "group", "object_answers": entries,
            "classification_answers": answers, "object_actions": {}, "spaces": spaces,
            "data_units": {"g": {"data_hash": "g", "labels": {}}}});
        let doc = RowDoc {
            metadata: json!({"data_type": "GROUP"}),
            labels,
        };
        LabelRow::from_doc(doc, ontology())
    }

    #[test]
    fn labels_on_the_parts_of_a_group_are_compared_by_what_they_mean() {
        let mine = || ("left", object("aaaaaaaa", "CarBox01", 0.1, Some(ME)));
        let added = |part, class, x| (part, object("bbbbbbbb", class, x, None));
        let found = |added: (&'static str, Value)| {
            let none = json!({});
            duplicates(
                &group(&[mine()], &none),
                &group(&[mine(), added], &none),
                ME,
            )
        };
        assert_eq!(found(added("left", "CarBox01", 0.100_05)), ["bbbbbbbb"]);
        assert!(
            found(added("right", "CarBox01", 0.1)).is_empty(),
            "another part"
        );
        assert!(
            found(added("left", "BusBox01", 0.1)).is_empty(),
            "another class"
        );
        assert!(
            found(added("left", "CarBox01", 0.2)).is_empty(),
            "another place"
        );
        let mut red = object("bbbbbbbb", "CarBox01", 0.1, None);
        red["answers"] =
            json!([{"featureHash": "Colour01", "answers": [{"featureHash": "RedRed01"}]}]);
        assert!(found(("left", red)).is_empty(), "another answer");
        let theirs = (
            "left",
            object("aaaaaaaa", "CarBox01", 0.1, Some("ann@example.test")),
        );
        let before = group(std::slice::from_ref(&theirs), &json!({}));
        let after = group(&[theirs, added("left", "CarBox01", 0.1)], &json!({}));
        assert!(
            duplicates(&before, &after, ME).is_empty(),
            "made by another"
        );
        let after = group(&[mine(), added("left", "CarBox01", 0.1)], &json!({}));
        let left = after.labels_without(&["bbbbbbbb".to_owned()]);
        assert_eq!(left, *group(&[mine()], &json!({})).labels());
    }

    #[test]
    fn answers_about_the_parts_of_a_group_are_compared_with_their_parts() {
        let answer = |hash: &str, part: &str, end: u64, by: Option<&str>| {
            json!({"classificationHash": hash, "featureHash": "Weather1", "createdBy": by, "spaces": {part: {"range": [[0, end]]}},
                "classifications": [{"featureHash": "Weather2", "answers": "wet"}]})
        };
        let mine = || answer("aaaaaaaa", "left", 5, Some(ME));
        let found = |added: Value| {
            let before = group(&[], &json!({"aaaaaaaa": mine()}));
            let after = group(&[], &json!({"aaaaaaaa": mine(), "bbbbbbbb": added}));
            duplicates(&before, &after, ME)
        };
        assert_eq!(found(answer("bbbbbbbb", "left", 5, None)), ["bbbbbbbb"]);
        assert!(found(answer("bbbbbbbb", "right", 5, None)).is_empty());
        assert!(found(answer("bbbbbbbb", "left", 6, None)).is_empty());
    }

    #[test]
    fn what_changes_on_the_parts_of_a_group_is_listed() {
        let none = json!({});
        let one = ("left", object("aaaaaaaa", "CarBox01", 0.1, None));
        let moved = ("left", object("aaaaaaaa", "CarBox01", 0.2, None));
        let of = |before: &[(&str, Value)], after: &[(&str, Value)]| -> Vec<_> {
            let changes = crate::model::diff(&group(before, &none), &group(after, &none));
            changes
                .into_iter()
                .map(|c| (c.kind, c.name, c.detail))
                .collect()
        };
        use crate::model::LabelChangeKind::{Added, Changed, Removed};
        let place = "part \"left\"";
        let (was, is) = ("box 10 %, 20 %, 30 × 40 %", "box 20 %, 20 %, 30 × 40 %");
        let car = || "Car".to_owned();
        let (one, moved) = (std::slice::from_ref(&one), std::slice::from_ref(&moved));
        let drawn = || format!("{place} · {was}");
        assert_eq!(of(&[], one), [(Added, car(), drawn())]);
        assert_eq!(
            of(one, moved),
            [(Changed, car(), format!("{place}: {was} → {is}"))]
        );
        assert_eq!(of(one, &[]), [(Removed, car(), drawn())]);
        assert!(of(one, one).is_empty());
    }
}
