//! JSON parsed one level at a time. Values that are not inspected stay the original text, so that numbers keep
//! all their digits (a parsed number has 64 bits) and strings their escapes.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use crate::error::Refusal;

/// The fields of an object.
pub(crate) type Fields<'a> = BTreeMap<String, &'a RawValue>;

/// The fields of an object; none where the value is something else.
pub(crate) fn fields(value: &RawValue) -> Option<Fields<'_>> {
    if !value.get().starts_with('{') {
        return None;
    }
    serde_json::from_str(value.get()).ok()
}

/// One field of an object, unless it is null.
pub(crate) fn field<'a>(value: &'a RawValue, name: &str) -> Option<&'a RawValue> {
    let found = fields(value)?.remove(name)?;
    (found.get() != "null").then_some(found)
}

/// One field of an object that is a text.
pub(crate) fn text(value: &RawValue, name: &str) -> Option<String> {
    serde_json::from_str(field(value, name)?.get()).ok()
}

/// Edits each object in a unit's labels (one list for an image, one per frame for a video); `None` removes
/// it.
pub(crate) fn edit_objects(
    labels: &RawValue,
    edit: &mut impl FnMut(&RawValue) -> Result<Option<Box<RawValue>>, Refusal>,
) -> Result<Box<RawValue>, Refusal> {
    let Some(mut fields) = fields(labels) else {
        return Ok(labels.to_owned());
    };
    if let Some(list) = fields.get("objects") {
        let list = edit_list(list, edit)?;
        fields.insert("objects".to_owned(), &list);
        return Ok(to_raw_value(&fields)?);
    }
    let mut frames: BTreeMap<&str, Cow<'_, RawValue>> = BTreeMap::new();
    for (number, frame) in &fields {
        let of_frame = self::fields(frame).filter(|f| f.contains_key("objects"));
        let frame = match of_frame {
            Some(mut inner) => {
                let list = edit_list(inner["objects"], edit)?;
                inner.insert("objects".to_owned(), &list);
                Cow::Owned(to_raw_value(&inner)?)
            }
            None => Cow::Borrowed(*frame),
        };
        frames.insert(number, frame);
    }
    Ok(to_raw_value(&frames)?)
}

fn edit_list(
    list: &RawValue,
    edit: &mut impl FnMut(&RawValue) -> Result<Option<Box<RawValue>>, Refusal>,
) -> Result<Box<RawValue>, Refusal> {
    let Ok(entries) = serde_json::from_str::<Vec<&RawValue>>(list.get()) else {
        return Ok(list.to_owned());
    };
    let mut out = Vec::with_capacity(entries.len());
    for entry in entries {
        out.extend(edit(entry)?);
    }
    Ok(to_raw_value(&out)?)
}

/// How deep a document to be inspected may be nested; `serde_json` has the same limit.
const DEPTH: usize = 127;

/// Parses a document for inspection. Numbers out of range become 0, strings with half surrogates U+FFFD.
pub(crate) fn value(came: &RawValue) -> Result<Value, String> {
    value_at(came, DEPTH)
}

fn value_at(came: &RawValue, left: usize) -> Result<Value, String> {
    let deeper = || {
        left.checked_sub(1)
            .ok_or_else(|| format!("it is nested deeper than {DEPTH} levels"))
    };
    let text = came.get();
    match text.as_bytes().first() {
        Some(b'{') => {
            let fields: Fields<'_> = serde_json::from_str(text).map_err(|e| e.to_string())?;
            let left = deeper()?;
            let field = |(name, value)| Ok((name, value_at(value, left)?));
            Ok(Value::Object(
                fields
                    .into_iter()
                    .map(field)
                    .collect::<Result<_, String>>()?,
            ))
        }
        Some(b'[') => {
            let list: Vec<&RawValue> = serde_json::from_str(text).map_err(|e| e.to_string())?;
            let left = deeper()?;
            let list = list.into_iter().map(|value| value_at(value, left));
            Ok(Value::Array(list.collect::<Result<_, _>>()?))
        }
        first => Ok(serde_json::from_str(text).unwrap_or_else(|_| match first {
            Some(b'"') => json!(char::REPLACEMENT_CHARACTER),
            _ => json!(0),
        })),
    }
}

/// The original document with the fields that were filled in since: `filled` is the parsed document with
/// more fields, and with values in place of nulls.
pub(crate) fn filled_in(
    came: &RawValue,
    filled: &Value,
) -> Result<Box<RawValue>, serde_json::Error> {
    match filled {
        Value::Object(map) => {
            let came = fields(came).unwrap_or_default();
            let mut out = BTreeMap::new();
            for (name, value) in map {
                let value = match came.get(name) {
                    Some(old) => filled_in(old, value)?,
                    None => to_raw_value(value)?,
                };
                out.insert(name, value);
            }
            to_raw_value(&out)
        }
        Value::Array(list) => {
            let came: Vec<&RawValue> = serde_json::from_str(came.get()).unwrap_or_default();
            if came.len() != list.len() {
                return to_raw_value(filled);
            }
            let pairs = came.into_iter().zip(list);
            let out: Vec<_> = pairs
                .map(|(c, f)| filled_in(c, f))
                .collect::<Result<_, _>>()?;
            to_raw_value(&out)
        }
        _ if came.get() == "null" => to_raw_value(filled),
        _ => Ok(came.to_owned()),
    }
}

/// An object, kept as its original text.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub(crate) struct JsonObject(Box<RawValue>);

impl JsonObject {
    /// `None` if the text is not an object.
    pub(crate) fn parse(text: String) -> Option<Self> {
        let raw = RawValue::from_string(text).ok()?;
        raw.get().starts_with('{').then_some(Self(raw))
    }

    /// The text.
    pub(crate) fn get(&self) -> &str {
        self.0.get()
    }

    /// One field that is a text.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        text(&self.0, name)
    }

    /// Whether it has no fields.
    pub(crate) fn is_empty(&self) -> bool {
        fields(&self.0).is_none_or(|f| f.is_empty())
    }
}

impl Default for JsonObject {
    /// One without fields.
    fn default() -> Self {
        Self(to_raw_value(&BTreeMap::<&str, ()>::new()).unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for JsonObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        if raw.get().starts_with('{') {
            return Ok(Self(raw));
        }
        Err(serde::de::Error::custom("this is not a JSON object"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filling_in_keeps_the_digits_of_the_original() {
        let text = r#"{"list":[{"n":123456789012345678901234567890}],"x":0.10000000000000000000001,"gap":null,"far":1e999,"half":"\ud800"}"#;
        let came: Box<RawValue> = serde_json::from_str(text).unwrap();
        let mut filled = value(&came).unwrap();
        filled["list"][0]["id"] = json!("1");
        filled["gap"] = json!(false);
        assert_eq!(
            filled_in(&came, &filled).unwrap().get(),
            r#"{"far":1e999,"gap":false,"half":"\ud800","list":[{"id":"1","n":123456789012345678901234567890}],"x":0.10000000000000000000001}"#
        );
    }

    #[test]
    fn a_document_nested_too_deep_to_inspect_is_refused() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        let value = |text: &str| value(&serde_json::from_str::<Box<RawValue>>(text).unwrap());
        assert!(value(&nested(DEPTH)).is_ok());
        let why = value(&nested(100_000)).unwrap_err();
        assert!(why.contains("deeper than 127"), "{why}");
    }

    #[test]
    fn objects_are_edited_in_images_and_frames_and_the_rest_is_unchanged() {
        let edit = |text: &str| {
            let labels: Box<RawValue> = serde_json::from_str(text).unwrap();
            let mut edit = |object: &RawValue| Ok((object.get() != "1").then(|| object.to_owned()));
            edit_objects(&labels, &mut edit).unwrap().get().to_owned()
        };
        assert_eq!(
            edit(r#"{"objects":[1,{"a": 1e400}],"x":"\ud800"}"#),
            r#"{"objects":[{"a": 1e400}],"x":"\ud800"}"#
        );
        assert_eq!(
            edit(r#"{"7":{"objects":[1,2],"seen":1.50},"8":3}"#),
            r#"{"7":{"objects":[2],"seen":1.50},"8":3}"#
        );
        assert_eq!(edit("[1, 2]"), "[1, 2]");
    }
}
