//! Upright boxes in coordinates from 0 to 1: made from what detectors give, compared, and thinned out where
//! several lie on the same thing.

use super::geometry::{SLACK, short};
use super::{ModelError, ModelResult, Point};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::hash::Hash;

/// An upright box: upper left corner, width and height, all 0 to 1 of the picture.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
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

/// Pixels as shares of the picture.
fn shares([x, y, w, h]: [f64; 4], size: (u32, u32)) -> ModelResult<[f64; 4]> {
    let (columns, rows) = (f64::from(size.0), f64::from(size.1));
    if columns < 1.0 || rows < 1.0 {
        return Err(ModelError::Invalid(format!(
            "a picture of {}x{} pixels has no place for a box",
            size.0, size.1
        )));
    }
    Ok([x / columns, y / rows, w / columns, h / rows])
}

impl BoundingBox {
    /// A box that lies inside the picture. What lies at most 1e-6 beyond an edge, as rounding in 32 bits
    /// makes it, is taken back to the edge.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] unless all numbers are 0 to 1, the sides are above 0 and the box ends
    /// inside the picture.
    pub fn new(
        x: impl Into<f64>,
        y: impl Into<f64>,
        w: impl Into<f64>,
        h: impl Into<f64>,
    ) -> ModelResult<Self> {
        let (x, y, w, h) = (x.into(), y.into(), w.into(), h.into());
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
    pub fn clamped(
        x: impl Into<f64>,
        y: impl Into<f64>,
        w: impl Into<f64>,
        h: impl Into<f64>,
    ) -> ModelResult<Self> {
        let (x, y, w, h) = (x.into(), y.into(), w.into(), h.into());
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

    /// A box by its upper left and lower right corners.
    ///
    /// # Errors
    /// As [`BoundingBox::new`].
    pub fn from_corners(
        x1: impl Into<f64>,
        y1: impl Into<f64>,
        x2: impl Into<f64>,
        y2: impl Into<f64>,
    ) -> ModelResult<Self> {
        let (x1, y1) = (x1.into(), y1.into());
        Self::new(x1, y1, x2.into() - x1, y2.into() - y1)
    }

    /// A box given in pixels of a picture of this width and height: upper left corner and sides. A detector's
    /// fractions of pixels are kept.
    ///
    /// # Errors
    /// As [`BoundingBox::new`]. [`BoundingBox::clamped_pixels`] cuts a box off at the edges instead.
    pub fn from_pixels(
        x: impl Into<f64>,
        y: impl Into<f64>,
        w: impl Into<f64>,
        h: impl Into<f64>,
        size: (u32, u32),
    ) -> ModelResult<Self> {
        let [x, y, w, h] = shares([x.into(), y.into(), w.into(), h.into()], size)?;
        Self::new(x, y, w, h)
    }

    /// The same, cut off at the edges of the picture.
    ///
    /// # Errors
    /// As [`BoundingBox::clamped`].
    pub fn clamped_pixels(
        x: impl Into<f64>,
        y: impl Into<f64>,
        w: impl Into<f64>,
        h: impl Into<f64>,
        size: (u32, u32),
    ) -> ModelResult<Self> {
        let [x, y, w, h] = shares([x.into(), y.into(), w.into(), h.into()], size)?;
        Self::clamped(x, y, w, h)
    }

    /// Left, upper, right and lower edge: what [`BoundingBox::from_corners`] takes.
    #[must_use]
    pub fn corners(&self) -> [f64; 4] {
        [self.x, self.y, self.x + self.w, self.y + self.h]
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

/// Non-maximum suppression: of boxes that overlap by more than `iou` (intersection over union, 0 to 1) only the
/// one with the highest score is kept. `of` gives the box and the score of a detection. The best comes first;
/// of equal scores the one that was found first. A score that is not a number counts as the lowest.
///
/// ```
/// use agent_abi::model::{BoundingBox, nms};
///
/// let found = [([10.0_f32, 10.0, 20.0, 20.0], 0.6_f32), ([11.0, 10.0, 20.0, 20.0], 0.9), ([60.0, 60.0, 9.0, 9.0], 0.5)];
/// let boxed = |([x, y, w, h], score): ([f32; 4], f32)| Ok((BoundingBox::clamped_pixels(x, y, w, h, (100, 100))?, score));
/// let boxes = found.into_iter().map(boxed).collect::<agent_abi::Result<Vec<_>>>()?;
/// let kept = nms(boxes, 0.5, |(area, score)| (*area, *score));
/// assert_eq!(kept.iter().map(|(_, score)| *score).collect::<Vec<_>>(), [0.9, 0.5]);
/// # Ok::<(), agent_abi::Error>(())
/// ```
#[must_use]
pub fn nms<T, S: Into<f64>>(
    found: impl IntoIterator<Item = T>,
    iou: f64,
    of: impl Fn(&T) -> (BoundingBox, S),
) -> Vec<T> {
    nms_by_class(found, iou, of, |_| ())
}

/// The same for each class by itself: boxes of different classes never suppress each other.
#[must_use]
pub fn nms_by_class<T, S: Into<f64>, K: Eq + Hash>(
    found: impl IntoIterator<Item = T>,
    iou: f64,
    of: impl Fn(&T) -> (BoundingBox, S),
    class: impl Fn(&T) -> K,
) -> Vec<T> {
    let scored = found.into_iter().map(|one| {
        let (area, score) = of(&one);
        let score = score.into();
        (
            area,
            if score.is_nan() {
                f64::NEG_INFINITY
            } else {
                score
            },
            one,
        )
    });
    let mut scored: Vec<(BoundingBox, f64, T)> = scored.collect();
    scored.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut kept_of: HashMap<K, Vec<BoundingBox>> = HashMap::new();
    let mut kept = Vec::new();
    for (area, _, one) in scored {
        let better = kept_of.entry(class(&one)).or_default();
        if better.iter().all(|other| other.iou(&area) <= iou) {
            better.push(area);
            kept.push(one);
        }
    }
    kept
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
    fn corners_and_pixels_of_either_width_make_the_same_box() {
        let wanted = BoundingBox::new(0.25, 0.5, 0.5, 0.25).unwrap();
        let of_corners = BoundingBox::from_corners(0.25_f32, 0.5_f32, 0.75_f32, 0.75_f32);
        assert_eq!(of_corners.unwrap(), wanted);
        assert_eq!(wanted.corners(), [0.25, 0.5, 0.75, 0.75]);
        let size = (64, 32);
        assert_eq!(BoundingBox::from_pixels(16, 16, 32, 8, size), Ok(wanted));
        assert_eq!(
            BoundingBox::from_pixels(16.0_f32, 16.0, 32.0_f32, 8_u8, size),
            Ok(wanted)
        );
        let beyond = BoundingBox::from_pixels(60.5, 0.0, 4.5, 32.0, size);
        assert!(beyond.unwrap_err().to_string().contains("right edge"));
        let cut = BoundingBox::clamped_pixels(48.0, -8.0, 48.0, 16.0, size).unwrap();
        assert_eq!(cut, BoundingBox::new(0.75, 0.0, 0.25, 0.25).unwrap());
        let swapped = BoundingBox::from_corners(0.75, 0.5, 0.25, 0.75).unwrap_err();
        assert!(swapped.to_string().contains("width must be above 0"));
        let nowhere = BoundingBox::from_pixels(0, 0, 1, 1, (0, 10)).unwrap_err();
        assert!(nowhere.to_string().contains("0x10 pixels"));
    }

    #[test]
    fn of_overlapping_boxes_the_best_of_each_class_is_kept() {
        let at = |x: f64| BoundingBox::new(x, 0.0, 0.2, 0.2).unwrap();
        // Overlaps: 0 and 1 by 0.15/0.25 = 0.6, 1 and 2 by 0.6, 0 and 2 by 0.1/0.3.
        let found = [
            ("a", at(0.0), 0.5),
            ("a", at(0.05), 0.9),
            ("b", at(0.1), 0.7),
        ];
        let scores = |kept: Vec<(&str, BoundingBox, f64)>| -> Vec<f64> {
            kept.into_iter().map(|(_, _, score)| score).collect()
        };
        let of = |d: &(&str, BoundingBox, f64)| (d.1, d.2);
        assert_eq!(scores(nms(found, 0.5, of)), [0.9]);
        assert_eq!(scores(nms(found, 0.61, of)), [0.9, 0.7, 0.5]);
        assert_eq!(scores(nms_by_class(found, 0.5, of, |d| d.0)), [0.9, 0.7]);
        let unsure = [("a", at(0.0), f64::NAN), ("a", at(0.0), 0.1)];
        assert_eq!(scores(nms(unsure, 0.5, of)), [0.1]);
    }
}
