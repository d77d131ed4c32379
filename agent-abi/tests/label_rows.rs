//! Changing label rows: mistakes and their cures, labels by name, differences, checks, outcomes.
#![allow(clippy::unwrap_used)] // a test may stop anywhere

mod rows;

use agent_abi::model::{LabelChangeKind, LabelRow, Ontology, Point, diff};
use agent_abi::wire::{AddLabel, RowDoc};
use rows::*;
use serde_json::{Value, json};

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
            .contains("(answer_on)")
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
    row.apply(&add(json!({
        "name": "Car", "boundingBox": {"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4},
        "attributes": {"Plate": "AB 1", "Colour": "Red"},
    })))
    .unwrap();
    let second = &row.objects()[1];
    assert_eq!(second.answer("Plate"), Some("AB 1".into()));
    assert_eq!(second.answer("Colour"), Some("Red".into()));
    for wrong in [
        json!({"name": "Car", "boundingBox": {"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4}, "point": [0.1, 0.1]}),
        json!({"name": "Car", "boundingBox": {"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4}, "answer": "Red"}),
        json!({"name": "Car", "boundingBox": {"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4}, "attributes": {"Colur": "Red"}}),
        json!({"name": "Car", "polygon": [[0.1, 0.1], [0.2, 0.1], [0.2, 0.2]]}),
        json!({"name": "Weather", "answer": {"not": "an answer"}}),
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
    use LabelChangeKind::{Added, Changed, Removed};
    let names: Vec<&str> = changes.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["Car", "Car", "Person", "Weather"]);
    let of = |kind, name: &str| {
        let found = changes.iter().find(|c| c.kind == kind && c.name == name);
        found.unwrap().detail.as_str()
    };
    assert_eq!(of(Changed, "Weather"), "Sunny → Night");
    let plate = of(Changed, "Car");
    assert!(
        plate.contains("Plate: ABC") && plate.contains("Plate: XYZ"),
        "{plate}"
    );
    assert!(!of(Added, "Car").is_empty() && !of(Removed, "Person").is_empty());
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
        "object_answers/hWzAqleq/Plate: 7 is not an answer to a question of this kind"
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
    assert!(!row.changed(), "it was the same before");
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
    assert!(!row.changed(), "the same labels are not a change");

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

#[test]
fn rows_of_many_labels_are_compared_label_by_label_and_not_each_with_each() {
    const MANY: usize = 40_000;
    let mut row = emptied("image");
    let ontology = row.ontology();
    row.add(car(&ontology).on_frame(0)).unwrap();
    let unit = |labels: &Value| -> String {
        let units = labels["data_units"].as_object().unwrap();
        units.keys().next().unwrap().clone()
    };
    let mut labels = row.labels().clone();
    let unit = unit(&labels);
    let objects = labels["data_units"][&unit]["labels"]["objects"]
        .as_array_mut()
        .unwrap();
    let one = objects[0].clone();
    objects.extend((1..MANY).map(|n| {
        let mut object = one.clone();
        object["objectHash"] = json!(format!("{n:08}"));
        object
    }));
    let row = |labels: &Value| {
        let (metadata, labels) = (row.metadata().clone(), labels.clone());
        LabelRow::from_doc(RowDoc { metadata, labels }, ontology.clone())
    };
    let before = row(&labels);
    let objects = &mut labels["data_units"][&unit]["labels"]["objects"];
    objects[7]["boundingBox"]["x"] = json!(0.77);
    objects[8]["lastEditedBy"] = json!("somebody");
    objects.as_array_mut().unwrap().remove(9);
    let began = std::time::Instant::now();
    let changes = diff(&before, &row(&labels));
    let kinds: Vec<_> = changes.iter().map(|c| (c.kind, c.hash.as_str())).collect();
    let wanted = [
        (LabelChangeKind::Changed, "00000007"),
        (LabelChangeKind::Removed, "00000009"),
    ];
    assert_eq!(kinds, wanted);
    // Each with each would take a minute.
    assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
}
