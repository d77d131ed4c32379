//! Whether a blob that an agent gave back is a whole label row, and one that can be saved. Mistakes that the
//! row came with are let pass: they are not the agent's.

use super::super::geometry::share;
use super::super::{BoundingBox, ModelError, ModelResult};
use super::LabelRow;
use super::index::frames_of;
use serde_json::{Map, Value, json};
use std::collections::{BTreeSet, HashSet};

const SECTIONS: [&str; 3] = ["object_answers", "object_actions", "classification_answers"];

fn invalid<T>(why: String) -> ModelResult<T> {
    Err(ModelError::Invalid(why))
}

/// What a value is, for a person.
fn sort(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn object<'v>(value: Option<&'v Value>, what: &str) -> ModelResult<&'v Map<String, Value>> {
    match value.and_then(Value::as_object) {
        Some(map) => Ok(map),
        None => {
            let is = value.map_or_else(
                || "missing".to_owned(),
                |value| format!("{}, not an object", sort(value)),
            );
            invalid(format!(
                "the labels are not a whole label row: {what} is {is}"
            ))
        }
    }
}

impl LabelRow {
    /// Whether `labels` can take the place of the labels of this row: of the same row, whole, and without
    /// mistakes that only a save would find.
    pub(super) fn check_whole(&self, labels: &Value) -> ModelResult<()> {
        object(Some(labels), "the document")?;
        for key in ["label_hash", "data_hash", "branch_name"] {
            let null = |value: &&Value| !value.is_null();
            let own = self.labels().get(key).filter(null);
            let theirs = labels.get(key).filter(null);
            if theirs.is_some() && own != theirs {
                let text =
                    |v: Option<&Value>| v.map_or_else(|| "nothing".to_owned(), Value::to_string);
                return invalid(format!(
                    "the labels are of another row: {key} is {}, not {}",
                    text(theirs),
                    text(own)
                ));
            }
        }
        for key in SECTIONS {
            let known = self.labels().get(key).and_then(Value::as_object);
            if labels.get(key).is_some() || known.is_some_and(|known| !known.is_empty()) {
                for (hash, entry) in object(labels.get(key), &format!("\"{key}\""))? {
                    object(Some(entry), &format!("\"{key}\" of {hash}"))?;
                }
            }
        }
        if labels.get("spaces").is_some() {
            for (hash, space) in object(labels.get("spaces"), "\"spaces\"")? {
                object(Some(space), &format!("the space {hash}"))?;
            }
        }
        self.check_units(object(labels.get("data_units"), "\"data_units\"")?)?;
        let flaws = flaws(labels, self);
        if flaws.is_empty() {
            return Ok(());
        }
        let before = self::flaws(self.labels(), self);
        match flaws.into_iter().find(|flaw| !before.contains(flaw)) {
            Some(flaw) => invalid(flaw),
            None => Ok(()),
        }
    }

    /// The units of the row, each with its labels.
    fn check_units(&self, units: &Map<String, Value>) -> ModelResult<()> {
        let Some(own) = self.units() else {
            return Ok(());
        };
        // The only unit of a row without a label row upstream may be named otherwise there.
        let single = own.len() == 1 && units.len() == 1;
        for (hash, unit) in units {
            let unit = object(Some(unit), &format!("the data unit {hash}"))?;
            let known = if single {
                own.values().next()
            } else {
                own.get(hash)
            };
            let Some(known) = known else {
                return invalid(format!(
                    "the labels have a data unit {hash}, and the label row has none of that hash"
                ));
            };
            if known.get("labels").is_some_and(Value::is_object) {
                object(
                    unit.get("labels"),
                    &format!("\"labels\" of the data unit {hash}"),
                )?;
            }
        }
        match own
            .keys()
            .find(|hash| !single && !units.contains_key(*hash))
        {
            Some(hash) => invalid(format!(
                "the labels are not a whole label row: the data unit {hash} is missing"
            )),
            None => Ok(()),
        }
    }

    /// Takes numbers that lie at most 1e-6 outside of the picture back to the edge, in what the agent drew.
    pub(super) fn settle_edges(&mut self, before: &Self) {
        let mut settled = Vec::new();
        for (hash, known) in self.index() {
            for place in &known.places {
                let Some(drawn) = self.drawn_at(place, hash) else {
                    continue;
                };
                let old = before.index().get(hash).and_then(|old| old.on(place.frame));
                if old.and_then(|old| before.drawn_at(old, hash)) == Some(drawn) {
                    continue;
                }
                let mut inside = drawn.clone();
                settle(&mut inside);
                if inside != *drawn {
                    settled.push((place.clone(), hash.clone(), inside));
                }
            }
        }
        for (place, hash, inside) in settled {
            if let Some(drawn) = self.drawn_at_mut(&place, &hash) {
                *drawn = inside;
            }
        }
    }
}

/// Everything wrong with the objects of a blob that a save, or whoever reads it next, would trip over.
fn flaws(labels: &Value, row: &LabelRow) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let answers = labels.get("object_answers").and_then(Value::as_object);
    let parts = |key: &str| labels.get(key).and_then(Value::as_object);
    let units = parts("data_units").into_iter().flatten();
    let units = units.map(|(hash, unit)| ("data unit", hash, unit));
    let spaces = parts("spaces").into_iter().flatten();
    let spaces = spaces.map(|(hash, space)| ("space", hash, space));
    for (what, part, unit) in units.chain(spaces) {
        for (frame, by_frame, labels) in frames_of(unit) {
            let place = if by_frame {
                format!("frame {frame} of the {what} {part}")
            } else {
                format!("the {what} {part}")
            };
            let objects = match labels.get("objects") {
                None | Some(Value::Null) => continue,
                Some(Value::Array(objects)) => objects,
                Some(other) => {
                    let sort = sort(other);
                    found.insert(format!("the objects of {place} are {sort}, not a list"));
                    continue;
                }
            };
            if what == "data unit" && by_frame && !objects.is_empty() {
                found.extend(row.check_frame(frame).err().map(|error| error.to_string()));
            }
            let mut hashes = HashSet::new();
            for object in objects {
                let hash = object.get("objectHash").and_then(Value::as_str);
                let Some(hash) = hash.filter(|hash| !hash.is_empty()) else {
                    found.insert(format!("an object on {place} has no \"objectHash\""));
                    continue;
                };
                if !hashes.insert(hash) {
                    found.insert(format!("the object {hash} lies twice on {place}"));
                }
                if answers.is_none_or(|answers| !answers.contains_key(hash)) {
                    found.insert(format!(
                        "the object {hash} on {place} has no entry in \"object_answers\""
                    ));
                }
            }
        }
    }
    found
}

/// Brings the shares of one frame object back to the edges, as the constructors of shapes do.
fn settle(object: &mut Value) {
    for key in ["boundingBox", "rotatableBoundingBox"] {
        let Some(area) = object.get_mut(key) else {
            continue;
        };
        let inside = BoundingBox::from_value(area)
            .and_then(|b| Some((b, BoundingBox::new(b.x, b.y, b.w, b.h).ok()?)));
        let Some((old, new)) = inside else { continue };
        for (key, old, new) in [
            ("x", old.x, new.x),
            ("y", old.y, new.y),
            ("w", old.w, new.w),
            ("h", old.h, new.h),
        ] {
            if old.to_bits() != new.to_bits() {
                area[key] = json!(new);
            }
        }
    }
    for key in [
        "polygon",
        "polygons",
        "polyline",
        "point",
        "skeleton",
        "confidence",
    ] {
        if let Some(value) = object.get_mut(key) {
            settle_all(value);
        }
    }
    for key in ["ellipse", "circle"] {
        for axis in ["x", "y"] {
            if let Some(value) = object.get_mut(key).and_then(|shape| shape.get_mut(axis)) {
                settle_all(value);
            }
        }
    }
    if let Some(front) = object.pointer_mut("/cuboid_2d/front") {
        settle_all(front);
    }
}

fn settle_all(value: &mut Value) {
    match value {
        Value::Number(number) => {
            let outside = number.as_f64().filter(|n| !(0.0..=1.0).contains(n));
            if let Some(Ok(inside)) = outside.map(|n| share("it", n)) {
                *value = json!(inside);
            }
        }
        Value::Array(list) => list.iter_mut().for_each(settle_all),
        Value::Object(map) => map.values_mut().for_each(settle_all),
        _ => {}
    }
}
