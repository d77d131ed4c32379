//! What a person makes of a task's inputs for one attempt: the agent sees it, and nothing else does. What was fetched
//! stays what outcomes are judged by and what a commit compares with.

use agent_abi::wire;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The edits; `None`: as it was fetched, or as the settings have it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GivenEdits {
    /// Parameters, in place of those of the settings.
    pub params: Option<Map<String, Value>>,
    /// Client metadata of the data unit.
    pub metadata: Option<Map<String, Value>>,
    /// Priority of the task.
    pub priority: Option<f64>,
}

impl GivenEdits {
    /// What was edited, in words.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        let all = [
            ("parameters", self.params.is_some()),
            ("client metadata given", self.metadata.is_some()),
            ("priority given", self.priority.is_some()),
        ];
        let edited = all.into_iter().filter(|(_, edited)| *edited);
        edited.map(|(name, _)| name).collect()
    }

    /// The document of a label row with these edits. The labels, which may be large, are not read.
    #[must_use]
    pub fn label_row(&self, json: &str) -> Option<String> {
        if self.metadata.is_none() && self.priority.is_none() {
            return None;
        }
        let mut doc: BTreeMap<String, Box<RawValue>> = serde_json::from_str(json).ok()?;
        let mut metadata: Value = wire::text::parse(doc.get("metadata")?.get()).ok()?;
        if let Some(edited) = &self.metadata {
            metadata["client_metadata"] = edited.clone().into();
        }
        if let Some(priority) = self.priority {
            metadata["priority"] = priority.into();
        }
        let metadata = serde_json::value::to_raw_value(&metadata).ok()?;
        doc.insert("metadata".to_owned(), metadata);
        serde_json::to_string(&doc).ok()
    }

    /// The document of a storage item with these edits.
    #[must_use]
    pub fn item(&self, json: &str) -> Option<String> {
        let edited = self.metadata.as_ref()?;
        let mut doc: Value = wire::text::parse(json).ok()?;
        doc["clientMetadata"] = edited.clone().into();
        Some(doc.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_agent_is_given_the_edits_and_the_labels_to_the_letter() {
        let labels = r#"{"objects": [1.10,  2]}"#;
        let row = format!(
            r#"{{"metadata": {{"priority": 0.5, "data_title": "a", "client_metadata": null}}, "labels": {labels}}}"#
        );
        let mut given = GivenEdits::default();
        assert_eq!(given.label_row(&row), None);
        given.priority = Some(0.25);
        given.metadata = json!({"site": "cam9"}).as_object().cloned();
        let edited = given.label_row(&row).unwrap();
        assert!(edited.contains(labels), "{edited}");
        let edited: Value = serde_json::from_str(&edited).unwrap();
        let expected =
            json!({"priority": 0.25, "data_title": "a", "client_metadata": {"site": "cam9"}});
        assert_eq!(edited["metadata"], expected);
        let item = given
            .item(r#"{"name": "a", "clientMetadata": "{}"}"#)
            .unwrap();
        let item: Value = serde_json::from_str(&item).unwrap();
        assert_eq!(item["clientMetadata"], json!({"site": "cam9"}));
        assert_eq!(given.names(), ["client metadata given", "priority given"]);
    }
}
