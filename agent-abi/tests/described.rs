//! What differs between two label rows, as fields and as text, for every kind of data.

#![allow(clippy::unwrap_used)] // helpers of tests

use agent_abi::model::{Bitmask, LabelChange, LabelRow, Picture, diff};
use agent_abi::prelude::*;
use agent_abi::testing::{OntologyBuilder, TestTask, ontology, task};
use serde_json::to_value;

fn kinds() -> OntologyBuilder {
    ontology()
        .object("Car", "bounding_box")
        .attribute("Colour", "radio", &["Red", "Blue"])
        .nested("Colour", "Red", "Shade", "text", &[])
        .attribute("Parts", "checklist", &["Door", "Roof"])
        .dynamic("Speed", "radio", &["slow", "fast"])
        .object("Area", "polygon")
        .object("Puddle", "bitmask")
        .object("Voice", "audio")
        .object("Word", "text")
        .radio("Weather", &["Sunny", "Rainy"])
        .nested("Weather", "Rainy", "How much", "numeric", &[])
}

fn picture() -> Picture {
    Picture::filled(640, 480, [9; 3])
}

/// The changes that these edits make, the second ones after the first.
fn changes<A: agent_abi::glue::Agent>(of: &TestTask) -> Vec<LabelChange> {
    let run = of.run::<A>();
    let before = LabelRow::from_json(&row(of), run.labels().ontology()).unwrap();
    diff(&before, &run.labels())
}

fn row(of: &TestTask) -> String {
    #[stage("look")]
    fn look(labels: &LabelRow) -> Result<Route> {
        let doc = json!({"metadata": labels.metadata(), "labels": labels.labels()});
        Ok(Route::to(doc.to_string()))
    }
    of.run::<look>().route().unwrap().to_owned()
}

/// Sign-less texts, and the fields of the first.
fn shown(changes: &[LabelChange]) -> (Vec<String>, Value) {
    let texts = changes
        .iter()
        .map(|change| format!("{}: {}", change.name, change.detail));
    let mut fields = to_value(&*changes[0].facts).unwrap();
    fields.as_object_mut().unwrap().remove("before");
    (texts.collect(), fields)
}

#[stage("draw")]
fn draw(labels: &mut LabelRow) -> Result<Route> {
    let ontology = labels.ontology();
    let car = ontology
        .object("Car")?
        .bounding_box(0.25, 0.5, 0.125, 0.25)?;
    let hash = labels.add(car.confidence(0.9)?.answer("Colour", "Red")?)?;
    labels.answer(&hash, "Shade", "dark")?;
    labels.answer(&hash, "Parts", vec!["Door", "Roof"])?;
    let corners = [(0.0, 0.0), (0.5, 0.0), (0.5, 0.5)].map(|(x, y)| Point { x, y });
    labels.add(ontology.object("Area")?.polygon(&corners)?)?;
    let weather = labels.classify("Weather", "Rainy")?;
    labels.answer(&weather, "How much", 3)?;
    Ok(Route::stay())
}

#[test]
fn objects_of_a_picture_have_shares_pixels_and_nested_answers() {
    let changes = changes::<draw>(&task("a.jpg").ontology(kinds()).image(picture()));
    let (texts, _) = shown(&changes);
    assert_eq!(
        texts,
        [
            "Area: polygon of 3 points, 0 %, 0 %, 50 × 50 % (0, 0, 320 × 240 px)",
            "Car: box 25 %, 50 %, 12.5 × 25 % (160, 240, 80 × 120 px) · Colour: Red · Colour › Shade: dark · \
             Parts: Door + Roof · 90 % sure",
            "Weather: Rainy · How much: 3",
        ]
    );
    let car = to_value(&*changes[1].facts).unwrap();
    assert_eq!(
        car,
        json!({
            "kind": "object", "shape": "bounding_box", "frames": [[0, 0]], "confidence": 0.9,
            "geometry": {"boundingBox": {"x": 0.25, "y": 0.5, "w": 0.125, "h": 0.25}},
            "pixels": {"boundingBox": {"x": 160.0, "y": 240.0, "w": 80.0, "h": 120.0}},
            "answers": [
                {"path": ["Colour"], "value": "Red"},
                {"path": ["Colour", "Shade"], "value": "dark"},
                {"path": ["Parts"], "value": ["Door", "Roof"]},
            ],
        })
    );
    let weather = to_value(&changes[2].facts.answers).unwrap();
    assert_eq!(
        weather[1],
        json!({"path": ["Weather", "How much"], "value": 3.0})
    );
}

#[stage("track")]
fn track(labels: &mut LabelRow) -> Result<Route> {
    let ontology = labels.ontology();
    let car = ontology.object("Car")?;
    let hash = labels.add(car.bounding_box(0.0, 0.0, 0.5, 0.5)?.on_frames(0, 3))?;
    labels.add_to(&hash, &car.bounding_box(0.5, 0.5, 0.5, 0.5)?.on_frame(7))?;
    labels.answer_on(&hash, "Speed", "fast", 1, 2)?;
    Ok(Route::stay())
}

#[test]
fn a_track_has_its_frames_its_times_and_the_frames_of_its_answers() {
    let clip = task("a.mp4").ontology(kinds()).video(vec![picture(); 10]);
    let changes = changes::<track>(&clip);
    let (texts, fields) = shown(&changes);
    assert_eq!(
        texts,
        [
            "Car: frames 0–3, 7 · box 0 %, 0 %, 50 × 50 % (0, 0, 320 × 240 px) · Speed: fast (frames 1–2)"
        ]
    );
    assert_eq!(fields["frames"], json!([[0, 3], [7, 7]]));
    assert_eq!(fields["geometry_frame"], 0);
    assert_eq!(fields["answers"][0]["frames"], json!([[1, 2]]));
}

#[stage("move")]
fn moved(labels: &mut LabelRow) -> Result<Route> {
    let hash = labels
        .objects_named("Car")
        .next()
        .context("no car")?
        .hash()
        .to_owned();
    let area = BoundingBox::new(0.25, 0.5, 0.125, 0.5)?;
    labels
        .object_mut(&hash)
        .context("gone")?
        .set_bounding_box(0, area)?;
    labels.answer(&hash, "Colour", "Blue")?;
    Ok(Route::stay())
}

#[test]
fn a_changed_label_shows_what_was_and_what_is_and_nothing_else() {
    let first = task("a.jpg").ontology(kinds()).image(picture());
    let second = first.clone().labels(first.run::<draw>().into_labels());
    let changes = changes::<moved>(&second);
    assert_eq!(changes.len(), 1);
    assert_eq!(
        changes[0].detail,
        "box 25 %, 50 %, 12.5 × 25 % (160, 240, 80 × 120 px), Colour: Red, Colour › Shade: dark → \
         box 25 %, 50 %, 12.5 × 50 % (160, 240, 80 × 240 px), Colour: Blue"
    );
    let before = changes[0].facts.before.as_ref().unwrap();
    assert_eq!(
        before.geometry,
        Some(json!({"boundingBox": {"x": 0.25, "y": 0.5, "w": 0.125, "h": 0.25}}))
    );
    assert!(before.frames.is_empty(), "only what differs");
}

#[stage("mask")]
fn mask(labels: &mut LabelRow) -> Result<Route> {
    let ontology = labels.ontology();
    let set: Vec<bool> = (0..640 * 480)
        .map(|n| n % 640 >= 320 && n / 640 < 48)
        .collect();
    labels.add(
        ontology
            .object("Puddle")?
            .bitmask(&Bitmask::from_pixels(640, 480, &set)?)?,
    )?;
    Ok(Route::stay())
}

#[test]
fn a_mask_is_shown_by_the_box_around_it_and_its_number_of_pixels() {
    let changes = changes::<mask>(&task("a.jpg").ontology(kinds()).image(picture()));
    let (texts, fields) = shown(&changes);
    assert_eq!(
        texts,
        ["Puddle: mask of 15360 px, 50 %, 0 %, 50 × 10 % (320, 0, 320 × 48 px)"]
    );
    assert_eq!(
        fields["pixels"],
        json!({"bitmask": {"x": 320, "y": 0, "w": 320, "h": 48, "set": 15_360}})
    );
}

#[stage("ranges")]
fn ranges(labels: &mut LabelRow) -> Result<Route> {
    let ontology = labels.ontology();
    let name = if labels.data_type() == DataType::Audio {
        "Voice"
    } else {
        "Word"
    };
    labels.add(
        ontology
            .object(name)?
            .range(61_000, 62_500)?
            .and_range(70_000, 70_001)?,
    )?;
    Ok(Route::stay())
}

#[test]
fn sounds_have_times_and_texts_have_characters_with_an_exclusive_end() {
    let sound = changes::<ranges>(&task("a.wav").ontology(kinds()).audio());
    let (texts, fields) = shown(&sound);
    assert_eq!(texts, ["Voice: 1:01.000–1:02.500, 1:10.000–1:10.001"]);
    assert_eq!(
        fields["times_ms"],
        json!([[61_000, 62_500], [70_000, 70_001]])
    );
    let words = changes::<ranges>(&task("a.txt").ontology(kinds()).text());
    let (texts, fields) = shown(&words);
    assert_eq!(texts, ["Word: characters 61000..62501, 70000..70002"]);
    assert_eq!(
        fields["characters"],
        json!([[61_000, 62_501], [70_000, 70_002]])
    );
    assert!(fields.get("frames").is_none() && fields.get("times_ms").is_none());
}

#[stage("pages")]
fn pages(labels: &mut LabelRow) -> Result<Route> {
    let ontology = labels.ontology();
    let car = ontology.object("Car")?;
    for page in [2, 1] {
        labels.add(car.bounding_box(0.1, 0.1, 0.1, 0.1)?.on_frame(page))?;
    }
    Ok(Route::stay())
}

#[test]
fn pages_come_in_their_order_and_have_no_pixels() {
    let changes = changes::<pages>(&task("a.pdf").ontology(kinds()).pdf(3));
    let (texts, fields) = shown(&changes);
    assert_eq!(
        texts,
        [
            "Car: page 1 · box 10 %, 10 %, 10 × 10 %",
            "Car: page 2 · box 10 %, 10 %, 10 × 10 %"
        ]
    );
    assert_eq!((&fields["page"], fields.get("pixels")), (&json!(1), None));
}
