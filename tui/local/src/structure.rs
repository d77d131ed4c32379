//! Completes the structure of an ontology: fills in what clients need, and reports what is missing.
//!
//! Filled in: ids, colours, feature hashes (derived from position and name, so always the same), values
//! of options, and the flags `required`, `archived` and `dynamic`. Required: names, shapes, types, and
//! the labels of options.

use std::collections::HashSet;

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::ids::short_hash;
use crate::store::exact;

const SHAPES: [&str; 15] = [
    "bounding_box",
    "rotatable_bounding_box",
    "polygon",
    "polyline",
    "point",
    "skeleton",
    "bitmask",
    "ellipse",
    "circle",
    "cuboid",
    "cuboid_2d",
    "audio",
    "text",
    "time_range",
    "segmentation",
];
const TYPES: [&str; 4] = ["radio", "checklist", "text", "numeric"];
const COLOURS: [&str; 8] = [
    "#D33115", "#E27300", "#16406C", "#FE9200", "#FCDC00", "#DBDF00", "#A4DD00", "#68CCCA",
];

/// A structure as text, completed. Numbers that were given keep their digits.
///
/// # Errors
/// As [`complete`], or invalid JSON.
pub(crate) fn completed(came: &RawValue) -> Result<String, String> {
    let mut structure = exact::value(came)?;
    complete(&mut structure)?;
    let whole = exact::filled_in(came, &structure).map_err(|e| e.to_string())?;
    Ok(whole.get().to_owned())
}

/// Completes a structure.
///
/// # Errors
/// A sentence with the place of what is missing, unknown, or not unique.
fn complete(structure: &mut Value) -> Result<(), String> {
    let mut work = FeatureHashes::default();
    for (key, what) in [("objects", "object"), ("classifications", "classification")] {
        let list = structure
            .get_mut(key)
            .and_then(Value::as_array_mut)
            .ok_or_else(|| format!("a list `{key}` is required, even if empty"))?;
        for (n, entry) in list.iter_mut().enumerate() {
            let place = format!("{key}[{n}]");
            let entry = object(entry, &place)?;
            match what {
                "object" => work.object(entry, n, &place)?,
                _ => work.classification(entry, n, &place)?,
            }
        }
    }
    Ok(())
}

fn object<'a>(value: &'a mut Value, place: &str) -> Result<&'a mut Map<String, Value>, String> {
    value
        .as_object_mut()
        .ok_or_else(|| format!("{place} is not an object"))
}

fn text(entry: &Map<String, Value>, key: &str, place: &str) -> Result<String, String> {
    let found = entry.get(key).and_then(Value::as_str);
    found
        .filter(|t| !t.is_empty())
        .map(str::to_owned)
        .ok_or_else(|| format!("{place} has no `{key}`"))
}

fn one_of(known: &[&str], found: &str, key: &str, place: &str) -> Result<(), String> {
    if known.contains(&found) {
        return Ok(());
    }
    Err(format!(
        "{place}: {found:?} is not a `{key}`; known are {}",
        known.join(", ")
    ))
}

fn or(entry: &mut Map<String, Value>, key: &str, value: impl FnOnce() -> Value) {
    let slot = entry.entry(key).or_insert(Value::Null);
    if slot.is_null() {
        *slot = value();
    }
}

/// The feature hashes so far. Each must be unique.
#[derive(Default)]
struct FeatureHashes {
    hashes: HashSet<String>,
}

impl FeatureHashes {
    fn hash(&mut self, entry: &mut Map<String, Value>, place: &str) -> Result<(), String> {
        or(entry, "featureNodeHash", || {
            let name = Uuid::new_v5(&Uuid::NAMESPACE_OID, place.as_bytes());
            json!(short_hash(name.as_u64_pair().0))
        });
        let hash = text(entry, "featureNodeHash", place)?;
        if !self.hashes.insert(hash.clone()) {
            return Err(format!("{place}: the feature hash {hash:?} is not unique"));
        }
        Ok(())
    }

    fn object(
        &mut self,
        entry: &mut Map<String, Value>,
        n: usize,
        place: &str,
    ) -> Result<(), String> {
        let name = text(entry, "name", place)?;
        let place = format!("{place} (\"{name}\")");
        let shape = text(entry, "shape", &place)?;
        one_of(&SHAPES, &shape, "shape", &place)?;
        or(entry, "id", || json!((n + 1).to_string()));
        or(entry, "color", || json!(COLOURS[n % COLOURS.len()]));
        or(entry, "required", || json!(false));
        or(entry, "archived", || json!(false));
        self.hash(entry, &place)?;
        let id = (n + 1).to_string();
        self.attributes(entry, &id, &place)
    }

    fn classification(
        &mut self,
        entry: &mut Map<String, Value>,
        n: usize,
        place: &str,
    ) -> Result<(), String> {
        or(entry, "id", || json!((n + 1).to_string()));
        self.hash(entry, place)?;
        let has_one = entry
            .get("attributes")
            .and_then(Value::as_array)
            .is_some_and(|list| !list.is_empty());
        if !has_one {
            return Err(format!("{place} has no attribute"));
        }
        let id = (n + 1).to_string();
        self.attributes(entry, &id, place)
    }

    fn attributes(
        &mut self,
        parent: &mut Map<String, Value>,
        id: &str,
        place: &str,
    ) -> Result<(), String> {
        let Some(list) = parent.get_mut("attributes").filter(|v| !v.is_null()) else {
            return Ok(());
        };
        self.attribute_list(list, id, &format!("{place}.attributes"))
    }

    fn attribute_list(&mut self, list: &mut Value, id: &str, place: &str) -> Result<(), String> {
        let list = list
            .as_array_mut()
            .ok_or_else(|| format!("{place} is not a list"))?;
        for (n, value) in list.iter_mut().enumerate() {
            let place = format!("{place}[{n}]");
            let id = format!("{id}.{}", n + 1);
            let entry = object(value, &place)?;
            text(entry, "name", &place)?;
            let kind = text(entry, "type", &place)?;
            one_of(&TYPES, &kind, "type", &place)?;
            or(entry, "id", || json!(id));
            for flag in ["required", "dynamic", "archived"] {
                or(entry, flag, || json!(false));
            }
            self.hash(entry, &place)?;
            if let Some(options) = entry.get_mut("options").filter(|v| !v.is_null()) {
                self.options(options, &id, &format!("{place}.options"))?;
            }
        }
        Ok(())
    }

    fn options(&mut self, list: &mut Value, id: &str, place: &str) -> Result<(), String> {
        let list = list
            .as_array_mut()
            .ok_or_else(|| format!("{place} is not a list"))?;
        for (n, value) in list.iter_mut().enumerate() {
            let place = format!("{place}[{n}]");
            let id = format!("{id}.{}", n + 1);
            let entry = object(value, &place)?;
            let label = text(entry, "label", &place)?;
            or(entry, "id", || json!(id));
            or(entry, "value", || {
                json!(label.to_lowercase().replace(' ', "_"))
            });
            or(entry, "archived", || json!(false));
            self.hash(entry, &place)?;
            if let Some(nested) = entry.get_mut("options").filter(|v| !v.is_null()) {
                self.attribute_list(nested, &id, &format!("{place}.options"))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minimal_structure_is_completed() {
        let shortest = || {
            json!({
                "objects": [{"name": "Car", "shape": "bounding_box", "attributes": [
                    {"name": "Colour", "type": "radio", "options": [{"label": "Dark red"}]}]}],
                "classifications": [{"attributes": [{"name": "Weather", "type": "text"}]}],
            })
        };
        let (mut one, mut two) = (shortest(), shortest());
        complete(&mut one).unwrap();
        complete(&mut two).unwrap();
        assert_eq!(one, two);
        let attribute = &one["objects"][0]["attributes"][0];
        assert_eq!(attribute["id"], "1.1");
        assert_eq!(attribute["required"], false);
        assert_eq!(attribute["options"][0]["value"], "dark_red");
        assert_eq!(attribute["options"][0]["id"], "1.1.1");
        assert_eq!(
            one["objects"][0]["featureNodeHash"].as_str().unwrap().len(),
            8
        );
    }

    #[test]
    fn given_fields_are_kept() {
        let mut given = json!({
            "objects": [{"name": "Car", "shape": "polygon", "id": "7", "color": "#000000", "featureNodeHash": "abcdefgh",
                         "required": true, "archived": true, "attributes": []}],
            "classifications": [], "skeleton_templates": [],
        });
        let before = given.clone();
        complete(&mut given).unwrap();
        assert_eq!(given, before);
    }

    #[test]
    fn missing_fields_are_reported_with_their_place() {
        for (structure, words) in [
            (json!({"objects": []}), "`classifications`"),
            (
                json!({"objects": [{"name": "Car", "shape": "box"}], "classifications": []}),
                "\"box\" is not a `shape`",
            ),
            (
                json!({"objects": [{"shape": "point"}], "classifications": []}),
                "objects[0] has no `name`",
            ),
            (
                json!({"objects": [], "classifications": [{"attributes": []}]}),
                "classifications[0] has no attribute",
            ),
            (
                json!({"objects": [], "classifications": [{"attributes": [{"name": "x", "type": "radio",
                    "options": [{"value": "a"}]}]}]}),
                "options[0] has no `label`",
            ),
            (
                json!({"objects": [{"name": "a", "shape": "point", "featureNodeHash": "same"},
                                   {"name": "b", "shape": "point", "featureNodeHash": "same"}], "classifications": []}),
                "is not unique",
            ),
        ] {
            let why = complete(&mut structure.clone()).unwrap_err();
            assert!(why.contains(words), "{why}");
        }
    }
}
