//! Frames between the key frames of a track, filled in linearly. Which frames are key frames is left to the
//! agent: it draws them, all between are made here.

use super::super::{BoundingBox, ModelError, ModelResult, Point};
use super::LabelRow;
use super::answering::unknown;
use serde_json::{Value, json};
use std::ops::RangeBounds;

/// Keys of what is drawn, and can be halfway between two frames.
const GEOMETRY: [&str; 10] = [
    "boundingBox",
    "rotatableBoundingBox",
    "polygon",
    "polygons",
    "polyline",
    "point",
    "skeleton",
    "ellipse",
    "circle",
    "cuboid_2d",
];

impl Point {
    /// The point a share of the way to another one; 0 is here, 1 is there.
    #[must_use]
    pub fn towards(&self, other: &Self, share: f64) -> Self {
        Self {
            x: between(self.x, other.x, share),
            y: between(self.y, other.y, share),
        }
    }
}

impl BoundingBox {
    /// The box a share of the way to another one; 0 is this one, 1 the other.
    #[must_use]
    pub fn towards(&self, other: &Self, share: f64) -> Self {
        Self {
            x: between(self.x, other.x, share),
            y: between(self.y, other.y, share),
            w: between(self.w, other.w, share),
            h: between(self.h, other.h, share),
        }
    }
}

impl LabelRow {
    /// Draws an object on the frames between those that it is on, linearly, within these frames (`..` is all,
    /// `10..=50` from 10 to 50). Every frame that it is on is a key frame and stays as it is. Gives how many
    /// frames were added. They count as not made by a person; the confidence goes linearly, too, and turned
    /// boxes turn the shorter way.
    ///
    /// ```
    /// use agent_abi::prelude::*;
    /// # use agent_abi::model::Picture;
    /// # use agent_abi::testing::{ontology, task};
    ///
    /// #[stage("track")]
    /// fn track(labels: &mut LabelRow) -> Result<Route> {
    ///     let ontology = labels.ontology();
    ///     let car = ontology.object("Car")?;
    ///     let hash = labels.add(car.bounding_box(0.0, 0.1, 0.2, 0.2)?.on_frame(0))?;
    ///     labels.add_to(&hash, &car.bounding_box(0.8, 0.1, 0.2, 0.2)?.on_frame(4))?;
    ///     labels.interpolate(&hash, ..)?;
    ///     Ok(Route::to("review"))
    /// }
    /// # let clip = vec![Picture::filled(8, 8, [0; 3]); 5];
    /// # let run = task("a.mp4").video(clip).ontology(ontology().object("Car", "bounding_box")).run::<track>();
    /// # let labels = run.labels();
    /// # assert_eq!(labels.objects()[0].bounding_box(2).unwrap().x, 0.4);
    /// ```
    ///
    /// # Errors
    /// [`ModelError::Unknown`] when there is no such object, [`ModelError::Invalid`] when it is a mask, a sound or a
    /// text, or two key frames have different numbers of points; nothing is changed then.
    pub fn interpolate(&mut self, hash: &str, frames: impl RangeBounds<u64>) -> ModelResult<u64> {
        self.check_blob()?;
        let Some(object) = self.object(hash) else {
            return Err(unknown(hash));
        };
        let keys = object.frames();
        let name = object.name();
        if !object
            .shape()
            .key()
            .is_some_and(|key| GEOMETRY.contains(&key))
        {
            return Err(ModelError::Invalid(format!(
                "\"{name}\" is a {}: there is nothing halfway between two of them",
                object.shape().word()
            )));
        }
        let now = self.now();
        let mut added = Vec::new();
        for pair in keys.windows(2) {
            let (first, last) = (pair[0], pair[1]);
            if !frames.contains(&first) || !frames.contains(&last) {
                continue;
            }
            let (Some(one), Some(other)) = (object.on_frame(first), object.on_frame(last)) else {
                continue;
            };
            for frame in first + 1..last {
                #[allow(clippy::cast_precision_loss)] // frames of a video
                let share = (frame - first) as f64 / (last - first) as f64;
                let drawn = halfway(one, other, share).ok_or_else(|| {
                    ModelError::Invalid(format!(
                        "\"{name}\" has other points on frame {first} than on frame {last}: there is nothing halfway between them"
                    ))
                })?;
                added.push((frame, drawn));
            }
        }
        for (frame, mut drawn) in added.iter().cloned() {
            for (key, value) in [
                ("manualAnnotation", json!(false)),
                ("createdAt", json!(now)),
                ("createdBy", Value::Null),
                ("lastEditedAt", json!(now)),
                ("lastEditedBy", Value::Null),
            ] {
                if key != "lastEditedBy" || drawn.get(key).is_some() {
                    drawn[key] = value;
                }
            }
            let unit = self.unit_of(frame)?;
            self.draw_on(&unit, frame, hash, drawn)?;
        }
        Ok(added.len() as u64)
    }
}

/// One frame's object a share of the way to another's; all that is not geometry is the first one's.
fn halfway(one: &Value, other: &Value, share: f64) -> Option<Value> {
    let mut drawn = one.clone();
    for key in GEOMETRY.into_iter().chain(["confidence"]) {
        if let Some(value) = drawn.get_mut(key) {
            *value = blend(value, other.get(key)?, share)?;
        }
    }
    Some(drawn)
}

/// Numbers a share of the way from one to the other, in two values of the same form.
fn blend(one: &Value, other: &Value, share: f64) -> Option<Value> {
    match (one, other) {
        (Value::Number(a), Value::Number(b)) => {
            Some(json!(between(a.as_f64()?, b.as_f64()?, share)))
        }
        (Value::Array(a), Value::Array(b)) => {
            let same = a.len() == b.len();
            let all = a.iter().zip(b).map(|(a, b)| blend(a, b, share));
            same.then(|| all.collect::<Option<_>>().map(Value::Array))?
        }
        (Value::Object(a), Value::Object(b)) => {
            let same = a.len() == b.len() || a.values().chain(b.values()).all(|v| !v.is_object());
            let pairs = a.iter().map(|(key, a)| {
                let value = match (key.as_str(), b.get(key)) {
                    ("theta", Some(b)) => turned(a.as_f64()?, b.as_f64()?, share),
                    (_, Some(b)) => blend(a, b, share)?,
                    (_, None) if a.is_number() || a.is_object() => return None,
                    (_, None) => a.clone(),
                };
                Some((key.clone(), value))
            });
            same.then(|| pairs.collect::<Option<_>>().map(Value::Object))?
        }
        _ => Some(one.clone()),
    }
}

fn between(one: f64, other: f64, share: f64) -> f64 {
    one.mul_add(1.0 - share, other * share)
}

/// Degrees, the shorter way round.
fn turned(one: f64, other: f64, share: f64) -> Value {
    let way = (other - one + 180.0).rem_euclid(360.0) - 180.0;
    json!(way.mul_add(share, one))
}
