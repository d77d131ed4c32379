//! Points in coordinates from 0 to 1, their JSON, and a little arithmetic on them. Boxes are in `boxes`,
//! other shapes in `figures`.

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

/// How far a number may lie beyond its edge and be taken back to it: what rounding in 32 bits adds up to.
pub(super) const SLACK: f64 = 1e-6;

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
pub(super) fn short(length: f64) -> String {
    if !(1e-7..1e6).contains(&length.abs()) {
        return format!("{length:e}");
    }
    let text = format!("{length:.7}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

impl Point {
    /// A point, from numbers of either width. Whether it lies in the picture is checked when it is drawn.
    #[must_use]
    pub fn new(x: impl Into<f64>, y: impl Into<f64>) -> Self {
        let (x, y) = (x.into(), y.into());
        Self { x, y }
    }

    /// A point given in pixels of a picture of this width and height.
    #[must_use]
    pub fn from_pixels(x: impl Into<f64>, y: impl Into<f64>, size: (u32, u32)) -> Self {
        Self::new(x.into() / f64::from(size.0), y.into() / f64::from(size.1))
    }

    /// A point, moved to the nearest edge when it lies outside of the picture.
    #[must_use]
    pub fn clamped(x: impl Into<f64>, y: impl Into<f64>) -> Self {
        Self::new(x.into().clamp(0.0, 1.0), y.into().clamp(0.0, 1.0))
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

    #[test]
    fn points_and_shares_beyond_the_edge_are_refused_with_the_distance() {
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
}
