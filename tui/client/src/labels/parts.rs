//! The parts of a data group (`spaces`), and the labels on them.

use serde_json::{Map, Value};
use std::collections::HashSet;

/// The parts of a group that stay as they are, and what lies on them.
#[derive(Default)]
pub(super) struct OnParts {
    spaces: HashSet<String>,
    objects: HashSet<String>,
}

impl OnParts {
    pub(super) fn that_stay(row: &Map<String, Value>, after: &Value) -> Self {
        let named = after.get("spaces").and_then(Value::as_object);
        let mut stay = Self::default();
        for (hash, space) in row
            .get("spaces")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            if named.is_some_and(|named| named.get(hash).and_then(labels_of).is_some()) {
                continue;
            }
            stay.spaces.insert(hash.clone());
            let mut found = Vec::new();
            if let Some(labels) = space.get("labels") {
                collect(labels, &mut found);
            }
            stay.objects.extend(found.into_iter().map(str::to_owned));
        }
        stay
    }

    /// Puts back what the old answers held of them and the new ones do not.
    pub(super) fn keep(&self, old: Option<Value>, new: Option<&mut Value>) {
        let (Some(Value::Object(old)), Some(Value::Object(new))) = (old, new) else {
            return;
        };
        if self.spaces.is_empty() {
            return;
        }
        for (hash, entry) in old {
            // Ranges and classifications name their parts in the answer itself.
            let placed = entry.get("spaces").and_then(Value::as_object);
            let placed = placed.is_some_and(|on| on.keys().any(|s| self.spaces.contains(s)));
            if placed || self.objects.contains(&hash) {
                new.entry(hash).or_insert(entry);
            }
        }
    }
}

/// The labels of a unit or a part, if it names any.
pub(super) fn labels_of(part: &Value) -> Option<&Value> {
    part.get("labels").filter(|labels| !labels.is_null())
}

/// Whether there is a label in this part of a document.
pub(super) fn holds_labels(labels: &Value) -> bool {
    match labels {
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => map.values().any(holds_labels),
        _ => false,
    }
}

/// Hashes of the objects in this part of a document.
pub(super) fn collect<'a>(labels: &'a Value, found: &mut Vec<&'a str>) {
    match labels {
        Value::Array(list) => {
            found.extend(list.iter().filter_map(|o| o.get("objectHash")?.as_str()));
        }
        Value::Object(map) => map.values().for_each(|value| collect(value, found)),
        _ => {}
    }
}

/// The labels on the parts of a group; what else a part is stays.
pub(super) fn put_spaces(row: &mut Map<String, Value>, after: &Value) {
    let Some(wanted) = after.get("spaces").and_then(Value::as_object) else {
        return;
    };
    let spaces = row
        .entry("spaces")
        .or_insert_with(|| Value::Object(Map::new()));
    if spaces.is_null() {
        *spaces = Value::Object(Map::new());
    }
    let Some(spaces) = spaces.as_object_mut() else {
        return;
    };
    for (hash, space) in wanted {
        match (
            spaces.get_mut(hash).and_then(Value::as_object_mut),
            labels_of(space),
        ) {
            (Some(there), Some(labels)) => {
                there.insert("labels".to_owned(), labels.clone());
            }
            (Some(_), None) => {}
            (None, Some(labels)) if holds_labels(labels) => {
                spaces.insert(hash.clone(), space.clone());
            }
            (None, _) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{compare, merge_partial, transplant};
    use super::*;
    use serde_json::json;

    fn space(objects: Value) -> Value {
        json!({"space_type": "image", "child_info": {"layout_key": "left"}, "labels": {"0": {"objects": objects}}})
    }

    /// A group as the platform has it: labelled on both of its parts.
    fn full() -> Value {
        json!({
            "label_hash": "l", "data_units": {"g": {"labels": {}}},
            "spaces": {"left": space(json!([{"objectHash": "a"}])), "right": space(json!([{"objectHash": "b"}]))},
            "object_answers": {"a": {"n": 1}, "b": {"n": 2}, "s": {"spaces": {"left": {"range": [[0, 5]]}}}, "gone": {}},
            "object_actions": {"a": {"actions": []}},
            "classification_answers": {"c": {"spaces": {"right": {"range": []}}}, "d": {"spaces": {}}},
        })
    }

    /// The same group as its metadata describe it.
    fn blank(labels: Value) -> Value {
        json!({"label_hash": null, "data_units": {"g": {"labels": labels}}, "spaces": {},
            "object_answers": {}, "object_actions": {}, "classification_answers": {}})
    }

    #[test]
    fn a_group_without_a_label_row_is_the_same_as_its_fresh_row() {
        let lists = json!({"objects": [], "classifications": []});
        let mut made = blank(json!({}));
        made["spaces"] = json!({"left": {"space_type": "image", "child_info": {"data_link": "https://x/1"}, "labels": {}},
            "right": {"space_type": "video", "labels": null}, "text": {"space_type": "text"}});
        for seen in [blank(json!({})), blank(lists)] {
            assert!(compare(&made, &seen) && compare(&seen, &made));
            assert!(!compare(&full(), &seen));
        }
        let mut signed = made.clone();
        signed["spaces"]["left"]["child_info"]["data_link"] = json!("https://x/2");
        assert!(compare(&made, &signed));
    }

    #[test]
    fn empty_parts_are_never_laid_over_full_ones() {
        let mut after = blank(json!({}));
        after["classification_answers"] = json!({"new": {"spaces": {}}});
        for spaces in [
            json!({}),
            json!(null),
            json!({"left": {"space_type": "image"}}),
        ] {
            after["spaces"] = spaces;
            let sent = transplant(full(), &after).unwrap();
            assert_eq!(sent["spaces"], full()["spaces"]);
            // Not what lies on the whole: that was replaced by what the agent left.
            assert_eq!(
                sent["object_answers"],
                json!({"a": {"n": 1}, "b": {"n": 2}, "s": full()["object_answers"]["s"]})
            );
            assert_eq!(sent["object_actions"], full()["object_actions"]);
            let classes =
                json!({"c": full()["classification_answers"]["c"], "new": {"spaces": {}}});
            assert_eq!(sent["classification_answers"], classes);
        }
        after.as_object_mut().unwrap().remove("spaces");
        assert_eq!(
            transplant(full(), &after).unwrap()["spaces"],
            full()["spaces"]
        );
    }

    #[test]
    fn the_labels_of_a_part_come_over_and_what_else_it_is_stays() {
        let mut after = full();
        after["spaces"]["left"] = json!({"labels": {"0": {"objects": []}}});
        after["spaces"]["new"] = space(json!([{"objectHash": "n"}]));
        after["spaces"]["bare"] = space(json!([]));
        after["object_answers"].as_object_mut().unwrap().remove("a");
        let sent = transplant(full(), &after).unwrap();
        assert_eq!(sent["spaces"]["left"], space(json!([])));
        assert_eq!(sent["spaces"]["right"], full()["spaces"]["right"]);
        assert_eq!(sent["spaces"]["new"], after["spaces"]["new"]);
        assert_eq!(sent["spaces"].get("bare"), None);
        assert_eq!(sent["object_answers"].get("a"), None);
    }

    #[test]
    fn an_agent_that_saw_some_labels_of_a_part_replaces_those() {
        let both = json!([{"objectHash": "a"}, {"objectHash": "hidden"}]);
        let mut whole = full();
        whole["spaces"]["left"] = space(both);
        let before = full();
        let mut after = full();
        after["spaces"]["left"] = space(json!([{"objectHash": "new"}]));
        let merged = merge_partial(whole, &before, &after).unwrap();
        let left = space(json!([{"objectHash": "hidden"}, {"objectHash": "new"}]));
        assert_eq!(merged["spaces"]["left"], left);
        assert_eq!(merged["spaces"]["right"], full()["spaces"]["right"]);
    }
}
