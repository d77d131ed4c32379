//! Label documents carried as text. What they mean is left to [`crate::labels`].

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;
use std::sync::Arc;

/// All labels of a row as JSON text: read as a tree they take ten times as much memory, and the outcomes of
/// a whole batch wait for their commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelBlob(Arc<str>);

impl Serialize for LabelBlob {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
        raw.serialize(to)
    }
}

impl<'de> Deserialize<'de> for LabelBlob {
    /// Parsed as a tree, so that [`LabelBlob::read`] cannot fail.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Value::deserialize(from).map(|document| Self::new(&document))
    }
}

impl LabelBlob {
    /// Keeps this document.
    #[must_use]
    pub fn new(document: &Value) -> Self {
        Self(document.to_string().into())
    }

    /// The document as a tree.
    #[must_use]
    pub fn read(&self) -> Value {
        serde_json::from_str(&self.0).expect("was written from a tree")
    }

    /// The document as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
