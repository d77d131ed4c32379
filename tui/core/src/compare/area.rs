//! How much two areas on a picture have in common: boxes, polygons with holes and masks, exactly. Which labels are
//! held against each other is left to [`super::labels`].

use crate::marks::PicturePlace;

/// Rings of one polygon: the outer one and its holes. A place is inside when it is inside an odd number of them.
pub type Polygon = Vec<Vec<PicturePlace>>;

/// What a label covers of one picture.
#[derive(Clone, Debug, PartialEq)]
pub enum Area {
    /// An upright box: left, top, right, bottom.
    Box([f64; 4]),
    /// Polygons; where they overlap each other the place counts once.
    Polygons(Vec<Polygon>),
    /// A mask of this many pixels across and down: the set pixels of each row as `(row, first, past the last)`, in
    /// the order of rows and columns.
    Mask {
        /// Pixels across and down.
        size: [u32; 2],
        /// What is set.
        spans: Vec<(u32, u32, u32)>,
    },
}

/// Two areas in shares of the picture.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SharedArea {
    /// What both cover.
    pub both: f64,
    /// What either covers.
    pub either: f64,
}

impl SharedArea {
    /// Intersection over union; two areas of nothing have none.
    #[must_use]
    pub fn overlap(self) -> f64 {
        if self.either > 0.0 {
            (self.both / self.either).clamp(0.0, 1.0)
        } else {
            0.0
        }
    }

    /// Both together, as over the frames of a track.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            both: self.both + other.both,
            either: self.either + other.either,
        }
    }
}

impl Area {
    /// An upright box from its corner and its sides.
    #[must_use]
    pub fn of_box([x, y, w, h]: [f64; 4]) -> Self {
        Self::Box([x, y, x + w, y + h])
    }

    /// A mask from its pixels, row by row; `None` when they are not `width × height`.
    #[must_use]
    pub fn of_pixels(size: [u32; 2], set: &[bool]) -> Option<Self> {
        let width = size[0] as usize;
        if width == 0 || set.len() != width * size[1] as usize {
            return None;
        }
        let mut spans = Vec::new();
        for (row, pixels) in (0_u32..).zip(set.chunks_exact(width)) {
            let mut first = None;
            for (column, set) in (0_u32..).zip(pixels.iter().chain([&false])) {
                match (first, set) {
                    (None, true) => first = Some(column),
                    (Some(from), false) => {
                        spans.push((row, from, column));
                        first = None;
                    }
                    _ => {}
                }
            }
        }
        Some(Self::Mask { size, spans })
    }

    /// What it covers, in shares of the picture.
    #[must_use]
    pub fn size(&self) -> f64 {
        match self {
            Self::Box([l, t, r, b]) => (r - l).max(0.0) * (b - t).max(0.0),
            Self::Polygons(polygons) => of_polygons(polygons, &[]).either,
            Self::Mask { size, spans } => {
                spans.iter().map(|span| length(*span)).sum::<f64>() / pixels(*size)
            }
        }
    }

    /// The box around it: left, top, right, bottom.
    #[must_use]
    pub fn bounds(&self) -> Option<[f64; 4]> {
        let around = |places: &mut dyn Iterator<Item = PicturePlace>| {
            let [x, y] = places.next()?;
            Some(places.fold([x, y, x, y], |[l, t, r, b], [x, y]| {
                [l.min(x), t.min(y), r.max(x), b.max(y)]
            }))
        };
        match self {
            Self::Box(sides) => Some(*sides),
            Self::Polygons(all) => around(&mut all.iter().flatten().flatten().copied()),
            Self::Mask { size, spans } => {
                let [w, h] = size.map(f64::from);
                let corners = spans.iter().flat_map(|(row, from, to)| {
                    let [y, below] = [f64::from(*row) / h, (f64::from(*row) + 1.0) / h];
                    [[f64::from(*from) / w, y], [f64::from(*to) / w, below]]
                });
                around(&mut { corners })
            }
        }
    }

    /// What this and another have in common; `None` when one is a mask and the other is none of its size.
    #[must_use]
    pub fn shared(&self, other: &Self) -> Option<SharedArea> {
        match (self, other) {
            (Self::Box(one), Self::Box(two)) => {
                let side =
                    |low: usize| (one[low + 2].min(two[low + 2]) - one[low].max(two[low])).max(0.0);
                let both = side(0) * side(1);
                let either = self.size() + other.size() - both;
                Some(SharedArea { both, either })
            }
            (
                Self::Mask { size, spans },
                Self::Mask {
                    size: s,
                    spans: other,
                },
            ) => (size == s).then(|| of_spans(*size, spans, other)),
            (Self::Mask { .. }, _) | (_, Self::Mask { .. }) => None,
            _ => Some(of_polygons(&self.rings(), &other.rings())),
        }
    }

    fn rings(&self) -> Vec<Polygon> {
        match self {
            Self::Box([l, t, r, b]) => vec![vec![vec![[*l, *t], [*r, *t], [*r, *b], [*l, *b]]]],
            Self::Polygons(polygons) => polygons.clone(),
            Self::Mask { .. } => Vec::new(),
        }
    }
}

fn length((_, from, to): (u32, u32, u32)) -> f64 {
    f64::from(to.saturating_sub(from))
}

fn pixels([width, height]: [u32; 2]) -> f64 {
    (f64::from(width) * f64::from(height)).max(1.0)
}

fn of_spans(size: [u32; 2], one: &[(u32, u32, u32)], two: &[(u32, u32, u32)]) -> SharedArea {
    let (mut i, mut j, mut both) = (0, 0, 0.0);
    while let (Some(a), Some(b)) = (one.get(i), two.get(j)) {
        if a.0 == b.0 {
            both += length((a.0, a.1.max(b.1), a.2.min(b.2)));
        }
        if (a.0, a.2) <= (b.0, b.2) {
            i += 1;
        } else {
            j += 1;
        }
    }
    let of = |spans: &[(u32, u32, u32)]| spans.iter().map(|span| length(*span)).sum::<f64>();
    let all = pixels(size);
    SharedArea {
        both: both / all,
        either: (of(one) + of(two) - both) / all,
    }
}

/// One side of a polygon, from its upper end to its lower one.
#[derive(Clone, Copy)]
struct PolygonSide {
    from: PicturePlace,
    to: PicturePlace,
    /// Its polygon; those of the first area come first.
    polygon: usize,
}

impl PolygonSide {
    fn at(&self, y: f64) -> f64 {
        let share = (y - self.from[1]) / (self.to[1] - self.from[1]);
        (self.to[0] - self.from[0]).mul_add(share, self.from[0])
    }

    /// Where it crosses another one between the ends of both.
    fn crosses(&self, other: &Self) -> Option<f64> {
        let (top, bottom) = (self.from[1].max(other.from[1]), self.to[1].min(other.to[1]));
        let (above, below) = (
            self.at(top) - other.at(top),
            self.at(bottom) - other.at(bottom),
        );
        (above * below < 0.0).then(|| top + (bottom - top) * (above / (above - below)))
    }
}

/// The picture is cut at every corner and crossing. Between two cuts no sides cross, so that the parts between
/// them are trapezoids, whose area is their height times their width in the middle.
fn of_polygons(one: &[Polygon], two: &[Polygon]) -> SharedArea {
    let mut edges = Vec::new();
    for (polygon, rings) in one.iter().chain(two).enumerate() {
        rings
            .iter()
            .for_each(|ring| add_edges(ring, polygon, &mut edges));
    }
    edges.sort_by(|a, b| a.from[1].total_cmp(&b.from[1]));
    let cuts = cuts(&edges);
    let mut inside = vec![false; one.len() + two.len()];
    let mut shared = SharedArea::default();
    let (mut next, mut active): (usize, Vec<&PolygonSide>) = (0, Vec::new());
    for pair in cuts.windows(2) {
        let (top, bottom) = (pair[0], pair[1]);
        active.retain(|edge| edge.to[1] > top);
        while let Some(edge) = edges.get(next).filter(|edge| edge.from[1] <= top) {
            if edge.to[1] > top {
                active.push(edge);
            }
            next += 1;
        }
        let middle = f64::midpoint(top, bottom);
        let mut sides: Vec<(f64, usize)> = active
            .iter()
            .map(|edge| (edge.at(middle), edge.polygon))
            .collect();
        sides.sort_by(|a, b| a.0.total_cmp(&b.0));
        inside.fill(false);
        for sides in sides.windows(2) {
            let (x, polygon) = sides[0];
            inside[polygon] = !inside[polygon];
            let area = (sides[1].0 - x) * (bottom - top);
            let (first, second) = inside.split_at(one.len());
            let of = |all: &[bool]| all.contains(&true);
            shared.both += if of(first) && of(second) { area } else { 0.0 };
            shared.either += if of(first) || of(second) { area } else { 0.0 };
        }
    }
    shared
}

fn add_edges(ring: &[PicturePlace], polygon: usize, edges: &mut Vec<PolygonSide>) {
    let next = ring.iter().cycle().skip(1);
    for (&from, &to) in ring.iter().zip(next) {
        let (from, to) = if from[1] <= to[1] {
            (from, to)
        } else {
            (to, from)
        };
        let finite = from.iter().chain(&to).all(|n| n.is_finite());
        if finite && from[1] < to[1] {
            edges.push(PolygonSide { from, to, polygon });
        }
    }
}

/// The heights of all ends and crossings, from the top; `edges` are in the order of their upper ends.
fn cuts(edges: &[PolygonSide]) -> Vec<f64> {
    let mut cuts: Vec<f64> = edges.iter().flat_map(|e| [e.from[1], e.to[1]]).collect();
    let mut active: Vec<&PolygonSide> = Vec::new();
    for edge in edges {
        active.retain(|other| other.to[1] > edge.from[1]);
        cuts.extend(active.iter().filter_map(|other| edge.crosses(other)));
        active.push(edge);
    }
    cuts.sort_by(f64::total_cmp);
    cuts.dedup();
    cuts
}

#[cfg(test)]
#[path = "area_tests.rs"]
mod tests;
