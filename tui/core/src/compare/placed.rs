//! Where a label lies in a row, on every frame, and how near two labels lie. Which labels are held against each other
//! is left to [`super::labels`].

use super::area::{Area, SharedArea};
use crate::marks::{self, PicturePlace, Shape};
use agent_abi::model::{Bitmask, LabelRow, Object};
use serde_json::Value;
use std::collections::{HashMap, HashSet};

/// What a label is on one frame.
#[derive(Clone, Debug, PartialEq)]
enum Drawn {
    Area(Area),
    /// A line, points or a skeleton: nothing that covers anything.
    Places(Vec<PicturePlace>),
    /// A shape without a known place.
    Other,
}

/// A label with all its places.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Placed {
    /// By frame, in their order.
    frames: Vec<(u64, Drawn)>,
    /// Characters or milliseconds, both ends included, in their order.
    ranges: Vec<(u64, u64)>,
    /// Width of the picture as a multiple of its height.
    aspect: f64,
}

/// How near two labels lie.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Near {
    /// Intersection over union, over all frames together; of characters and milliseconds as of lengths. `None`: what
    /// is drawn covers nothing, or a mask has another size.
    pub overlap: Option<f64>,
    /// Of lines, points and skeletons: how far apart their points lie in the middle, in shares of the diagonal of the
    /// picture.
    pub distance: Option<f64>,
    /// They are on the same frames.
    pub same_frames: bool,
}

impl Placed {
    /// The labels with these hashes, in the row and in its parts.
    pub fn of(row: &LabelRow, hashes: &HashSet<&str>) -> HashMap<String, Self> {
        let mut all = HashMap::new();
        if hashes.is_empty() {
            return all;
        }
        let parts = row.parts();
        for row in std::iter::once(row).chain(parts.iter().map(|part| &**part)) {
            let aspect = match row.size() {
                Some((w, h)) if w > 0 && h > 0 => f64::from(w) / f64::from(h),
                _ => 1.0,
            };
            let objects = row.objects();
            let wanted = objects
                .iter()
                .filter(|object| hashes.contains(object.hash()));
            all.extend(wanted.map(|one| (one.hash().to_owned(), Self::of_object(one, aspect))));
        }
        all
    }

    fn of_object(object: &Object<'_>, aspect: f64) -> Self {
        let frames = object.frames();
        let drawn = |frame: &u64| Some((*frame, drawn(object.on_frame(*frame)?, aspect)));
        Self {
            ranges: if frames.is_empty() {
                object.ranges()
            } else {
                Vec::new()
            },
            frames: frames.iter().filter_map(drawn).collect(),
            aspect,
        }
    }

    /// From its leftmost to its rightmost place on any frame, or from its first to its last character or millisecond.
    pub fn across(&self) -> Option<(f64, f64)> {
        let drawn = self.frames.iter().filter_map(|(_, drawn)| match drawn {
            Drawn::Area(area) => area.bounds().map(|[l, _, r, _]| (l, r)),
            Drawn::Places(places) => {
                let x = places.iter().map(|[x, _]| *x);
                x.fold(None, |all, x| Some(joined(all, (x, x))))
            }
            Drawn::Other => None,
        });
        #[allow(clippy::cast_precision_loss)] // far below 2^52
        let ranges = self
            .ranges
            .iter()
            .map(|(a, b)| (*a as f64, *b as f64 + 1.0));
        drawn
            .chain(ranges)
            .fold(None, |all, one| Some(joined(all, one)))
    }

    /// How near another label lies.
    pub fn near(&self, other: &Self) -> Near {
        if !self.ranges.is_empty() || !other.ranges.is_empty() {
            let overlap = Some(of_ranges(&self.ranges, &other.ranges).overlap());
            return Near {
                overlap,
                distance: None,
                same_frames: true,
            };
        }
        let (mut shared, mut comparable, mut distances) =
            (Some(SharedArea::default()), false, vec![]);
        let mut same_frames = true;
        let mut add = |one: Option<SharedArea>| {
            comparable = true;
            shared = shared.zip(one).map(|(all, one)| all.and(one));
        };
        for pair in side_by_side(&self.frames, &other.frames) {
            match pair {
                (Some(Drawn::Area(one)), Some(Drawn::Area(two))) => add(one.shared(two)),
                (Some(Drawn::Places(one)), Some(Drawn::Places(two))) => {
                    distances.extend(apart(one, two, self.aspect));
                }
                (Some(Drawn::Area(area)), None) | (None, Some(Drawn::Area(area))) => {
                    same_frames = false;
                    let either = area.size();
                    add(Some(SharedArea { both: 0.0, either }));
                }
                (None, _) | (_, None) => same_frames = false,
                _ => {}
            }
        }
        #[allow(clippy::cast_precision_loss)] // frames of one video
        let mean = distances.iter().sum::<f64>() / distances.len() as f64;
        Near {
            overlap: shared.filter(|_| comparable).map(SharedArea::overlap),
            distance: (!distances.is_empty()).then_some(mean),
            same_frames,
        }
    }
}

fn drawn(object: &Value, aspect: f64) -> Drawn {
    let sides = |area: &Value| {
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|key| area.get(key).and_then(Value::as_f64));
        Some(Area::of_box([x?, y?, w?, h?]))
    };
    let mask = |value: &Value| {
        let mask = Bitmask::from_value(value)?;
        Area::of_pixels([mask.width, mask.height], &mask.to_pixels().ok()?)
    };
    let polygons = |value: &Value| {
        let polygons = value.as_array()?.iter();
        let polygon = |rings: &Value| -> Vec<Vec<PicturePlace>> {
            let rings = rings.as_array().into_iter().flatten();
            rings.map(marks::flat).collect()
        };
        Some(Area::Polygons(polygons.map(polygon).collect()))
    };
    let area = (object.get("boundingBox").and_then(sides))
        .or_else(|| object.get("bitmask").and_then(mask))
        .or_else(|| object.get("polygons").and_then(polygons));
    match area {
        Some(area) => Drawn::Area(area),
        None => match marks::shape(object, aspect) {
            Some(Shape::Rings(rings)) => Drawn::Area(Area::Polygons(vec![rings])),
            Some(Shape::Line(places) | Shape::Points(places)) => Drawn::Places(places),
            Some(Shape::Mask(_)) | None => Drawn::Other,
        },
    }
}

fn joined(all: Option<(f64, f64)>, (from, to): (f64, f64)) -> (f64, f64) {
    all.map_or((from, to), |(a, b)| (a.min(from), b.max(to)))
}

/// What both have on each frame that one of them is on.
fn side_by_side<'d>(
    one: &'d [(u64, Drawn)],
    two: &'d [(u64, Drawn)],
) -> impl Iterator<Item = (Option<&'d Drawn>, Option<&'d Drawn>)> {
    let (mut one, mut two) = (one.iter().peekable(), two.iter().peekable());
    std::iter::from_fn(move || {
        let frame = match (one.peek(), two.peek()) {
            (Some((a, _)), Some((b, _))) => *a.min(b),
            (Some((a, _)), None) | (None, Some((a, _))) => *a,
            (None, None) => return None,
        };
        let first = one.next_if(|(at, _)| *at == frame).map(|(_, drawn)| drawn);
        let second = two.next_if(|(at, _)| *at == frame).map(|(_, drawn)| drawn);
        Some((first, second))
    })
}

#[allow(clippy::cast_precision_loss)] // far below 2^52
fn of_ranges(one: &[(u64, u64)], two: &[(u64, u64)]) -> SharedArea {
    let length = |(from, to): (u64, u64)| (to + 1).saturating_sub(from) as f64;
    let all = |ranges: &[(u64, u64)]| ranges.iter().map(|range| length(*range)).sum::<f64>();
    let (mut i, mut j, mut both) = (0, 0, 0.0);
    while let (Some(a), Some(b)) = (one.get(i), two.get(j)) {
        both += length((a.0.max(b.0), a.1.min(b.1)));
        if a.1 <= b.1 {
            i += 1;
        } else {
            j += 1;
        }
    }
    SharedArea {
        both,
        either: all(one) + all(two) - both,
    }
}

/// How far apart points lie in the middle: each from its own where there are as many of both, else each from the
/// nearest of the other.
fn apart(one: &[PicturePlace], two: &[PicturePlace], aspect: f64) -> Option<f64> {
    let between = |a: &PicturePlace, b: &PicturePlace| {
        let (x, y) = ((a[0] - b[0]) * aspect, a[1] - b[1]);
        x.hypot(y) / aspect.hypot(1.0)
    };
    let nearest = |from: &PicturePlace, all: &[PicturePlace]| {
        all.iter()
            .map(|to| between(from, to))
            .fold(f64::INFINITY, f64::min)
    };
    if one.is_empty() || two.is_empty() {
        return None;
    }
    let distances: Vec<f64> = if one.len() == two.len() {
        one.iter().zip(two).map(|(a, b)| between(a, b)).collect()
    } else {
        let there = one.iter().map(|a| nearest(a, two));
        there.chain(two.iter().map(|b| nearest(b, one))).collect()
    };
    #[allow(clippy::cast_precision_loss)] // points of one label
    let mean = distances.iter().sum::<f64>() / distances.len() as f64;
    Some(mean)
}
