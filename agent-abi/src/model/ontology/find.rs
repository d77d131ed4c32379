//! Finding things in an ontology: by title at any depth, by feature hash, with the nearest names when
//! there is no such thing.

use super::super::names::only;
use super::super::suggest::quoted;
use super::super::{ModelError, ModelResult, suggest};
use super::{
    Attribute, Choice, Ontology, OntologyClassification, OntologyObject, SkeletonTemplate,
};

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
    /// A kind of object by name or feature hash.
    ///
    /// # Errors
    /// [`ModelError::Unknown`] with the nearest names, [`ModelError::Ambiguous`] when two have the name.
    pub fn object(&self, name: &str) -> ModelResult<&OntologyObject> {
        let is = |o: &&OntologyObject| o.name == name || o.feature_hash == name;
        let hits = self.objects.iter().filter(is).collect();
        let id = |o: &OntologyObject| o.feature_hash.clone();
        only(hits, ("objects", name, "feature hash"), id, || {
            let hint = suggest::hint(name, self.objects.iter().map(|o| o.name.as_str()));
            format!("the ontology has no object {}.{hint}", quoted(name))
        })
    }

    /// A kind of classification by title or feature hash.
    ///
    /// # Errors
    /// As [`Ontology::object`].
    pub fn classification(&self, title: &str) -> ModelResult<&OntologyClassification> {
        let all = &self.classifications;
        let is = |c: &&OntologyClassification| c.title() == title || c.feature_hash == title;
        let hits = all.iter().filter(is).collect();
        let id = |c: &OntologyClassification| c.feature_hash.clone();
        only(hits, ("classifications", title, "feature hash"), id, || {
            let hint = suggest::hint(title, all.iter().map(OntologyClassification::title));
            format!(
                "the ontology has no classification {}.{hint}",
                quoted(title)
            )
        })
    }

    /// The vertices of a skeleton, by the name of its template or by the name or feature hash of the
    /// object that is drawn by it.
    ///
    /// # Errors
    /// As [`Ontology::object`].
    pub fn skeleton(&self, name: &str) -> ModelResult<&SkeletonTemplate> {
        let hash = match self.object(name) {
            Ok(object) => object.feature_hash.as_str(),
            Err(error @ ModelError::Ambiguous(_)) => return Err(error),
            Err(_) => name,
        };
        if let Some(found) = self.skeletons.iter().find(|s| s.feature_hash == hash) {
            return Ok(found);
        }
        let hits = self.skeletons.iter().filter(|s| s.name == name).collect();
        let id = |s: &SkeletonTemplate| s.feature_hash.clone();
        only(hits, ("skeletons", name, "feature hash"), id, || {
            let hint = suggest::hint(name, self.skeletons.iter().map(|s| s.name.as_str()));
            format!("the ontology has no skeleton {}.{hint}", quoted(name))
        })
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
                    "the ontology has nothing called {}.{hint}",
                    quoted(title)
                )))
            }
            several => {
                let paths: Vec<&str> = several.iter().map(|(path, _)| path.as_str()).collect();
                Err(ModelError::Ambiguous(format!(
                    "{} is in the ontology more than once: {}",
                    quoted(title),
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

pub(in super::super) fn by_hash<'o>(
    attributes: &'o [Attribute],
    hash: &str,
) -> Option<&'o Attribute> {
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

/// The way to an attribute: pairs of the attribute above and the option that opens the next.
pub(in super::super) type Above<'o> = Vec<(&'o Attribute, &'o Choice)>;

/// All attributes of that name or hash among these and those nested in their options, the outer ones
/// first, each with the way to it.
pub(in super::super) fn paths_to<'o>(
    attributes: &'o [Attribute],
    name: &str,
) -> Vec<(Above<'o>, &'o Attribute)> {
    let here = |a: &&Attribute| a.name == name || a.feature_hash == name;
    let mut found: Vec<_> = attributes
        .iter()
        .filter(here)
        .map(|attribute| (Vec::new(), attribute))
        .collect();
    for attribute in attributes {
        for choice in &attribute.options {
            for (mut above, nested) in paths_to(&choice.attributes, name) {
                above.insert(0, (attribute, choice));
                found.push((above, nested));
            }
        }
    }
    found
}

/// Names of these attributes and of all below them.
pub(in super::super) fn names(attributes: &[Attribute]) -> Vec<&str> {
    let mut out = Vec::new();
    for attribute in attributes {
        out.push(attribute.name.as_str());
        for choice in &attribute.options {
            out.extend(names(&choice.attributes));
        }
    }
    out
}
