//! Label rows against blobs that the Python SDK wrote: the same labels made here give the same blob,
//! and what is read from theirs is what they put in.
#![allow(clippy::unwrap_used)] // a test may stop anywhere

mod rows;

use agent_abi::model::{Answer, BoundingBox, DataType, LabelRow, Point, Shape};
use rows::*;
use serde_json::json;

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
fn the_same_answer_again_is_not_a_change_and_another_replaces_it() {
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
