//! How a [`Change`] is stored in the journal and in a plan: without secrets.

use super::Change;
use crate::ids::{DataHash, ItemId, LabelHash, PathwayId, StageId, TaskId};
use crate::secret;
use crate::work::{CommitItem, LabelBlob, RowInput};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A [`Change`] as text.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Stored {
    task: TaskId,
    stage: StageId,
    data: DataHash,
    title: String,
    branch: String,
    before: Option<StoredRow>,
    labels_after: Option<LabelBlob>,
    priority: Option<f64>,
    metadata: Option<Map<String, Value>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    metadata_before: Option<Map<String, Value>>,
    item: Option<ItemId>,
    pathway: Option<PathwayId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<StageId>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    direct: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    old_priority: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    old_metadata: Option<Map<String, Value>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reverts: Option<i64>,
}

#[derive(Serialize, Deserialize, Clone, Debug)]
struct StoredRow {
    label_hash: Option<LabelHash>,
    priority: Option<f64>,
    item: Option<ItemId>,
    json: String,
}

impl Stored {
    /// For the journal: without a label change the row before is not needed to finish the work.
    #[must_use]
    pub fn brief(change: &Change) -> Self {
        Self::new(change, change.item.labels_after.is_some())
    }

    /// For a plan: the row as the agent saw it is the version of the input.
    #[must_use]
    pub fn whole(change: &Change) -> Self {
        Self::new(change, true)
    }

    fn sets_the_same(&self, other: &Self) -> bool {
        (self.task, self.stage, self.pathway, self.to)
            == (other.task, other.stage, other.pathway, other.to)
            && self.priority == other.priority
            && self.metadata == other.metadata
            && (self.labels_after.as_ref()).map(LabelBlob::read)
                == (other.labels_after.as_ref()).map(LabelBlob::read)
    }

    fn new(change: &Change, rows: bool) -> Self {
        let i = &change.item;
        let before = i.before.as_ref().map(|b| StoredRow {
            label_hash: b.label_hash,
            priority: b.priority,
            item: b.item,
            json: if rows {
                without_secrets(&b.json)
            } else {
                "null".to_owned()
            },
        });
        let labels_after = i.labels_after.as_ref().map(|labels| {
            if !may_be_signed(labels.as_str()) {
                return labels.clone();
            }
            let mut labels = labels.read();
            strip(&mut labels);
            LabelBlob::new(&labels)
        });
        Self {
            task: i.task,
            stage: i.stage,
            data: i.data,
            title: i.title.to_string(),
            branch: i.branch.to_string(),
            before,
            labels_after,
            priority: i.priority,
            metadata: i.metadata.clone(),
            metadata_before: i.metadata_before.clone(),
            item: i.item,
            pathway: i.pathway,
            to: change.to,
            direct: change.direct,
            old_priority: change.old_priority,
            old_metadata: change.old_metadata.clone(),
            reverts: change.reverts,
        }
    }
}

impl Change {
    /// Whether both write the same.
    #[must_use]
    pub fn sets_the_same(&self, other: &Self) -> bool {
        Stored::brief(self).sets_the_same(&Stored::brief(other))
    }
}

impl From<Stored> for Change {
    fn from(s: Stored) -> Self {
        let before = s.before.map(|b| RowInput {
            label_hash: b.label_hash,
            priority: b.priority,
            item: b.item,
            json: b.json.into(),
        });
        let item = CommitItem {
            task: s.task,
            stage: s.stage,
            data: s.data,
            title: s.title.into(),
            branch: s.branch.into(),
            before,
            labels_after: s.labels_after,
            priority: s.priority,
            metadata: s.metadata,
            metadata_before: s.metadata_before,
            item: s.item,
            pathway: s.pathway,
        };
        Self {
            item,
            to: s.to,
            direct: s.direct,
            old_priority: s.old_priority,
            old_metadata: s.old_metadata,
            reverts: s.reverts,
        }
    }
}

/// Label content: written by agents and people, kept to the letter.
const CONTENT: [&str; 5] = [
    "labels",
    "object_answers",
    "classification_answers",
    "object_actions",
    "client_metadata",
];

/// A row's text without signed addresses; anything else stays to the letter.
#[must_use]
pub fn without_secrets(json: &str) -> String {
    if !may_be_signed(json) {
        return json.to_owned();
    }
    let Ok(mut value) = serde_json::from_str::<Value>(json) else {
        return secret::of_document(json);
    };
    match value.as_object_mut() {
        // The document of a label row: its labels are a whole blob, not content yet.
        Some(doc) if doc.contains_key("metadata") && doc.contains_key("labels") => {
            doc.values_mut().for_each(strip);
        }
        _ => strip(&mut value),
    }
    value.to_string()
}

/// Whether a document may hold a signed address: without a query, escapes of ASCII characters and the names that
/// such addresses have, it holds none and need not be parsed.
fn may_be_signed(json: &str) -> bool {
    ["?", "\\u00", "signedUrl", "signed_url"]
        .iter()
        .any(|sign| json.contains(sign))
}

/// Takes signed addresses out of what surrounds the labels.
fn strip(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|key, _| !secret::is_signed(key));
            for (_, value) in map
                .iter_mut()
                .filter(|(key, _)| !CONTENT.contains(&key.as_str()))
            {
                strip(value);
            }
        }
        Value::Array(list) => list.iter_mut().for_each(strip),
        Value::String(text) => text.truncate(secret::address(text).len()),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn signed_addresses_go_and_labels_stay_to_the_letter() {
        let doc = json!({"metadata": {"data_link": "https://s/x.png?X-Sig=secret", "client_metadata": {"u": "https://a?b=1"}},
            "labels": {"data_units": {"u": {"data_link": "https://s/y?token=secret", "signedUrl": "https://s/z?secret",
                "labels": {"objects": [{"value": "https://a?b=2"}]}}}}});
        let text = without_secrets(&doc.to_string());
        assert!(
            !text.contains("secret") && text.contains("https://s/x.png"),
            "{text}"
        );
        assert!(
            text.contains("https://a?b=1") && text.contains("https://a?b=2"),
            "{text}"
        );
    }
    #[test]
    fn a_row_that_cannot_be_parsed_and_the_parts_of_a_group_hold_no_signed_address() {
        let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
        let row = format!(
            r#"{{"metadata": {{"data_link": "https://s/x?X-Sig=secret", "x": {deep}}}, "labels": {{"data_units": {{"u": {{"data_link": "https:\/\/s/y?X-Sig=secret", "signedUrl": "/z?secret"}}}}}}}}"#
        );
        assert!(serde_json::from_str::<Value>(&row).is_err());
        let text = without_secrets(&row);
        assert!(!text.contains("secret"), "{text}");
        assert!(
            text.contains("https://s/x") && text.contains(&deep),
            "{text}"
        );
        let group = json!({"metadata": {}, "labels": {"spaces": {"left": {
            "child_info": {"data_link": "https://s/x?X-Sig=secret"},
            "labels": {"0": {"objects": [{"value": "https://a?b=2"}]}}}}}});
        let text = without_secrets(&group.to_string());
        assert!(
            !text.contains("secret") && text.contains("https://a?b=2"),
            "{text}"
        );
        let bare =
            json!({"metadata": {}, "labels": {"data_units": {"u": {"signed_url": "/z?secret"}}}});
        assert!(!without_secrets(&bare.to_string()).contains("secret"));
    }
}
