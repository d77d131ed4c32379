//! Label rows for tests: what the Python SDK saved, the ontology it was saved with, and rows of both.
#![allow(dead_code)] // each test binary uses its part

use agent_abi::model::{LabelRow, Ontology};
use agent_abi::wire::RowDoc;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

pub fn capture(kind: &str) -> Value {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/captures/save-{kind}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

pub fn ontology() -> Arc<Ontology> {
    let option = |label: &str, hash: &str| json!({"id": "1", "label": label, "value": label.to_lowercase(), "featureNodeHash": hash});
    let editor = json!({
        "objects": [
            {"id": "1", "name": "Car", "color": "#D33115", "shape": "bounding_box", "featureNodeHash": "CarBox01", "attributes": [
                {"id": "1.1", "name": "Colour", "type": "radio", "featureNodeHash": "CarCol01", "options": [
                    option("Red", "CarColRd"),
                    {"id": "1.1.2", "label": "Other", "value": "other", "featureNodeHash": "CarColOt", "options": [
                        {"id": "1.1.2.1", "name": "Which", "type": "text", "featureNodeHash": "CarColWh"}]},
                ]},
                {"id": "1.2", "name": "Plate", "type": "text", "featureNodeHash": "CarPlat1"},
                {"id": "1.3", "name": "Moving", "type": "checklist", "dynamic": true, "featureNodeHash": "CarMov01",
                 "options": [option("Fast", "CarMovFa"), option("Slow", "CarMovSl")]},
            ]},
            {"id": "2", "name": "Person", "color": "#E27300", "shape": "polygon", "featureNodeHash": "PersPol1"},
            {"id": "3", "name": "Sound", "color": "#FE9200", "shape": "audio", "featureNodeHash": "SoundAu1"},
            {"id": "4", "name": "Word", "color": "#16406C", "shape": "text", "featureNodeHash": "WordTxt1"},
            {"id": "5", "name": "Hologram", "color": "#000000", "shape": "hologram", "featureNodeHash": "HologrA1"},
        ],
        "classifications": [
            {"id": "1", "featureNodeHash": "WeathCl1", "attributes": [
                {"id": "1.1", "name": "Weather", "type": "radio", "featureNodeHash": "WeathAt1",
                 "options": [option("Sunny", "WeathSun"), option("Night", "WeathNig")]}]},
            {"id": "2", "featureNodeHash": "NotesCl1", "attributes": [
                {"id": "2.1", "name": "Notes", "type": "text", "featureNodeHash": "NotesAt1"}]},
        ],
    });
    Arc::new(Ontology::from_editor(&editor).unwrap())
}

pub fn row_of(labels: Value) -> LabelRow {
    let frames = if labels["data_type"] == "video" {
        12
    } else {
        1
    };
    let metadata = json!({"data_type": labels["data_type"].as_str().unwrap().to_uppercase(), "number_of_frames": frames});
    LabelRow::from_doc(RowDoc { metadata, labels }, ontology())
        .at(UNIX_EPOCH + Duration::from_secs(1_795_334_273))
}

/// The captured row as it was before it was labelled.
pub fn emptied(kind: &str) -> LabelRow {
    let mut blob = capture(kind);
    for section in ["object_answers", "classification_answers", "object_actions"] {
        blob[section] = json!({});
    }
    for unit in blob["data_units"].as_object_mut().unwrap().values_mut() {
        let still = unit["labels"].get("objects").is_some();
        unit["labels"] = if still {
            json!({"objects": [], "classifications": []})
        } else {
            json!({})
        };
    }
    row_of(blob)
}

/// With hashes replaced by names, since each maker rolls its own.
pub fn normal(row: &LabelRow) -> Value {
    let mut text = row.labels().to_string();
    for object in row.objects() {
        text = text.replace(object.hash(), &format!("<{}>", object.name()));
    }
    for classification in row.classifications() {
        text = text.replace(
            classification.hash(),
            &format!("<{}>", classification.title()),
        );
    }
    serde_json::from_str(&text).unwrap()
}

pub fn assert_same(made: &LabelRow, kind: &str) {
    let theirs = row_of(capture(kind));
    assert!(made.changed());
    let (made, theirs) = (normal(made), normal(&theirs));
    assert_eq!(made, theirs, "\nmade:   {made:#}\ntheirs: {theirs:#}");
}

pub fn car(ontology: &Ontology) -> agent_abi::model::NewObject<'_> {
    let car = ontology
        .object("Car")
        .unwrap()
        .bounding_box(0.3, 0.4, 0.2, 0.1)
        .unwrap();
    let car = car
        .answer("Plate", "ABC")
        .unwrap()
        .answer("Colour", "Red")
        .unwrap();
    car.confidence(0.9).unwrap().manual(false)
}
