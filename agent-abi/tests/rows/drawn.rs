//! A label as a person drew it, with more beside it than this version knows, on rows of each kind.
#![allow(dead_code)] // each test binary uses its part

use agent_abi::model::{LabelRow, Ontology};
use agent_abi::wire::RowDoc;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

pub const NOW: &str = "Sun, 22 Nov 2026 07:57:53 UTC";

pub fn ontology() -> Arc<Ontology> {
    let attributes = json!([
        {"id": "1", "name": "Colour", "type": "radio", "featureNodeHash": "AttColor", "options": [
            {"id": "1", "label": "Red", "value": "red", "featureNodeHash": "OptRed"},
            {"id": "2", "label": "Blue", "value": "blue", "featureNodeHash": "OptBlue"}]},
        {"id": "2", "name": "Extras", "type": "checklist", "featureNodeHash": "AttExtra", "options": [
            {"id": "1", "label": "Roof", "value": "roof", "featureNodeHash": "OptRoof"},
            {"id": "2", "label": "Tow", "value": "tow", "featureNodeHash": "OptTow"}]},
        {"id": "3", "name": "Speed", "type": "numeric", "featureNodeHash": "AttSpeed", "dynamic": true},
    ]);
    let shapes = [
        "bounding_box",
        "rotatable_bounding_box",
        "polygon",
        "polyline",
        "point",
        "bitmask",
        "skeleton",
        "ellipse",
        "circle",
        "cuboid_2d",
        "audio",
        "text",
    ];
    let object = |(n, shape): (usize, &&str)| {
        json!({"id": n.to_string(), "name": shape, "color": "#D33115",
        "shape": shape, "featureNodeHash": format!("kind-{shape}"), "attributes": attributes})
    };
    let objects: Vec<Value> = shapes.iter().enumerate().map(object).collect();
    let weather = json!({"id": "1", "featureNodeHash": "ClsSky", "attributes": [
        {"id": "1", "name": "Sky", "type": "text", "featureNodeHash": "AttSky"}]});
    let editor = json!({"objects": objects, "classifications": [weather]});
    Arc::new(Ontology::from_editor(&editor).unwrap())
}

/// A label as a person drew it, with more than this version knows.
pub fn drawn(shape: &str, key: &str, geometry: Value) -> Value {
    json!({
        "objectHash": "h", "featureHash": format!("kind-{shape}"), "name": "as it was called", "shape": shape,
        "color": "#000000", "value": "as_it_was", "createdBy": "ann@example.test",
        "createdAt": "Mon, 01 Jun 2026 10:00:00 UTC", "lastEditedBy": "ben@example.test",
        "lastEditedAt": "Tue, 02 Jun 2026 10:00:00 UTC", "confidence": 0.25, "manualAnnotation": false,
        "isDeleted": false, "reviews": [{"by": "eve"}], "newField": {"deep": [1]}, key: geometry,
    })
}

pub fn row(data_type: &str, labels: Value, sections: Value) -> LabelRow {
    let mut doc = json!({
        "object_answers": {"h": {"objectHash": "h", "classifications": [], "objectNumber": 7, "newField": 1}},
        "object_actions": {}, "classification_answers": {},
        "data_units": {"u": {"data_sequence": 0, "width": 4, "height": 2, "labels": labels, "newField": 2}},
    });
    for (key, section) in sections.as_object().unwrap() {
        doc[key] = section.clone();
    }
    let metadata = json!({"data_type": data_type, "number_of_frames": 10, "data_title": "x"});
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_334_273);
    LabelRow::from_doc(
        RowDoc {
            metadata,
            labels: doc,
        },
        ontology(),
    )
    .at(time)
}

pub fn image(shape: &str, key: &str, geometry: Value) -> LabelRow {
    let labels = json!({"objects": [drawn(shape, key, geometry)], "classifications": []});
    row("IMAGE", labels, json!({}))
}

pub fn first(row: &LabelRow) -> Value {
    row.labels()["data_units"]["u"]["labels"]["objects"][0].clone()
}

/// The label as it was, but for these fields and the date of its edit.
pub fn but(mut label: Value, changed: Value) -> Value {
    label["lastEditedAt"] = json!(NOW);
    label["lastEditedBy"] = Value::Null;
    for (key, value) in changed.as_object().unwrap() {
        label[key] = value.clone();
    }
    label
}

/// The same row with another first label.
pub fn stored(row: LabelRow, label: Value) -> LabelRow {
    let metadata = row.metadata().clone();
    let mut labels = row.into_labels();
    labels["data_units"]["u"]["labels"]["objects"][0] = label;
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_334_273);
    LabelRow::from_doc(RowDoc { metadata, labels }, ontology()).at(time)
}
