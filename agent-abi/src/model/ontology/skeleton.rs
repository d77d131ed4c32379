//! The templates of skeletons: which vertices one has, what they are called, its shape at rest.

use super::super::{BoundingBox, ModelError, ModelResult, Point, Vertex, suggest};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// The vertices of a kind of skeleton, found with [`super::Ontology::skeleton`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SkeletonTemplate {
    /// Its name.
    pub name: String,
    /// Feature hash of the object that is drawn by it.
    pub feature_hash: String,
    /// Its vertices, in the order in which labels carry them.
    pub vertices: Vec<SkeletonVertex>,
}

/// A vertex of a template.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SkeletonVertex {
    /// Its name, once in a template.
    pub name: String,
    /// Identity, 8 characters.
    pub feature_hash: Option<String>,
    /// Where it is at rest, 0 to 1 of the template's own field.
    pub at: Point,
}

impl SkeletonTemplate {
    /// Vertices for a label: a place for each name of the template, in any order.
    ///
    /// # Errors
    /// [`ModelError::Unknown`] for a name that the template does not have, [`ModelError::Invalid`] when
    /// one is named twice or has no place: Encord draws whole skeletons only.
    ///
    /// ```
    /// # use agent_abi::prelude::*;
    /// # use agent_abi::testing::ontology;
    /// # let ontology = ontology().skeleton("Pose", &["Head", "Hand"]).build()?;
    /// let pose = ontology.skeleton("Pose")?;
    /// let vertices = pose.place([("Hand", 0.4, 0.6), ("Head", 0.5, 0.1)])?;
    /// let person = ontology.object("Pose")?.skeleton(&vertices)?;
    /// # let _ = person;
    /// # Ok::<(), Error>(())
    /// ```
    pub fn place<'p>(
        &self,
        places: impl IntoIterator<Item = (&'p str, f64, f64)>,
    ) -> ModelResult<Vec<Vertex>> {
        let mut found: Vec<Option<Point>> = vec![None; self.vertices.len()];
        for (name, x, y) in places {
            let Some(index) = self.vertices.iter().position(|v| v.name == name) else {
                let hint = suggest::hint(name, self.vertices.iter().map(|v| v.name.as_str()));
                return Err(ModelError::Unknown(format!(
                    "the skeleton \"{}\" has no vertex \"{name}\".{hint}",
                    self.name
                )));
            };
            if found[index].replace(Point { x, y }).is_some() {
                return Err(ModelError::Invalid(format!(
                    "the vertex \"{name}\" has two places"
                )));
            }
        }
        let vertex = |(vertex, at): (&SkeletonVertex, Option<Point>)| {
            let at = at.ok_or_else(|| {
                ModelError::Invalid(format!(
                    "the vertex \"{}\" of the skeleton \"{}\" has no place; give each of its {} vertices one",
                    vertex.name,
                    self.name,
                    self.vertices.len()
                ))
            })?;
            Ok(vertex.to_label(at))
        };
        self.vertices.iter().zip(found).map(vertex).collect()
    }

    /// Vertices for a label: the template at rest, stretched over a box.
    #[must_use]
    pub fn at_rest_in(&self, area: &BoundingBox) -> Vec<Vertex> {
        let edges = |of: fn(&Point) -> f64| {
            let all = self.vertices.iter().map(|v| of(&v.at));
            all.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| {
                (low.min(x), high.max(x))
            })
        };
        let (columns, rows) = (edges(|p| p.x), edges(|p| p.y));
        let share = |x: f64, (low, high): (f64, f64)| {
            if high > low {
                (x - low) / (high - low)
            } else {
                0.5
            }
        };
        self.vertices
            .iter()
            .map(|vertex| {
                vertex.to_label(Point {
                    x: area.x + area.w * share(vertex.at.x, columns),
                    y: area.y + area.h * share(vertex.at.y, rows),
                })
            })
            .collect()
    }
}

impl SkeletonVertex {
    fn to_label(&self, at: Point) -> Vertex {
        Vertex {
            feature_hash: self.feature_hash.clone(),
            ..Vertex::new(self.name.as_str(), at.x, at.y)
        }
    }
}

/// One entry of `skeleton_templates`.
#[derive(Deserialize)]
struct Entry {
    template: Template,
}

#[derive(Deserialize)]
struct Template {
    name: String,
    /// By number, as text.
    skeleton: Map<String, Value>,
    #[serde(default, rename = "featureNodeHash", alias = "feature_node_hash")]
    feature_hash: Option<String>,
}

#[derive(Deserialize)]
struct TemplateVertex {
    name: String,
    x: f64,
    y: f64,
    #[serde(default, rename = "featureHash")]
    feature_hash: Option<String>,
}

/// Reads `[{"template": {"name", "skeleton": {"0": {…}}, "featureNodeHash"}}]`.
pub(super) fn templates<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<SkeletonTemplate>, D::Error> {
    let entries: Option<Vec<Entry>> = Option::deserialize(deserializer)?;
    entries
        .unwrap_or_default()
        .into_iter()
        .map(|entry| {
            let template = entry.template;
            let number = |key: &str| key.parse().unwrap_or(u64::MAX);
            let mut numbered: Vec<(u64, Value)> = template
                .skeleton
                .into_iter()
                .map(|(key, vertex)| (number(&key), vertex))
                .collect();
            numbered.sort_by_key(|(number, _)| *number);
            let vertices = numbered.into_iter().map(|(_, vertex)| {
                let vertex: TemplateVertex =
                    serde_json::from_value(vertex).map_err(serde::de::Error::custom)?;
                Ok(SkeletonVertex {
                    name: vertex.name,
                    feature_hash: vertex.feature_hash,
                    at: Point {
                        x: vertex.x,
                        y: vertex.y,
                    },
                })
            });
            Ok(SkeletonTemplate {
                name: template.name,
                feature_hash: template.feature_hash.unwrap_or_default(),
                vertices: vertices.collect::<Result<_, D::Error>>()?,
            })
        })
        .collect()
}
