//! Typed views of the objects of a label row, with their frames. Classifications are in `classified`.

use super::super::geometry::{from_flat, from_numbered};
use super::super::{
    Answer, Attribute, Bitmask, BoundingBox, Circle, Cuboid, Ellipse, HtmlRange, Point,
    RotatableBox, Shape, Vertex,
};
use super::LabelRow;
use super::asked::answer_among;
use super::track::Track;
use super::work::looked_at;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

/// One object: the same thing over all frames it is seen on.
#[derive(Clone, Debug)]
pub struct Object<'r> {
    row: &'r LabelRow,
    hash: &'r str,
    /// A frame object, or the answer entry for audio and text.
    facts: &'r Value,
    /// Ascending.
    frames: Vec<(u64, &'r Value)>,
    /// Its dynamic answers on their frames, by attribute; read when one is asked for.
    dynamic: OnceLock<BTreeMap<&'r str, Track>>,
}

impl LabelRow {
    /// All objects, in the order in which they are first seen. Those on the parts of a data group are read part
    /// by part ([`LabelRow::part`]).
    #[must_use]
    pub fn objects(&self) -> Vec<Object<'_>> {
        let mut all = self.every_object();
        all.retain(|object| !object.frames.is_empty() || !only_on_parts(object.facts));
        all
    }

    /// The same, and the ranges on the parts of a data group.
    pub(in super::super) fn every_object(&self) -> Vec<Object<'_>> {
        let mut out: Vec<Object<'_>> = Vec::new();
        let mut places: HashMap<&str, usize> = HashMap::new();
        for (frame, labels) in self.frames() {
            let objects = labels.get("objects").and_then(Value::as_array);
            for value in objects.into_iter().flatten() {
                looked_at(1);
                let Some(hash) = value.get("objectHash").and_then(Value::as_str) else {
                    continue;
                };
                let place = *places.entry(hash).or_insert_with(|| {
                    out.push(Object {
                        row: self,
                        hash,
                        facts: value,
                        frames: Vec::new(),
                        dynamic: OnceLock::new(),
                    });
                    out.len() - 1
                });
                out[place].frames.push((frame, value));
            }
        }
        for (hash, entry) in self.section("object_answers") {
            let on_ranges = entry.get("featureHash").is_some() && !places.contains_key(hash);
            if on_ranges {
                out.push(Object {
                    row: self,
                    hash,
                    facts: entry,
                    frames: Vec::new(),
                    dynamic: OnceLock::new(),
                });
            }
        }
        out
    }

    /// All objects of one kind, by name or feature hash.
    pub fn objects_named<'r>(&'r self, name: &str) -> impl Iterator<Item = Object<'r>> + use<'r> {
        let name = name.to_owned();
        self.objects()
            .into_iter()
            .filter(move |o| o.name() == name || o.feature_hash() == name)
    }

    /// The object with this hash.
    #[must_use]
    pub fn object(&self, hash: &str) -> Option<Object<'_>> {
        let (hash, known) = self.index().get_key_value(hash)?;
        let places = known.places.iter();
        let frames: Vec<(u64, &Value)> = places
            .filter_map(|place| Some((place.frame, self.drawn_at(place, hash)?)))
            .collect();
        let facts = match frames.first() {
            Some((_, first)) => *first,
            None => self.labels().get("object_answers")?.get(hash)?,
        };
        Some(Object {
            row: self,
            hash,
            facts,
            frames,
            dynamic: OnceLock::new(),
        })
    }

    /// Frames with labels: number and the frame's object, ascending.
    pub(super) fn frames(&self) -> Vec<(u64, &Value)> {
        let mut out = Vec::new();
        for unit in self.units().into_iter().flat_map(Map::values) {
            let Some(labels) = unit.get("labels") else {
                continue;
            };
            if labels.get("objects").is_some_and(Value::is_array) {
                out.push((sequence(unit), labels));
            } else if let Some(frames) = labels.as_object() {
                out.extend(
                    frames
                        .iter()
                        .filter_map(|(k, v)| Some((k.parse().ok()?, v))),
                );
            }
        }
        out.sort_by_key(|(frame, _)| *frame);
        out
    }

    pub(super) fn section(&self, key: &str) -> impl Iterator<Item = (&str, &Value)> {
        self.labels()
            .get(key)
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .map(|(k, v)| (k.as_str(), v))
    }
}

/// Place of a unit in its group; text in image groups, a number elsewhere.
pub(super) fn sequence(unit: &Value) -> u64 {
    match unit.get("data_sequence") {
        Some(Value::String(text)) => text.parse().unwrap_or(0),
        Some(value) => value.as_u64().unwrap_or(0),
        None => 0,
    }
}

impl<'r> Object<'r> {
    /// Identity in this label row, 8 characters.
    #[must_use]
    pub const fn hash(&self) -> &'r str {
        self.hash
    }

    /// Its kind in the ontology.
    #[must_use]
    pub fn name(&self) -> &'r str {
        text(self.facts, "name")
    }

    /// Identity of its kind.
    #[must_use]
    pub fn feature_hash(&self) -> &'r str {
        text(self.facts, "featureHash")
    }

    /// How it is drawn.
    #[must_use]
    pub fn shape(&self) -> Shape {
        Shape::from(text(self.facts, "shape").to_owned())
    }

    /// Numbers of the frames it is seen on, ascending; empty for audio and text.
    #[must_use]
    pub fn frames(&self) -> Vec<u64> {
        self.frames.iter().map(|(frame, _)| *frame).collect()
    }

    /// Its JSON on a frame.
    #[must_use]
    pub fn on_frame(&self, frame: u64) -> Option<&'r Value> {
        // Ascending; of two on one frame the first counts.
        let place = self.frames.partition_point(|(n, _)| *n < frame);
        let (n, value) = self.frames.get(place)?;
        (*n == frame).then_some(*value)
    }

    /// Its box on a frame; of a turned one the box before it is turned.
    #[must_use]
    pub fn bounding_box(&self, frame: u64) -> Option<BoundingBox> {
        let value = self.on_frame(frame)?;
        BoundingBox::from_value(
            value
                .get("boundingBox")
                .or_else(|| value.get("rotatableBoundingBox"))?,
        )
    }

    /// Its points on a frame: the outer ring of a polygon, a polyline, a point, a skeleton.
    #[must_use]
    pub fn points(&self, frame: u64) -> Vec<Point> {
        let Some(value) = self.on_frame(frame) else {
            return Vec::new();
        };
        ["polygon", "polyline", "point", "skeleton"]
            .iter()
            .find_map(|key| value.get(key))
            .map(from_numbered)
            .unwrap_or_default()
    }

    /// Its mask on a frame.
    #[must_use]
    pub fn bitmask(&self, frame: u64) -> Option<Bitmask> {
        Bitmask::from_value(self.on_frame(frame)?.get("bitmask")?)
    }

    /// Its turned box on a frame.
    #[must_use]
    pub fn rotatable_box(&self, frame: u64) -> Option<RotatableBox> {
        RotatableBox::from_value(self.on_frame(frame)?.get("rotatableBoundingBox")?)
    }

    /// The polygons of an object on a frame: of each its outer ring, then its holes.
    #[must_use]
    pub fn polygons(&self, frame: u64) -> Vec<Vec<Vec<Point>>> {
        let Some(value) = self.on_frame(frame) else {
            return Vec::new();
        };
        let rings = |polygon: &Value| -> Vec<Vec<Point>> {
            polygon
                .as_array()
                .into_iter()
                .flatten()
                .map(from_flat)
                .collect()
        };
        match value.get("polygons").and_then(Value::as_array) {
            Some(all) => all.iter().map(rings).collect(),
            None if value.get("polygon").is_some() => vec![vec![self.points(frame)]],
            None => Vec::new(),
        }
    }

    /// The vertices of its skeleton on a frame, in the order of its template.
    #[must_use]
    pub fn vertices(&self, frame: u64) -> Vec<Vertex> {
        let skeleton = self.on_frame(frame).and_then(|v| v.get("skeleton"));
        let Some(skeleton) = skeleton.and_then(Value::as_object) else {
            return Vec::new();
        };
        let mut numbered: Vec<(u64, Vertex)> = skeleton
            .iter()
            .filter_map(|(key, vertex)| Some((key.parse().ok()?, Vertex::from_value(vertex)?)))
            .collect();
        numbered.sort_by_key(|(number, _)| *number);
        numbered.into_iter().map(|(_, vertex)| vertex).collect()
    }

    /// Its ellipse on a frame.
    #[must_use]
    pub fn ellipse(&self, frame: u64) -> Option<Ellipse> {
        Ellipse::from_value(self.on_frame(frame)?.get("ellipse")?)
    }

    /// Its circle on a frame.
    #[must_use]
    pub fn circle(&self, frame: u64) -> Option<Circle> {
        Circle::from_value(self.on_frame(frame)?.get("circle")?)
    }

    /// Its cuboid on a frame.
    #[must_use]
    pub fn cuboid(&self, frame: u64) -> Option<Cuboid> {
        Cuboid::from_value(self.on_frame(frame)?.get("cuboid_2d")?)
    }

    /// Milliseconds of audio or characters of text, both ends included; empty for what is drawn and for
    /// HTML.
    #[must_use]
    pub fn ranges(&self) -> Vec<(u64, u64)> {
        ranges(self.facts)
    }

    /// Stretches of an HTML page; empty for all else.
    #[must_use]
    pub fn html_ranges(&self) -> Vec<HtmlRange> {
        html_ranges(self.facts)
    }

    /// How sure the maker was on a frame, 0 to 1.
    #[must_use]
    pub fn confidence(&self, frame: u64) -> Option<f64> {
        self.on_frame(frame)?.get("confidence")?.as_f64()
    }

    /// Whether it counts as made by a person on a frame; for audio and text the frame does not matter.
    #[must_use]
    pub fn is_manual(&self, frame: u64) -> bool {
        let entry = self.on_frame(frame).unwrap_or(self.facts);
        entry.get("manualAnnotation").and_then(Value::as_bool) != Some(false)
    }

    /// The answer to an attribute that holds for the whole object, by name or feature hash. Nested attributes
    /// are found too; of several with one name the outermost is meant. Where several remain, there is no
    /// answer, and a warning is logged that names their feature hashes.
    #[must_use]
    pub fn answer(&self, attribute: &str) -> Option<Answer> {
        answer_among(
            self.answers().iter(),
            attribute,
            self.attributes(),
            &self.row.ontology,
        )
    }

    /// The answer to a dynamic attribute on a frame, by name or feature hash; names as in [`Object::answer`].
    #[must_use]
    pub fn answer_on(&self, attribute: &str, frame: u64) -> Option<Answer> {
        let actions = self.actions();
        let dynamic = self.dynamic.get_or_init(|| {
            let mut tracks: BTreeMap<&str, Track> = BTreeMap::new();
            looked_at(actions.len());
            for (place, action) in actions.iter().enumerate() {
                let track = tracks.entry(text(action, "featureHash")).or_default();
                for (from, to) in ranges(action) {
                    if from <= to {
                        track.lay((from, to), place);
                    }
                }
            }
            tracks
        });
        // Other clients take the last of several, too.
        let here = dynamic.values().filter_map(|track| track.at(frame));
        let here = here.map(|place| &actions[place]);
        answer_among(here, attribute, self.attributes(), &self.row.ontology)
    }

    fn attributes(&self) -> &'r [Attribute] {
        let kinds = &self.row.ontology.objects;
        let kind = kinds
            .iter()
            .find(|kind| kind.feature_hash == self.feature_hash());
        kind.map_or(&[], |kind| kind.attributes.as_slice())
    }

    /// Its dynamic answers, as they stand in the blob.
    pub(super) fn actions(&self) -> &'r [Value] {
        list(self.section("object_actions"), "actions")
    }

    /// Its answers that hold for the whole, as they stand in the blob.
    pub(super) fn answers(&self) -> &'r [Value] {
        list(self.section("object_answers"), "classifications")
    }

    /// Its entry in a section of the blob.
    pub(super) fn section(&self, key: &str) -> Option<&'r Value> {
        self.row.labels().get(key)?.get(self.hash)
    }
}

fn list<'r>(entry: Option<&'r Value>, key: &str) -> &'r [Value] {
    let list = entry.and_then(|entry| entry.get(key)?.as_array());
    list.map_or(&[], Vec::as_slice)
}

pub(in super::super) fn ranges(entry: &Value) -> Vec<(u64, u64)> {
    let pair = |v: &Value| Some((v.get(0)?.as_u64()?, v.get(1)?.as_u64()?));
    entry
        .get("range")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(pair)
        .collect()
}

pub(super) fn html_ranges(entry: &Value) -> Vec<HtmlRange> {
    let list = entry.get("range_html").and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(HtmlRange::from_value)
        .collect()
}

pub(super) fn text<'r>(value: &'r Value, key: &str) -> &'r str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Whether an answer belongs to labels on parts of a group, and to none on the whole.
pub(super) fn only_on_parts(entry: &Value) -> bool {
    let filled = |key: &str| match entry.get(key) {
        Some(Value::Object(map)) => !map.is_empty(),
        Some(Value::Array(list)) => !list.is_empty(),
        _ => false,
    };
    filled("spaces") && !filled("range")
}
