//! JSON schemas of what may be answered, for language models: the form of encord-agents' `OntologyDataModel`.
//!
//! Only what structured outputs of the large providers take is used: objects with all properties required and no
//! others, `const`, `enum`, `anyOf`. Reading the answers is left to `labels::json`.

use super::{Attribute, AttributeKind, Choice, Ontology, OntologyClassification, OntologyObject};
use crate::model::ModelResult;
use serde_json::{Map, Value, json};
use std::collections::HashSet;

/// Under this key every part of an answer has the feature hash of what it answers.
pub(in super::super) const HASH: &str = "feature_node_hash";

impl OntologyClassification {
    /// The JSON schema of an answer, for a model with structured outputs (draft 2020-12). The form is that
    /// of encord-agents' `OntologyDataModel`; numbers are answered like texts, under `value`.
    /// [`LabelRow::add_json`](crate::model::LabelRow::add_json) reads the answer.
    ///
    /// ```
    /// # use agent_abi::testing::ontology;
    /// # let ontology = agent_abi::model::Ontology::from_editor(&ontology().radio("Weather", &["Sunny", "Night"]).editor())?;
    /// let weather = ontology.classification("Weather")?;
    /// let schema = weather.json_schema();
    /// assert_eq!(schema["required"][0], "weather");
    /// assert_eq!(schema["properties"]["weather"]["properties"]["choice"]["enum"][1], "Night");
    /// # Ok::<(), agent_abi::Error>(())
    /// ```
    #[must_use]
    pub fn json_schema(&self) -> Value {
        record(properties(&self.attributes), None)
    }
}

impl OntologyObject {
    /// The JSON schema of the attributes of such an object, as in [`OntologyClassification::json_schema`]:
    /// `{"choice": …}`. Where it is drawn is not part of it;
    /// [`NewObject::answer_json`](crate::model::NewObject::answer_json) reads the answer.
    #[must_use]
    pub fn json_schema(&self) -> Value {
        choice_of(&[self])
    }
}

impl Ontology {
    /// The JSON schema of an answer to all classifications, a property for each;
    /// [`LabelRow::add_json_all`](crate::model::LabelRow::add_json_all) reads it.
    #[must_use]
    pub fn json_schema(&self) -> Value {
        let all: Vec<&Attribute> = self
            .classifications
            .iter()
            .flat_map(|c| &c.attributes)
            .collect();
        record(fields_of(&all), None)
    }

    /// The JSON schema of a choice among kinds of objects, by name or feature hash, with the attributes of the
    /// chosen one. [`Ontology::chosen_object`] gives the kind, and
    /// [`NewObject::answer_json`](crate::model::NewObject::answer_json) reads the attributes.
    ///
    /// # Errors
    /// As [`Ontology::object`].
    pub fn objects_json_schema(&self, names: &[&str]) -> ModelResult<Value> {
        let kinds: ModelResult<Vec<&OntologyObject>> =
            names.iter().map(|name| self.object(name)).collect();
        Ok(choice_of(&kinds?))
    }
}

/// Letters, digits, `_` and blanks of a title.
pub(in super::super) fn safe(title: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, '_' | ' ');
    title
        .chars()
        .filter(kept)
        .collect::<String>()
        .trim()
        .to_owned()
}

/// Keys for things with titles, in order; where two would have the same, or none, the feature hash is added.
fn unique<'o>(keys: impl Iterator<Item = (String, &'o str)>) -> Vec<String> {
    let mut seen = HashSet::new();
    let key = |(key, hash): (String, &str)| {
        if !key.is_empty() && seen.insert(key.clone()) {
            return key;
        }
        format!("{key}_{hash}")
    };
    keys.map(key).collect()
}

/// The key of each attribute in an answer.
pub(in super::super) fn attribute_keys(attributes: &[&Attribute]) -> Vec<String> {
    let key = |a: &&Attribute| safe(&a.name).to_lowercase().replace(' ', "_");
    unique(attributes.iter().map(|a| (key(a), a.feature_hash.as_str())))
}

/// The key of each option of a checklist in an answer.
pub(in super::super) fn option_keys(options: &[Choice]) -> Vec<String> {
    let key = |o: &Choice| safe(&o.value).replace(' ', "_");
    unique(options.iter().map(|o| (key(o), o.feature_hash.as_str())))
}

/// An object with exactly these properties.
fn record(properties: Map<String, Value>, description: Option<&str>) -> Value {
    let required: Vec<&String> = properties.keys().collect();
    let mut schema = json!({
        "type": "object",
        "required": required,
        "properties": properties,
        "additionalProperties": false,
    });
    if let Some(description) = description {
        schema["description"] = json!(description);
    }
    schema
}

fn properties(attributes: &[Attribute]) -> Map<String, Value> {
    fields_of(&attributes.iter().collect::<Vec<_>>())
}

fn fields_of(attributes: &[&Attribute]) -> Map<String, Value> {
    let current: Vec<&Attribute> = attributes.iter().copied().filter(|a| !a.archived).collect();
    let keys = attribute_keys(attributes).into_iter().zip(attributes);
    let keys = keys.filter(|(_, a)| current.iter().any(|c| std::ptr::eq(*c, **a)));
    keys.map(|(key, attribute)| (key, answer_to(attribute)))
        .collect()
}

/// The hash that is to be copied.
fn hash(feature: &str) -> Value {
    json!({"type": "string", "const": feature, "description": "Identifies what is answered. Copy it as it is."})
}

fn answer_to(attribute: &Attribute) -> Value {
    let mut fields = Map::new();
    fields.insert(HASH.to_owned(), hash(&attribute.feature_hash));
    let options = attribute.options.iter().filter(|option| !option.archived);
    match &attribute.kind {
        AttributeKind::Checklist => {
            let keys = option_keys(&attribute.options)
                .into_iter()
                .zip(&attribute.options);
            for (key, option) in keys.filter(|(_, option)| !option.archived) {
                let description = format!("Whether \"{}\" applies.", option.label);
                fields.insert(key, json!({"type": "boolean", "description": description}));
            }
        }
        AttributeKind::Radio => {
            let options: Vec<&Choice> = options.collect();
            let labels: HashSet<&str> = options.iter().map(|o| o.label.as_str()).collect();
            let is_flat = options.iter().all(|o| o.attributes.is_empty());
            let mut choice = if is_flat && labels.len() == options.len() {
                let labels: Vec<&str> = options.iter().map(|o| o.label.as_str()).collect();
                json!({"type": "string", "enum": labels})
            } else {
                let each = options.iter();
                any(each
                    .map(|o| named(&o.label, &o.feature_hash, &o.attributes))
                    .collect())
            };
            choice["description"] = json!("Exactly one of these.");
            fields.insert("choice".to_owned(), choice);
        }
        AttributeKind::Numeric => {
            fields.insert("value".to_owned(), json!({"type": "number"}));
        }
        AttributeKind::Text | AttributeKind::Other(_) => {
            fields.insert("value".to_owned(), json!({"type": "string"}));
        }
    }
    record(fields, Some(&attribute.name))
}

/// An option or a kind of object with its attributes; without any, with its title.
fn named(title: &str, feature: &str, attributes: &[Attribute]) -> Value {
    let mut fields = properties(attributes);
    if fields.is_empty() {
        let title = json!({"type": "string", "const": safe(title)});
        fields.insert("title".to_owned(), title);
    }
    fields.insert(HASH.to_owned(), hash(feature));
    record(fields, Some(title))
}

fn any(mut schemas: Vec<Value>) -> Value {
    match schemas.as_slice() {
        [_] => schemas.remove(0),
        _ => json!({"anyOf": schemas}),
    }
}

fn choice_of(kinds: &[&OntologyObject]) -> Value {
    let names: HashSet<&str> = kinds.iter().map(|kind| kind.name.as_str()).collect();
    let is_flat = kinds.iter().all(|kind| kind.attributes.is_empty());
    let choice = if is_flat && names.len() == kinds.len() {
        let names: Vec<&str> = kinds.iter().map(|kind| kind.name.as_str()).collect();
        json!({"type": "string", "enum": names})
    } else {
        let each = kinds.iter();
        any(each
            .map(|k| named(&k.name, &k.feature_hash, &k.attributes))
            .collect())
    };
    record([("choice".to_owned(), choice)].into_iter().collect(), None)
}
