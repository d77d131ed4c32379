//! What is read from the JSON of the task in sight, once for each change: documents to show, facts, marks before.
//! Nothing here takes longer for a label row of megabytes: documents are read while they are shown, and facts where
//! they stand. Drawing is left to the tabs.

use crate::reading::{JsonDoc, member, members};
use serde_json::{Map, Value};
use std::sync::Arc;
use wb_core::marks::{LabelMark, marks};
use wb_core::step::Stepper;

/// Bytes of a document that are read for a frame.
const A_FRAME: usize = 1 << 20;
/// Labels of a frame that are listed, in bytes.
const LISTED: usize = 1 << 20;

/// JSON read once for each change of inputs or outcome.
#[derive(Default)]
pub(super) struct Read {
    pub(super) inputs: Option<usize>,
    pub(super) outcome: Option<usize>,
    /// Each with its title.
    pub(super) docs: Vec<(&'static str, JsonDoc)>,
    pub(super) item: Option<JsonDoc>,
    pub(super) asset: Option<JsonDoc>,
    pub(super) row: Vec<(String, String)>,
    pub(super) before: Vec<LabelMark>,
    /// The value at the chosen event.
    pub(super) value: Option<JsonDoc>,
}

impl Read {
    /// Reads further in what is shown; returns whether something is left.
    pub(super) fn go_on(&mut self) -> bool {
        let docs = self.docs.iter_mut().map(|(_, doc)| doc);
        let others = [&mut self.item, &mut self.asset, &mut self.value];
        let mut left = A_FRAME;
        for doc in docs.chain(others.into_iter().flatten()) {
            if left > 0 && !doc.is_read() {
                left = left.saturating_sub(doc.text().len());
                doc.read(A_FRAME);
            }
        }
        self.is_unread()
    }

    /// Whether something of it was not read yet.
    pub(super) fn is_unread(&self) -> bool {
        let docs = self.docs.iter().map(|(_, doc)| doc);
        let others = [&self.item, &self.asset, &self.value];
        docs.chain(others.into_iter().flatten())
            .any(|doc| !doc.is_read())
    }

    /// Takes the value at the chosen event.
    pub(super) fn choose(&mut self, value: Option<&Arc<str>>) {
        let same = |doc: &JsonDoc| value.is_some_and(|value| Arc::ptr_eq(value, doc.text()));
        if !self.value.as_ref().is_some_and(same) {
            self.value = value.map(|value| JsonDoc::new(Arc::clone(value)));
        }
    }
}

pub(super) fn read(step: &Stepper) -> Read {
    let mut read = Read::default();
    let Some(inputs) = &step.inputs else {
        return read;
    };
    let doc = |json: &Arc<str>| JsonDoc::new(Arc::clone(json));
    read.item = inputs.item_json.as_ref().map(doc);
    read.asset = inputs.asset_json.as_ref().map(doc);
    read.docs.push(("task", doc(&inputs.task_json)));
    if let Some(input) = &inputs.labels {
        read.docs
            .push(("label row, as the agent is given it", doc(&input.json)));
        let metadata =
            member(&input.json, "metadata").and_then(|text| serde_json::from_str(text).ok());
        read.row = row_facts(
            input.label_hash.is_some(),
            input.priority,
            metadata.as_ref(),
        );
        let labels = member(&input.json, "labels").map(first_frame);
        read.before = labels.map(|labels| marks(&labels, 0)).unwrap_or_default();
    }
    read.docs.extend(
        inputs
            .item_json
            .as_ref()
            .map(|json| ("storage item", doc(json))),
    );
    read
}

/// The labels of a row without those of other frames than the first.
fn first_frame(labels: &str) -> Value {
    let parsed = |text: &str| {
        serde_json::from_str::<Value>(text)
            .ok()
            .filter(|_| text.len() <= LISTED)
    };
    let mut units = Map::new();
    for (key, unit) in member(labels, "data_units").into_iter().flat_map(members) {
        let mut kept = Map::new();
        for (name, value) in members(unit) {
            let value = match name {
                "labels" => member(value, "objects").map_or_else(
                    || Some(("0", parsed(member(value, "0")?)?)),
                    |objects| Some(("objects", parsed(objects)?)),
                ),
                "width" | "height" | "data_sequence" => {
                    kept.extend(parsed(value).map(|value| (name.to_owned(), value)));
                    continue;
                }
                _ => continue,
            };
            let labels = value.map(|(name, value)| (name.to_owned(), value));
            kept.insert(
                "labels".to_owned(),
                Value::Object(labels.into_iter().collect()),
            );
        }
        units.insert(key.to_owned(), Value::Object(kept));
    }
    let units = Value::Object(units);
    Value::Object([("data_units".to_owned(), units)].into_iter().collect())
}

pub(super) fn row_facts(
    exists: bool,
    priority: Option<f64>,
    metadata: Option<&Value>,
) -> Vec<(String, String)> {
    let meta = |key: &str| match metadata?.get(key)? {
        Value::Null => None,
        Value::String(s) => Some(s.clone()),
        other => Some(other.to_string()),
    };
    let mut facts = vec![(
        "upstream".to_owned(),
        if exists {
            "has a label row".to_owned()
        } else {
            "no label row yet; a commit with labels makes it".into()
        },
    )];
    facts.push((
        "priority".into(),
        priority.map_or_else(|| "not set".into(), |p| p.to_string()),
    ));
    for key in [
        "data_title",
        "data_type",
        "annotation_task_status",
        "workflow_graph_node",
        "last_edited_at",
        "width",
        "height",
        "frames_per_second",
        "number_of_frames",
    ] {
        if let Some(value) = meta(key) {
            facts.push((key.replace('_', " "), value));
        }
    }
    facts
}
