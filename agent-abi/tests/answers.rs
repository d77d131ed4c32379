//! Answers that take the place of others: on frames, in nested questions, in classifications.
#![allow(clippy::unwrap_used)] // a test may stop anywhere

use agent_abi::model::{Answer, LabelRow, Ontology};
use agent_abi::wire::{AddLabel, RowDoc};
use serde_json::{Value, json};
use std::sync::Arc;

fn attribute(name: &str, kind: &str, dynamic: bool, options: Value) -> Value {
    json!({"name": name, "type": kind, "dynamic": dynamic, "featureNodeHash": format!("att{name}"), "options": options})
}

fn option(owner: &str, label: &str, nested: Value) -> Value {
    json!({"label": label, "value": label, "featureNodeHash": format!("opt{owner}{label}"), "options": nested})
}

fn ontology() -> Arc<Ontology> {
    // Two options ask a question of the same name.
    let note = |of: &str| {
        let mut note = attribute("Note", "text", false, json!([]));
        note["featureNodeHash"] = json!(format!("att{of}Note"));
        json!([note])
    };
    let colour = json!([
        option("Colour", "Red", note("Red")),
        option("Colour", "Blue", note("Blue")),
        option("Colour", "None", json!([])),
    ]);
    let which = attribute("Beam", "text", true, json!([]));
    let lights = json!([
        option("Lights", "On", json!([which])),
        option("Lights", "Off", json!([])),
    ]);
    let rain = json!([attribute("How much", "text", false, json!([]))]);
    let weather = json!([
        option("Weather", "Rainy", rain),
        option("Weather", "Sunny", json!([]))
    ]);
    let editor = json!({
        "objects": [{"name": "Car", "shape": "bounding_box", "featureNodeHash": "car", "attributes": [
            attribute("Colour", "radio", false, colour),
            attribute("Speed", "text", true, json!([])),
            attribute("Lights", "radio", true, lights),
        ]}],
        "classifications": [
            {"featureNodeHash": "weather", "attributes": [attribute("Weather", "radio", false, weather)]},
            {"featureNodeHash": "count", "attributes": [attribute("Count", "numeric", false, json!([]))]},
            {"featureNodeHash": "tags", "attributes": [attribute("Tags", "checklist", false, json!([
                option("Tags", "Dark", json!([])), option("Tags", "Blurry", json!([]))]))]},
        ],
    });
    Arc::new(Ontology::from_editor(&editor).unwrap())
}

fn video() -> LabelRow {
    let metadata = json!({"data_type": "VIDEO", "number_of_frames": 20, "data_title": "clip.mp4"});
    let labels = json!({
        "label_hash": "l", "data_hash": "d", "branch_name": "main", "object_answers": {}, "object_actions": {},
        "classification_answers": {}, "data_units": {"d": {"data_sequence": 0, "labels": {}}},
    });
    LabelRow::from_doc(RowDoc { metadata, labels }, ontology())
}

/// A car on all frames, and its hash.
fn with_car() -> (LabelRow, String) {
    let mut row = video();
    let ontology = row.ontology();
    let car = ontology.object("Car").unwrap();
    let car = car.bounding_box(0.1, 0.1, 0.1, 0.1).unwrap();
    let hash = row.add(car.on_frames(0, 19)).unwrap();
    (row, hash)
}

fn answer_on(row: &LabelRow, hash: &str, attribute: &str, frame: u64) -> Option<String> {
    let answer = row.object(hash).unwrap().answer_on(attribute, frame)?;
    Some(answer.to_string())
}

#[test]
fn on_each_frame_the_last_answer_holds_and_it_is_the_only_one() {
    let mut row = video();
    let ontology = row.ontology();
    let car = ontology.object("Car").unwrap();
    let car = car.bounding_box(0.1, 0.1, 0.1, 0.1).unwrap();
    let car = car
        .on_frames(0, 9)
        .answer_on("Speed", "slow", 0, 9)
        .unwrap();
    let hash = row
        .add(car.answer_on("Speed", "fast", 3, 4).unwrap())
        .unwrap();
    row.answer_on(&hash, "Speed", "slow", 4, 4).unwrap();
    row.answer_on(&hash, "Speed", "stopped", 9, 9).unwrap();
    let spoken: Vec<_> = (0..11)
        .map(|n| answer_on(&row, &hash, "Speed", n))
        .collect();
    let spoken: Vec<&str> = spoken.iter().map(|s| s.as_deref().unwrap_or("-")).collect();
    assert_eq!(
        spoken.join(" "),
        "slow slow slow fast slow slow slow slow slow stopped -"
    );
    let actions = &row.labels()["object_actions"][&hash]["actions"];
    let ranges: Vec<&Value> = actions
        .as_array()
        .unwrap()
        .iter()
        .map(|a| &a["range"])
        .collect();
    assert_eq!(
        ranges,
        [&json!([[0, 2], [4, 8]]), &json!([[3, 3]]), &json!([[9, 9]])]
    );
    assert_eq!(row.problems(), []);
    let before = row.labels().clone();
    row.answer_on(&hash, "Speed", "stopped", 9, 9).unwrap();
    assert_eq!(row.labels(), &before, "the same again is not a change");
}

#[test]
fn a_question_below_a_dynamic_answer_is_asked_on_the_frames_of_that_answer() {
    let (mut row, hash) = with_car();
    row.answer_on(&hash, "Lights", "On", 2, 8).unwrap();
    let early = row.answer_on(&hash, "Beam", "high", 1, 4).unwrap_err();
    assert_eq!(
        early.to_string(),
        "\"Beam\" is asked only when \"Lights\" is \"On\": answer that first"
    );
    row.answer_on(&hash, "Beam", "high", 2, 8).unwrap();
    row.answer_on(&hash, "Lights", "Off", 5, 6).unwrap();
    let beams: Vec<u64> = (0..20)
        .filter(|n| answer_on(&row, &hash, "Beam", *n).is_some())
        .collect();
    assert_eq!(beams, [2, 3, 4, 7, 8]);
    assert_eq!(row.problems(), []);
}

#[test]
fn what_only_another_option_asked_for_goes_with_it() {
    let (mut row, hash) = with_car();
    row.answer(&hash, "Colour", "Red").unwrap();
    row.answer(&hash, "Note", "crimson").unwrap();
    row.answer(&hash, "Colour", "Blue").unwrap();
    assert_eq!(row.object(&hash).unwrap().answer("Note"), None);
    row.answer(&hash, "Note", "navy").unwrap();
    let notes = &row.labels()["object_answers"][&hash]["classifications"];
    assert_eq!(notes[1]["featureHash"], "attBlueNote", "{notes}");
    row.answer(&hash, "Colour", "None").unwrap();
    let error = row.answer(&hash, "Note", "x").unwrap_err().to_string();
    assert_eq!(
        error,
        "\"Note\" is asked only when \"Colour\" is \"Red\" or \"Colour\" is \"Blue\": answer that first"
    );
    let ontology = row.ontology();
    let car = ontology.object("Car").unwrap();
    let car = car.bounding_box(0.1, 0.1, 0.1, 0.1).unwrap();
    let car = car
        .answer("Colour", "Red")
        .unwrap()
        .answer("Note", "x")
        .unwrap();
    let other = row.add(car.answer("Colour", "Blue").unwrap()).unwrap();
    assert_eq!(row.object(&other).unwrap().answer("Note"), None);
}

#[test]
fn a_classification_that_is_added_again_keeps_its_nested_answers_and_takes_new_ones() {
    let mut row = video();
    let hash = row.classify("Weather", "Rainy").unwrap();
    row.answer(&hash, "How much", "a lot").unwrap();
    let before = row.labels().clone();
    assert_eq!(row.classify("Weather", "Rainy").unwrap(), hash);
    assert_eq!(row.labels(), &before, "the same answer is not a change");
    let add: AddLabel =
        serde_json::from_value(json!({"name": "Weather", "answer": "Rainy"})).unwrap();
    row.apply(&add).unwrap();
    assert_eq!(row.labels(), &before, "nor is it one by name");
    row.answer(&hash, "Weather", "Sunny").unwrap();
    let weather = row.classification("Weather").unwrap();
    assert_eq!(weather.answer(), Some("Sunny".into()));
    assert_eq!(weather.nested("How much"), None);
    let error = row.answer("nobody", "Weather", "Sunny").unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no object or classification with the hash nobody"
    );
}

#[test]
fn backward_ranges_and_frames_that_are_not_there_are_refused() {
    let (mut row, hash) = with_car();
    let before = row.labels().clone();
    let ontology = row.ontology();
    let car = || {
        let car = ontology.object("Car").unwrap();
        car.bounding_box(0.1, 0.1, 0.1, 0.1).unwrap()
    };
    let weather = ontology
        .classification("Weather")
        .unwrap()
        .answer("Sunny")
        .unwrap();
    let late = car().answer_on("Speed", "x", 3, 20).unwrap();
    for (error, words) in [
        (
            row.add(car().on_frames(9, 3)).unwrap_err(),
            "the frames 9 to 3 run backwards",
        ),
        (
            row.add(weather.on_frames(9, 3)).unwrap_err(),
            "the frames 9 to 3 run backwards",
        ),
        (
            car().answer_on("Speed", "x", 9, 3).unwrap_err(),
            "the frames 9 to 3 run backwards",
        ),
        (
            row.answer_on(&hash, "Speed", "x", 9, 3).unwrap_err(),
            "the frames 9 to 3 run backwards",
        ),
        (
            row.answer_on(&hash, "Speed", "x", 9, 20).unwrap_err(),
            "there is no frame 20",
        ),
        (row.add(late).unwrap_err(), "there is no frame 20"),
        (
            row.answer(&hash, "Speed", "x").unwrap_err(),
            "give the frames it holds on (answer_on)",
        ),
        (
            row.answer_on(&hash, "Colour", "Red", 0, 1).unwrap_err(),
            "leave the frames out (answer)",
        ),
    ] {
        assert!(error.to_string().contains(words), "{error}");
    }
    assert_eq!(row.labels(), &before);
}

#[test]
fn dynamic_answers_of_a_whole_blob_are_checked_with_their_path() {
    let (mut row, hash) = with_car();
    row.answer_on(&hash, "Speed", "slow", 0, 5).unwrap();
    let metadata = row.metadata().clone();
    let mut labels = row.into_labels();
    let actions = &mut labels["object_actions"][&hash]["actions"];
    let mut again = actions[0].clone();
    again["range"] = json!([[5, 30]]);
    let unknown =
        json!({"name": "Sped", "featureHash": "attSped", "answers": "x", "range": [[0, 0]]});
    actions.as_array_mut().unwrap().extend([again, unknown]);
    let row = LabelRow::from_doc(RowDoc { metadata, labels }, ontology());
    let problems: Vec<String> = row.problems().iter().map(ToString::to_string).collect();
    let at = |what: &str| format!("object_actions/{hash}/{what}");
    assert_eq!(
        problems,
        [
            at("Sped: the ontology has no such attribute here"),
            at("Speed: its range goes beyond the last frame"),
            at("Speed: the frames 5 to 30 have an answer already"),
        ]
    );
}

#[test]
fn numbers_and_lists_of_every_usual_type_are_answers() {
    let mut row = video();
    for (answer, wanted) in [
        (Answer::from(3_usize), 3.0),
        (Answer::from(3_u32), 3.0),
        (Answer::from(-3_i64), -3.0),
        (Answer::from(0.5_f32), 0.5),
    ] {
        row.classify("Count", answer).unwrap();
        let count = row.classification("Count").unwrap().answer().unwrap();
        assert_eq!(count.as_number(), Some(wanted));
    }
    let dark = String::from("Dark");
    row.classify("Tags", &dark).unwrap();
    row.classify("Tags", vec!["Dark", "Blurry"]).unwrap();
    let tags = row.classification("Tags").unwrap().answer().unwrap();
    assert_eq!(tags.as_choices().unwrap(), ["Dark", "Blurry"]);
}
