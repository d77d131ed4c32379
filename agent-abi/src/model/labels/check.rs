//! Labels against the ontology, before anything is sent: each mistake with the path to it.
//!
//! What [`LabelRow::add`] makes is right as it is made; this is for blobs that came as a whole, from
//! another language or an older ontology. Nothing is corrected here.

use super::super::geometry::{from_numbered, inside};
use super::super::ontology::by_hash;
use super::super::{
    Attribute, AttributeKind, Bitmask, BoundingBox, Circle, Cuboid, Ellipse, ModelResult,
    OntologyObject, RotatableBox, Shape, SkeletonTemplate, Vertex,
};
use super::read::{Object, html_ranges, ranges, text};
use super::track::Track;
use super::{Classification, LabelRow};
use serde_json::Value;
use std::collections::HashMap;
use std::fmt;

/// One mistake in a label row.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// Where, from the top of the blob: `object_answers/HQ1Y1kw0/Colour`.
    pub path: String,
    /// What is wrong with it.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.text)
    }
}

impl LabelRow {
    /// Everything in the labels that the ontology or the data do not allow, in the order of the blob;
    /// empty when all is well. Shapes that this version does not know are let pass.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let mut out = Vec::new();
        if !self
            .labels()
            .get("data_units")
            .is_some_and(Value::is_object)
        {
            add(&mut out, "data_units", "missing");
            return out;
        }
        for part in self.parts() {
            out.extend(part.problems().into_iter().map(|problem| Problem {
                path: format!("part {}/{}", part.name(), problem.path),
                text: problem.text,
            }));
        }
        for object in self.objects() {
            self.check_object(&object, &mut out);
        }
        for classification in self.classifications() {
            self.check_classification(&classification, &mut out);
        }
        out
    }

    fn check_object(&self, object: &Object<'_>, out: &mut Vec<Problem>) {
        let hash = object.hash();
        let kinds = &self.ontology.objects;
        let Some(kind) = kinds
            .iter()
            .find(|kind| kind.feature_hash == object.feature_hash())
        else {
            let text = format!(
                "\"{}\" ({}) is not in the ontology",
                object.name(),
                object.feature_hash()
            );
            return add(out, &format!("objects/{hash}"), &text);
        };
        if object.shape() != kind.shape {
            let text = format!(
                "\"{}\" is a {}, not a {}",
                kind.name,
                kind.shape.word(),
                object.shape().word()
            );
            add(out, &format!("objects/{hash}"), &text);
        }
        let mut templates = self.ontology.skeletons.iter();
        let template = templates.find(|s| s.feature_hash == kind.feature_hash);
        for frame in object.frames() {
            let path = format!("frame {frame}/objects/{hash}");
            if self.frame_count().is_some_and(|count| frame >= count) {
                add(out, &path, "the data have no such frame");
            }
            if let Some(text) = object
                .on_frame(frame)
                .and_then(|value| geometry(kind, template, value))
            {
                add(out, &path, &text);
            }
        }
        let entry = self
            .labels()
            .get("object_answers")
            .and_then(|answers| answers.get(hash));
        match entry {
            None => add(
                out,
                &format!("object_answers/{hash}"),
                "missing; each object has an entry there",
            ),
            Some(entry) => {
                let path = format!("object_answers/{hash}");
                check_answers(answers_of(entry), &kind.attributes, &path, out);
                check_ranges(entry, &path, out);
                if self.data_type().has_ranges() {
                    self.check_html(entry, &path, out);
                }
            }
        }
        self.check_actions(hash, kind, out);
    }

    /// Dynamic answers: of dynamic attributes, on frames that are there, one answer on each.
    fn check_actions(&self, hash: &str, kind: &OntologyObject, out: &mut Vec<Problem>) {
        let actions = self.labels()["object_actions"][hash]["actions"].as_array();
        let actions = actions.map_or(&[][..], Vec::as_slice);
        let above = format!("object_actions/{hash}");
        check_answers(actions, &kind.attributes, &above, out);
        let mut tracks: HashMap<&str, Track> = HashMap::new();
        for action in actions {
            let path = format!("{above}/{}", text(action, "name"));
            check_ranges(action, &path, out);
            let feature = text(action, "featureHash");
            if by_hash(&kind.attributes, feature).is_some_and(|a| !a.dynamic) {
                add(out, &path, "it holds for the whole object, not for frames");
            }
            let before = tracks.entry(feature).or_default();
            for (from, to) in ranges(action) {
                if self.frame_count().is_some_and(|count| to >= count) {
                    add(out, &path, "its range goes beyond the last frame");
                }
                if from > to {
                    continue;
                }
                if before.on((from, to)).next().is_some() {
                    let text = format!("the frames {from} to {to} have an answer already");
                    add(out, &path, &text);
                }
                before.lay((from, to), 0);
            }
        }
    }

    /// HTML has ranges from node to node, and nothing else has.
    fn check_html(&self, entry: &Value, path: &str, out: &mut Vec<Problem>) {
        let found = html_ranges(entry);
        let wrong = match (self.is_html(), found.is_empty()) {
            (true, true) => "an HTML page is labelled with range_html, and it has none",
            (false, false) => "it has range_html, and the data are not an HTML page",
            _ => "",
        };
        if !wrong.is_empty() {
            add(out, path, wrong);
        }
        if let Some(error) = found.iter().find_map(|range| range.check().err()) {
            add(out, path, &error.to_string());
        }
    }

    fn check_classification(&self, classification: &Classification<'_>, out: &mut Vec<Problem>) {
        let (hash, feature) = (classification.hash(), classification.feature_hash());
        let path = format!("classification_answers/{hash}");
        let entry = &self.labels()["classification_answers"][hash];
        let Some(kind) = self
            .ontology
            .classifications
            .iter()
            .find(|kind| kind.feature_hash == feature)
        else {
            let text = format!(
                "\"{}\" ({feature}) is not in the ontology",
                classification.title()
            );
            return add(out, &path, &text);
        };
        check_answers(answers_of(entry), &kind.attributes, &path, out);
        check_ranges(entry, &path, out);
        if self.data_type().has_ranges() || kind.global {
            return;
        }
        let ranges = classification.ranges();
        if ranges.is_empty() {
            add(
                out,
                &path,
                "it has no range of frames, so it would be ignored",
            );
        }
        if let Some(count) = self.frame_count()
            && ranges.iter().any(|(_, to)| *to >= count)
        {
            add(
                out,
                &path,
                &format!("its range goes beyond the last frame, {}", count - 1),
            );
        }
    }
}

fn add(out: &mut Vec<Problem>, path: &str, text: &str) {
    out.push(Problem {
        path: path.to_owned(),
        text: text.to_owned(),
    });
}

/// What is wrong with the geometry of an object on a frame.
fn geometry(
    kind: &OntologyObject,
    template: Option<&SkeletonTemplate>,
    value: &Value,
) -> Option<String> {
    let key = kind.shape.key()?;
    let Some(shape) = value.get(key) else {
        return Some(format!("\"{key}\" is missing"));
    };
    let unreadable = |expected: &str| Some(format!("\"{key}\" needs {expected}"));
    let refused = |result: ModelResult<Value>| result.err().map(|e| e.to_string());
    match kind.shape {
        Shape::BoundingBox => match BoundingBox::from_value(shape) {
            None => unreadable("x, y, w and h"),
            Some(BoundingBox { x, y, w, h }) => {
                refused(BoundingBox::new(x, y, w, h).map(BoundingBox::to_value))
            }
        },
        // A turned box may reach beyond the picture, as people draw them.
        Shape::RotatableBoundingBox if RotatableBox::from_value(shape).is_none() => {
            unreadable("x, y, w, h and theta")
        }
        Shape::Bitmask if Bitmask::from_value(shape).is_none() => {
            unreadable("top, left, width, height and rleString")
        }
        Shape::Ellipse => match Ellipse::from_value(shape) {
            None => unreadable("x, y, rx and ry"),
            Some(ellipse) => refused(ellipse.to_value()),
        },
        Shape::Circle => match Circle::from_value(shape) {
            None => unreadable("x, y and r"),
            Some(circle) => refused(circle.to_value()),
        },
        Shape::Cuboid2d => match Cuboid::from_value(shape) {
            None => unreadable("front, and vanishingPoint with scaleRatio or an offset"),
            Some(cuboid) => refused(cuboid.to_value()),
        },
        Shape::Polygon | Shape::Polyline | Shape::Point => points(key, shape),
        Shape::Skeleton => points(key, shape).or_else(|| vertices(template?, shape)),
        _ => None,
    }
}

fn points(key: &str, shape: &Value) -> Option<String> {
    let points = from_numbered(shape);
    if points.is_empty() {
        return Some(format!("\"{key}\" has no points"));
    }
    inside(&points, 1, key).err().map(|error| error.to_string())
}

/// A skeleton has the vertices of its template, no more and no fewer.
fn vertices(template: &SkeletonTemplate, shape: &Value) -> Option<String> {
    let drawn: Vec<Vertex> = shape
        .as_object()
        .into_iter()
        .flat_map(|map| map.values().filter_map(Vertex::from_value))
        .collect();
    let known = |name: &str| template.vertices.iter().any(|v| v.name == name);
    if let Some(odd) = drawn.iter().find(|v| !known(&v.name)) {
        return Some(format!(
            "the skeleton \"{}\" has no vertex \"{}\"",
            template.name, odd.name
        ));
    }
    let lacks = |name: &str| !drawn.iter().any(|v| v.name == name);
    let missing = template.vertices.iter().find(|v| lacks(&v.name))?;
    Some(format!("the vertex \"{}\" is missing", missing.name))
}

fn answers_of(entry: &Value) -> &[Value] {
    let list = entry["classifications"].as_array();
    list.map_or(&[], Vec::as_slice)
}

fn check_answers(entries: &[Value], attributes: &[Attribute], path: &str, out: &mut Vec<Problem>) {
    for entry in entries {
        let path = format!("{path}/{}", text(entry, "name"));
        let Some(attribute) = by_hash(attributes, text(entry, "featureHash")) else {
            add(out, &path, "the ontology has no such attribute here");
            continue;
        };
        let answers = &entry["answers"];
        let fits = match attribute.kind {
            AttributeKind::Text => answers.is_string(),
            AttributeKind::Numeric => answers.is_number(),
            AttributeKind::Radio => answers.as_array().is_some_and(|list| list.len() <= 1),
            AttributeKind::Checklist => answers.is_array(),
            AttributeKind::Other(_) => continue,
        };
        if !fits {
            add(
                out,
                &path,
                &format!("{answers} is not an answer to a question of this kind"),
            );
        }
        for option in answers.as_array().into_iter().flatten() {
            let hash = option["featureHash"].as_str().unwrap_or_default();
            if !attribute
                .options
                .iter()
                .any(|known| known.feature_hash == hash)
            {
                add(
                    out,
                    &path,
                    &format!("{} is not one of its options", option["name"]),
                );
            }
        }
    }
}

fn check_ranges(entry: &Value, path: &str, out: &mut Vec<Problem>) {
    if let Some((from, to)) = ranges(entry).into_iter().find(|(from, to)| from > to) {
        add(
            out,
            path,
            &format!("the range {from} to {to} runs backwards"),
        );
    }
}
