//! What is written for one task, in memory and in files: the journal and plans keep it without secrets.

use super::{Further, LabelBlob, RowInput, TaskRow, Written};
use crate::ids::{DataHash, ItemId, PathwayId, StageId, TaskId};
use crate::secret;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is written for a task (labels, then priority and metadata, then the move), with what is needed to take it back.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct Change {
    /// The task.
    pub task: TaskId,
    /// Where it is now.
    pub stage: StageId,
    /// Its data unit.
    pub data: DataHash,
    /// Title, for messages.
    pub title: Box<str>,
    /// Branch.
    #[serde(with = "crate::shared")]
    pub branch: Arc<str>,
    /// The label row as the agent saw it; needed when labels are saved.
    pub before: Option<RowInput>,
    /// Labels to save.
    pub labels_after: Option<LabelBlob>,
    /// Priority to set.
    pub priority: Option<f64>,
    /// Client metadata to set (needs `before.item` or the storage item's id).
    pub metadata: Option<Map<String, Value>>,
    /// Client metadata as the agent saw them; `None`: it saw none, and those that are there are replaced
    /// whatever they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata_before: Option<Map<String, Value>>,
    /// The storage item, for metadata.
    pub item: Option<ItemId>,
    /// Pathway to take; `None` stays.
    pub pathway: Option<PathwayId>,
    /// Where the task goes; `None` stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<StageId>,
    /// Moved from stage to stage, not through a pathway.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub direct: bool,
    /// Priority before, 0 to 1, when one is set and it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_priority: Option<f64>,
    /// Client metadata before, when some are set and they are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_metadata: Option<Map<String, Value>>,
    /// The journal entry that this one takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverts: Option<i64>,
    /// The characters that changed labels of a text cover, by hash: for people who review a plan without the file.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub excerpts: BTreeMap<String, String>,
    /// What is changed beyond this row, in the order of [`super::WritePhase`]; [`Written`] has a bit for each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further: Vec<Further>,
    /// What of it a person edited, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edited: Vec<String>,
    /// What is known to be upstream of the further changes, as in [`Written::further`]: these are not sent again.
    #[serde(skip)]
    pub further_written: u64,
}

impl Change {
    /// Nothing is written for this task of a stage, and it stays.
    #[must_use]
    pub fn nothing(row: &TaskRow, stage: StageId) -> Self {
        Self {
            title: row.title.clone(),
            branch: row.branch.clone(),
            ..Self::empty(row.id, stage, row.data)
        }
    }

    /// The same, of a task without a title, on the main branch.
    #[must_use]
    pub fn empty(task: TaskId, stage: StageId, data: DataHash) -> Self {
        Self {
            task,
            stage,
            data,
            title: "".into(),
            branch: "main".into(),
            before: None,
            labels_after: None,
            priority: None,
            metadata: None,
            metadata_before: None,
            item: None,
            pathway: None,
            to: None,
            direct: false,
            old_priority: None,
            old_metadata: None,
            reverts: None,
            excerpts: BTreeMap::new(),
            further: Vec::new(),
            edited: Vec::new(),
            further_written: 0,
        }
    }

    /// Bytes of its label rows, those of other rows with them: as the agent saw them, and as they are to be.
    #[must_use]
    pub fn weight(&self) -> usize {
        let before = self.before.as_ref().map_or(0, |row| row.json.len());
        let further: usize = self.further.iter().map(Further::weight).sum();
        before + (self.labels_after.as_ref()).map_or(0, |labels| labels.as_str().len()) + further
    }

    /// What of it is upstream already, as a change of its own: the task stays.
    #[must_use]
    pub fn only(&self, written: Written) -> Self {
        let mut change = self.clone();
        change.labels_after = change.labels_after.take().filter(|_| written.labels);
        change.priority = change.priority.filter(|_| written.priority);
        change.metadata = change.metadata.take().filter(|_| written.metadata);
        change.further = self.further_if(|step| written.has_step(step));
        (change.pathway, change.to, change.direct) = (None, None, false);
        change
    }

    fn further_if(&self, wanted: impl Fn(usize) -> bool) -> Vec<Further> {
        let steps = self.further.iter().enumerate();
        steps
            .filter(|(step, _)| wanted(*step))
            .map(|(_, further)| further.clone())
            .collect()
    }

    /// What of it is not upstream yet. Further changes keep their places, and with them their bits of [`Written`].
    #[must_use]
    pub fn without(&self, written: Written) -> Self {
        let mut change = self.clone();
        change.labels_after = change.labels_after.take().filter(|_| !written.labels);
        change.priority = change.priority.filter(|_| !written.priority);
        change.metadata = change.metadata.take().filter(|_| !written.metadata);
        change.further_written |= written.further;
        change
    }

    /// As the journal keeps it: without a label change the row before is not needed to finish the work.
    #[must_use]
    pub fn brief(&self) -> Self {
        let mut change = self.clone();
        if let (None, Some(before)) = (&change.labels_after, &mut change.before) {
            before.json = "null".into();
        }
        change.excerpts.clear();
        change.further = kept(&self.further, Self::brief);
        change.unsigned()
    }

    /// As a plan keeps it: the row as the agent saw it is the version of the input.
    #[must_use]
    pub fn whole(&self) -> Self {
        let mut change = self.clone();
        change.further = kept(&self.further, Self::whole);
        change.unsigned()
    }

    /// Without signed addresses.
    fn unsigned(mut self) -> Self {
        if let Some(before) = &mut self.before
            && may_be_signed(&before.json)
        {
            before.json = without_secrets(&before.json).into();
        }
        if let Some(labels) = &mut self.labels_after
            && may_be_signed(labels.as_str())
        {
            let mut document = labels.read();
            strip(&mut document);
            *labels = LabelBlob::new(&document);
        }
        self
    }

    /// Whether both write the same.
    #[must_use]
    pub fn sets_the_same(&self, other: &Self) -> bool {
        let labels = |change: &Self| change.brief().labels_after.map(|labels| labels.read());
        (self.task, self.stage, self.pathway, self.to)
            == (other.task, other.stage, other.pathway, other.to)
            && self.priority == other.priority
            && self.metadata == other.metadata
            && labels(self) == labels(other)
            && kept(&self.further, Self::brief) == kept(&other.further, Self::brief)
    }
}

fn kept(further: &[Further], keep: impl Fn(&Change) -> Change) -> Vec<Further> {
    further.iter().map(|step| step.kept(&keep)).collect()
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
