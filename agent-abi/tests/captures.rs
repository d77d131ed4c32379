//! Label rows against blobs that the Python SDK wrote: the same labels made here give the same blob,
//! and what is read from theirs is what they put in.
#![allow(clippy::unwrap_used)] // a test may stop anywhere

use agent_abi::model::{
    Answer, BoundingBox, DataType, LabelChangeKind, LabelRow, Ontology, Point, Shape, diff,
};
use agent_abi::wire::{AddLabel, RowDoc};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

fn capture(kind: &str) -> Value {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/captures/save-{kind}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn ontology() -> Arc<Ontology> {
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

fn row_of(labels: Value) -> LabelRow {
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
fn emptied(kind: &str) -> LabelRow {
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
fn normal(row: &LabelRow) -> Value {
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

fn assert_same(made: &LabelRow, kind: &str) {
    let theirs = row_of(capture(kind));
    assert!(made.changed());
    let (made, theirs) = (normal(made), normal(&theirs));
    assert_eq!(made, theirs, "\nmade:   {made:#}\ntheirs: {theirs:#}");
}

fn car(ontology: &Ontology) -> agent_abi::model::NewObject<'_> {
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

#[test]
fn an_image_row_made_here_is_the_blob_that_the_sdk_saves() {
    let mut row = emptied("image");
    let ontology = row.ontology();
    row.add(car(&ontology)).unwrap();
    let points = [(0.1, 0.1), (0.2, 0.1), (0.2, 0.2)].map(|(x, y)| Point { x, y });
    row.add(ontology.object("Person").unwrap().polygon(&points).unwrap())
        .unwrap();
    row.classify("Weather", "Sunny").unwrap();
    assert_same(&row, "image");
}

#[test]
fn a_video_row_made_here_is_the_blob_that_the_sdk_saves() {
    let mut row = emptied("video");
    let ontology = row.ontology();
    let moving = car(&ontology)
        .on_frame(0)
        .on_frame(3)
        .answer_on("Moving", ["Fast"], 0, 0)
        .unwrap();
    // The attribute's own mark: the capture's answers were made with the SDK's default.
    let hash = row.add(moving).unwrap();
    let weather = ontology
        .classification("Weather")
        .unwrap()
        .answer("Sunny")
        .unwrap()
        .on_frames(0, 5);
    row.add(weather).unwrap();
    let mut blob = row.into_labels();
    blob["object_actions"][&hash]["actions"][0]["manualAnnotation"] = json!(true);
    let mut row = row_of(blob);
    assert!(row.remove("no such hash") || !row.changed());
    let theirs = normal(&row_of(capture("video")));
    assert_eq!(normal(&row), theirs);
}

#[test]
fn a_group_row_made_here_is_the_blob_that_the_sdk_saves() {
    let mut row = emptied("img_group");
    let ontology = row.ontology();
    row.add(car(&ontology).on_frame(1)).unwrap();
    row.add(
        ontology
            .classification("Weather")
            .unwrap()
            .answer("Sunny")
            .unwrap()
            .on_frame(1),
    )
    .unwrap();
    assert_same(&row, "img_group");
}

#[test]
fn audio_and_text_rows_made_here_are_the_blobs_that_the_sdk_saves() {
    let mut row = emptied("audio");
    let ontology = row.ontology();
    row.add(ontology.object("Sound").unwrap().range(10, 100).unwrap())
        .unwrap();
    row.classify("Weather", "Sunny").unwrap();
    assert_same(&row, "audio");

    let mut row = emptied("plain_text");
    row.add(ontology.object("Word").unwrap().range(0, 5).unwrap())
        .unwrap();
    row.classify("Notes", "a note").unwrap();
    assert_same(&row, "plain_text");
}

#[test]
fn what_the_sdk_wrote_is_read_back() {
    let video = row_of(capture("video"));
    assert_eq!(video.data_type(), DataType::Video);
    assert_eq!(video.title(), "clip.mp4");
    let objects = video.objects();
    assert_eq!(objects.len(), 1);
    assert_eq!(
        (objects[0].name(), objects[0].shape()),
        ("Car", Shape::BoundingBox)
    );
    assert_eq!(objects[0].frames(), [0, 3]);
    assert_eq!(
        objects[0].bounding_box(3),
        Some(BoundingBox {
            x: 0.3,
            y: 0.4,
            w: 0.2,
            h: 0.1
        })
    );
    assert_eq!(objects[0].confidence(0), Some(0.9));
    assert_eq!(objects[0].answer("Colour"), Some("Red".into()));
    assert_eq!(objects[0].answer("Plate"), Some("ABC".into()));
    assert_eq!(
        objects[0].answer_on("Moving", 0),
        Some(Answer::Choices(vec!["Fast".into()]))
    );
    assert_eq!(objects[0].answer_on("Moving", 3), None);
    let weather = video.classification("Weather").unwrap();
    assert_eq!(
        (weather.answer(), weather.ranges()),
        (Some("Sunny".into()), vec![(0, 5)])
    );

    let audio = row_of(capture("audio"));
    assert_eq!(audio.objects()[0].ranges(), [(10, 100)]);
    let image = row_of(capture("image"));
    let person = image.objects_named("Person").next().unwrap();
    assert_eq!(person.points(0).len(), 3);
    assert!(
        ![&video, &audio, &image].iter().any(|row| row.changed()),
        "reading changes nothing"
    );
}

#[test]
fn what_is_not_understood_is_kept() {
    let mut blob = capture("image");
    blob["from_the_future"] = json!({"a": [1, 2.5, null]});
    blob["data_units"].as_object_mut().unwrap().values_mut().next().unwrap()["labels"]["objects"]
        .as_array_mut()
        .unwrap()
        .push(json!({"objectHash": "AAAAAAAA", "name": "Hologram", "shape": "hologram", "featureHash": "HologrA1", "cloud": [0.1]}));
    let before = blob.clone();
    let text = json!({"metadata": {}, "labels": blob}).to_string();
    let mut row = LabelRow::from_json(&text, ontology()).unwrap();
    let hash = row.classify("Notes", "x").unwrap();
    let mut after = row.into_labels();
    after["classification_answers"]
        .as_object_mut()
        .unwrap()
        .remove(&hash);
    assert_eq!(after, before);
}

#[test]
fn removing_leaves_the_row_as_if_the_label_had_never_been() {
    for kind in ["image", "video", "img_group", "audio", "plain_text"] {
        let mut row = row_of(capture(kind));
        let hashes: Vec<String> = row
            .objects()
            .iter()
            .map(|o| o.hash().to_owned())
            .chain(row.classifications().iter().map(|c| c.hash().to_owned()))
            .collect();
        assert!(hashes.iter().all(|hash| row.remove(hash)), "{kind}");
        assert_eq!(row.labels(), emptied(kind).labels(), "{kind}");
    }
}

#[test]
fn the_same_answer_again_is_no_change_and_another_replaces_it() {
    let mut row = row_of(capture("image"));
    row.classify("Weather", "Sunny").unwrap();
    assert!(!row.changed());
    row.classify("Weather", "Night").unwrap();
    assert!(row.changed());
    assert_eq!(row.classifications().len(), 1);
    assert_eq!(row.classifications()[0].answer(), Some("Night".into()));
}

#[test]
fn the_same_labels_on_the_same_row_get_the_same_hashes() {
    let make = || {
        let mut row = emptied("image");
        let ontology = row.ontology();
        let first = row.add(car(&ontology)).unwrap();
        let second = row.add(car(&ontology)).unwrap();
        (first, second)
    };
    let (first, second) = make();
    assert_ne!(first, second);
    assert_eq!((first.len(), make()), (8, (first, second)));
}

#[test]
fn mistakes_are_refused_with_their_cure_and_change_nothing() {
    let mut row = emptied("video");
    let ontology = row.ontology();
    let before = row.labels().clone();
    let cars = ontology.object("Car").unwrap();
    let text =
        |result: Result<String, agent_abi::model::ModelError>| result.unwrap_err().to_string();
    assert_eq!(
        text(row.add(car(&ontology).on_frame(12))),
        "there is no frame 12: \"clip.mp4\" has 12, counted from 0"
    );
    let sound = ontology.object("Sound").unwrap().range(0, 5).unwrap();
    assert_eq!(
        text(row.add(sound)),
        "\"Sound\" is a audio and does not fit on data of the type video"
    );
    assert_eq!(
        text(row.classify("Wether", "x")),
        "the ontology has no classification \"Wether\". Did you mean \"Weather\"?"
    );
    assert_eq!(
        text(row.classify("Weather", "sunnny")),
        "\"sunnny\" is no option of \"Weather\". Did you mean \"Sunny\"?"
    );
    assert_eq!(
        text(row.classify("Weather", 3.0)),
        "\"Weather\" takes one option, not Number(3.0)"
    );
    assert!(
        cars.polygon(&[Point { x: 0.0, y: 0.0 }; 3])
            .unwrap_err()
            .to_string()
            .contains("is a bounding_box in the ontology")
    );
    assert!(
        cars.bounding_box(10.0, 10.0, 20.0, 20.0)
            .unwrap_err()
            .to_string()
            .contains("divide pixels by width and height")
    );
    let nested = car(&ontology)
        .answer("Which", "mauve")
        .unwrap_err()
        .to_string();
    assert_eq!(
        nested,
        "\"Which\" is asked only when \"Colour\" is \"Other\": answer that first"
    );
    assert!(
        car(&ontology)
            .answer("Moving", ["Fast"])
            .unwrap_err()
            .to_string()
            .contains("use answer_on")
    );
    assert!(car(&ontology).confidence(1.5).is_err());
    assert!(!row.changed());
    assert_eq!(row.labels(), &before);

    let unreadable = LabelRow::from_doc(
        RowDoc {
            metadata: json!({}),
            labels: Value::Null,
        },
        ontology,
    );
    assert!(unreadable.objects().is_empty());
    assert!(
        { unreadable }.classify("Notes", "x").is_err(),
        "a row that cannot be read is not written"
    );
}

#[test]
fn a_title_is_found_at_any_depth_and_an_unclear_one_names_its_places() {
    let ontology = ontology();
    assert_eq!(ontology.find("Weather").unwrap().title(), "Weather");
    assert_eq!(ontology.find("Which").unwrap().title(), "Which");
    assert_eq!(ontology.find("Night").unwrap().title(), "Night");
    let editor = json!({"objects": [
        {"name": "A", "shape": "point", "featureNodeHash": "aaaaaaaa", "attributes": [{"name": "Size", "type": "text", "featureNodeHash": "aaaaaaab"}]},
        {"name": "B", "shape": "point", "featureNodeHash": "bbbbbbbb", "attributes": [{"name": "Size", "type": "text", "featureNodeHash": "bbbbbbba"}]},
    ]});
    let error = Ontology::from_editor(&editor)
        .unwrap()
        .find("Size")
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "\"Size\" is in the ontology more than once: A > Size; B > Size"
    );
}

#[test]
fn labels_by_name_are_applied_for_agents_without_a_model() {
    let add = |value: Value| serde_json::from_value::<AddLabel>(value).unwrap();
    let mut row = emptied("image");
    row.apply(&add(json!({"name": "Car", "boundingBox": {"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4}, "confidence": 0.5}))).unwrap();
    row.apply(&add(json!({"name": "Weather", "answer": "Night"})))
        .unwrap();
    assert_eq!(row.objects()[0].confidence(0), Some(0.5));
    assert_eq!(
        row.classification("Weather").unwrap().answer(),
        Some("Night".into())
    );
    for wrong in [
        json!({"name": "Car"}),
        json!({"name": "Lorry", "boundingBox": {"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4}}),
        json!({"name": "Car", "boundingBox": {"x": 0.1}}),
        json!({"name": "Weather", "answer": "Hail"}),
    ] {
        assert!(row.apply(&add(wrong.clone())).is_err(), "{wrong}");
    }
}

#[test]
fn a_difference_names_what_was_added_removed_and_changed() {
    let before = row_of(capture("image"));
    let mut after = before.clone();
    assert!(diff(&before, &after).is_empty());
    let ontology = after.ontology();
    let person = after
        .objects_named("Person")
        .next()
        .unwrap()
        .hash()
        .to_owned();
    let old = after.objects_named("Car").next().unwrap().hash().to_owned();
    after.remove(&person);
    after.answer(&old, "Plate", "XYZ").unwrap();
    after.add(car(&ontology)).unwrap();
    after.classify("Weather", "Night").unwrap();
    let changes = diff(&before, &after);
    let short: Vec<(LabelChangeKind, &str)> =
        changes.iter().map(|c| (c.kind, c.name.as_str())).collect();
    use LabelChangeKind::{Added, Changed, Removed};
    assert_eq!(
        short,
        [
            (Changed, "Car"),
            (Added, "Car"),
            (Removed, "Person"),
            (Changed, "Weather")
        ]
    );
    assert_eq!(changes[3].detail, "Sunny → Night");
    assert!(
        changes[0].detail.contains("Plate: ABC") && changes[0].detail.contains("Plate: XYZ"),
        "{}",
        changes[0].detail
    );
    // Who and when is no difference.
    let mut touched = capture("image");
    touched["object_answers"][&old]["objectNumber"] = json!(7);
    for unit in touched["data_units"].as_object_mut().unwrap().values_mut() {
        for object in unit["labels"]["objects"].as_array_mut().unwrap() {
            object["createdBy"] = json!("a@example.test");
        }
    }
    assert!(diff(&before, &row_of(touched)).is_empty());
}

#[test]
fn a_blob_is_checked_against_ontology_and_data_with_the_path_to_each_mistake() {
    for kind in ["image", "video", "img_group", "audio", "plain_text"] {
        assert_eq!(row_of(capture(kind)).problems(), [], "{kind}");
    }
    let mut blob = capture("video");
    let (car, weather) = ("hWzAqleq", "j3Am3aZ7");
    blob["object_answers"][car]["classifications"][0]["answers"] = json!(7);
    blob["object_answers"][car]["classifications"][1]["answers"][0]["featureHash"] =
        json!("gone0000");
    blob["classification_answers"][weather]["range"] = json!([[0, 12]]);
    let unit = blob["data_units"]
        .as_object_mut()
        .unwrap()
        .values_mut()
        .next()
        .unwrap();
    unit["labels"]["3"]["objects"][0]["boundingBox"]["x"] = json!(0.95);
    let mut alien = unit["labels"]["0"]["objects"][0].clone();
    alien["featureHash"] = json!("nowhere0");
    alien["objectHash"] = json!("alien000");
    unit["labels"]["0"]["objects"]
        .as_array_mut()
        .unwrap()
        .push(alien);
    let problems: Vec<String> = row_of(blob)
        .problems()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(problems.len(), 5, "{problems:#?}");
    assert!(
        problems[0].starts_with("frame 3/objects/hWzAqleq: the box x 0.95"),
        "{}",
        problems[0]
    );
    assert_eq!(
        problems[1],
        "object_answers/hWzAqleq/Plate: 7 is no answer to a question of this kind"
    );
    assert_eq!(
        problems[2],
        "object_answers/hWzAqleq/Colour: \"Red\" is not one of its options"
    );
    assert_eq!(
        problems[3],
        "objects/alien000: \"Car\" (nowhere0) is not in the ontology"
    );
    assert_eq!(
        problems[4],
        "classification_answers/j3Am3aZ7: its range goes beyond the last frame, 11"
    );
}

#[test]
fn ten_thousand_objects_get_ten_thousand_hashes() {
    let mut row = emptied("image");
    let ontology = row.ontology();
    let mut hashes = std::collections::HashSet::new();
    for _ in 0..10_000 {
        hashes.insert(row.add(car(&ontology)).unwrap());
    }
    assert_eq!((hashes.len(), row.objects().len()), (10_000, 10_000));
}

#[test]
fn an_agent_that_cannot_see_labels_may_answer_again() {
    let add = |answer: &str| {
        serde_json::from_value::<AddLabel>(json!({"name": "Weather", "answer": answer})).unwrap()
    };
    let mut row = row_of(capture("video"));
    row.apply(&add("Sunny")).unwrap();
    assert!(!row.changed(), "it said so before");
    row.apply(&add("Night")).unwrap();
    let weather = row.classifications();
    assert_eq!(
        (weather.len(), weather[0].answer(), weather[0].ranges()),
        (1, Some("Night".into()), vec![(0, 5)])
    );
}

#[test]
fn an_outcome_is_applied_whole_or_not_at_all() {
    let mut row = row_of(capture("image"));
    let before = row.labels().clone();
    let outcome = |value: Value| serde_json::from_value::<agent_abi::wire::Outcome>(value).unwrap();
    row.take_outcome(&outcome(json!({"route": "x", "labels": before})))
        .unwrap();
    assert!(!row.changed(), "the same labels are no change");

    let half = json!({"add": [{"name": "Weather", "answer": "Night"}, {"name": "Weather", "answer": "Hail"}]});
    assert!(row.take_outcome(&outcome(half)).is_err());
    let alien = capture("video");
    let text = row
        .take_outcome(&outcome(json!({"labels": alien})))
        .unwrap_err()
        .to_string();
    assert!(
        text.starts_with("the labels are of another row: label_hash is"),
        "{text}"
    );
    assert_eq!((row.changed(), row.labels()), (false, &before));

    let emptied = emptied("image").into_labels();
    row.take_outcome(&outcome(
        json!({"labels": emptied, "add": [{"name": "Notes", "answer": "n"}]}),
    ))
    .unwrap();
    assert_eq!(
        (
            row.objects().len(),
            row.classifications().len(),
            row.changed()
        ),
        (0, 1, true)
    );
}
