//! A label as fields: where it is, how it is drawn, what it answers. Text for people is left to
//! [`super::phrases`], finding what differs to [`super::diff()`].

use super::labels::ranges;
use super::ontology::{by_hash, paths_to};
use super::{Attribute, AttributeKind, Bitmask, DataType, LabelRow};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Where a label is and what it holds; what does not apply to it is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LabelFacts {
    /// `object` or `classification`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// How an object is drawn, in Encord's word: `bounding_box`, `polygon`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shape: Option<String>,
    /// The part of a data group that it lies on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// The file name of that part, to read what the label covers from it; not among the fields of reports.
    #[serde(skip)]
    pub part_file: Option<String>,
    /// Frames of a video, images of a group or pages, from 0; both ends included.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub frames: Vec<[u64; 2]>,
    /// Page of a PDF, from 0, of a label that is on one page only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<u64>,
    /// Milliseconds: of a sound with both ends included; of a video from the start of the first frame to the start
    /// of the last, where the frame rate is known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub times_ms: Vec<[u64; 2]>,
    /// Characters of a text, from 0, the end not included.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub characters: Vec<[u64; 2]>,
    /// Stretches of an HTML page as Encord has them: `{"start": {"xpath", "offset"}, "end": {…}}`, in characters of
    /// their nodes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub html: Vec<Value>,
    /// The characters themselves, as far as the file was at hand; of long ones the beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The frame of `geometry`, for a label on several: the first one, or the first on which it changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub geometry_frame: Option<u64>,
    /// Its shape in shares of the picture, 0 to 1, in Encord's notation; of a mask the box around it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub geometry: Option<Value>,
    /// The same in pixels, where the size of the picture is known; of a mask with the number that are `set`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pixels: Option<Value>,
    /// How sure the maker was, where it was less than 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// Its answers, in the order of the row.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<AnswerFact>,
    /// Of a changed label: what differs of these fields, as it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Box<Self>>,
}

/// One answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AnswerFact {
    /// Names of the attributes from the outermost down to the one that is answered.
    pub path: Vec<String>,
    /// Text, a number, the name of an option, or a list of names.
    pub value: Value,
    /// Of a dynamic attribute: the frames, both ends included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub frames: Vec<[u64; 2]>,
}

impl LabelFacts {
    /// Keeps of `was` what differs from these.
    pub(super) fn keep_before(&mut self, mut was: Self) {
        let default = Self::default();
        was.kind.clear();
        was.shape = None;
        macro_rules! drop_equal {
            ($($field:ident),*) => { $(if was.$field == self.$field { was.$field = default.$field.clone(); })* };
        }
        drop_equal!(
            frames, page, times_ms, characters, html, text, confidence, answers, part, part_file
        );
        if was.geometry == self.geometry {
            (was.geometry, was.pixels) = (None, None);
        }
        was.geometry_frame = None;
        if was != default {
            self.before = Some(Box::new(was));
        }
    }

    /// Sets where it is: frames, times, characters or a page, as fits the data.
    pub(super) fn put(&mut self, row: &LabelRow, ranges: &[(u64, u64)]) {
        let pairs = || ranges.iter().map(|&(from, to)| [from, to]).collect();
        match row.data_type() {
            DataType::PlainText => {
                self.characters = ranges.iter().map(|&(from, to)| [from, to + 1]).collect();
            }
            DataType::Audio => self.times_ms = pairs(),
            kind => {
                self.frames = pairs();
                if kind == DataType::Pdf
                    && let [[from, to]] = self.frames[..]
                    && from == to
                {
                    self.page = Some(from);
                }
                if let (DataType::Video, Some(fps)) = (kind, row.fps().filter(|fps| *fps > 0.0)) {
                    let ms = |frame: u64| (frame as f64 * 1000.0 / fps).round() as u64;
                    self.times_ms = ranges.iter().map(|&(a, b)| [ms(a), ms(b)]).collect();
                }
            }
        }
    }

    /// Sets how it is drawn, from its JSON on a frame.
    pub(super) fn draw(&mut self, entry: &Value, size: Option<(u32, u32)>) {
        let confidence = entry["confidence"].as_f64();
        self.confidence = confidence.filter(|confidence| *confidence < 1.0);
        if let Some(mask) = entry.get("bitmask").and_then(Bitmask::from_value) {
            (self.geometry, self.pixels) = of_mask(&mask);
            return;
        }
        let Some((key, shape)) = geometry(entry) else {
            return;
        };
        let scaled = size.map(|size| in_pixels(shape, size));
        self.pixels = scaled.map(|shape| json!({ key: shape }));
        self.geometry = Some(json!({ key: shape }));
    }
}

/// Keys of Encord's notations, each beside the word for its shape.
const SHAPES: [&str; 10] = [
    "boundingBox",
    "rotatableBoundingBox",
    "polygons",
    "polygon",
    "polyline",
    "point",
    "skeleton",
    "ellipse",
    "circle",
    "cuboid_2d",
];

/// What an object is drawn as, with the key of its notation.
pub(super) fn geometry(entry: &Value) -> Option<(&'static str, &Value)> {
    // One ring without holes is in both notations; the one by points is easier to read.
    if let (Some(ring), Some([polygon])) = (
        entry.get("polygon"),
        entry["polygons"].as_array().map(Vec::as_slice),
    ) && polygon.as_array().is_some_and(|rings| rings.len() == 1)
    {
        return Some(("polygon", ring));
    }
    let shapes = SHAPES.iter();
    shapes.copied().find_map(|key| Some((key, entry.get(key)?)))
}

/// Shares as pixels: what is called x, w or a radius counts in widths, what is called y or h in heights, and flat
/// lists alternate.
fn in_pixels(shape: &Value, (width, height): (u32, u32)) -> Value {
    let (width, height) = (f64::from(width), f64::from(height));
    let scaled = |number: &Value, by: f64| match number.as_f64() {
        Some(share) => json!((share * by * 100.0).round() / 100.0),
        None => number.clone(),
    };
    fn walk(value: &Value, scaled: &dyn Fn(&Value, f64) -> Value, size: (f64, f64)) -> Value {
        match value {
            Value::Object(map) => {
                let one = |(key, value): (&String, &Value)| {
                    let value = match &**key {
                        "x" | "w" | "rx" | "r" => scaled(value, size.0),
                        "y" | "h" | "ry" => scaled(value, size.1),
                        "theta" | "stretch" | "scaleRatio" => value.clone(),
                        _ => walk(value, scaled, size),
                    };
                    (key.clone(), value)
                };
                Value::Object(map.iter().map(one).collect::<Map<_, _>>())
            }
            Value::Array(list) if list.iter().all(Value::is_number) => {
                let by = [size.0, size.1];
                (list
                    .iter()
                    .enumerate()
                    .map(|(n, share)| scaled(share, by[n % 2])))
                .collect()
            }
            Value::Array(list) => list.iter().map(|value| walk(value, scaled, size)).collect(),
            other => other.clone(),
        }
    }
    walk(shape, &scaled, (width, height))
}

/// The box around a mask's pixels; nothing for a mask that is empty or broken.
fn of_mask(mask: &Bitmask) -> (Option<Value>, Option<Value>) {
    let (width, height) = (mask.width, mask.height);
    let Ok(Some((count, [left, top, right, bottom]))) = mask.extent() else {
        return (None, None);
    };
    let share = |pixels: u32, of: u32| f64::from(pixels) / f64::from(of);
    let around = json!({
        "x": share(left, width), "y": share(top, height),
        "w": share(right - left, width), "h": share(bottom - top, height),
    });
    let pixels = json!({"x": left, "y": top, "w": right - left, "h": bottom - top, "set": count});
    (
        Some(json!({"bitmask": around})),
        Some(json!({"bitmask": pixels})),
    )
}

fn is_checklist(attribute: &Attribute) -> bool {
    attribute.kind == AttributeKind::Checklist
}

/// Answers of a label, with the names above each.
pub(super) fn answers(entries: &Value, attributes: &[Attribute]) -> Vec<AnswerFact> {
    let one = |entry: &Value| {
        let value = match &entry["answers"] {
            // A radio's answer is one option, a checklist's are several.
            Value::Array(list) => {
                let names: Vec<Value> = list.iter().map(|option| option["name"].clone()).collect();
                let hash = entry["featureHash"].as_str().unwrap_or_default();
                match (
                    by_hash(attributes, hash).is_some_and(is_checklist),
                    &names[..],
                ) {
                    (false, [one]) => one.clone(),
                    _ => Value::Array(names),
                }
            }
            other => other.clone(),
        };
        let hash = entry["featureHash"].as_str()?;
        let path = match paths_to(attributes, hash).first() {
            Some((above, attribute)) => {
                let above = above.iter().map(|(attribute, _)| attribute.name.clone());
                above.chain([attribute.name.clone()]).collect()
            }
            None => vec![entry["name"].as_str().unwrap_or_default().to_owned()],
        };
        let frames = ranges(entry);
        let frames = frames.into_iter().map(|(from, to)| [from, to]).collect();
        Some(AnswerFact {
            path,
            value,
            frames,
        })
    };
    entries
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(one)
        .collect()
}
