//! Drawing on the parts of a group: what goes where in the document, and what stays.

use crate::model::{BoundingBox, LabelRow, Ontology, diff};
use crate::testing::ontology;
use crate::wire::{AddLabel, AnswerLabel, RowDoc};
use serde_json::{Value, json};
use std::sync::Arc;

fn kinds() -> Arc<Ontology> {
    let built = ontology()
        .object("Car", "bounding_box")
        .object("Word", "text")
        .text("Note")
        .build();
    Arc::new(built.unwrap())
}

fn group() -> LabelRow {
    let child = |key: &str, file: &str| json!({"layout_key": key, "file_name": file, "data_link": "https://x/?sig=1"});
    let spaces = json!({
        "a": {"space_type": "image", "width": 10, "height": 10, "child_info": child("left", "l.jpg")},
        "b": {"space_type": "video", "number_of_frames": 5, "child_info": child("right", "r.mp4")},
        "c": {"space_type": "text", "child_info": child("note", "n.txt")},
    });
    let old = json!({"objectHash": "old", "featureHash": "x", "later": 1});
    let labels = json!({
        "label_hash": "l", "data_units": {"g": {"labels": {}}},
        "spaces": {"b": {"space_type": "video", "later": 2, "labels": {"3": {"objects": [old], "classifications": []}}}},
        "object_answers": {"old": {"objectHash": "old", "classifications": [], "later": 3}},
        "object_actions": {}, "classification_answers": {},
    });
    let metadata = json!({"data_title": "both", "data_type": "GROUP", "spaces": spaces});
    LabelRow::from_doc(RowDoc { metadata, labels }, kinds())
}

fn area() -> BoundingBox {
    BoundingBox::new(0.1, 0.1, 0.2, 0.2).unwrap()
}

#[test]
fn labels_go_to_their_part_and_everything_else_stays() {
    let (kinds, mut row) = (kinds(), group());
    let before = row.labels().clone();
    let car = kinds.object("Car").unwrap().boxed(area()).unwrap();
    let car = row.part_mut("left").unwrap().add(car).unwrap();
    let word = kinds.object("Word").unwrap().range(2, 9).unwrap();
    let word = row.part_mut("n.txt").unwrap().add(word).unwrap();
    let note = kinds
        .classification("Note")
        .unwrap()
        .answer("dark")
        .unwrap();
    let note = row.part_mut("note").unwrap().add(note).unwrap();
    let labels = row.labels();
    assert_eq!(
        labels["spaces"]["a"]["labels"]["0"]["objects"][0]["objectHash"],
        car
    );
    assert_eq!(
        labels["spaces"]["a"].get("child_info"),
        None,
        "signed links are not saved"
    );
    let answer = &labels["object_answers"][&word];
    assert_eq!(
        answer["spaces"],
        json!({"c": {"range": [[2, 9]], "type": "frame"}})
    );
    assert_eq!(answer["range"], json!([]));
    let answer = &labels["classification_answers"][&note];
    assert_eq!(
        answer["spaces"],
        json!({"c": {"range": [], "type": "frame"}})
    );
    assert_eq!(labels["spaces"]["b"], before["spaces"]["b"]);
    assert_eq!(
        labels["object_answers"]["old"],
        before["object_answers"]["old"]
    );
    assert_eq!(row.part("note").unwrap().objects()[0].ranges(), [(2, 9)]);
    assert_eq!(
        row.part("left").unwrap().objects()[0].bounding_box(0),
        Some(area())
    );
    assert!(row.objects().is_empty() && row.classifications().is_empty());
    assert_eq!(diff(&group(), &row).len(), 3);
    assert!([car, word, note].iter().all(|hash| row.remove(hash)));
    for section in ["object_answers", "object_actions", "classification_answers"] {
        assert_eq!(row.labels()[section], before[section]);
    }
    assert!(diff(&group(), &row).is_empty());
}

#[test]
fn a_part_that_is_only_read_leaves_the_row_unchanged() {
    let mut row = group();
    assert_eq!(row.part_mut("right").unwrap().objects()[0].frames(), [3]);
    assert_eq!(row.part_names(), ["left", "note", "right"]);
    assert!(!row.changed());
    assert_eq!(row.labels(), group().labels());
}

#[test]
fn a_label_that_does_not_fit_its_part_is_refused_with_the_part() {
    let (kinds, mut row) = (kinds(), group());
    let car = kinds.object("Car").unwrap().boxed(area()).unwrap();
    let fails = |error: crate::model::ModelError, text: &str| {
        assert!(error.to_string().contains(text), "{error}");
    };
    fails(
        row.part_mut("note").unwrap().add(car.clone()).unwrap_err(),
        "the part \"note\"",
    );
    fails(row.add(car.clone()).unwrap_err(), "left, note, right");
    fails(row.part("lef").unwrap_err(), "left, note, right");
    let wild = car.on_frame(5);
    fails(
        row.part_mut("right").unwrap().add(wild).unwrap_err(),
        "no frame 5",
    );
    assert!(!row.changed());
}

#[test]
fn a_label_by_name_names_its_part() {
    let mut row = group();
    let label = json!({"name": "Car", "part": "right", "frame": 4, "boundingBox": {"x": 0.1, "y": 0.1, "w": 0.2, "h": 0.2}});
    let label: AddLabel = serde_json::from_value(label).unwrap();
    let hash = row.apply(&label).unwrap();
    let drawn: &Value = &row.labels()["spaces"]["b"]["labels"]["4"]["objects"][0];
    assert_eq!(drawn["objectHash"], hash);
    assert_eq!(row.labels()["spaces"]["b"]["later"], 2);
}

#[test]
fn an_object_on_two_parts_stays_on_the_other_one() {
    let mut row = group();
    let entry = row.labels()["spaces"]["b"]["labels"]["3"].clone();
    let mut labels = row.labels().clone();
    labels["spaces"]["a"] = json!({"space_type": "image", "labels": {"0": entry}});
    row = LabelRow::from_doc(
        RowDoc {
            metadata: row.metadata().clone(),
            labels,
        },
        kinds(),
    );
    assert!(row.part_mut("left").unwrap().remove("old"));
    assert!(row.part("left").unwrap().objects().is_empty());
    assert_eq!(row.part("right").unwrap().objects()[0].hash(), "old");
    assert_eq!(row.labels()["object_answers"]["old"]["later"], 3);
}

#[test]
fn an_answer_of_a_label_on_several_parts_is_given_once_and_frames_name_their_part() {
    let kinds = ontology()
        .object("Car", "bounding_box")
        .attribute("Plate", "text", &[])
        .dynamic("Speed", "text", &[])
        .build();
    let kinds = Arc::new(kinds.unwrap());
    let drawn = json!({"objects": [{"objectHash": "car", "featureHash": kinds.objects[0].feature_hash}], "classifications": []});
    let labels = json!({
        "data_units": {"g": {"labels": {}}}, "classification_answers": {}, "object_actions": {},
        "object_answers": {"car": {"objectHash": "car", "classifications": []}},
        "spaces": {
            "a": {"space_type": "video", "number_of_frames": 5, "labels": {"0": drawn, "1": drawn}},
            "b": {"space_type": "video", "number_of_frames": 5, "labels": {"3": drawn}},
        },
    });
    let metadata = json!({"data_title": "both", "data_type": "GROUP"});
    let mut row = LabelRow::from_doc(RowDoc { metadata, labels }, kinds);
    let answer =
        |value: Value| -> AnswerLabel { serde_json::from_value(value).expect("an answer") };
    let plate = answer(json!({"hash": "car", "name": "Plate", "value": "ZH 1"}));
    row.apply_answer(&plate).unwrap();
    let speed = json!({"hash": "car", "name": "Speed", "value": "fast"});
    row.apply_answer(&answer(speed.clone())).unwrap();
    for (part, frames) in [("a", vec![0, 1]), ("b", vec![3])] {
        let part = row.part(part).unwrap();
        let car = &part.objects()[0];
        assert_eq!(car.answer("Plate"), Some("ZH 1".into()));
        assert_eq!(car.frames(), frames);
        for frame in frames {
            assert_eq!(car.answer_on("Speed", frame), Some("fast".into()));
        }
    }
    let mut on_frames = speed;
    on_frames["frames"] = json!([[0, 0]]);
    let error = row.apply_answer(&answer(on_frames.clone())).unwrap_err();
    assert!(error.to_string().contains("a, b"), "{error}");
    on_frames["part"] = json!("a");
    row.apply_answer(&answer(on_frames)).unwrap();
}

#[test]
fn keys_that_are_numbers_give_way_to_file_names_where_those_are_clear() {
    let child = |key: &str, file: &str| json!({"space_type": "image", "child_info": {"layout_key": key, "file_name": file}});
    let spaces = json!({
        "a": child("10", "same.jpg"), "b": child("2", "same.jpg"), "c": child("1", "own.jpg"),
        "d": child("left", "other.jpg"),
    });
    let metadata = json!({"data_title": "four", "data_type": "GROUP", "spaces": spaces});
    let row = LabelRow::from_doc(
        RowDoc {
            metadata,
            labels: json!({}),
        },
        kinds(),
    );
    assert_eq!(row.part_names(), ["own.jpg", "2", "10", "left"]);
    assert_eq!(row.part("1").unwrap().name(), "own.jpg");
    let error = row.part("same.jpg").unwrap_err().to_string();
    assert!(error.contains("own.jpg, 2, 10, left"), "{error}");
}

#[test]
fn changes_on_parts_are_described_as_on_rows_of_their_own() {
    let kinds = kinds();
    let before = group();
    let mut row = before.clone();
    let word = kinds.object("Word").unwrap().range(2, 9).unwrap();
    row.part_mut("note").unwrap().add(word).unwrap();
    let note = kinds.classification("Note").unwrap();
    row.classify("Note", "of both").unwrap();
    for part in ["note", "left"] {
        let answer = note.answer("a → b").unwrap();
        row.part_mut(part).unwrap().add(answer).unwrap();
    }
    let car = kinds.object("Car").unwrap().boxed(area()).unwrap();
    row.part_mut("left").unwrap().add(car).unwrap();
    let texts = |before: &LabelRow, after: &LabelRow| -> Vec<String> {
        let changes = diff(before, after).into_iter();
        changes
            .map(|change| format!("{}: {}", change.name, change.detail))
            .collect()
    };
    assert_eq!(
        texts(&before, &row),
        [
            "Note: of both",
            "Car: part \"left\" · box 10 %, 10 %, 20 × 20 % (1, 1, 2 × 2 px)",
            "Note: part \"left\" · a → b",
            "Note: part \"note\" · a → b",
            "Word: part \"note\" · characters 2..10",
        ]
    );
    let word = &diff(&before, &row)[4].facts;
    assert_eq!(
        (word.characters.as_slice(), word.frames.len()),
        (&[[2, 10]][..], 0)
    );
    assert_eq!(word.part_file.as_deref(), Some("n.txt"));

    let hash = row.part("left").unwrap().classifications()[0]
        .hash()
        .to_owned();
    let mut after = row.clone();
    after
        .part_mut("left")
        .unwrap()
        .answer(&hash, "Note", "c → d")
        .unwrap();
    let changes = diff(&row, &after);
    assert_eq!(changes[0].detail, "part \"left\": a → b → c → d");
    let sides = changes[0].facts.sides(&changes[0].detail);
    assert_eq!(sides, Some(("part \"left\": a → b", "c → d")));
}
