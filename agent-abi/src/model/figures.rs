//! The shapes that are neither points nor upright boxes: turned boxes, vertices of skeletons, ellipses,
//! circles, cuboids, and ranges of HTML. Each has Encord's notation.

use super::geometry::{flat, from_flat, inside};
use super::{BoundingBox, ModelError, ModelResult, Point};
use serde_json::{Value, json};

/// A box turned around its centre.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RotatableBox {
    /// The box before it is turned.
    pub upright: BoundingBox,
    /// Degrees, as Encord stores them.
    pub theta: f64,
}

/// A named point of a skeleton; [`super::SkeletonTemplate::place`] makes them for a template.
#[derive(Clone, Debug, PartialEq)]
pub struct Vertex {
    /// Its name in the skeleton's template.
    pub name: String,
    /// Its feature hash in the template.
    pub feature_hash: Option<String>,
    /// Where it is.
    pub at: Point,
    /// Whether it can be seen; `None`: unknown.
    pub visibility: Option<Visibility>,
    /// `#RRGGBB`, where it is drawn in a colour of its own.
    pub color: Option<String>,
    /// What machines read instead of its name.
    pub value: Option<String>,
}

/// Whether a vertex can be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// It is seen.
    Visible,
    /// It is outside the picture.
    Invisible,
    /// Something else hides it.
    Occluded,
    /// The thing itself hides it.
    SelfOccluded,
}

/// An ellipse.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ellipse {
    /// Its middle.
    pub center: Point,
    /// Half its width before it is turned, as a share of the picture's width.
    pub rx: f64,
    /// Half its height before it is turned, as a share of the picture's height.
    pub ry: f64,
    /// Degrees, clockwise on the screen.
    pub theta: f64,
}

/// A circle on the screen; on a picture that is shown stretched it may be an ellipse.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Circle {
    /// Its middle.
    pub center: Point,
    /// Its radius, as a share of the picture's width.
    pub radius: f64,
    /// The second half-axis divided by the first; 1 is a true circle.
    pub stretch: f64,
    /// Degrees, clockwise on the screen, that the first half-axis is turned.
    pub theta: f64,
}

/// A box in space, drawn by its front face and where its back face lies (`cuboid_2d`).
#[derive(Clone, Debug, PartialEq)]
pub struct Cuboid {
    /// Corners of the front face, in order, at least three.
    pub front: Vec<Point>,
    /// Where the back face lies.
    pub back: CuboidBack,
}

/// The back face of a [`Cuboid`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CuboidBack {
    /// It shrinks towards a point.
    Perspective {
        /// Where parallel lines meet; may lie outside the picture.
        vanishing_point: Point,
        /// Its size divided by the front's; 1 means no depth.
        scale_ratio: f64,
    },
    /// It has the front's size and is moved by this much.
    Isometric {
        /// To the right and down.
        offset: Point,
    },
}

/// A stretch of an HTML page, from one place to another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HtmlRange {
    /// Where it begins.
    pub start: HtmlPlace,
    /// Where it ends.
    pub end: HtmlPlace,
}

/// A place in an HTML page.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HtmlPlace {
    /// XPath of the node: `/html[1]/body[1]/p[2]/text()[1]`.
    pub xpath: String,
    /// Characters from the start of the node.
    pub offset: u64,
}

fn invalid<T>(text: impl Into<String>) -> ModelResult<T> {
    Err(ModelError::Invalid(text.into()))
}

fn point(value: &Value) -> Option<Point> {
    Some(Point {
        x: value.get("x")?.as_f64()?,
        y: value.get("y")?.as_f64()?,
    })
}

fn above_zero(number: f64) -> bool {
    number > 0.0 && number.is_finite()
}

impl RotatableBox {
    pub(super) fn to_value(self) -> ModelResult<Value> {
        let BoundingBox { x, y, w, h } = self.upright;
        let mut value = BoundingBox::new(x, y, w, h)?.to_value();
        if !self.theta.is_finite() {
            return invalid(format!("a box is turned by degrees, not by {}", self.theta));
        }
        value["theta"] = json!(self.theta);
        Ok(value)
    }

    /// Reads `{x, y, w, h, theta}`.
    #[must_use]
    pub fn from_value(value: &Value) -> Option<Self> {
        Some(Self {
            upright: BoundingBox::from_value(value)?,
            theta: value.get("theta")?.as_f64()?,
        })
    }
}

impl Visibility {
    const ALL: [(Self, &str); 4] = [
        (Self::Visible, "visible"),
        (Self::Invisible, "invisible"),
        (Self::Occluded, "occluded"),
        (Self::SelfOccluded, "selfOccluded"),
    ];

    fn word(self) -> &'static str {
        let found = Self::ALL.iter().find(|(known, _)| *known == self);
        found.map_or("visible", |(_, word)| word)
    }

    fn from_word(word: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(_, known)| *known == word);
        found.map(|(visibility, _)| *visibility)
    }
}

impl Vertex {
    /// A vertex by its name, at a place in the picture.
    #[must_use]
    pub fn new(name: impl Into<String>, x: f64, y: f64) -> Self {
        Self {
            name: name.into(),
            feature_hash: None,
            at: Point { x, y },
            visibility: None,
            color: None,
            value: None,
        }
    }

    /// Sets whether it can be seen.
    #[must_use]
    pub fn seen(mut self, visibility: Visibility) -> Self {
        self.visibility = Some(visibility);
        self
    }

    pub(super) fn to_value(&self) -> Value {
        let mut value = json!({"x": self.at.x, "y": self.at.y, "name": self.name});
        let more = [
            ("featureHash", self.feature_hash.as_deref()),
            ("visibility", self.visibility.map(Visibility::word)),
            ("color", self.color.as_deref()),
            ("value", self.value.as_deref()),
        ];
        for (key, text) in more {
            if let Some(text) = text {
                value[key] = json!(text);
            }
        }
        value
    }

    pub(super) fn from_value(value: &Value) -> Option<Self> {
        let text = |key: &str| value.get(key).and_then(Value::as_str);
        Some(Self {
            name: text("name").unwrap_or_default().to_owned(),
            feature_hash: text("featureHash").map(str::to_owned),
            at: point(value)?,
            visibility: text("visibility").and_then(Visibility::from_word),
            color: text("color").map(str::to_owned),
            value: text("value").map(str::to_owned),
        })
    }
}

impl Ellipse {
    pub(super) fn to_value(self) -> ModelResult<Value> {
        let center = inside(&[self.center], 1, "ellipse")?;
        if !above_zero(self.rx) || !above_zero(self.ry) || !self.theta.is_finite() {
            return invalid(format!(
                "an ellipse has half-axes above 0 and a finite angle, not {self:?}"
            ));
        }
        let Point { x, y } = center[0];
        Ok(json!({"x": x, "y": y, "rx": self.rx, "ry": self.ry, "theta": self.theta}))
    }

    /// Reads `{x, y, rx, ry, theta}`.
    #[must_use]
    pub fn from_value(value: &Value) -> Option<Self> {
        let number = |key: &str| value.get(key)?.as_f64();
        Some(Self {
            center: point(value)?,
            rx: number("rx")?,
            ry: number("ry")?,
            theta: number("theta").unwrap_or(0.0),
        })
    }
}

impl Circle {
    /// A true circle; the radius is a share of the picture's width.
    #[must_use]
    pub const fn new(x: f64, y: f64, radius: f64) -> Self {
        Self {
            center: Point { x, y },
            radius,
            stretch: 1.0,
            theta: 0.0,
        }
    }

    pub(super) fn to_value(self) -> ModelResult<Value> {
        let center = inside(&[self.center], 1, "circle")?;
        if !above_zero(self.radius) || !above_zero(self.stretch) || !self.theta.is_finite() {
            return invalid(format!(
                "a circle has a radius and a stretch above 0 and a finite angle, not {self:?}"
            ));
        }
        let Point { x, y } = center[0];
        Ok(json!({"x": x, "y": y, "r": self.radius, "stretch": self.stretch, "theta": self.theta}))
    }

    /// Reads `{x, y, r, stretch, theta}`.
    #[must_use]
    pub fn from_value(value: &Value) -> Option<Self> {
        let number = |key: &str| value.get(key)?.as_f64();
        Some(Self {
            center: point(value)?,
            radius: number("r")?,
            stretch: number("stretch").unwrap_or(1.0),
            theta: number("theta").unwrap_or(0.0),
        })
    }
}

impl Cuboid {
    pub(super) fn to_value(&self) -> ModelResult<Value> {
        let front = flat(&inside(&self.front, 3, "cuboid's front")?);
        Ok(match self.back {
            CuboidBack::Perspective {
                vanishing_point: Point { x, y },
                scale_ratio,
            } => {
                if !scale_ratio.is_finite() || scale_ratio < 0.0 {
                    return invalid(format!(
                        "a cuboid's scale ratio is 0 or above, not {scale_ratio}"
                    ));
                }
                json!({"front": front, "vanishingPoint": {"x": x, "y": y}, "scaleRatio": scale_ratio})
            }
            CuboidBack::Isometric {
                offset: Point { x, y },
            } => json!({"front": front, "offset": {"x": x, "y": y}}),
        })
    }

    /// Reads `{front, vanishingPoint, scaleRatio}` or `{front, offset}`.
    #[must_use]
    pub fn from_value(value: &Value) -> Option<Self> {
        let back = match value.get("offset") {
            Some(offset) => CuboidBack::Isometric {
                offset: point(offset)?,
            },
            None => CuboidBack::Perspective {
                vanishing_point: point(value.get("vanishingPoint")?)?,
                scale_ratio: value.get("scaleRatio")?.as_f64()?,
            },
        };
        Some(Self {
            front: from_flat(value.get("front")?),
            back,
        })
    }
}

impl HtmlRange {
    /// From a character of one node to a character of another (or the same).
    #[must_use]
    pub fn new(start: (&str, u64), end: (&str, u64)) -> Self {
        let place = |(xpath, offset): (&str, u64)| HtmlPlace {
            xpath: xpath.to_owned(),
            offset,
        };
        Self {
            start: place(start),
            end: place(end),
        }
    }

    pub(super) fn to_value(&self) -> Value {
        let place = |p: &HtmlPlace| json!({"xpath": p.xpath, "offset": p.offset});
        json!({"start": place(&self.start), "end": place(&self.end)})
    }

    /// Reads `{start: {xpath, offset}, end: {xpath, offset}}`.
    #[must_use]
    pub fn from_value(value: &Value) -> Option<Self> {
        let place = |key: &str| {
            let place = value.get(key)?;
            Some(HtmlPlace {
                xpath: place.get("xpath")?.as_str()?.to_owned(),
                offset: place.get("offset")?.as_u64()?,
            })
        };
        Some(Self {
            start: place("start")?,
            end: place("end")?,
        })
    }

    pub(super) fn check(&self) -> ModelResult<()> {
        for place in [&self.start, &self.end] {
            if !place.xpath.starts_with('/') {
                return invalid(format!(
                    "\"{}\" is no absolute XPath: a place in HTML is written /html[1]/body[1]/p[1]/text()[1]",
                    place.xpath
                ));
            }
        }
        if self.start.xpath == self.end.xpath && self.start.offset > self.end.offset {
            return invalid(format!(
                "the range {} to {} of {} runs backwards",
                self.start.offset, self.end.offset, self.start.xpath
            ));
        }
        Ok(())
    }
}
