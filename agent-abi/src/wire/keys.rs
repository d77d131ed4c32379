//! The names of fields, from the types themselves, and keys of an answer that nothing reads.

use super::{AddLabel, AnswerLabel, ChangeDoc, Outcome};
use serde::de::value::Error;
use serde::de::{DeserializeOwned, Error as _, Visitor};
use serde::{Deserializer, forward_to_deserialize_any};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Keys that are reported of one answer.
const MOST: usize = 8;
/// Fields of an [`AddLabel`] that have a meaning inside of `frames`; the others name the label and its place.
const NOT_ON_A_FRAME: [&str; 7] = [
    "name",
    "hash",
    "frame",
    "lastFrame",
    "frames",
    "answer",
    "range",
];

/// The shapes that are objects, with the names in each.
const IN_SHAPES: [(&str, &[&str]); 7] = [
    ("boundingBox", &["x", "y", "w", "h"]),
    ("rotatableBoundingBox", &["x", "y", "w", "h", "theta"]),
    ("bitmask", &["rle", "width", "height", "top", "left"]),
    ("ellipse", &["x", "y", "rx", "ry", "theta"]),
    ("circle", &["x", "y", "r", "stretch", "theta"]),
    (
        "cuboid_2d",
        &["front", "offset", "vanishingPoint", "scaleRatio"],
    ),
    ("htmlRange", &["start", "end"]),
];

/// The names of a type's fields as JSON has them; empty for what is not an object of its own.
#[must_use]
pub fn fields<T: DeserializeOwned>() -> &'static [&'static str] {
    struct Probe<'p>(&'p mut &'static [&'static str]);

    impl<'de> Deserializer<'de> for Probe<'_> {
        type Error = Error;

        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
            Err(Error::custom("only the names are asked for"))
        }

        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _: &'static str,
            names: &'static [&'static str],
            _: V,
        ) -> Result<V::Value, Error> {
            *self.0 = names;
            Err(Error::custom("only the names are asked for"))
        }

        forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
            unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }

    let mut names: &'static [&'static str] = &[];
    // It ends with an error in any case; the names were noted before.
    let _ = T::deserialize(Probe(&mut names));
    names
}

/// A key of an agent's answer that nothing reads.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnreadKey {
    /// The key.
    pub key: String,
    /// What it is in: `add`, `frames`, `boundingBox`; empty at the top.
    pub place: &'static str,
    /// The keys that are read there.
    pub known: Vec<&'static str>,
}

/// Keys of an agent's answer that nothing reads, each once, at most eight. None for what is not an outcome.
#[must_use]
pub fn unread(answer: &str) -> Vec<UnreadKey> {
    let mut found = Vec::new();
    let Ok(outcome) = serde_json::from_str::<Parts<'_>>(answer) else {
        return found;
    };
    compare("", &outcome, fields::<Outcome>(), &mut found);
    by_name(&outcome, &mut found);
    for change in labels(&outcome, "changes") {
        compare("changes", &change, fields::<ChangeDoc>(), &mut found);
        by_name(&change, &mut found);
    }
    found
}

/// Keys of what is added and answered by name.
fn by_name(outcome: &Parts<'_>, found: &mut Vec<UnreadKey>) {
    let add = fields::<AddLabel>();
    for label in labels(outcome, "add") {
        compare("add", &label, add, found);
        shapes(&label, found);
        let frames = label.get("frames");
        let frames: BTreeMap<String, Parts<'_>> = frames
            .and_then(|raw| serde_json::from_str(raw.get()).ok())
            .unwrap_or_default();
        for shape in frames.values() {
            let here: Vec<&str> = add.iter().copied().filter(on_a_frame).collect();
            compare("frames", shape, &here, found);
            shapes(shape, found);
        }
    }
    for label in labels(outcome, "answer") {
        compare("answer", &label, fields::<AnswerLabel>(), found);
    }
}

/// The parts of an object by their keys, unread.
type Parts<'a> = BTreeMap<String, &'a RawValue>;

fn labels<'a>(outcome: &Parts<'a>, list: &str) -> Vec<Parts<'a>> {
    let raw = outcome.get(list).map_or("[]", |raw| raw.get());
    serde_json::from_str(raw).unwrap_or_default()
}

/// Whether a field of a label may stand under one of its `frames`.
fn on_a_frame(name: &&str) -> bool {
    !NOT_ON_A_FRAME.contains(name)
}

fn compare(
    place: &'static str,
    given: &Parts<'_>,
    known: &[&'static str],
    found: &mut Vec<UnreadKey>,
) {
    for key in given.keys().filter(|key| !known.contains(&key.as_str())) {
        let unread = UnreadKey {
            key: key.clone(),
            place,
            known: known.to_vec(),
        };
        if found.len() < MOST && !found.contains(&unread) {
            found.push(unread);
        }
    }
}

fn shapes(label: &Parts<'_>, found: &mut Vec<UnreadKey>) {
    for (shape, known) in IN_SHAPES {
        let Some(raw) = label.get(shape) else {
            continue;
        };
        let parts: Parts<'_> = serde_json::from_str(raw.get()).unwrap_or_default();
        compare(shape, &parts, known, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{RowDoc, StepDoc};

    #[test]
    fn the_names_of_fields_are_those_of_the_json() {
        assert_eq!(fields::<RowDoc>(), ["metadata", "labels"]);
        assert_eq!(
            fields::<StepDoc>(),
            ["kind", "name", "at_us", "took_us", "value"]
        );
        assert!(fields::<AddLabel>().contains(&"rotatableBoundingBox"));
        assert!(fields::<Vec<String>>().is_empty() && fields::<String>().is_empty());
    }

    #[test]
    fn keys_that_nothing_reads_are_found_at_every_depth() {
        for (answer, wanted) in [
            (
                r#"{"route": "x", "steps": [], "add": [], "remove": [], "answer": []}"#,
                &[][..],
            ),
            (
                r#"{"route": "x", "prioriti": 1}"#,
                &[("prioriti", "", "priority")],
            ),
            (
                r#"{"add": [{"name": "Car", "boundingbox": {}}, {"boundingbox": {}, "lastframe": 1}]}"#,
                &[
                    ("boundingbox", "add", "boundingBox"),
                    ("lastframe", "add", "lastFrame"),
                ],
            ),
            (
                r#"{"add": [{"frames": {"3": {"boundingBox": {"x": 0, "hh": 1}, "confidance": 1, "hash": ""}}}]}"#,
                &[
                    ("confidance", "frames", "confidence"),
                    ("hash", "frames", "polygon"),
                    ("hh", "boundingBox", "h"),
                ],
            ),
            (
                r#"{"answer": [{"hash": "a", "value": 1, "frame": [[0, 1]]}]}"#,
                &[("frame", "answer", "frames")],
            ),
            (
                r#"{"changes": [{"kind": "labels", "projekt": "", "add": [{"nam": "Car"}]}]}"#,
                &[("projekt", "changes", "project"), ("nam", "add", "name")],
            ),
            ("[1]", &[]),
            (r#"{"add": 7}"#, &[]),
        ] {
            let found = unread(answer);
            let short: Vec<_> = found.iter().map(|u| (u.key.as_str(), u.place)).collect();
            let keys: Vec<_> = wanted
                .iter()
                .map(|(key, place, _)| (*key, *place))
                .collect();
            assert_eq!(short, keys, "{answer}");
            for (found, (_, _, near)) in found.iter().zip(wanted) {
                assert!(found.known.contains(near), "{answer}");
            }
        }
        let many: Vec<String> = (0..20).map(|n| format!("\"unknown{n}\": 0")).collect();
        assert_eq!(unread(&format!("{{{}}}", many.join(","))).len(), MOST);
    }

    #[test]
    fn what_is_known_inside_of_shapes_are_fields_of_labels() {
        let names = fields::<AddLabel>();
        assert!(IN_SHAPES.iter().all(|(shape, _)| names.contains(shape)));
        assert!(NOT_ON_A_FRAME.iter().all(|name| names.contains(name)));
    }
}
