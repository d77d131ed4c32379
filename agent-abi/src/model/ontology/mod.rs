//! The ontology: what may be labelled. Finding things in it is in `find`, skeletons are in `skeleton`,
//! schemas for language models in `schema`.

mod find;
mod kinds;
pub(super) mod schema;
mod skeleton;

pub use find::Element;
pub(super) use find::{Above, by_hash, names, paths_to};
pub use kinds::{AttributeKind, Shape};
pub use skeleton::{SkeletonTemplate, SkeletonVertex};

use super::{ModelError, ModelResult};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// An ontology, read from Encord's `editor` object.
#[derive(Clone, Debug, Default, Deserialize)]
#[non_exhaustive]
pub struct Ontology {
    /// Its title.
    #[serde(skip)]
    pub title: String,
    /// What can be drawn.
    #[serde(default)]
    pub objects: Vec<OntologyObject>,
    /// The questions about whole frames.
    #[serde(default)]
    pub classifications: Vec<OntologyClassification>,
    /// The vertices of its skeletons.
    #[serde(
        default,
        rename = "skeleton_templates",
        deserialize_with = "skeleton::templates"
    )]
    pub skeletons: Vec<SkeletonTemplate>,
}

/// A kind of object.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct OntologyObject {
    /// Number in the ontology, as text.
    #[serde(default)]
    pub id: String,
    /// Its name.
    pub name: String,
    /// `#RRGGBB`.
    #[serde(default)]
    pub color: String,
    /// How it is drawn.
    pub shape: Shape,
    /// Identity, 8 characters.
    #[serde(rename = "featureNodeHash")]
    pub feature_hash: String,
    /// Whether each label row must have one.
    #[serde(default)]
    pub required: bool,
    /// Whether it is out of use.
    #[serde(default)]
    pub archived: bool,
    /// The questions about one such object.
    #[serde(default)]
    pub attributes: Vec<Attribute>,
}

/// A kind of classification; its title is the name of its first attribute.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct OntologyClassification {
    /// Number in the ontology, as text.
    #[serde(default)]
    pub id: String,
    /// Identity, 8 characters.
    #[serde(rename = "featureNodeHash")]
    pub feature_hash: String,
    /// The question, first of all.
    pub attributes: Vec<Attribute>,
    /// Whether it classifies the whole data unit, never single frames.
    #[serde(default, rename = "level", deserialize_with = "is_global")]
    pub global: bool,
}

/// A question about an object or a frame.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Attribute {
    /// Number in the ontology, dotted.
    #[serde(default)]
    pub id: String,
    /// The question.
    pub name: String,
    /// What sort of answer it takes.
    #[serde(rename = "type")]
    pub kind: AttributeKind,
    /// Identity, 8 characters.
    #[serde(rename = "featureNodeHash")]
    pub feature_hash: String,
    /// Whether it must be answered.
    #[serde(default)]
    pub required: bool,
    /// Whether the answer may change over the frames of a video.
    #[serde(default)]
    pub dynamic: bool,
    /// Whether it is out of use.
    #[serde(default)]
    pub archived: bool,
    /// Possible answers of radio and checklist.
    #[serde(default)]
    pub options: Vec<Choice>,
}

/// A possible answer.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Choice {
    /// Number in the ontology, dotted.
    #[serde(default)]
    pub id: String,
    /// What people read.
    pub label: String,
    /// What machines read.
    #[serde(default)]
    pub value: String,
    /// Identity, 8 characters.
    #[serde(rename = "featureNodeHash")]
    pub feature_hash: String,
    /// Whether it is out of use.
    #[serde(default)]
    pub archived: bool,
    /// Questions that come up when this is chosen.
    #[serde(default, rename = "options")]
    pub attributes: Vec<Attribute>,
}

fn is_global<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let level: Option<String> = Option::deserialize(deserializer)?;
    Ok(level.as_deref() == Some("global"))
}

impl Ontology {
    /// Reads Encord's `editor` object; null is an empty ontology.
    ///
    /// # Errors
    /// [`ModelError::Malformed`] with the place of the mistake.
    pub fn from_editor(editor: &Value) -> ModelResult<Self> {
        if editor.is_null() {
            return Ok(Self::default());
        }
        Self::deserialize(editor)
            .map_err(|e| ModelError::Malformed(format!("the ontology cannot be read: {e}")))
    }

    pub(super) fn titled(mut self, title: &str) -> Self {
        title.clone_into(&mut self.title);
        self
    }
}

impl OntologyClassification {
    /// The name of its first attribute.
    #[must_use]
    pub fn title(&self) -> &str {
        self.attributes.first().map_or("", |a| a.name.as_str())
    }
}

impl Attribute {
    /// An option by label, value or feature hash; `None` too when several have that label.
    #[must_use]
    pub fn option(&self, label: &str) -> Option<&Choice> {
        match self.options_named(label).as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }

    /// The options of that label; without any, those of that feature hash or value.
    pub(super) fn options_named(&self, label: &str) -> Vec<&Choice> {
        let of = |is: &dyn Fn(&Choice) -> bool| -> Vec<&Choice> {
            self.options.iter().filter(|o| is(o)).collect()
        };
        let mut found = of(&|o| o.label == label);
        if found.is_empty() {
            found = of(&|o| o.feature_hash == label);
        }
        if found.is_empty() {
            found = of(&|o| o.value == label);
        }
        found
    }
}
