//! Labels by their names in the ontology, for languages without a label model: what is added, drawn otherwise
//! or answered. Applying them is left to [`crate::model::LabelRow`].

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// One label by name: an object with exactly one shape or range, an object with a shape for each of its
/// `frames`, or a classification with an answer. Coordinates are shares of the picture, 0 to 1.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AddLabel {
    /// Name of the object or title of the classification in the ontology; may be left out beside `hash`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Hash of a label that is there: its geometry changes on frames where it is, and it is put on those where
    /// it is not; of a classification the answer changes. All else of it stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// The part of a data group that it is on, by its key in the layout of the group, its file name or its data
    /// hash. May be left out beside the `hash` of a label on a single part, and beside a new `answer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// The frame it is on; 0 for stills, the number of the image in a group, of the page in a PDF.
    #[serde(default)]
    pub frame: u64,
    /// The last frame it is on, when it is on several; at least `frame`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_frame: Option<u64>,
    /// A track: by the number of each frame the shape there, which may come with its own `confidence`,
    /// `manual` and `attributes` (dynamic ones). It is on exactly these frames.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub frames: BTreeMap<u64, AddLabel>,
    /// `{x, y, w, h}`: a bounding box.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bounding_box: Option<Value>,
    /// `{x, y, w, h, theta}`: a box turned around its centre, in degrees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotatable_bounding_box: Option<Value>,
    /// `[[x, y], …]`: a polygon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub polygon: Option<Vec<[f64; 2]>>,
    /// `[[[[x, y], …], …], …]`: polygons that are one object, of each its outer ring, then its holes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub polygons: Option<Vec<Vec<Vec<[f64; 2]>>>>,
    /// `[[x, y], …]`: a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub polyline: Option<Vec<[f64; 2]>>,
    /// `[x, y]`: a point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub point: Option<[f64; 2]>,
    /// `{rle, width, height}`: a mask of the whole picture, in pixels and Encord's run-length text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bitmask: Option<Value>,
    /// `{NAME: [x, y], …}`: a place for every vertex of the skeleton's template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skeleton: Option<BTreeMap<String, [f64; 2]>>,
    /// `{x, y, rx, ry, theta}`: an ellipse by its middle and half-axes; `theta` (degrees, 0) may be left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ellipse: Option<Value>,
    /// `{x, y, r, stretch, theta}`: a circle; the radius is a share of the width. `stretch` (1) and `theta` (0)
    /// may be left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub circle: Option<Value>,
    /// `{front: [x1, y1, …], offset: {x, y}}`, or with `vanishingPoint` and `scaleRatio` for `offset`.
    #[serde(default, rename = "cuboid_2d", skip_serializing_if = "Option::is_none")]
    pub cuboid_2d: Option<Value>,
    /// `[from, to]`: milliseconds of audio or characters of text, both ends included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<[u64; 2]>,
    /// `{start: {xpath, offset}, end: {xpath, offset}}`: a stretch of an HTML page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html_range: Option<Value>,
    /// Answers to the object's attributes, or to questions nested in the classification's answer, by their
    /// names: text or an option, a number, or a list of options. A dynamic attribute is answered on all frames
    /// of the object.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub attributes: Map<String, Value>,
    /// The classification's answer: text or an option, a number, or a list of options.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Value>,
    /// 0 to 1; 1 unless it is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// Whether it counts as made by a person; true unless it is given, as in the Python SDK.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manual: Option<bool>,
}

/// An answer to a question of a label that is there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AnswerLabel {
    /// Hash of the object or the classification.
    pub hash: String,
    /// Name of the attribute, nested ones too; left out, it is the question of the classification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Text or an option, a number, or a list of options.
    pub value: Value,
    /// `[[from, to], …]`, both ends included: where a dynamic attribute has this answer; left out, it is every
    /// frame of the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frames: Option<Vec<[u64; 2]>>,
    /// The part of a data group that the label is on; needed only beside `frames`, where several have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
}
