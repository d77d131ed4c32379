//! The ontology: what may be labelled, found by title at any depth.

use super::{ModelError, ModelResult, suggest};
use serde::Deserialize;
use serde_json::Value;

/// An ontology, read from Encord's `editor` object.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Ontology {
    /// Its title.
    #[serde(skip)]
    pub title: String,
    /// What can be drawn.
    #[serde(default)]
    pub objects: Vec<OntologyObject>,
    /// What can be said about whole frames.
    #[serde(default)]
    pub classifications: Vec<OntologyClassification>,
}

/// A kind of object.
#[derive(Clone, Debug, PartialEq, Deserialize)]
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
    /// What can be said about one such object.
    #[serde(default)]
    pub attributes: Vec<Attribute>,
}

/// A kind of classification; its title is the name of its first attribute.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct OntologyClassification {
    /// Number in the ontology, as text.
    #[serde(default)]
    pub id: String,
    /// Identity, 8 characters.
    #[serde(rename = "featureNodeHash")]
    pub feature_hash: String,
    /// The question, first of all.
    pub attributes: Vec<Attribute>,
}

/// A question about an object or a frame.
#[derive(Clone, Debug, PartialEq, Deserialize)]
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
            Self::Audio => "audio",
            Self::Text => "text",
            Self::Other(word) => word,
        }
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

/// Anything in an ontology that has a title.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Element<'o> {
    /// A kind of object.
    Object(&'o OntologyObject),
    /// A kind of classification.
    Classification(&'o OntologyClassification),
    /// A question.
    Attribute(&'o Attribute),
    /// A possible answer.
    Choice(&'o Choice),
}

impl Element<'_> {
    /// Its title.
    #[must_use]
    pub fn title(&self) -> &str {
        match self {
            Self::Object(object) => &object.name,
            Self::Classification(classification) => classification.title(),
            Self::Attribute(attribute) => &attribute.name,
            Self::Choice(choice) => &choice.label,
        }
    }
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

    /// A kind of object by name or feature hash.
    ///
    /// # Errors
    /// [`ModelError::Unknown`] with the nearest names, [`ModelError::Ambiguous`] when two have the name.
    pub fn object(&self, name: &str) -> ModelResult<&OntologyObject> {
        only(
            self.objects
                .iter()
                .filter(|o| o.name == name || o.feature_hash == name),
            || {
                format!(
                    "the ontology has no object \"{name}\".{}",
                    suggest::hint(name, self.objects.iter().map(|o| o.name.as_str()))
                )
            },
            || {
                format!(
                    "the ontology has several objects \"{name}\"; use the feature hash of the one you mean"
                )
            },
        )
    }

    /// A kind of classification by title or feature hash.
    ///
    /// # Errors
    /// As [`Ontology::object`].
    pub fn classification(&self, title: &str) -> ModelResult<&OntologyClassification> {
        let all = &self.classifications;
        only(
            all.iter()
                .filter(|c| c.title() == title || c.feature_hash == title),
            || {
                format!(
                    "the ontology has no classification \"{title}\".{}",
                    suggest::hint(title, all.iter().map(OntologyClassification::title))
                )
            },
            || {
                format!(
                    "the ontology has several classifications \"{title}\"; use the feature hash of the one you mean"
                )
            },
        )
    }

    /// Whatever has this title, at any depth: object, classification, attribute or option.
    ///
    /// # Errors
    /// [`ModelError::Unknown`] with the nearest titles; [`ModelError::Ambiguous`] with the paths of
    /// all that have it.
    pub fn find(&self, title: &str) -> ModelResult<Element<'_>> {
        let all = self.elements();
        let mut hits: Vec<&(String, Element<'_>)> =
            all.iter().filter(|(_, e)| e.title() == title).collect();
        // A classification and its first attribute share their title; the classification is meant.
        if hits.len() > 1 {
            let attribute = |e: &Element<'_>| matches!(e, Element::Attribute(_));
            if hits
                .iter()
                .any(|(_, e)| matches!(e, Element::Classification(_)))
            {
                hits.retain(|(path, e)| {
                    !attribute(e)
                        || path.contains(" > ") && !path.starts_with(&format!("{title} > {title}"))
                });
            }
        }
        match hits.as_slice() {
            [(_, element)] => Ok(*element),
            [] => {
                let hint = suggest::hint(title, all.iter().map(|(_, e)| e.title()));
                Err(ModelError::Unknown(format!(
                    "the ontology has nothing called \"{title}\".{hint}"
                )))
            }
            several => {
                let paths: Vec<&str> = several.iter().map(|(path, _)| path.as_str()).collect();
                Err(ModelError::Ambiguous(format!(
                    "\"{title}\" is in the ontology more than once: {}",
                    paths.join("; ")
                )))
            }
        }
    }

    /// An attribute of any object or classification, at any depth, by feature hash.
    #[must_use]
    pub fn attribute(&self, feature_hash: &str) -> Option<&Attribute> {
        let objects = self.objects.iter().map(|o| &o.attributes);
        let classifications = self.classifications.iter().map(|c| &c.attributes);
        objects
            .chain(classifications)
            .find_map(|list| by_hash(list, feature_hash))
    }

    /// Everything with a title, with its path (`Car > Colour > Red`), in the ontology's order.
    #[must_use]
    pub fn elements(&self) -> Vec<(String, Element<'_>)> {
        let mut out = Vec::new();
        for object in &self.objects {
            out.push((object.name.clone(), Element::Object(object)));
            walk(&object.name, &object.attributes, &mut out);
        }
        for classification in &self.classifications {
            out.push((
                classification.title().to_owned(),
                Element::Classification(classification),
            ));
            walk(classification.title(), &classification.attributes, &mut out);
        }
        out
    }
}

pub(super) fn by_hash<'o>(attributes: &'o [Attribute], hash: &str) -> Option<&'o Attribute> {
    attributes.iter().find_map(|attribute| {
        let here = (attribute.feature_hash == hash).then_some(attribute);
        here.or_else(|| {
            attribute
                .options
                .iter()
                .find_map(|o| by_hash(&o.attributes, hash))
        })
    })
}

fn walk<'o>(above: &str, attributes: &'o [Attribute], out: &mut Vec<(String, Element<'o>)>) {
    for attribute in attributes {
        let path = format!("{above} > {}", attribute.name);
        out.push((path.clone(), Element::Attribute(attribute)));
        for choice in &attribute.options {
            let path = format!("{path} > {}", choice.label);
            out.push((path.clone(), Element::Choice(choice)));
            walk(&path, &choice.attributes, out);
        }
    }
}

fn only<'o, T>(
    mut hits: impl Iterator<Item = &'o T>,
    unknown: impl Fn() -> String,
    several: impl Fn() -> String,
) -> ModelResult<&'o T> {
    let first = hits.next().ok_or_else(|| ModelError::Unknown(unknown()))?;
    if hits.next().is_some() {
        Err(ModelError::Ambiguous(several()))
    } else {
        Ok(first)
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
    /// An option by label, value or feature hash.
    #[must_use]
    pub fn option(&self, label: &str) -> Option<&Choice> {
        self.options.iter().find(|o| o.label == label).or_else(|| {
            self.options
                .iter()
                .find(|o| o.value == label || o.feature_hash == label)
        })
    }
}

/// The way to an attribute by name among these and those nested in their options: pairs of the
/// attribute above and the option that opens the next, and the attribute itself.
pub(super) fn path_to<'o>(
    attributes: &'o [Attribute],
    name: &str,
) -> Option<(Vec<(&'o Attribute, &'o Choice)>, &'o Attribute)> {
    for attribute in attributes {
        if attribute.name == name || attribute.feature_hash == name {
            return Some((Vec::new(), attribute));
        }
    }
    for attribute in attributes {
        for choice in &attribute.options {
            if let Some((mut above, found)) = path_to(&choice.attributes, name) {
                above.insert(0, (attribute, choice));
                return Some((above, found));
            }
        }
    }
    None
}

/// Names of these attributes and of all below them.
pub(super) fn names(attributes: &[Attribute]) -> Vec<&str> {
    let mut out = Vec::new();
    for attribute in attributes {
        out.push(attribute.name.as_str());
        for choice in &attribute.options {
            out.extend(names(&choice.attributes));
        }
    }
    out
}
