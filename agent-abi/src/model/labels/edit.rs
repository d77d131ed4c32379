//! One object of a row, to be drawn otherwise: only its geometry changes. Who made it and when, how sure they
//! were, its answers and whatever else stands there stay.

use super::super::{
    Bitmask, BoundingBox, Circle, Cuboid, Ellipse, ModelError, ModelResult, OntologyObject, Point,
    RotatableBox, Vertex,
};
use super::{LabelRow, NewObject};
use std::sync::Arc;

/// An object of a label row whose geometry is to be changed; [`LabelRow::object_mut`] lends it.
#[derive(Debug)]
pub struct ObjectMut<'r> {
    row: &'r mut LabelRow,
    hash: String,
}

impl LabelRow {
    /// The object with this hash, to change how it is drawn; `None` when there is none.
    ///
    /// ```
    /// # use agent_abi::prelude::*;
    /// # fn shift(labels: &mut LabelRow) -> Result<()> {
    /// let cars: Vec<String> = labels.objects_named("Car").map(|o| o.hash().to_owned()).collect();
    /// for hash in cars {
    ///     if let Some(mut car) = labels.object_mut(&hash) {
    ///         car.set_bounding_box(0, BoundingBox::new(0.1, 0.1, 0.2, 0.2)?)?;
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn object_mut(&mut self, hash: &str) -> Option<ObjectMut<'_>> {
        self.kind_of(hash)?;
        Some(ObjectMut {
            row: self,
            hash: hash.to_owned(),
        })
    }
}

impl ObjectMut<'_> {
    /// Draws it otherwise on a frame, by any constructor of its kind in the ontology.
    ///
    /// # Errors
    /// [`ModelError::Unknown`] when it is not on that frame ([`LabelRow::add_to`] puts it there),
    /// [`ModelError::Invalid`] when its kind is drawn otherwise or the geometry does not lie in the picture;
    /// nothing is changed then.
    pub fn redraw(
        &mut self,
        frame: u64,
        draw: impl FnOnce(&OntologyObject) -> ModelResult<NewObject<'_>>,
    ) -> ModelResult<()> {
        let known = self.row.index().get(&self.hash);
        let Some(known) = known.filter(|known| known.on(frame).is_some()) else {
            return Err(ModelError::Unknown(format!(
                "the object {} is not on frame {frame}; add_to puts it there",
                self.hash
            )));
        };
        let ontology = Arc::clone(&self.row.ontology);
        let new = draw(ontology.object(&known.feature)?)?.on_frame(frame);
        self.row.add_to(&self.hash, &new)
    }

    /// Its box on a frame.
    ///
    /// # Errors
    /// As [`ObjectMut::redraw`].
    pub fn set_bounding_box(&mut self, frame: u64, area: BoundingBox) -> ModelResult<()> {
        self.redraw(frame, |kind| kind.boxed(area))
    }

    /// Its turned box on a frame.
    ///
    /// # Errors
    /// As [`ObjectMut::redraw`].
    pub fn set_rotatable_box(&mut self, frame: u64, area: RotatableBox) -> ModelResult<()> {
        self.redraw(frame, |kind| kind.rotatable_box(area))
    }

    /// Its polygon on a frame: one ring.
    ///
    /// # Errors
    /// As [`ObjectMut::redraw`].
    pub fn set_polygon(&mut self, frame: u64, points: &[Point]) -> ModelResult<()> {
        self.redraw(frame, |kind| kind.polygon(points))
    }

    /// Its polygons on a frame: of each its outer ring, then its holes.
    ///
    /// # Errors
    /// As [`ObjectMut::redraw`].
    pub fn set_polygons(&mut self, frame: u64, polygons: &[Vec<Vec<Point>>]) -> ModelResult<()> {
        self.redraw(frame, |kind| kind.polygons(polygons))
    }

    /// Its line on a frame.
    ///
    /// # Errors
    /// As [`ObjectMut::redraw`].
    pub fn set_polyline(&mut self, frame: u64, points: &[Point]) -> ModelResult<()> {
        self.redraw(frame, |kind| kind.polyline(points))
    }

    /// Its point on a frame.
    ///
    /// # Errors
    /// As [`ObjectMut::redraw`].
    pub fn set_point(&mut self, frame: u64, point: Point) -> ModelResult<()> {
        self.redraw(frame, |kind| kind.point(point.x, point.y))
    }

    /// Its mask on a frame.
    ///
    /// # Errors
    /// As [`ObjectMut::redraw`].
    pub fn set_bitmask(&mut self, frame: u64, mask: &Bitmask) -> ModelResult<()> {
        self.redraw(frame, |kind| kind.bitmask(mask))
    }

    /// Its skeleton on a frame. What stands beside the place of a vertex and is not given stays.
    ///
    /// # Errors
    /// As [`ObjectMut::redraw`].
    pub fn set_skeleton(&mut self, frame: u64, vertices: &[Vertex]) -> ModelResult<()> {
        self.redraw(frame, |kind| kind.skeleton(vertices))
    }

    /// Its ellipse on a frame.
    ///
    /// # Errors
    /// As [`ObjectMut::redraw`].
    pub fn set_ellipse(&mut self, frame: u64, ellipse: Ellipse) -> ModelResult<()> {
        self.redraw(frame, |kind| kind.ellipse(ellipse))
    }

    /// Its circle on a frame.
    ///
    /// # Errors
    /// As [`ObjectMut::redraw`].
    pub fn set_circle(&mut self, frame: u64, circle: Circle) -> ModelResult<()> {
        self.redraw(frame, |kind| kind.circle(circle))
    }

    /// Its cuboid on a frame.
    ///
    /// # Errors
    /// As [`ObjectMut::redraw`].
    pub fn set_cuboid(&mut self, frame: u64, cuboid: &Cuboid) -> ModelResult<()> {
        self.redraw(frame, |kind| kind.cuboid(cuboid))
    }
}
