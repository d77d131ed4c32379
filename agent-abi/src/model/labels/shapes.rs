//! The shapes of objects, built from the ontology's own entries and checked as they are built.

use super::super::geometry::{check_points, numbered};
use super::super::{
    Bitmask, BoundingBox, ModelError, ModelResult, OntologyObject, Point, RotatableBox, Shape,
    Vertex,
};
use super::new::{NewObject, Span};
use serde_json::{Map, Value, json};

impl OntologyObject {
    /// A box: upper left corner, width, height, 0 to 1 of the picture.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] when the ontology draws this object otherwise, or the box does not lie
    /// in the picture.
    pub fn bounding_box(&self, x: f64, y: f64, w: f64, h: f64) -> ModelResult<NewObject<'_>> {
        let area = BoundingBox::new(x, y, w, h)?;
        self.drawn(&Shape::BoundingBox, vec![("boundingBox", area.to_value())])
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
        let mut value = BoundingBox::new(
            area.upright.x,
            area.upright.y,
            area.upright.w,
            area.upright.h,
        )?
        .to_value();
        value["theta"] = json!(area.theta);
        self.drawn(
            &Shape::RotatableBoundingBox,
            vec![("rotatableBoundingBox", value)],
        )
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
        let Some(outer) = rings.first() else {
            return Err(ModelError::Invalid(
                "a polygon has at least one ring".to_owned(),
            ));
        };
        for ring in rings {
            check_points(ring, 3, "polygon")?;
        }
        let flat: Vec<Vec<f64>> = rings
            .iter()
            .map(|ring| ring.iter().flat_map(|p| [p.x, p.y]).collect())
            .collect();
        self.drawn(
            &Shape::Polygon,
            vec![("polygon", numbered(outer)), ("polygons", json!([flat]))],
        )
    }

    /// A line of at least two points.
    ///
    /// # Errors
    /// As [`OntologyObject::polygon`].
    pub fn polyline(&self, points: &[Point]) -> ModelResult<NewObject<'_>> {
        check_points(points, 2, "polyline")?;
        self.drawn(&Shape::Polyline, vec![("polyline", numbered(points))])
    }

    /// A point.
    ///
    /// # Errors
    /// As [`OntologyObject::polygon`].
    pub fn point(&self, x: f64, y: f64) -> ModelResult<NewObject<'_>> {
        let points = [Point { x, y }];
        check_points(&points, 1, "point")?;
        self.drawn(&Shape::Point, vec![("point", numbered(&points))])
    }

    /// A mask in Encord's run-length text.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] when the ontology draws this object otherwise.
    pub fn bitmask(&self, mask: &Bitmask) -> ModelResult<NewObject<'_>> {
        self.drawn(&Shape::Bitmask, vec![("bitmask", mask.to_value())])
    }

    /// A skeleton: its vertices in the order of its template, each named once.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] when the ontology draws this object otherwise, a point lies outside, or
    /// two vertices share a name.
    pub fn skeleton(&self, vertices: &[Vertex]) -> ModelResult<NewObject<'_>> {
        let points: Vec<Point> = vertices.iter().map(|vertex| vertex.at).collect();
        check_points(&points, 1, "skeleton")?;
        let mut value = Map::new();
        for (n, vertex) in vertices.iter().enumerate() {
            if vertices[..n].iter().any(|v| v.name == vertex.name) {
                return Err(ModelError::Invalid(format!(
                    "the skeleton has two vertices \"{}\"",
                    vertex.name
                )));
            }
            let mut point = json!({"x": vertex.at.x, "y": vertex.at.y, "name": vertex.name});
            if let Some(hash) = &vertex.feature_hash {
                point["featureHash"] = json!(hash);
            }
            value.insert(n.to_string(), point);
        }
        self.drawn(&Shape::Skeleton, vec![("skeleton", Value::Object(value))])
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

    fn drawn(
        &self,
        shape: &Shape,
        geometry: Vec<(&'static str, Value)>,
    ) -> ModelResult<NewObject<'_>> {
        if self.shape == *shape {
            Ok(self.blank(geometry))
        } else {
            Err(self.other_shape(shape.word()))
        }
    }

    fn other_shape(&self, wanted: &str) -> ModelError {
        ModelError::Invalid(format!(
            "\"{}\" is a {} in the ontology, not {wanted}",
            self.name,
            self.shape.word()
        ))
    }

    fn blank(&self, geometry: Vec<(&'static str, Value)>) -> NewObject<'_> {
        NewObject {
            object: self,
            geometry,
            ranges: Vec::new(),
            span: Span::Default,
            confidence: 1.0,
            manual: true,
            answers: Vec::new(),
            actions: Vec::new(),
        }
    }
}
