//! Encord's words for how objects are drawn and for what sort of answer attributes take.

use serde::Deserialize;

/// How an object is drawn.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
#[allow(missing_docs)] // Encord's own words
pub enum Shape {
    BoundingBox,
    RotatableBoundingBox,
    Polygon,
    Polyline,
    Point,
    Bitmask,
    Skeleton,
    Ellipse,
    Circle,
    /// A box seen in space, drawn on the picture.
    Cuboid2d,
    Audio,
    Text,
    /// A shape that this version does not know; labels of it are kept as they are.
    Other(String),
}

/// What sort of answer an attribute takes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum AttributeKind {
    /// One option.
    Radio,
    /// Any number of options.
    Checklist,
    /// Free text.
    Text,
    /// A number.
    Numeric,
    /// Something newer.
    Other(String),
}

impl From<String> for Shape {
    fn from(word: String) -> Self {
        match word.as_str() {
            "bounding_box" => Self::BoundingBox,
            "rotatable_bounding_box" => Self::RotatableBoundingBox,
            "polygon" => Self::Polygon,
            "polyline" => Self::Polyline,
            "point" => Self::Point,
            "bitmask" => Self::Bitmask,
            "skeleton" => Self::Skeleton,
            "ellipse" => Self::Ellipse,
            "circle" => Self::Circle,
            "cuboid_2d" => Self::Cuboid2d,
            "audio" => Self::Audio,
            "text" => Self::Text,
            _ => Self::Other(word),
        }
    }
}

impl Shape {
    /// Encord's word.
    #[must_use]
    pub fn word(&self) -> &str {
        match self {
            Self::BoundingBox => "bounding_box",
            Self::RotatableBoundingBox => "rotatable_bounding_box",
            Self::Polygon => "polygon",
            Self::Polyline => "polyline",
            Self::Point => "point",
            Self::Bitmask => "bitmask",
            Self::Skeleton => "skeleton",
            Self::Ellipse => "ellipse",
            Self::Circle => "circle",
            Self::Cuboid2d => "cuboid_2d",
            Self::Audio => "audio",
            Self::Text => "text",
            Self::Other(word) => word,
        }
    }
}

impl Shape {
    /// Key of its geometry in a frame's object; `None` where labels lie on ranges, and for shapes that
    /// this version does not know.
    #[must_use]
    pub const fn key(&self) -> Option<&'static str> {
        Some(match self {
            Self::BoundingBox => "boundingBox",
            Self::RotatableBoundingBox => "rotatableBoundingBox",
            Self::Polygon => "polygon",
            Self::Polyline => "polyline",
            Self::Point => "point",
            Self::Bitmask => "bitmask",
            Self::Skeleton => "skeleton",
            Self::Ellipse => "ellipse",
            Self::Circle => "circle",
            Self::Cuboid2d => "cuboid_2d",
            Self::Audio | Self::Text | Self::Other(_) => return None,
        })
    }
}

impl From<String> for AttributeKind {
    fn from(word: String) -> Self {
        match word.as_str() {
            "radio" => Self::Radio,
            "checklist" => Self::Checklist,
            "text" => Self::Text,
            "numeric" => Self::Numeric,
            _ => Self::Other(word),
        }
    }
}
