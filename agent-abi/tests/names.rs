//! Names that several things have: nothing is chosen for the author, and the error names all of them.
#![allow(clippy::unwrap_used)] // a test may stop anywhere

use agent_abi::model::{LabelRow, ModelError, ModelResult, Ontology, Project, nearest};
use agent_abi::wire::{PathwayDoc, ProjectDoc, RowDoc, StageDoc};
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

fn attribute(name: &str, hash: &str, options: Value) -> Value {
    let kind = if options == json!([]) {
        "text"
    } else {
        "radio"
    };
    json!({"name": name, "type": kind, "featureNodeHash": hash, "options": options})
}

fn ontology() -> Arc<Ontology> {
    let option =
        |hash: &str, label: &str| json!({"label": label, "value": label, "featureNodeHash": hash});
    let object = |hash: &str, name: &str, attributes: Value| json!({"name": name, "shape": "bounding_box", "featureNodeHash": hash, "attributes": attributes});
    let twice = json!([
        attribute("Note", "att1", json!([])),
        attribute("Note", "att2", json!([]))
    ]);
    let weather = json!([
        option("opt1", "Sunny"),
        option("opt2", "Sunny"),
        option("opt3", "Rainy")
    ]);
    let editor = json!({
        "objects": [object("car1", "Car", json!([])), object("car2", "Car", json!([])), object("bus1", "Bus", twice),
            object("van1", "Van\u{a0}", json!([]))],
        "classifications": [
            {"featureNodeHash": "wea1", "attributes": [attribute("Weather", "att3", weather)]},
            {"featureNodeHash": "tag1", "attributes": [attribute("Tag", "att4", json!([]))]},
            {"featureNodeHash": "tag2", "attributes": [attribute("Tag", "att5", json!([]))]},
        ],
    });
    Arc::new(Ontology::from_editor(&editor).unwrap())
}

fn row() -> LabelRow {
    let metadata = json!({"data_type": "IMAGE", "data_title": "a.jpg"});
    let labels = json!({
        "label_hash": "l", "data_hash": "d", "branch_name": "main", "object_answers": {}, "object_actions": {},
        "classification_answers": {},
        "data_units": {"d": {"data_sequence": 0, "labels": {"objects": [], "classifications": []}}},
    });
    LabelRow::from_doc(RowDoc { metadata, labels }, ontology())
}

fn ambiguous<T: std::fmt::Debug>(result: ModelResult<T>, words: &[&str]) {
    let error = result.unwrap_err();
    assert!(matches!(error, ModelError::Ambiguous(_)), "{error:?}");
    for word in words {
        assert!(
            error.to_string().contains(word),
            "{word} is missing in: {error}"
        );
    }
}

#[test]
fn names_in_an_ontology() {
    let ontology = ontology();
    ambiguous(
        ontology.object("Car"),
        &["\"Car\"", "feature hash", "car1", "car2"],
    );
    ambiguous(ontology.classification("Tag"), &["tag1", "tag2"]);
    ambiguous(ontology.skeleton("Car"), &["car1", "car2"]);
    assert_eq!(ontology.object("car2").unwrap().feature_hash, "car2");
    assert_eq!(
        ontology.classification("tag2").unwrap().feature_hash,
        "tag2"
    );
    let unseen = ontology.object("Van").unwrap_err().to_string();
    assert!(unseen.contains("Did you mean \"Van\\u{a0}\"?"), "{unseen}");
}

#[test]
fn options_and_attributes() {
    let mut row = row();
    ambiguous(
        row.classify("Weather", "Sunny"),
        &["\"Sunny\"", "opt1", "opt2"],
    );
    row.classify("Weather", "opt2").unwrap();
    assert!(row.labels().to_string().contains("opt2"));
    let ontology = row.ontology();
    let bus = || {
        ontology
            .object("Bus")
            .unwrap()
            .bounding_box(0.1, 0.1, 0.1, 0.1)
            .unwrap()
    };
    ambiguous(
        bus().answer("Note", "x").map(|_| ()),
        &["\"Note\"", "att1", "att2"],
    );
    row.add(bus().answer("att2", "x").unwrap()).unwrap();
    assert!(row.labels()["object_answers"].to_string().contains("att2"));
}

#[test]
fn stages_and_pathways() {
    let pathway = |n: u128, name: &str| PathwayDoc {
        uuid: Uuid::from_u128(n),
        name: name.to_owned(),
        destination_uuid: Uuid::from_u128(100 + n),
    };
    let stage = |n: u128| StageDoc {
        uuid: Uuid::from_u128(n),
        title: "pre-label".to_owned(),
        stage_type: "AGENT".to_owned(),
        pathways: vec![pathway(7, "done"), pathway(8, "done"), pathway(9, "done ")],
    };
    let doc = ProjectDoc {
        project_hash: Uuid::nil(),
        title: "P".to_owned(),
        description: String::new(),
        ontology: json!(null),
        ontology_title: String::new(),
        stages: vec![stage(1), stage(2)],
        datasets: vec![],
    };
    let project = Project::from_doc(doc).unwrap();
    let id = |n: u128| Uuid::from_u128(n).to_string();
    ambiguous(
        project.stage("pre-label"),
        &["2 stages", "UUID", &id(1), &id(2)],
    );
    let stage = project.stage(&id(2)).unwrap();
    ambiguous(
        stage.pathway("done"),
        &["2 pathways", "UUID", &id(7), &id(8)],
    );
    assert_eq!(stage.pathway("done ").unwrap().uuid, Uuid::from_u128(9));
    let unseen = stage.pathway("done\u{200b}").unwrap_err().to_string();
    assert!(unseen.contains("done\\u{200b}"), "{unseen}");
}

/// A bus with two attributes "Note", which applies to both or to one of them.
fn bus(answers: &Value) -> LabelRow {
    let metadata = json!({"data_type": "IMAGE", "data_title": "a.jpg"});
    let class = |hash: &str, kind: &str, attribute: &str| {
        json!({"classificationHash": hash, "featureHash": kind,
        "classifications": [{"name": "Tag", "featureHash": attribute, "answers": hash}]})
    };
    let labels = json!({
        "label_hash": "l", "data_hash": "d", "branch_name": "main",
        "object_answers": {"obj1": {"objectHash": "obj1", "classifications": answers}}, "object_actions": {},
        "classification_answers": {"cla1": class("cla1", "tag1", "att4"), "cla2": class("cla2", "tag2", "att5")},
        "data_units": {"d": {"data_sequence": 0, "labels": {"classifications": [], "objects": [
            {"objectHash": "obj1", "featureHash": "bus1", "name": "Bus", "shape": "bounding_box",
             "boundingBox": {"x": 0.1, "y": 0.1, "w": 0.1, "h": 0.1}}]}}},
    });
    LabelRow::from_doc(RowDoc { metadata, labels }, ontology())
}

#[test]
fn answers_are_not_read_by_a_name_that_two_attributes_share() {
    let note = |hash: &str| json!({"name": "Note", "featureHash": hash, "answers": hash});
    let answer_to = |row: &LabelRow, name: &str| row.object("obj1").unwrap().answer(name);
    for answers in [
        json!([note("att1"), note("att2")]),
        json!([note("att2"), note("att1")]),
    ] {
        let row = bus(&answers);
        assert_eq!(answer_to(&row, "Note"), None);
        assert_eq!(answer_to(&row, "att1"), Some("att1".into()));
        assert_eq!(answer_to(&row, "att2"), Some("att2".into()));
    }
    // The one that is there may not be the one that is meant.
    let row = bus(&json!([note("att2")]));
    assert_eq!(answer_to(&row, "Note"), None);
    assert_eq!(
        (answer_to(&row, "att1"), answer_to(&row, "att2")),
        (None, Some("att2".into()))
    );
    // Nor by one that two entries beyond the ontology share.
    let old = |hash: &str| json!({"name": "Old", "featureHash": hash, "answers": hash});
    let row = bus(&json!([old("gone1"), old("gone2")]));
    assert_eq!(
        (answer_to(&row, "Old"), answer_to(&row, "gone2")),
        (None, Some("gone2".into()))
    );
    let row = bus(&json!([old("gone1"), note("att1")]));
    assert_eq!(answer_to(&row, "Old"), Some("gone1".into()));
}

#[test]
fn classifications_are_not_read_by_a_title_that_two_kinds_share() {
    let row = bus(&json!([]));
    assert!(row.classification("Tag").is_none());
    for (hash, answer) in [("tag1", "cla1"), ("tag2", "cla2")] {
        let found = row.classification(hash).unwrap();
        assert_eq!(found.answer(), Some(answer.into()));
        assert_eq!(found.nested("Tag"), Some(answer.into()));
    }
}

#[test]
fn of_an_attribute_and_one_below_it_with_the_same_name_the_outer_one_is_read() {
    let inner = json!([attribute("Colour", "inner1", json!([]))]);
    let red = json!({"label": "Red", "value": "red", "featureNodeHash": "red1", "options": inner});
    let editor = json!({"objects": [{"name": "Bus", "shape": "bounding_box", "featureNodeHash": "bus1",
        "attributes": [attribute("Colour", "outer1", json!([red]))]}], "classifications": []});
    let ontology = Arc::new(Ontology::from_editor(&editor).unwrap());
    // Other clients write nested answers first.
    let answers = json!([
        {"name": "Colour", "featureHash": "inner1", "answers": "dark"},
        {"name": "Colour", "featureHash": "outer1", "answers": [{"name": "Red", "value": "red", "featureHash": "red1"}]},
    ]);
    let doc = RowDoc {
        metadata: json!({"data_type": "IMAGE"}),
        labels: bus(&answers).labels().clone(),
    };
    let row = LabelRow::from_doc(doc, ontology);
    let bus = row.object("obj1").unwrap();
    assert_eq!(bus.answer("Colour"), Some("Red".into()));
    assert_eq!(bus.answer("inner1"), Some("dark".into()));
}

#[test]
fn names_are_suggested_as_in_the_shared_table() {
    let table = include_str!("tables/nearest.txt");
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let near = nearest(cells[0], cells[1].split(", "));
        assert_eq!(near.join(", "), cells[2], "{line}");
    }
}
