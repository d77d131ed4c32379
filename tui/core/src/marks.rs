//! Where the labels of one frame lie on its picture: outlines, lines, points and masks, all in shares of the
//! picture. Drawing them is left to the screens, wording them to `agent_abi::model`.

mod ranges;
mod sides;

pub use ranges::RangeMark;
pub use sides::{LabelSide, LabelSides};

use agent_abi::model::Bitmask;
use serde_json::Value;

/// Places across a mask and down that are kept of it: enough for any terminal.
const MASK_SIDE: u32 = 512;

/// A place on the picture; 0 to 1 from left to right, and from top to bottom. Labels may reach beyond it.
pub type PicturePlace = [f64; 2];

/// One object on the picture.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelMark {
    /// Hash of the object.
    pub hash: String,
    /// Name of its kind.
    pub name: String,
    /// `+` `~` `-` as in a patch, blank: unchanged.
    pub sign: char,
    /// Whether this is a place that it has left.
    pub was: bool,
    /// Where it lies.
    pub shape: Shape,
}

/// How an object is drawn.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// Closed lines: a box, a polygon with its holes, a circle.
    Rings(Vec<Vec<PicturePlace>>),
    /// An open line.
    Line(Vec<PicturePlace>),
    /// Points by themselves.
    Points(Vec<PicturePlace>),
    /// A mask.
    Mask(Mask),
}

/// Which parts of the picture a mask covers, coarser than the mask where that is large.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    /// Places across.
    pub width: u32,
    /// Places down.
    pub height: u32,
    /// Row by row, whether each is covered; `width × height`.
    pub set: Vec<bool>,
}

impl LabelMark {
    /// The box around it: left, top, width, height. Nothing when no place of it is known.
    #[must_use]
    pub fn bounds(&self) -> Option<[f64; 4]> {
        let around = |all: &mut dyn Iterator<Item = PicturePlace>| {
            let [x, y] = all.next()?;
            let (least, most) = all.fold(([x, y], [x, y]), |(least, most), [x, y]| {
                (
                    [x.min(least[0]), y.min(least[1])],
                    [x.max(most[0]), y.max(most[1])],
                )
            });
            Some([least[0], least[1], most[0] - least[0], most[1] - least[1]])
        };
        match &self.shape {
            Shape::Rings(rings) => around(&mut rings.iter().flatten().copied()),
            Shape::Line(line) | Shape::Points(line) => around(&mut line.iter().copied()),
            Shape::Mask(mask) => around(&mut mask.places()),
        }
    }
}

impl Mask {
    /// Reads a mask in the platform's notation.
    fn of(mask: &Bitmask) -> Option<Self> {
        let pixels = mask.to_pixels().ok()?;
        let step = mask.width.max(mask.height).div_ceil(MASK_SIDE).max(1);
        let (width, height) = (mask.width.div_ceil(step), mask.height.div_ceil(step));
        let at = |(x, y): (u32, u32)| {
            let place = (y * step) as usize * mask.width as usize + (x * step) as usize;
            pixels.get(place) == Some(&true)
        };
        let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        Some(Self {
            width,
            height,
            set: places.map(at).collect(),
        })
    }

    /// The upper left corners of what is covered.
    #[allow(clippy::cast_precision_loss)] // at most 512 × 512 places
    fn places(&self) -> impl Iterator<Item = PicturePlace> {
        let (w, h) = (self.width.max(1) as usize, f64::from(self.height));
        let set = self.set.iter().enumerate().filter(|(_, set)| **set);
        set.map(move |(n, _)| [(n % w) as f64 / w as f64, (n / w) as f64 / h])
    }

    /// Whether a place is covered.
    #[must_use]
    pub fn covers(&self, [x, y]: PicturePlace) -> bool {
        if !(0.0..1.0).contains(&x) || !(0.0..1.0).contains(&y) {
            return false;
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0 to below the sides
        let (column, row) = (
            (x * f64::from(self.width)) as usize,
            (y * f64::from(self.height)) as usize,
        );
        self.set.get(row * self.width as usize + column) == Some(&true)
    }
}

/// The objects of one frame of a label row's labels; `frame` counts from 0 and does not matter for a still.
#[must_use]
pub fn marks(labels: &Value, frame: u64) -> Vec<LabelMark> {
    let Some(units) = labels.get("data_units").and_then(Value::as_object) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for unit in units.values() {
        let Some(labels) = unit.get("labels") else {
            continue;
        };
        let drawn = if labels.get("objects").is_some() {
            // The pictures of a group are units of their own, numbered in their order.
            let number = unit.get("data_sequence").and_then(number_of).unwrap_or(0);
            (units.len() == 1 || number == frame).then_some(labels)
        } else {
            labels.get(frame.to_string())
        };
        let aspect = match ["width", "height"].map(|side| part(unit, side)) {
            [Some(w), Some(h)] if w > 0.0 && h > 0.0 => w / h,
            _ => 1.0,
        };
        let objects = drawn.and_then(|l| l.get("objects")?.as_array());
        found.extend(
            objects
                .into_iter()
                .flatten()
                .filter_map(|o| mark(o, aspect)),
        );
    }
    found
}

/// The platform writes sequence numbers as texts or as numbers.
fn number_of(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

fn mark(object: &Value, aspect: f64) -> Option<LabelMark> {
    let word = |key: &str| object[key].as_str().unwrap_or_default().to_owned();
    Some(LabelMark {
        hash: word("objectHash"),
        name: word("name"),
        sign: ' ',
        was: false,
        shape: shape(object, aspect)?,
    })
}

/// What an object is drawn as; `aspect` is the picture's width as a multiple of its height, which turned shapes need.
pub(crate) fn shape(object: &Value, aspect: f64) -> Option<Shape> {
    let ring = |points: Vec<PicturePlace>| (!points.is_empty()).then(|| Shape::Rings(vec![points]));
    let figure = |key: &str| object.get(key);
    if let Some(area) = figure("boundingBox") {
        return ring(corners(area, 0.0, aspect)?);
    }
    if let Some(area) = figure("rotatableBoundingBox") {
        return ring(corners(area, part(area, "theta").unwrap_or(0.0), aspect)?);
    }
    if let Some(polygons) = figure("polygons").and_then(Value::as_array) {
        let rings = polygons.iter().filter_map(Value::as_array).flatten();
        let rings: Vec<_> = rings.map(flat).filter(|ring| !ring.is_empty()).collect();
        return (!rings.is_empty()).then_some(Shape::Rings(rings));
    }
    if let Some(points) = figure("polygon") {
        return ring(numbered(points));
    }
    if let Some(points) = figure("polyline") {
        return Some(Shape::Line(numbered(points)));
    }
    if let Some(points) = figure("point").or_else(|| figure("skeleton")) {
        return Some(Shape::Points(numbered(points)));
    }
    if let Some(ellipse) = figure("ellipse") {
        let axes = (part(ellipse, "rx")?, part(ellipse, "ry")?);
        return ring(round(ellipse, axes, aspect)?);
    }
    if let Some(circle) = figure("circle") {
        // The radius is a share of the width.
        let (r, stretch) = (part(circle, "r")?, part(circle, "stretch").unwrap_or(1.0));
        return ring(round(circle, (r, r * aspect * stretch), aspect)?);
    }
    if let Some(front) = figure("cuboid_2d").and_then(|cuboid| cuboid.get("front")) {
        return ring(flat(front));
    }
    let mask = Bitmask::from_value(figure("bitmask")?)?;
    Mask::of(&mask).map(Shape::Mask)
}

fn part(value: &Value, key: &str) -> Option<f64> {
    value.get(key)?.as_f64()
}

/// The corners of a box, turned clockwise about its centre by an angle in degrees.
fn corners(area: &Value, theta: f64, aspect: f64) -> Option<Vec<PicturePlace>> {
    let [x, y, w, h] = ["x", "y", "w", "h"].map(|key| part(area, key));
    let (x, y, w, h) = (x?, y?, w?, h?);
    let centre = [x + w / 2.0, y + h / 2.0];
    let corners = [[x, y], [x + w, y], [x + w, y + h], [x, y + h]];
    let turn = |place| turned(place, centre, theta, aspect);
    Some(corners.map(turn).to_vec())
}

/// The outline of an ellipse, turned about its centre.
fn round(figure: &Value, (rx, ry): (f64, f64), aspect: f64) -> Option<Vec<PicturePlace>> {
    const STEPS: u32 = 48;
    let centre = [part(figure, "x")?, part(figure, "y")?];
    let theta = part(figure, "theta").unwrap_or(0.0);
    let at = |n: u32| {
        let (sin, cos) = (f64::from(n) * std::f64::consts::TAU / f64::from(STEPS)).sin_cos();
        let place = [rx.mul_add(cos, centre[0]), ry.mul_add(sin, centre[1])];
        turned(place, centre, theta, aspect)
    };
    Some((0..STEPS).map(at).collect())
}

fn turned(place: PicturePlace, centre: PicturePlace, theta: f64, aspect: f64) -> PicturePlace {
    if theta == 0.0 {
        return place;
    }
    let (sin, cos) = theta.to_radians().sin_cos();
    // In units of the height, in which a turn keeps lengths.
    let (x, y) = ((place[0] - centre[0]) * aspect, place[1] - centre[1]);
    [
        x.mul_add(cos, -(y * sin)) / aspect + centre[0],
        x.mul_add(sin, y * cos) + centre[1],
    ]
}

/// `{"0": {"x": …, "y": …}, "1": …}` in the order of the numbers.
fn numbered(points: &Value) -> Vec<PicturePlace> {
    let one = |(key, at): (&String, &Value)| {
        Some((key.parse::<u64>().ok()?, [part(at, "x")?, part(at, "y")?]))
    };
    let entries = points.as_object().into_iter().flatten();
    let mut all: Vec<(u64, PicturePlace)> = entries.filter_map(one).collect();
    all.sort_by_key(|(n, _)| *n);
    all.into_iter().map(|(_, place)| place).collect()
}

/// `[x, y, x, y, …]`.
pub(crate) fn flat(list: &Value) -> Vec<PicturePlace> {
    let list = list.as_array().map_or(&[][..], Vec::as_slice);
    let place = |pair: &[Value]| Some([pair[0].as_f64()?, pair[1].as_f64()?]);
    list.chunks_exact(2).filter_map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shape_of(geometry: Value) -> Option<Shape> {
        shape(&geometry, 2.0)
    }

    #[test]
    fn marks_are_those_of_a_still_of_one_frame_and_of_one_picture_of_a_group() {
        let area = json!({"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4});
        let object = |name: &str| json!({"objectHash": "a", "name": name, "boundingBox": area});
        let html = json!({"objectHash": "b", "name": "Link", "range_html": []});
        let still = json!({"data_units": {"u": {"labels": {"objects": [object("Car"), html]}}}});
        let names = |labels: &Value, frame| -> Vec<String> {
            marks(labels, frame).into_iter().map(|m| m.name).collect()
        };
        assert_eq!(names(&still, 0), ["Car"]);
        assert_eq!(names(&still, 7), ["Car"]);
        let video = json!({"data_units": {"u": {"labels": {"3": {"objects": [object("Bus")]}}}}});
        assert!(names(&video, 0).is_empty());
        assert_eq!(names(&video, 3), ["Bus"]);
        let unit = |n: u64| {
            let labels = json!({"objects": [object(&format!("Van {n}"))]});
            json!({"data_sequence": n.to_string(), "labels": labels})
        };
        let group = json!({"data_units": {"u": unit(0), "v": unit(1)}});
        assert_eq!(names(&group, 1), ["Van 1"]);
        assert!(marks(&json!(null), 0).is_empty());
    }

    #[test]
    fn every_shape_has_its_places() {
        let square = vec![[0.0, 0.0], [0.5, 0.0], [0.5, 0.5], [0.0, 0.5]];
        let area = json!({"x": 0.0, "y": 0.0, "w": 0.5, "h": 0.5});
        let boxed = shape_of(json!({"boundingBox": area}));
        assert_eq!(boxed, Some(Shape::Rings(vec![square.clone()])));
        let outer = [0.0, 0.0, 0.5, 0.0, 0.5, 0.5, 0.0, 0.5];
        let holes = shape_of(json!({"polygons": [[outer, [0.1, 0.1, 0.2, 0.2]]]}));
        let hole = vec![[0.1, 0.1], [0.2, 0.2]];
        assert_eq!(holes, Some(Shape::Rings(vec![square, hole])));
        let points = json!({"10": {"x": 0.3, "y": 0.4}, "9": {"x": 0.1, "y": 0.2}});
        let places = vec![[0.1, 0.2], [0.3, 0.4]];
        let line = shape_of(json!({"polyline": points}));
        assert_eq!(line, Some(Shape::Line(places.clone())));
        let skeleton = shape_of(json!({"skeleton": points}));
        assert_eq!(skeleton, Some(Shape::Points(places)));
        assert_eq!(shape_of(json!({"boundingBox": {"x": 1}})), None);
    }

    #[test]
    fn a_turn_keeps_lengths_on_the_picture() {
        // 100 × 50 pixels: the box is 20 × 20 of them, turned by 45 degrees its corners lie on its axes.
        let area = json!({"x": 0.4, "y": 0.3, "w": 0.2, "h": 0.4, "theta": 45});
        let Some(Shape::Rings(rings)) = shape_of(json!({"rotatableBoundingBox": area})) else {
            panic!("no ring");
        };
        let half = 10.0 * 2f64.sqrt();
        let (left, right) = ([50.0 - half, 25.0], [50.0 + half, 25.0]);
        let wanted = [[50.0, 25.0 - half], right, [50.0, 25.0 + half], left];
        for (found, wanted) in rings[0].iter().zip(wanted) {
            assert!((found[0] * 100.0 - wanted[0]).abs() < 1e-9, "{found:?}");
            assert!((found[1] * 50.0 - wanted[1]).abs() < 1e-9, "{found:?}");
        }
    }

    #[test]
    fn a_mask_covers_what_its_pixels_cover() {
        let mut pixels = vec![false; 1_200 * 600];
        for y in 0..300 {
            pixels[y * 1_200..y * 1_200 + 600].fill(true);
        }
        let mask = Bitmask::from_pixels(1_200, 600, &pixels).unwrap();
        let mask = Mask::of(&mask).unwrap();
        assert!(mask.width <= MASK_SIDE && mask.height <= MASK_SIDE);
        let mark = LabelMark {
            hash: String::new(),
            name: String::new(),
            sign: ' ',
            was: false,
            shape: Shape::Mask(mask.clone()),
        };
        let [x, y, w, h] = mark.bounds().unwrap();
        assert_eq!((x, y), (0.0, 0.0));
        assert!(
            (w - 0.5).abs() < 0.01 && (h - 0.5).abs() < 0.01,
            "{w} × {h}"
        );
        assert!(mask.covers([0.49, 0.49]) && mask.covers([0.0, 0.0]));
        assert!(!mask.covers([0.51, 0.2]) && !mask.covers([0.2, 0.51]));
        assert!(!mask.covers([-0.1, 0.2]) && !mask.covers([0.2, 1.0]));
    }
}
