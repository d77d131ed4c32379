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

impl BoundingBox {
    /// A box that lies inside the picture.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] unless all numbers are 0 to 1, the sides are above 0 and the box ends
    /// inside the picture (a rounding error of 1e-9 is taken back).
    pub fn new(x: f64, y: f64, w: f64, h: f64) -> ModelResult<Self> {
        const SLACK: f64 = 1e-9;
        let inside =
            |start: f64, length: f64| start >= 0.0 && length > 0.0 && start + length <= 1.0 + SLACK;
        if inside(x, w) && inside(y, h) {
            return Ok(Self {
                x,
                y,
                w: w.min(1.0 - x),
                h: h.min(1.0 - y),
            });
        }
        Err(ModelError::Invalid(format!(
            "the box x {x}, y {y}, w {w}, h {h} does not lie in the picture: coordinates go from 0 to 1 (divide pixels by width and height)"
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

/// All points inside the picture, and as many as the shape needs.
pub(super) fn check_points(points: &[Point], least: usize, what: &str) -> ModelResult<()> {
    if points.len() < least {
        return Err(ModelError::Invalid(format!(
            "a {what} has at least {least} points, here are {}",
            points.len()
        )));
    }
    match points
        .iter()
        .find(|p| !(0.0..=1.0).contains(&p.x) || !(0.0..=1.0).contains(&p.y))
    {
        None => Ok(()),
        Some(p) => Err(ModelError::Invalid(format!(
            "the point ({}, {}) does not lie in the picture: coordinates go from 0 to 1 (divide pixels by width and height)",
            p.x, p.y
        ))),
    }
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
