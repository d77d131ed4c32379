//! The examples in `agent-abi/include/documents.md` are what a host gives: a C agent keeps every document, and
//! they are compared with those in `agent-abi/tests/documents/captured.json`, which `UPDATE_DOCUMENTS=1` writes.

use crate::support::{Server, c_agent, c_text, root, run, stderr};
use serde_json::{Map, Value, json};
use std::path::Path;

const TITLE: &str = "astronaut.jpg";
/// Labels that the captured row has.
const LABELS: &str = r#"{"add":[{"name":"Car","boundingBox":{"x":0.25,"y":0.5,"w":0.25,"h":0.125},"confidence":0.9,"manual":false,"attributes":{"Colour":"Red","Plate":"ZH 1"}},{"name":"Weather","answer":"Sunny"}]}"#;
/// Objects whose keys are hashes, which are others each time.
const BY_HASH: [&str; 4] = [
    "object_answers",
    "object_actions",
    "classification_answers",
    "data_units",
];

/// Both documents have the same keys everywhere, and values of the same types.
fn compare(place: &str, kept: &Value, seen: &Value, unlike: &mut Vec<String>) {
    match (kept, seen) {
        (Value::Object(a), Value::Object(b)) if BY_HASH.iter().any(|key| place.ends_with(key)) => {
            for (a, b) in a.values().zip(b.values()) {
                compare(&format!("{place}/*"), a, b, unlike);
            }
            if a.len() != b.len() {
                unlike.push(format!("{place}: {} entries, now {}", a.len(), b.len()));
            }
        }
        (Value::Object(a), Value::Object(b)) => {
            for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
                let place = format!("{place}/{key}");
                match (a.get(key), b.get(key)) {
                    (Some(a), Some(b)) => compare(&place, a, b, unlike),
                    (None, _) => unlike.push(format!("{place} is new")),
                    (_, None) => unlike.push(format!("{place} is gone")),
                }
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            for (n, (a, b)) in a.iter().zip(b).enumerate() {
                compare(&format!("{place}/{n}"), a, b, unlike);
            }
            if a.len() != b.len() {
                unlike.push(format!("{place}: {} entries, now {}", a.len(), b.len()));
            }
        }
        _ if std::mem::discriminant(kept) == std::mem::discriminant(seen) => {}
        _ => unlike.push(format!("{place}: {kept}, now {seen}")),
    }
}

/// Addresses and folders of this machine become examples.
fn example(value: &mut Value, dir: &str) {
    match value {
        Value::String(text) if text.starts_with("http://127.0.0.1") => {
            *text = "https://storage.example.test/astronaut.jpg?signature=4f1c".to_owned();
        }
        Value::String(text) => *text = text.replace(dir, "/home/you/agents"),
        Value::Array(list) => list.iter_mut().for_each(|value| example(value, dir)),
        Value::Object(map) => map.values_mut().for_each(|value| example(value, dir)),
        _ => {}
    }
}

fn read(dir: &Path) -> Value {
    let read = |name: &str| {
        let text = std::fs::read(dir.join(format!("{name}.json"))).unwrap();
        let text = String::from_utf8_lossy(&text).into_owned();
        let json = text.lines().next().unwrap_or_default();
        serde_json::from_str::<Value>(json).unwrap_or_else(|e| panic!("{name}: {e}: {text}"))
    };
    let names = [
        "task",
        "stage",
        "params",
        "project",
        "label_row",
        "storage_item",
        "asset",
    ];
    let mut all: Map<String, Value> = names
        .iter()
        .map(|name| ((*name).to_owned(), read(name)))
        .collect();
    let calls = ["project", "label_rows", "twin", "storage_items", "loading"];
    let mut answers = Map::new();
    for call in calls {
        let question = read(&format!("call-{call}-question"));
        let answer = read(&format!("call-{call}-answer"));
        answers.insert(
            call.to_owned(),
            json!({"question": question, "answer": answer}),
        );
    }
    // Its answer is a picture.
    answers.insert(
        "encode".to_owned(),
        json!({"question": read("call-encode-question")}),
    );
    all.insert("calls".to_owned(), Value::Object(answers));
    Value::Object(all)
}

#[test]
fn the_described_documents_are_what_a_host_gives() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo"]);
    let labels = c_agent(
        dir.path(),
        "noop",
        &[
            &c_text("OUTCOME", LABELS),
            "NEEDS=WB_NEED_LABEL_ROW_WRITE",
            "STAGE=\"pre-label\"",
        ],
    );
    let only = ["--stage", "pre-label", "--task", TITLE];
    let output = run(dir.path(), &server, &labels, &only);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let kept = dir.path().join("kept");
    std::fs::create_dir(&kept).unwrap();
    let folder = c_text("FOLDER", kept.to_str().unwrap());
    let library = c_agent(dir.path(), "documents", &[&folder]);
    std::fs::write(
        dir.path().join("workbench.toml"),
        "[params.\"pre-label\"]\nevery = 10\n",
    )
    .unwrap();
    let output = run(
        dir.path(),
        &server,
        &library,
        &[&only[..], &["--dry-run"]].concat(),
    );
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let mut seen = read(&kept);
    example(&mut seen, dir.path().to_str().unwrap());
    let file = root().join("agent-abi/tests/documents/captured.json");
    if std::env::var_os("UPDATE_DOCUMENTS").is_some() {
        let text = serde_json::to_string_pretty(&seen).unwrap();
        std::fs::write(&file, text + "\n").unwrap();
    }
    let described: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let mut unlike = Vec::new();
    compare("", &described, &seen, &mut unlike);
    assert!(
        unlike.is_empty(),
        "agent-abi/tests/documents/captured.json is not what a host gives (UPDATE_DOCUMENTS=1 writes it): {unlike:#?}"
    );
}
