//! The shapes of objects, built from the ontology's own entries and checked as they are built.

use super::super::geometry::{flat, inside, numbered};
use super::super::{
    Bitmask, BoundingBox, Circle, Cuboid, Ellipse, HtmlRange, ModelError, ModelResult,
    OntologyObject, Point, RotatableBox, Shape, Vertex,
};
use super::new::{NewObject, Span};
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// Geometry of one frame: keys of the frame's object, and what stands under them.
pub(super) type Geometry = Vec<(Cow<'static, str>, Value)>;

impl OntologyObject {
    /// A box: upper left corner, width, height, 0 to 1 of the picture.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] when the ontology draws this object otherwise, or the box does not lie
    /// in the picture.
    pub fn bounding_box(
        &self,
        x: impl Into<f64>,
        y: impl Into<f64>,
        w: impl Into<f64>,
        h: impl Into<f64>,
    ) -> ModelResult<NewObject<'_>> {
        let area = BoundingBox::new(x, y, w, h)?;
        self.drawn(&Shape::BoundingBox, area.to_value())
    }

    /// A box that was computed elsewhere.
    ///
    /// # Errors
    /// As [`OntologyObject::bounding_box`].
    pub fn boxed(&self, area: BoundingBox) -> ModelResult<NewObject<'_>> {
        self.bounding_box(area.x, area.y, area.w, area.h)
    }

    /// A turned box.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] when the ontology draws this object otherwise.
    pub fn rotatable_box(&self, area: RotatableBox) -> ModelResult<NewObject<'_>> {
        self.drawn(&Shape::RotatableBoundingBox, area.to_value()?)
    }

    /// A polygon of at least three points.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] when the ontology draws this object otherwise or a point lies outside.
    pub fn polygon(&self, points: &[Point]) -> ModelResult<NewObject<'_>> {
        self.polygon_with_holes(&[points])
    }

    /// A polygon: its outer ring, then its holes.
    ///
    /// # Errors
    /// As [`OntologyObject::polygon`].
    pub fn polygon_with_holes(&self, rings: &[&[Point]]) -> ModelResult<NewObject<'_>> {
        let rings: Vec<Vec<Point>> = rings.iter().map(|ring| ring.to_vec()).collect();
        self.polygons(&[rings])
    }

    /// Several polygons that are one object: of each its outer ring, then its holes. Programs that know
    /// one ring only see the first.
    ///
    /// # Errors
    /// As [`OntologyObject::polygon`].
    pub fn polygons(&self, polygons: &[Vec<Vec<Point>>]) -> ModelResult<NewObject<'_>> {
        let ring = |ring: &Vec<Point>| inside(ring, 3, "polygon");
        let polygons: Vec<Vec<Vec<Point>>> = polygons
            .iter()
            .map(|rings| rings.iter().map(ring).collect())
            .collect::<ModelResult<_>>()?;
        let Some(outer) = polygons.first().and_then(|rings| rings.first()) else {
            return Err(ModelError::Invalid(
                "a polygon has at least one ring".to_owned(),
            ));
        };
        let all: Vec<Vec<Value>> = polygons
            .iter()
            .map(|rings| rings.iter().map(|ring| flat(ring)).collect())
            .collect();
        let mut drawn = self.drawn(&Shape::Polygon, numbered(outer))?;
        drawn.geometry.push(("polygons".into(), json!(all)));
        Ok(drawn)
    }

    /// A line of at least two points.
    ///
    /// # Errors
    /// As [`OntologyObject::polygon`].
    pub fn polyline(&self, points: &[Point]) -> ModelResult<NewObject<'_>> {
        let points = inside(points, 2, "polyline")?;
        self.drawn(&Shape::Polyline, numbered(&points))
    }

    /// A point.
    ///
    /// # Errors
    /// As [`OntologyObject::polygon`].
    pub fn point(&self, x: impl Into<f64>, y: impl Into<f64>) -> ModelResult<NewObject<'_>> {
        let points = inside(&[Point::new(x, y)], 1, "point")?;
        self.drawn(&Shape::Point, numbered(&points))
    }

    /// A mask in Encord's run-length text.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] when the ontology draws this object otherwise, [`ModelError::Malformed`] when the
    /// runs cannot be read or are more than the mask's pixels.
    pub fn bitmask(&self, mask: &Bitmask) -> ModelResult<NewObject<'_>> {
        mask.check()?;
        self.drawn(&Shape::Bitmask, mask.to_value())
    }

    /// A skeleton: its vertices in the order of its template, each named once. The ontology's
    /// [`SkeletonTemplate`](super::super::SkeletonTemplate) makes them from names and places.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] when the ontology draws this object otherwise, a point lies outside, or
    /// two vertices share a name.
    pub fn skeleton(&self, vertices: &[Vertex]) -> ModelResult<NewObject<'_>> {
        let points: Vec<Point> = vertices.iter().map(|vertex| vertex.at).collect();
        let points = inside(&points, 1, "skeleton")?;
        let mut value = Map::new();
        for (n, vertex) in vertices.iter().enumerate() {
            if vertices[..n].iter().any(|v| v.name == vertex.name) {
                return Err(ModelError::Invalid(format!(
                    "the skeleton has two vertices \"{}\"",
                    vertex.name
                )));
            }
            let vertex = Vertex {
                at: points[n],
                ..vertex.clone()
            };
            value.insert(n.to_string(), vertex.to_value());
        }
        self.drawn(&Shape::Skeleton, Value::Object(value))
    }

    /// An ellipse.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] when the ontology draws this object otherwise, its middle lies outside or
    /// a half-axis is not above 0.
    pub fn ellipse(&self, ellipse: Ellipse) -> ModelResult<NewObject<'_>> {
        self.drawn(&Shape::Ellipse, ellipse.to_value()?)
    }

    /// A circle.
    ///
    /// # Errors
    /// As [`OntologyObject::ellipse`].
    pub fn circle(&self, circle: Circle) -> ModelResult<NewObject<'_>> {
        self.drawn(&Shape::Circle, circle.to_value()?)
    }

    /// A box in space, drawn on the picture.
    ///
    /// # Errors
    /// As [`OntologyObject::polygon`].
    pub fn cuboid(&self, cuboid: &Cuboid) -> ModelResult<NewObject<'_>> {
        self.drawn(&Shape::Cuboid2d, cuboid.to_value()?)
    }

    /// A shape that this version does not know, in Encord's own JSON under its own key. It is written as
    /// it is; nothing of it is checked.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] when this version has the shape: use the function of its name.
    pub fn other(&self, key: impl Into<String>, geometry: Value) -> ModelResult<NewObject<'_>> {
        if matches!(self.shape, Shape::Other(_)) {
            return Ok(self.blank(vec![(Cow::Owned(key.into()), geometry)]));
        }
        Err(self.other_shape("a shape of a newer kind"))
    }

    /// A stretch of audio in milliseconds or of text in characters, both ends included.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] when the object is neither, or the range runs backwards.
    pub fn range(&self, from: u64, to: u64) -> ModelResult<NewObject<'_>> {
        if !matches!(self.shape, Shape::Audio | Shape::Text) {
            return Err(self.other_shape("a range"));
        }
        if from > to {
            return Err(ModelError::Invalid(format!(
                "the range {from} to {to} runs backwards"
            )));
        }
        Ok(NewObject {
            ranges: vec![(from, to)],
            ..self.blank(Vec::new())
        })
    }

    /// A stretch of an HTML page. Plain text has [`OntologyObject::range`].
    ///
    /// # Errors
    /// [`ModelError::Invalid`] when the object is not a text, a place is not an absolute XPath, or the range
    /// runs backwards in its node.
    pub fn html_range(&self, range: HtmlRange) -> ModelResult<NewObject<'_>> {
        if self.shape != Shape::Text {
            return Err(self.other_shape("a range of HTML"));
        }
        range.check()?;
        Ok(NewObject {
            html: vec![range],
            ..self.blank(Vec::new())
        })
    }

    /// Geometry under the key of the shape, which must be the ontology's.
    fn drawn(&self, shape: &Shape, geometry: Value) -> ModelResult<NewObject<'_>> {
        match shape.key() {
            Some(key) if self.shape == *shape => {
                Ok(self.blank(vec![(Cow::Borrowed(key), geometry)]))
            }
            _ => Err(self.other_shape(shape.word())),
        }
    }

    fn other_shape(&self, wanted: &str) -> ModelError {
        ModelError::Invalid(format!(
            "\"{}\" is a {} in the ontology, not {wanted}",
            self.name,
            self.shape.word()
        ))
    }

    pub(super) fn blank(&self, geometry: Geometry) -> NewObject<'_> {
        NewObject {
            object: self,
            geometry,
            ranges: Vec::new(),
            html: Vec::new(),
            span: Span::Default,
            confidence: None,
            manual: None,
            answers: Vec::new(),
            actions: Vec::new(),
            timeline: Box::default(),
        }
    }
}
