//! The storage item behind the data: facts of the file, and the client metadata.

use super::{ModelError, ModelResult};
use crate::wire::text;
use serde_json::{Map, Value};
use uuid::Uuid;

/// A storage item as Encord describes it. Taken as `&mut StorageItem`, changed metadata becomes part
/// of the outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct StorageItem {
    doc: Value,
    metadata: Map<String, Value>,
    changed: bool,
}

impl StorageItem {
    /// Wraps the document (camelCase). `clientMetadata` may be an object or, as Encord sends it, the
    /// text of one.
    ///
    /// # Errors
    /// [`ModelError::Malformed`] when the client metadata cannot be read.
    pub fn read(doc: Value) -> ModelResult<Self> {
        let metadata = match doc.get("clientMetadata") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(map)) => map.clone(),
            Some(Value::String(text)) => text::parse::<Option<_>>(text)
                .map_err(|error| broken(&error.to_string()))?
                .unwrap_or_default(),
            Some(_) => return Err(broken("they are not a JSON object")),
        };
        Ok(Self {
            doc,
            metadata,
            changed: false,
        })
    }

    /// As [`StorageItem::read`]; client metadata that cannot be read are missing.
    #[must_use]
    #[deprecated(
        note = "use `read`: whoever sets metadata must not replace what could not be read"
    )]
    pub fn from_value(doc: Value) -> Self {
        Self::read(doc.clone()).unwrap_or(Self {
            doc,
            metadata: Map::new(),
            changed: false,
        })
    }

    /// The item's UUID.
    #[must_use]
    pub fn uuid(&self) -> Option<Uuid> {
        self.text("uuid")
            .and_then(|text| Uuid::parse_str(text).ok())
    }

    /// Name of the file.
    #[must_use]
    pub fn name(&self) -> &str {
        self.text("name").unwrap_or_default()
    }

    /// `image`, `video`, `imageGroup`, `audio`, `plainText`, `pdf`, …
    #[must_use]
    pub fn item_type(&self) -> &str {
        self.text("itemType").unwrap_or_default()
    }

    /// MIME type.
    #[must_use]
    pub fn mime_type(&self) -> Option<&str> {
        self.text("mimeType")
    }

    /// Bytes.
    #[must_use]
    pub fn file_size(&self) -> Option<u64> {
        self.doc.get("fileSize").and_then(Value::as_u64)
    }

    /// Width and height in pixels.
    #[must_use]
    pub fn size(&self) -> Option<(u32, u32)> {
        let side = |key: &str| self.doc.get(key)?.as_u64()?.try_into().ok();
        Some((side("width")?, side("height")?))
    }

    /// Frames per second.
    #[must_use]
    pub fn fps(&self) -> Option<f64> {
        self.doc.get("fps").and_then(Value::as_f64)
    }

    /// Seconds.
    #[must_use]
    pub fn duration(&self) -> Option<f64> {
        self.doc.get("duration").and_then(Value::as_f64)
    }

    /// The client metadata, with what was changed here.
    #[must_use]
    pub const fn client_metadata(&self) -> &Map<String, Value> {
        &self.metadata
    }

    /// Sets one entry of the client metadata.
    pub fn set_metadata(&mut self, key: impl Into<String>, value: impl Into<Value>) {
        let (key, value) = (key.into(), value.into());
        if self.metadata.get(&key) != Some(&value) {
            self.metadata.insert(key, value);
            self.changed = true;
        }
    }

    /// Takes one entry of the client metadata away and gives it back.
    pub fn remove_metadata(&mut self, key: &str) -> Option<Value> {
        let old = self.metadata.remove(key);
        self.changed |= old.is_some();
        old
    }

    /// Whether the metadata was changed.
    #[must_use]
    pub const fn changed(&self) -> bool {
        self.changed
    }

    /// The document as it came.
    #[must_use]
    pub const fn doc(&self) -> &Value {
        &self.doc
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.doc.get(key).and_then(Value::as_str)
    }
}

fn broken(why: &str) -> ModelError {
    ModelError::Malformed(format!(
        "the client metadata of the storage item cannot be read: {why}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn metadata_is_read_from_text_and_from_an_object() {
        for given in [json!("{\"site\": \"cam3\"}"), json!({"site": "cam3"})] {
            let doc = json!({"name": "a", "clientMetadata": given});
            let mut item = StorageItem::read(doc).unwrap();
            assert_eq!(item.client_metadata()["site"], "cam3");
            item.set_metadata("site", "cam3");
            assert!(!item.changed(), "the same value is not a change");
            item.set_metadata("site", "cam4");
            assert!(item.changed());
        }
    }

    #[test]
    fn metadata_that_cannot_be_read_are_an_error_and_not_empty() {
        let deep = format!("{{\"a\": {}{}}}", "[".repeat(200), "]".repeat(200));
        for given in [
            json!("{"),
            json!(&deep),
            json!("[1]"),
            json!([1]),
            json!("{\"a\": NaN}"),
        ] {
            let error = StorageItem::read(json!({"clientMetadata": given})).unwrap_err();
            assert!(error.to_string().contains("cannot be read"), "{error}");
        }
        let half = StorageItem::read(json!({"clientMetadata": "{\"a\": \"\\ud83d\"}"})).unwrap();
        assert_eq!(half.client_metadata()["a"], "\u{10D83D}");
        for none in [
            json!({}),
            json!({"clientMetadata": null}),
            json!({"clientMetadata": "null"}),
        ] {
            assert!(
                StorageItem::read(none)
                    .unwrap()
                    .client_metadata()
                    .is_empty()
            );
        }
    }
}
