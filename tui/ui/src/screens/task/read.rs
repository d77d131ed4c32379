//! What is read from the JSON of the task in sight, once for each change: lines to show, facts,
//! marks before. Drawing is left to the tabs.

use serde_json::Value;
use wb_core::marks::{LabelMark, marks};
use wb_core::step::Stepper;

/// Lines of JSON that are kept for showing.
pub(super) const JSON_LINES: usize = 20_000;

/// JSON read once for each change of inputs or outcome.
#[derive(Default)]
pub(super) struct Read {
    pub(super) inputs: Option<usize>,
    pub(super) outcome: Option<usize>,
    pub(super) json: Vec<String>,
    pub(super) item: Option<Value>,
    pub(super) asset: Option<Value>,
    pub(super) row: Vec<(String, String)>,
    pub(super) before: Vec<LabelMark>,
}

pub(super) fn read(step: &Stepper) -> Read {
    let mut read = Read::default();
    let Some(inputs) = &step.inputs else {
        return read;
    };
    let parse = |text: &str| serde_json::from_str::<Value>(text).ok();
    read.item = inputs.item_json.as_deref().and_then(parse);
    read.asset = inputs.asset_json.as_deref().and_then(parse);
    let mut show = |title: &str, value: Option<&Value>| {
        let Some(value) = value else { return };
        let mut value = value.clone();
        hide_secrets(&mut value);
        read.json.push(format!("// {title}"));
        let pretty = serde_json::to_string_pretty(&value).unwrap_or_default();
        let room = JSON_LINES.saturating_sub(read.json.len());
        read.json
            .extend(pretty.lines().take(room).map(str::to_owned));
        read.json.push(String::new());
    };
    show("task", parse(&inputs.task_json).as_ref());
    let row = (inputs.labels.as_ref()).map(|l| serde_json::from_str::<Value>(&l.json));
    match &row {
        Some(Err(error)) => show(
            &format!("label row: it cannot be read: {error}"),
            Some(&Value::Null),
        ),
        row => {
            let row = row.as_ref().and_then(|row| row.as_ref().ok());
            show("label row, as the agent is given it", row);
        }
    }
    let row = row.and_then(Result::ok);
    show("storage item", read.item.as_ref());
    let labels = row.as_ref().and_then(|r| r.get("labels"));
    read.before = labels.map(|l| marks(l, 0)).unwrap_or_default();
    if let Some(input) = &inputs.labels {
        read.row = row_facts(input.label_hash.is_some(), input.priority, row.as_ref());
    }
    read
}

/// The query of a URL may give access to the file: it belongs neither on a screen that others see nor in
/// a clipboard.
fn hide_secrets(value: &mut Value) {
    match value {
        Value::String(text) if text.starts_with("http://") || text.starts_with("https://") => {
            if let Some(query) = text.find('?') {
                text.truncate(query);
                text.push_str("?…");
            }
        }
        Value::Array(all) => all.iter_mut().for_each(hide_secrets),
        Value::Object(all) => all.values_mut().for_each(hide_secrets),
        _ => {}
    }
}

pub(super) fn row_facts(
    exists: bool,
    priority: Option<f64>,
    row: Option<&Value>,
) -> Vec<(String, String)> {
    let meta = |key: &str| {
        let value = row
            .and_then(|r| r.get("metadata"))
            .and_then(|m| m.get(key))?;
        match value {
            Value::Null => None,
            Value::String(s) => Some(s.clone()),
            other => Some(other.to_string()),
        }
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
