//! Carrying the labels of one blob into another.

use super::ANSWERS;
use super::parts::{OnParts, collect, holds_labels, labels_of, put_spaces};
use serde_json::{Map, Value};
use std::collections::HashSet;

/// Keys of answers that are not part of a label row.
pub(super) const ANSWER_ONLY: [&str; 3] = ["is_valid", "task_uuid", "priority"];

/// Puts the labels of `after` into `fresh`, the row as the platform has it now, and gives what is
/// to be saved. Everything else of `fresh`, known or not, stays as it is; the labels come over
/// whole, unknown fields included.
///
/// # Errors
/// In words, when `after` has labels on a data unit that `fresh` does not have, or when `fresh` is
/// not an object.
pub fn transplant(mut fresh: Value, after: &Value) -> Result<Value, String> {
    check_shape(after)?;
    let Some(row) = fresh.as_object_mut() else {
        return Err("the label row is not a JSON object".to_owned());
    };
    for key in ANSWER_ONLY {
        row.remove(key);
    }
    let stay = OnParts::that_stay(row, after);
    for key in ANSWERS {
        if let Some(part) = after.get(key) {
            let old = row.insert(key.to_owned(), part.clone());
            stay.keep(old, row.get_mut(key));
        }
    }
    put_spaces(row, after);
    let Some(wanted) = after.get("data_units").and_then(Value::as_object) else {
        return Ok(fresh);
    };
    let units = row
        .entry("data_units")
        .or_insert_with(|| Value::Object(Map::new()));
    let Some(units) = units.as_object_mut() else {
        return Err("the data units of the label row are not a JSON object".to_owned());
    };
    let single = units.len() == 1 && wanted.len() == 1;
    for (hash, unit) in wanted {
        let Some(labels) = unit.get("labels") else {
            continue;
        };
        let target = if single {
            units.values_mut().next()
        } else {
            units.get_mut(hash)
        };
        match target.and_then(Value::as_object_mut) {
            Some(target) => {
                target.insert("labels".to_owned(), labels.clone());
            }
            None if holds_labels(labels) => {
                return Err(format!("the label row has no data unit {hash}"));
            }
            None => {}
        }
    }
    Ok(fresh)
}

/// Labels come from agents, and may be anything.
fn check_shape(after: &Value) -> Result<(), String> {
    let Value::Object(map) = after else {
        return Err("the labels are not a JSON object".to_owned());
    };
    for key in ["data_units", "spaces"] {
        match map.get(key) {
            None | Some(Value::Null) => {}
            Some(Value::Object(parts)) if parts.values().all(Value::is_object) => {}
            Some(_) => {
                return Err(format!(
                    "`{key}` of the labels holds something other than a JSON object"
                ));
            }
        }
    }
    Ok(())
}

/// As [`transplant`], for an agent that was given only some of the labels: what it was given
/// (`before`) is replaced by what it left (`after`), everything else in `fresh` stays.
///
/// # Errors
/// As [`transplant`].
pub(crate) fn merge_partial(
    mut fresh: Value,
    before: &Value,
    after: &Value,
) -> Result<Value, String> {
    check_shape(after)?;
    let known: HashSet<&str> = ANSWERS
        .iter()
        .filter_map(|key| before.get(key).and_then(Value::as_object))
        .flat_map(|map| map.keys().map(String::as_str))
        .chain(hashes_on_units(before))
        .collect();
    let whole = fresh.clone();
    let mut merged = after.clone();
    for key in ANSWERS {
        let mut part: Map<String, Value> = match whole.get(key).and_then(Value::as_object) {
            Some(map) => map.clone(),
            None => Map::new(),
        };
        part.retain(|hash, _| !known.contains(hash.as_str()));
        if let Some(more) = after.get(key).and_then(Value::as_object) {
            part.extend(more.iter().map(|(k, v)| (k.clone(), v.clone())));
        }
        merged[key] = Value::Object(part);
    }
    for key in ["data_units", "spaces"] {
        let Some(parts) = fresh.get_mut(key).and_then(Value::as_object_mut) else {
            continue;
        };
        for (hash, part) in parts {
            let Some(labels) = part.get_mut("labels") else {
                continue;
            };
            strip(labels, &known);
            let more = after.get(key).and_then(|all| all.get(hash));
            if let Some(more) = more.and_then(labels_of) {
                add(labels, more);
            }
            if !merged[key].is_object() {
                merged[key] = Value::Object(Map::new());
            }
            merged[key][hash] = part.clone();
        }
    }
    transplant(whole, &merged)
}

/// Hashes of the objects that lie on data units and on the parts of a group.
fn hashes_on_units(blob: &Value) -> Vec<&str> {
    let mut found = Vec::new();
    let parts = |key: &str| blob.get(key).and_then(Value::as_object);
    for part in ["data_units", "spaces"]
        .into_iter()
        .filter_map(parts)
        .flatten()
    {
        if let Some(labels) = part.1.get("labels") {
            collect(labels, &mut found);
        }
    }
    found
}

fn strip(labels: &mut Value, known: &HashSet<&str>) {
    match labels {
        Value::Array(list) => list.retain(|object| {
            object
                .get("objectHash")
                .and_then(Value::as_str)
                .is_none_or(|hash| !known.contains(hash))
        }),
        Value::Object(map) => map.values_mut().for_each(|value| strip(value, known)),
        _ => {}
    }
}

/// Adds the lists of `more` to the lists at the same places of `labels`.
fn add(labels: &mut Value, more: &Value) {
    match (labels, more) {
        (Value::Array(list), Value::Array(more)) => list.extend(more.iter().cloned()),
        (Value::Object(map), Value::Object(more)) => {
            for (key, value) in more {
                match map.get_mut(key) {
                    Some(there) => add(there, value),
                    None => {
                        map.insert(key.clone(), value.clone());
                    }
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::compare;
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn json_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-1e6_f64..1e6).prop_map(Value::from),
            "[ -~äé😀]{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map("[a-zA-Z_0-9/+]{1,8}", inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    fn object() -> impl Strategy<Value = Value> {
        prop::collection::btree_map("[a-zA-Z0-9/+]{8}", json_value(), 0..4)
            .prop_map(|map| Value::Object(map.into_iter().collect()))
    }

    prop_compose! {
        fn row()(answers in object(), classes in object(), actions in object(),
                 labels in object(), unknown in json_value(), seen in any::<u16>()) -> Value {
            json!({
                "label_hash": format!("row-{seen}"), "last_edited_at": seen, "new_field": unknown,
                "object_answers": answers, "classification_answers": classes,
                "object_actions": actions, "spaces": {},
                "data_units": {"u": {"data_hash": "u", "width": seen, "labels": labels}},
            })
        }
    }

    proptest! {
        #[test]
        fn labels_come_over_whole_and_the_rest_of_the_row_stays(fresh in row(), after in row()) {
            let sent = transplant(fresh.clone(), &after).unwrap();
            for key in ANSWERS {
                prop_assert_eq!(&sent[key], &after[key]);
            }
            prop_assert_eq!(&sent["data_units"]["u"]["labels"], &after["data_units"]["u"]["labels"]);
            prop_assert!(compare(&sent, &after));
            for key in ["label_hash", "last_edited_at", "new_field"] {
                prop_assert_eq!(&sent[key], &fresh[key]);
            }
            prop_assert_eq!(&sent["data_units"]["u"]["width"], &fresh["data_units"]["u"]["width"]);
        }

        #[test]
        fn a_row_put_into_itself_is_the_same_bytes(row in row()) {
            let text = serde_json::to_string(&row).unwrap();
            let read: Value = serde_json::from_str(&text).unwrap();
            let sent = transplant(read.clone(), &read).unwrap();
            prop_assert_eq!(serde_json::to_string(&sent).unwrap(), text);
        }

        #[test]
        fn an_agent_that_saw_everything_replaces_everything(fresh in row(), after in row()) {
            let merged = merge_partial(fresh.clone(), &fresh, &after).unwrap();
            for key in ["object_answers", "classification_answers", "object_actions"] {
                prop_assert_eq!(&merged[key], &after[key]);
            }
        }
    }

    proptest! {
        #[test]
        fn no_json_from_an_agent_or_the_platform_makes_it_panic(
            one in json_value(), two in json_value(), three in json_value(),
        ) {
            let wrap = |inner: &Value| json!({"object_answers": inner, "data_units": inner});
            for (fresh, before, after) in [
                (one.clone(), two.clone(), three.clone()),
                (wrap(&one), wrap(&two), wrap(&three)),
            ] {
                let _ = transplant(fresh.clone(), &after);
                let _ = merge_partial(fresh.clone(), &before, &after);
                let _ = compare(&fresh, &after);
            }
        }
    }

    #[test]
    fn labels_on_a_unit_that_is_not_there_are_never_dropped_silently() {
        let fresh = json!({"data_units": {"a": {"labels": {}}, "b": {"labels": {}}}});
        let on = |hash: &str, labels: Value| json!({"data_units": {hash: {"labels": labels}}});
        let lost = on("c", json!({"objects": [{"objectHash": "h"}]}));
        assert!(
            transplant(fresh.clone(), &lost)
                .unwrap_err()
                .contains("no data unit c")
        );
        let nothing = on("c", json!({"objects": [], "classifications": []}));
        assert_eq!(transplant(fresh.clone(), &nothing).unwrap(), fresh);
    }

    #[test]
    fn labels_an_agent_was_not_given_survive_its_save() {
        let unit = |objects: Value| json!({"u": {"labels": {"0": {"objects": objects}}}});
        let full = json!({
            "object_answers": {"car": {"n": 1}, "dog": {"n": 2}},
            "classification_answers": {"sky": {}}, "object_actions": {}, "spaces": {},
            "data_units": unit(json!([{"objectHash": "car"}, {"objectHash": "dog"}])),
        });
        let before = json!({
            "object_answers": {"car": {"n": 1}}, "classification_answers": {},
            "data_units": unit(json!([{"objectHash": "car"}])),
        });
        let after = json!({
            "object_answers": {"bus": {"n": 3}}, "classification_answers": {},
            "data_units": unit(json!([{"objectHash": "bus"}])),
        });
        let merged = merge_partial(full, &before, &after).unwrap();
        assert_eq!(
            merged["object_answers"],
            json!({"dog": {"n": 2}, "bus": {"n": 3}})
        );
        assert_eq!(merged["classification_answers"], json!({"sky": {}}));
        assert_eq!(
            merged["data_units"],
            unit(json!([{"objectHash": "dog"}, {"objectHash": "bus"}]))
        );
    }
}
