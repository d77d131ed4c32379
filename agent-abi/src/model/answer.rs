//! Answers to attributes: text, a number, one option, several options; writing and reading them.

use super::names::only;
use super::ontology::{Attribute, AttributeKind, Choice};
use super::{ModelError, ModelResult, suggest};
use serde_json::{Value, json};

/// The answer to an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Free text, or the one option of a radio attribute, by its label.
    Text(String),
    /// A number.
    Number(f64),
    /// The options of a checklist, by their labels.
    Choices(Vec<String>),
}

impl Answer {
    /// The text or the option, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if it is one.
    #[must_use]
    pub const fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The options, if there are several to choose.
    #[must_use]
    pub fn as_choices(&self) -> Option<&[String]> {
        match self {
            Self::Choices(choices) => Some(choices),
            _ => None,
        }
    }

    /// Reads an answer as other languages give it: a text, a number, or a list of texts.
    pub(super) fn given(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(Self::Text(text.clone())),
            Value::Number(number) => number.as_f64().map(Self::Number),
            Value::Array(list) => {
                let texts = list.iter().map(|v| v.as_str().map(str::to_owned));
                texts.collect::<Option<_>>().map(Self::Choices)
            }
            _ => None,
        }
    }

    /// Reads the `answers` of an attribute entry.
    pub(super) fn read(answers: &Value, radio: bool) -> Option<Self> {
        let label = |v: &Value| v.get("name").and_then(Value::as_str).map(str::to_owned);
        match answers {
            Value::String(text) => Some(Self::Text(text.clone())),
            Value::Number(number) => number.as_f64().map(Self::Number),
            Value::Array(list) if radio && list.len() == 1 => label(&list[0]).map(Self::Text),
            Value::Array(list) => Some(Self::Choices(list.iter().filter_map(label).collect())),
            _ => None,
        }
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => write!(f, "{number}"),
            Self::Choices(choices) => f.write_str(&choices.join(", ")),
        }
    }
}

impl From<&str> for Answer {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Answer {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<f64> for Answer {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<f32> for Answer {
    fn from(number: f32) -> Self {
        Self::Number(f64::from(number))
    }
}

/// Whole numbers; what is beyond 2^53 is rounded, as JSON is everywhere.
macro_rules! whole_numbers {
    ($($type:ty)+) => {$(
        impl From<$type> for Answer {
            #[allow(clippy::cast_precision_loss, clippy::cast_lossless)]
            fn from(number: $type) -> Self {
                Self::Number(number as f64)
            }
        }
    )+};
}

whole_numbers!(i32 u32 i64 u64 usize);

impl From<&String> for Answer {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<Vec<&str>> for Answer {
    fn from(labels: Vec<&str>) -> Self {
        Self::from(labels.as_slice())
    }
}

impl<const N: usize> From<[&str; N]> for Answer {
    fn from(labels: [&str; N]) -> Self {
        Self::Choices(labels.iter().map(|label| (*label).to_owned()).collect())
    }
}

impl From<&[&str]> for Answer {
    fn from(labels: &[&str]) -> Self {
        Self::Choices(labels.iter().map(|label| (*label).to_owned()).collect())
    }
}

impl From<Vec<String>> for Answer {
    fn from(labels: Vec<String>) -> Self {
        Self::Choices(labels)
    }
}

/// The entry for `attribute` as it stands in a label blob.
pub(super) fn encode(attribute: &Attribute, answer: &Answer, manual: bool) -> ModelResult<Value> {
    let answers = match (&attribute.kind, answer) {
        (AttributeKind::Text, Answer::Text(text)) => json!(text),
        (AttributeKind::Numeric, Answer::Number(number)) if number.is_finite() => json!(number),
        (AttributeKind::Radio, Answer::Text(label)) => json!([option(attribute, label)?]),
        (AttributeKind::Checklist, Answer::Text(label)) => json!([option(attribute, label)?]),
        (AttributeKind::Checklist, Answer::Choices(labels)) => {
            let options: ModelResult<Vec<Value>> = labels
                .iter()
                .map(|label| option(attribute, label))
                .collect();
            json!(options?)
        }
        (kind, _) => {
            let expected = match kind {
                AttributeKind::Text => "text",
                AttributeKind::Numeric => "a finite number",
                AttributeKind::Radio => "one option",
                AttributeKind::Checklist => "a list of options",
                AttributeKind::Other(_) => "something this version does not know",
            };
            return Err(ModelError::Invalid(format!(
                "\"{}\" takes {expected}, not {answer:?}",
                attribute.name
            )));
        }
    };
    Ok(json!({
        "name": attribute.name,
        "value": snake(&attribute.name),
        "answers": answers,
        "featureHash": attribute.feature_hash,
        "manualAnnotation": manual,
    }))
}

fn option(attribute: &Attribute, label: &str) -> ModelResult<Value> {
    let hits = attribute.options_named(label);
    let id = |o: &Choice| o.feature_hash.clone();
    let choice = only(hits, ("options", label, "feature hash"), id, || {
        let hint = suggest::hint(label, attribute.options.iter().map(|o| o.label.as_str()));
        format!(
            "{} is no option of {}.{hint}",
            suggest::quoted(label),
            suggest::quoted(&attribute.name)
        )
    })?;
    Ok(json!({"name": choice.label, "value": choice.value, "featureHash": choice.feature_hash}))
}

/// Encord's machine name of a title: lower case, blanks become underscores.
pub(super) fn snake(name: &str) -> String {
    name.to_lowercase().replace(' ', "_")
}
