//! `include/documents.md` is made here, from the types of `wire` with their comments and from documents that a
//! real host gave (`documents/captured.json`, kept up by the end-to-end test `documents`). Regenerate it with
//! `UPDATE_DOCUMENTS=1 cargo test -p agent-abi --test documents`.
#![allow(clippy::unwrap_used)] // a test may stop anywhere

use agent_abi::model::{LabelRow, Ontology};
use agent_abi::wire::{
    AddLabel, AgentSpec, AnswerLabel, AssetDoc, ChangeDoc, DatasetDoc, EncodeQuestion, Failure,
    IncludeOptions, InitialiseOptions, ItemsQuestion, ListPage, ListQuestion, Outcome, PathwayDoc,
    ProjectDoc, ProjectQuestion, RowDoc, RowsQuestion, StageDoc, StepDoc, TaskDoc, TwinDoc,
    TwinSpec, keys,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

const SOURCES: [&str; 5] = [
    include_str!("../src/wire/mod.rs"),
    include_str!("../src/wire/calls.rs"),
    include_str!("../src/wire/changes.rs"),
    include_str!("../src/wire/edits.rs"),
    include_str!("../src/wire/spec.rs"),
];
const ENCORD: &str = include_str!("documents/encord.txt");
const CAPTURED: &str = include_str!("documents/captured.json");

fn captured() -> Value {
    serde_json::from_str(CAPTURED).unwrap()
}

/// Type and comment of each field of a type, in the order of its declaration.
fn declared(name: &str) -> Vec<(String, String)> {
    let head = format!("pub struct {name} {{\n");
    let body = SOURCES.iter().find_map(|source| source.split_once(&head));
    let (_, body) = body.unwrap_or_else(|| panic!("{name} is not in wire"));
    let (body, _) = body.split_once("\n}").unwrap();
    let (mut fields, mut comment) = (Vec::new(), String::new());
    for line in body.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("///") {
            comment.push_str(text);
        } else if let Some(field) = line.strip_prefix("pub ") {
            let (_, of_type) = field.trim_end_matches(',').split_once(": ").unwrap();
            fields.push((of_type.to_owned(), std::mem::take(&mut comment)));
        }
    }
    fields
}

/// A Rust type in the words of JSON.
fn in_json(of_type: &str) -> String {
    let inside = |outer: &str| of_type.strip_prefix(outer)?.strip_suffix('>');
    if let Some(inner) = inside("Option<") {
        return format!("{} or null", in_json(inner));
    }
    if let Some(inner) = inside("Vec<") {
        return format!("list of {}", in_json(inner));
    }
    if let Some((_, inner)) = inside("BTreeMap<").and_then(|both| both.split_once(", ")) {
        return format!("object of {}", in_json(inner));
    }
    if let Some(pair) = of_type.strip_prefix('[').and_then(|t| t.split_once("; ")) {
        let item = in_json(pair.0);
        return format!("[{item}, {item}]");
    }
    match of_type {
        "String" => "text".to_owned(),
        "Uuid" => "UUID".to_owned(),
        "bool" => "true or false".to_owned(),
        "f64" => "number".to_owned(),
        "u8" | "u32" | "u64" => "integer".to_owned(),
        "Value" => "any JSON".to_owned(),
        "Map<String, Value>" => "object".to_owned(),
        other => format!("[{other}](#{})", other.to_lowercase()),
    }
}

/// A comment without what only rustdoc reads.
fn plain(comment: &str) -> String {
    let text = comment.trim().replace("crate::wire::", "");
    text.replace("[`", "`")
        .replace("`]", "`")
        .replace('|', "\\|")
}

/// The section of a type: every field that JSON has, and nothing else.
fn section<T: DeserializeOwned>(out: &mut String, name: &str, example: Option<&Value>) {
    let (names, fields) = (keys::fields::<T>(), declared(name));
    assert_eq!(names.len(), fields.len(), "{name}: {names:?}");
    writeln!(
        out,
        "### {name}\n\n| field | type | meaning |\n|---|---|---|"
    )
    .unwrap();
    for (key, (of_type, comment)) in names.iter().zip(fields) {
        writeln!(
            out,
            "| `{key}` | {} | {} |",
            in_json(&of_type),
            plain(&comment)
        )
        .unwrap();
    }
    out.push('\n');
    if let Some(example) = example {
        let _: T = serde_json::from_value(example.clone())
            .unwrap_or_else(|e| panic!("the example of {name}: {e}"));
        for key in example.as_object().unwrap().keys() {
            assert!(names.contains(&key.as_str()), "{name}: {key}");
        }
        shown(out, example);
    }
}

/// A part of one of Encord's documents, compared with the captured one.
fn encords(out: &mut String, title: &str, name: &str, example: &Value) {
    let part = ENCORD
        .split("\n== ")
        .find_map(|part| part.strip_prefix(&format!("{name}\n")));
    let lines: Vec<(&str, &str)> = part
        .unwrap_or_else(|| panic!("{name} is not described"))
        .lines()
        .filter_map(|line| line.split_once(" | "))
        .collect();
    let described: BTreeSet<&str> = lines.iter().map(|(key, _)| *key).collect();
    let there: BTreeSet<&str> = example
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    // There only in some labels and some ontologies.
    let optional = BTreeSet::from(["lastEditedBy", "skeleton_templates", "objectNumber"]);
    let unlike: Vec<&&str> = described
        .symmetric_difference(&there)
        .filter(|k| !optional.contains(**k))
        .collect();
    assert!(unlike.is_empty(), "{name}: {unlike:?}");
    writeln!(out, "{title}\n\n| field | meaning |\n|---|---|").unwrap();
    for (key, meaning) in lines {
        writeln!(out, "| `{key}` | {meaning} |").unwrap();
    }
    out.push('\n');
}

fn shown(out: &mut String, example: &Value) {
    writeln!(out, "```json\n{}\n```\n", pretty(example, 0)).unwrap();
}

/// JSON in lines of at most a hundred characters, where that is possible.
fn pretty(value: &Value, indent: usize) -> String {
    let line = value.to_string();
    if line.len() + indent <= 100 {
        return line;
    }
    let pad = " ".repeat(indent + 2);
    let (open, close, parts): (_, _, Vec<String>) = match value {
        Value::Object(map) => {
            let part = |(key, v): (&String, &Value)| {
                format!("{pad}{}: {}", json!(key), pretty(v, indent + 2))
            };
            ('{', '}', map.iter().map(part).collect())
        }
        Value::Array(list) => {
            let part = |v: &Value| format!("{pad}{}", pretty(v, indent + 2));
            ('[', ']', list.iter().map(part).collect())
        }
        _ => return line,
    };
    format!(
        "{open}\n{}\n{}{close}",
        parts.join(",\n"),
        " ".repeat(indent)
    )
}

/// What an agent could give back for the captured row: it is applied to it here.
fn outcome(row: &Value) -> Value {
    let hash = row["labels"]["object_answers"]
        .as_object()
        .unwrap()
        .keys()
        .next();
    json!({
        "route": "annotate",
        "priority": 0.7,
        "client_metadata": {"site": "cam4", "seen": true},
        "add": [
            {"name": "Car", "boundingBox": {"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4}, "confidence": 0.9, "manual": false,
             "attributes": {"Colour": "Red", "Shade": "dark"}},
            {"name": "Person", "polygon": [[0.1, 0.1], [0.5, 0.1], [0.5, 0.5]]},
            {"name": "Car", "frames": {"0": {"boundingBox": {"x": 0.5, "y": 0.5, "w": 0.1, "h": 0.1}}}},
            {"name": "Tags", "answer": ["Dark", "Crowded"]},
        ],
        "answer": [{"hash": hash, "name": "Plate", "value": "ZH 1"}],
    })
}

fn accepted(outcome: &Value, captured: &Value) {
    let ontology = Ontology::from_editor(&captured["project"]["ontology"]).unwrap();
    let row = LabelRow::from_json(&captured["label_row"].to_string(), Arc::new(ontology)).unwrap();
    let given: Outcome = serde_json::from_value(outcome.clone()).unwrap();
    assert_eq!(keys::unread(&outcome.to_string()), []);
    let after = row.after(None, &given).unwrap();
    assert_eq!(after.problems(), []);
    assert_eq!(after.objects().len(), row.objects().len() + 3);
}

fn given(out: &mut String, captured: &Value) {
    out.push_str("## Task\n\n`wb_task.task`: the task as the Python SDK writes it.\n\n");
    section::<TaskDoc>(out, "TaskDoc", Some(&captured["task"]));
    out.push_str("## Stage\n\n`wb_task.stage`: the stage that the agent runs at.\n\n");
    section::<StageDoc>(out, "StageDoc", Some(&captured["stage"]));
    section::<PathwayDoc>(out, "PathwayDoc", None);
    out.push_str("## Parameters\n\n`wb_task.params`: the object under `[params.\"STAGE\"]` in workbench.toml as JSON; \
        empty when there is none.\n\n");
    shown(out, &captured["params"]);
    out.push_str("## Project\n\n`input(\"project\")`, with `WB_NEED_PROJECT`; the only document of a preflight.\n\n");
    section::<ProjectDoc>(out, "ProjectDoc", Some(&captured["project"]));
    section::<DatasetDoc>(out, "DatasetDoc", None);
    let ontology = &captured["project"]["ontology"];
    encords(out, "`ontology` is Encord's own:", "ontology", ontology);
    out.push_str("## Label row\n\n`input(\"label_row\")`, with `WB_NEED_LABEL_ROW` or `WB_NEED_LABEL_ROW_WRITE`. \
        Both parts are Encord's own; unknown fields may come.\n\n");
    let row = &captured["label_row"];
    section::<RowDoc>(out, "RowDoc", Some(row));
    encords(out, "`metadata`:", "metadata", &row["metadata"]);
    let labels = &row["labels"];
    encords(out, "`labels`:", "labels", labels);
    let first = |map: &Value| map.as_object().unwrap().values().next().unwrap().clone();
    let unit = first(&labels["data_units"]);
    encords(out, "A data unit of an image:", "unit", &unit);
    encords(
        out,
        "An object on a frame:",
        "object",
        &unit["labels"]["objects"][0],
    );
    let answer = &first(&labels["classification_answers"])["classifications"][0];
    encords(out, "An answer:", "answer", answer);
    out.push_str("## Storage item\n\n`input(\"storage_item\")`, with `WB_NEED_STORAGE_ITEM`. It is Encord's own; null where \
        something does not apply.\n\n");
    encords(out, "Fields:", "item", &captured["storage_item"]);
    shown(out, &captured["storage_item"]);
    out.push_str("## Asset\n\n`input(\"asset\")`, with `WB_NEED_ASSET`, `WB_NEED_FRAME` or `WB_NEED_FRAMES`: the file.\n\n");
    section::<AssetDoc>(out, "AssetDoc", Some(&captured["asset"]));
}

fn asked(out: &mut String, captured: &Value) {
    out.push_str("## Calls\n\n`wb_host.call` by name, with `WB_NEED_UPSTREAM`. What cannot be answered is `WB_FAILED` with \
        the reason as text.\n\n");
    let calls = &captured["calls"];
    let example = |out: &mut String, name: &str| {
        writeln!(out, "Question and answer:\n").unwrap();
        shown(out, &calls[name]["question"]);
        shown(out, &calls[name]["answer"]);
    };
    out.push_str("**`project`**: another project, or this one. The answer is a ProjectDoc.\n\n");
    section::<ProjectQuestion>(out, "ProjectQuestion", Some(&calls["project"]["question"]));
    out.push_str(
        "**`label_rows`**: the answer is a list of RowDoc or null, in the order asked.\n\n",
    );
    section::<RowsQuestion>(out, "RowsQuestion", None);
    example(out, "label_rows");
    out.push_str("**`twin`**: the label row of the same data in another project, on the branch `main`. The question has \
        the fields of TwinSpec and `data_hash`, the UUID of the data unit. The answer is a TwinDoc, or null. What the spec names under `twins` was fetched \
        ahead, with `WB_NEED_TWIN`: `input(\"twin/PROJECT/true/false\")`, in the order of TwinSpec.\n\n");
    section::<TwinSpec>(out, "TwinSpec", None);
    section::<TwinDoc>(out, "TwinDoc", Some(&calls["twin"]["answer"]));
    out.push_str("**`storage_items`**: the answer is a list of storage items, in the order asked, without signed \
        addresses.\n\n");
    section::<ItemsQuestion>(out, "ItemsQuestion", None);
    example(out, "storage_items");
    out.push_str("**`list`**: a page of a list; the answer is a ListPage.\n\n");
    section::<ListQuestion>(out, "ListQuestion", None);
    section::<ListPage>(out, "ListPage", None);
    out.push_str("**`signed_url`**: the UUID of a storage item as JSON text. The answer is an address that its file can be \
        read from without a key, or null when it has no file of its own. The address is a secret: never log it.\n\n");
    out.push_str("**`loading`**: a name as JSON text before something is loaded that stays in the process, `null` after \
        it. The answer is `null`.\n\n**`encode`**: this line of JSON, a newline, then the rows of pixels, three bytes \
        each. The answer is the file.\n\n");
    section::<EncodeQuestion>(out, "EncodeQuestion", Some(&calls["encode"]["question"]));
}

fn given_back(out: &mut String, captured: &Value) {
    out.push_str("## Outcome\n\nWhat `run` leaves in `wb_out` with `WB_OUT_JSON`. All of it may be left out.\n\n");
    let example = outcome(&captured["label_row"]);
    accepted(&example, captured);
    section::<Outcome>(out, "Outcome", Some(&example));
    section::<AddLabel>(out, "AddLabel", None);
    section::<AnswerLabel>(out, "AnswerLabel", None);
    let change = json!({"kind": "priority", "project": "8d7a0c0e-56f1-4b0c-9d4e-6a3a4a8f1b11", "priority": 0.9});
    section::<ChangeDoc>(out, "ChangeDoc", Some(&change));
    let step = json!({"kind": "checkpoint", "name": "brightest region", "at_us": 52_000, "took_us": 180, "value": "12 regions"});
    section::<StepDoc>(out, "StepDoc", Some(&step));
    out.push_str("## Failure\n\nThe reason for `WB_ERROR` and the like, with `WB_OUT_FAILURE`. A text (`WB_OUT_TEXT`) is \
        enough.\n\n");
    let failure = json!({"message": "the model is not there", "chain": ["no such file: model.onnx"], "location": "src/model.c:41", "retry": false});
    section::<Failure>(out, "Failure", Some(&failure));
    out.push_str("## Spec\n\n`wb_agent.spec`: what an agent declares. Empty text is `{}`.\n\n");
    let spec = json!({"function": "prelabel", "location": "src/agent.cpp:20", "routes": ["annotate"], "timeout_ms": 30_000, "include": {"client_metadata": true}});
    section::<AgentSpec>(out, "AgentSpec", Some(&spec));
    section::<IncludeOptions>(out, "IncludeOptions", None);
    section::<InitialiseOptions>(out, "InitialiseOptions", None);
}

#[test]
fn the_documents_are_described_as_they_are() {
    let mut out = String::from(
        "# Documents that cross the border\n\nJSON between an agent library and its host (`workbench_agent.h`), UTF-8. Readers \
        ignore fields that they do not know; fields are only added. The examples are what a host gave for a task of the \
        demo's project.\n\nGenerated from agent-abi/src/wire by agent-abi/tests/documents.rs.\n\n",
    );
    let captured = captured();
    given(&mut out, &captured);
    asked(&mut out, &captured);
    given_back(&mut out, &captured);
    let out = format!("{}\n", out.trim_end());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("include/documents.md");
    if std::env::var_os("UPDATE_DOCUMENTS").is_some() {
        std::fs::write(&path, &out).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == out,
        "include/documents.md differs from the types: UPDATE_DOCUMENTS=1 cargo test -p agent-abi --test documents"
    );
}
