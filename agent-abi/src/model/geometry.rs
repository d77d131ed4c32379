//! Points and upright boxes in coordinates from 0 to 1, and a little arithmetic on them. Other shapes are
//! in `figures`.

use super::{ModelError, ModelResult};
use serde_json::{Value, json};

/// A point; x to the right, y down, both 0 to 1 of the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// 0 is the left edge, 1 the right one.
    pub x: f64,
    /// 0 is the upper edge, 1 the lower one.
    pub y: f64,
}

/// An upright box: upper left corner, width and height, all 0 to 1 of the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BoundingBox {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Width.
    pub w: f64,
    /// Height.
    pub h: f64,
}

/// How far a number may lie beyond its edge and be taken back to it: what rounding in 32 bits adds up to.
const SLACK: f64 = 1e-6;

/// A share: a number from 0 to 1. One that lies at most 1e-6 beyond is taken back to the edge.
///
/// # Errors
/// [`ModelError::Invalid`] with how far it lies beyond; `what` is what it is a share of: `a confidence`.
pub fn share(what: &str, number: f64) -> ModelResult<f64> {
    let beyond = (number - 1.0).max(-number);
    if number.is_finite() && beyond <= SLACK {
        return Ok(number.clamp(0.0, 1.0) + 0.0);
    }
    let by = if number.is_finite() {
        format!(" ({} beyond)", short(beyond))
    } else {
        String::new()
    };
    let number = if number.abs() < 1e6 {
        number.to_string()
    } else {
        format!("{number:e}")
    };
    Err(ModelError::Invalid(format!(
        "{what} is 0 to 1, not {number}{by}"
    )))
}

/// A length that a person can read.
fn short(length: f64) -> String {
    if !(1e-7..1e6).contains(&length.abs()) {
        return format!("{length:e}");
    }
    let text = format!("{length:.7}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Where a box begins and how long it is in one direction, taken back into the picture.
fn extent(start: f64, length: f64, [side, first, last]: [&str; 3]) -> Result<(f64, f64), String> {
    if !start.is_finite() || !length.is_finite() {
        return Err("all four must be finite numbers".to_owned());
    }
    if length <= 0.0 {
        return Err(format!("its {side} must be above 0"));
    }
    if start < -SLACK {
        return Err(format!(
            "it begins {} beyond the {first} edge",
            short(-start)
        ));
    }
    let beyond = start + length - 1.0;
    if beyond > SLACK {
        return Err(format!("it ends {} beyond the {last} edge", short(beyond)));
    }
    let (from, mut length) = (start.max(0.0) + 0.0, length + start.min(0.0));
    if from + length > 1.0 {
        length = 1.0 - from;
    }
    if length <= 0.0 {
        return Err(format!("nothing of its {side} is left inside"));
    }
    Ok((from, length))
}

impl Point {
    /// A point, moved to the nearest edge when it lies outside of the picture.
    #[must_use]
    pub const fn clamped(x: f64, y: f64) -> Self {
        Self {
            x: x.clamp(0.0, 1.0),
            y: y.clamp(0.0, 1.0),
        }
    }
}

impl BoundingBox {
    /// A box that lies inside the picture. What lies at most 1e-6 beyond an edge, as rounding in 32 bits
    /// makes it, is taken back to the edge.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] unless all numbers are 0 to 1, the sides are above 0 and the box ends
    /// inside the picture.
    pub fn new(x: f64, y: f64, w: f64, h: f64) -> ModelResult<Self> {
        let columns = extent(x, w, ["width", "left", "right"]);
        let rows = extent(y, h, ["height", "upper", "lower"]);
        match columns.and_then(|columns| Ok((columns, rows?))) {
            Ok(((x, w), (y, h))) => Ok(Self { x, y, w, h }),
            Err(why) => Err(ModelError::Invalid(format!(
                "the box x {x}, y {y}, w {w}, h {h} does not lie in the picture: {why}. Coordinates go from 0 to 1 (divide pixels by width and height); BoundingBox::clamped cuts a box off at the edges"
            ))),
        }
    }

    /// A box, cut off at the edges of the picture.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] when nothing of it lies inside, or a number is not finite.
    pub fn clamped(x: f64, y: f64, w: f64, h: f64) -> ModelResult<Self> {
        let cut = |start: f64, length: f64| {
            let (from, to) = (start.max(0.0), (start + length).min(1.0));
            // What needs no cut keeps its digits.
            let whole = from <= start && to >= start + length;
            (from, if whole { length } else { to - from })
        };
        let all = [x, y, w, h].iter().all(|number| number.is_finite());
        let ((left, width), (top, height)) = (cut(x, w), cut(y, h));
        if all && w > 0.0 && h > 0.0 && width > 0.0 && height > 0.0 {
            return Self::new(left, top, width, height);
        }
        Err(ModelError::Invalid(format!(
            "nothing of the box x {x}, y {y}, w {w}, h {h} lies in the picture"
        )))
    }

    /// A box given in pixels of a picture.
    ///
    /// # Errors
    /// As [`BoundingBox::new`].
    pub fn from_pixels(x: u32, y: u32, w: u32, h: u32, size: (u32, u32)) -> ModelResult<Self> {
        let (width, height) = (f64::from(size.0), f64::from(size.1));
        Self::new(
            f64::from(x) / width,
            f64::from(y) / height,
            f64::from(w) / width,
            f64::from(h) / height,
        )
    }

    /// Share of the picture, 0 to 1.
    #[must_use]
    pub fn area(&self) -> f64 {
        self.w * self.h
    }

    /// The part that both cover, if any.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        let (x, y) = (self.x.max(other.x), self.y.max(other.y));
        let w = (self.x + self.w).min(other.x + other.w) - x;
        let h = (self.y + self.h).min(other.y + other.h) - y;
        (w > 0.0 && h > 0.0).then_some(Self { x, y, w, h })
    }

    /// Intersection over union, 0 to 1.
    #[must_use]
    pub fn iou(&self, other: &Self) -> f64 {
        let both = self.intersection(other).map_or(0.0, |part| part.area());
        let either = self.area() + other.area() - both;
        if either > 0.0 { both / either } else { 0.0 }
    }

    /// The middle.
    #[must_use]
    pub fn center(&self) -> Point {
        Point {
            x: self.x + self.w / 2.0,
            y: self.y + self.h / 2.0,
        }
    }

    pub(super) fn to_value(self) -> Value {
        json!({"x": self.x, "y": self.y, "w": self.w, "h": self.h})
    }

    /// Reads `{x, y, w, h}`.
    #[must_use]
    pub fn from_value(value: &Value) -> Option<Self> {
        let side = |key: &str| value.get(key)?.as_f64();
        Some(Self {
            x: side("x")?,
            y: side("y")?,
            w: side("w")?,
            h: side("h")?,
        })
    }
}

/// Area of a closed ring of points (the shoelace formula), 0 to 1.
#[must_use]
pub fn ring_area(ring: &[Point]) -> f64 {
    let next = ring.iter().cycle().skip(1);
    let twice: f64 = ring
        .iter()
        .zip(next)
        .map(|(a, b)| a.x * b.y - b.x * a.y)
        .sum();
    twice.abs() / 2.0
}

/// `[x1, y1, x2, y2, …]`.
pub(super) fn flat(points: &[Point]) -> Value {
    json!(points.iter().flat_map(|p| [p.x, p.y]).collect::<Vec<f64>>())
}

/// The reverse of [`flat`].
pub(super) fn from_flat(value: &Value) -> Vec<Point> {
    let numbers: Vec<f64> = value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_f64)
        .collect();
    let pair = |pair: &[f64]| Point {
        x: pair[0],
        y: pair[1],
    };
    numbers.chunks_exact(2).map(pair).collect()
}

/// `{"0": {"x", "y"}, "1": …}`.
pub(super) fn numbered(points: &[Point]) -> Value {
    let entries = points
        .iter()
        .enumerate()
        .map(|(i, p)| (i.to_string(), json!({"x": p.x, "y": p.y})));
    Value::Object(entries.collect())
}

/// The reverse of [`numbered`], in order of the numbers.
pub(super) fn from_numbered(value: &Value) -> Vec<Point> {
    let point = |v: &Value| {
        Some(Point {
            x: v.get("x")?.as_f64()?,
            y: v.get("y")?.as_f64()?,
        })
    };
    match value {
        Value::Object(map) => {
            let mut entries: Vec<(u64, &Value)> = map
                .iter()
                .filter_map(|(k, v)| Some((k.parse().ok()?, v)))
                .collect();
            entries.sort_unstable_by_key(|(k, _)| *k);
            entries.into_iter().filter_map(|(_, v)| point(v)).collect()
        }
        Value::Array(list) => list.iter().filter_map(point).collect(),
        _ => Vec::new(),
    }
}

/// The points, taken back into the picture where they lie at most 1e-6 beyond an edge, and as many as the
/// shape needs.
pub(super) fn inside(points: &[Point], least: usize, what: &str) -> ModelResult<Vec<Point>> {
    if points.len() < least {
        return Err(ModelError::Invalid(format!(
            "a {what} has at least {least} points, here are {}",
            points.len()
        )));
    }
    let one = |p: &Point| {
        let (x, y) = (share("x", p.x), share("y", p.y));
        match x.and_then(|x| Ok(Point { x, y: y? })) {
            Ok(point) => Ok(point),
            Err(why) => Err(ModelError::Invalid(format!(
                "the point ({}, {}) does not lie in the picture: {why}. Coordinates go from 0 to 1 (divide pixels by width and height); Point::clamped moves a point to the edge",
                p.x, p.y
            ))),
        }
    };
    points.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_outside_the_picture_are_refused() {
        assert!(BoundingBox::new(0.0, 0.0, 1.0, 1.0).is_ok());
        assert!(BoundingBox::new(0.9, 0.0, 0.1 + 1e-12, 1.0).is_ok());
        for (x, y, w, h) in [
            (-0.1, 0.0, 0.5, 0.5),
            (0.6, 0.0, 0.5, 0.5),
            (0.0, 0.0, 0.0, 0.5),
            (10.0, 10.0, 20.0, 20.0),
            (f64::NAN, 0.0, 0.1, 0.1),
        ] {
            assert!(BoundingBox::new(x, y, w, h).is_err(), "{x} {y} {w} {h}");
        }
    }

    #[test]
    fn boxes_of_a_32_bit_detector_are_taken_back_to_the_edge() {
        for px in 0_u16..1920 {
            let x1 = (f32::from(px) + 0.37) / 1920.0;
            let w = 1.0 - x1;
            let x = x1 + w / 2.0 - w / 2.0;
            for (x, w) in [(x, w), (x1 - 1.0 / 16_777_216.0, w), (x1 - x1 - 6e-8, x1)] {
                let (x, w) = (f64::from(x), f64::from(w));
                let upright = BoundingBox::new(x, 0.1, w, 0.2).unwrap();
                assert!(upright.x >= 0.0 && upright.x + upright.w <= 1.0);
                let flat = BoundingBox::new(0.1, x, 0.2, w).unwrap();
                assert!(flat.y >= 0.0 && flat.y + flat.h <= 1.0 && flat.h > 0.0);
            }
        }
        let kept = BoundingBox::new(0.1, 0.2, 0.3, 0.4).unwrap();
        assert_eq!(
            kept.to_value(),
            json!({"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4})
        );
        let zero = BoundingBox::new(-0.0, 0.0, 1.0, 1.0).unwrap();
        assert!(zero.x.is_sign_positive());
    }

    #[test]
    fn a_value_beyond_the_edge_is_refused_with_the_distance_and_a_way_to_clamp_it() {
        let error = |x, y, w, h| BoundingBox::new(x, y, w, h).unwrap_err().to_string();
        let text = error(0.6, 0.0, 0.5, 0.5);
        assert!(
            text.contains("0.1 beyond the right edge") && text.contains("clamped"),
            "{text}"
        );
        let text = error(0.0, -0.000_002, 0.5, 0.5);
        assert!(text.contains("0.000002 beyond the upper edge"), "{text}");
        assert!(error(1.0, 0.0, 1e-7, 0.5).contains("nothing of its width is left"));
        assert!(error(0.0, f64::INFINITY, 0.5, 0.5).contains("finite"));
        let cut = BoundingBox::clamped(-0.25, 0.5, 0.5, 0.75).unwrap();
        assert_eq!(cut, BoundingBox::new(0.0, 0.5, 0.25, 0.5).unwrap());
        assert_eq!(BoundingBox::clamped(0.1, 0.2, 0.3, 0.4).unwrap().w, 0.3);
        assert!(BoundingBox::clamped(1.5, 0.0, 0.5, 0.5).is_err());
        assert!(BoundingBox::clamped(f64::NAN, 0.0, 0.5, 0.5).is_err());
        let point = |x, y| inside(&[Point { x, y }], 1, "point");
        assert_eq!(
            point(1.000_000_1, -3e-8).unwrap(),
            [Point { x: 1.0, y: 0.0 }]
        );
        let text = point(1.01, 0.5).unwrap_err().to_string();
        assert!(
            text.contains("0.01 beyond") && text.contains("Point::clamped"),
            "{text}"
        );
        assert!(point(0.5, f64::NAN).is_err());
        assert_eq!(Point::clamped(1.01, -5.0), Point { x: 1.0, y: 0.0 });
        assert_eq!(share("a confidence", 1.000_000_1), Ok(1.0));
        let text = share("a confidence", 1.2).unwrap_err().to_string();
        assert_eq!(text, "a confidence is 0 to 1, not 1.2 (0.2 beyond)");
        assert!(share("a priority", f64::NAN).is_err() && share("x", f64::NEG_INFINITY).is_err());
    }

    #[test]
    fn intersection_over_union_is_one_for_equal_and_nothing_for_apart() {
        let a = BoundingBox::new(0.0, 0.0, 0.5, 0.5).unwrap();
        let b = BoundingBox::new(0.25, 0.0, 0.5, 0.5).unwrap();
        let c = BoundingBox::new(0.6, 0.6, 0.2, 0.2).unwrap();
        assert!((a.iou(&a) - 1.0).abs() < 1e-12);
        assert!((a.iou(&b) - 1.0 / 3.0).abs() < 1e-12);
        assert!(a.iou(&c).abs() < 1e-12);
    }

    #[test]
    fn points_beyond_nine_keep_their_order() {
        let points: Vec<Point> = (0..12)
            .map(|i| Point {
                x: f64::from(i) / 12.0,
                y: 0.5,
            })
            .collect();
        assert_eq!(from_numbered(&numbered(&points)), points);
        let square = [(0.0, 0.0), (0.5, 0.0), (0.5, 0.5), (0.0, 0.5)].map(|(x, y)| Point { x, y });
        assert!((ring_area(&square) - 0.25).abs() < 1e-12);
    }
}
