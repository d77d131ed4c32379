//! What ports of real agents need again and again: copies of objects, answers replaced on a range, frames
//! between key frames, frames in batches.
#![allow(clippy::unwrap_used)] // a test may stop anywhere

use agent_abi::model::{Bitmask, Circle, Picture, RotatableBox};
use agent_abi::prelude::*;
use agent_abi::testing::{OntologyBuilder, TestTask, ontology, task};

fn kinds() -> OntologyBuilder {
    ontology()
        .object("Car", "bounding_box")
        .attribute("Colour", "radio", &["Red", "Blue"])
        .nested("Colour", "Red", "Shade", "text", &[])
        .dynamic("Speed", "radio", &["slow", "fast"])
        .object("Crate", "rotatable_bounding_box")
        .object("Area", "polygon")
        .object("Wheel", "circle")
        .object("Puddle", "bitmask")
        .object("Siren", "audio")
        .radio("Light", &["Dim", "Bright"])
        .nested("Light", "Dim", "Why", "text", &[])
}

fn clip(frames: usize) -> TestTask {
    task("clip.mp4")
        .ontology(kinds())
        .video(vec![Picture::filled(8, 8, [0; 3]); frames])
}

/// The row of a task, without an agent.
fn row(task: &TestTask) -> LabelRow {
    #[stage("s")]
    fn nothing() -> Route {
        Route::stay()
    }
    task.run::<nothing>().labels()
}

/// A car on frames 0 to 2 with answers of every sort, made by somebody.
fn with_car(task: &TestTask) -> (LabelRow, String) {
    let mut row = row(task);
    let ontology = row.ontology();
    let car = ontology.object("Car").unwrap();
    let new = car
        .bounding_box(0.1, 0.2, 0.3, 0.4)
        .unwrap()
        .on_frames(0, 1);
    let new = new.confidence(0.5_f32).unwrap().manual(false);
    let new = new
        .answer("Colour", "Red")
        .unwrap()
        .answer("Shade", "dark")
        .unwrap();
    let new = new.answer_on("Speed", "fast", 1, 2).unwrap();
    let hash = row.add(new).unwrap();
    let moved = car.bounding_box(0.5, 0.2, 0.3, 0.4).unwrap().on_frame(2);
    row.add_to(&hash, &moved).unwrap();
    (row, hash)
}

#[test]
fn a_copy_has_everything_but_the_hash() {
    let (from, hash) = with_car(&clip(3));
    let mut blob = from.into_labels();
    // What this version does not know goes along, and who made it.
    let unit = blob["data_units"]
        .as_object_mut()
        .unwrap()
        .values_mut()
        .next()
        .unwrap();
    unit["labels"]["0"]["objects"][0]["createdBy"] = json!("ann@example.com");
    unit["labels"]["0"]["objects"][0]["newField"] = json!([1, 2]);
    let from = row(&clip(3).labels(blob));
    let mut to = row(&clip(3));
    // Hashes depend on the row and on what was made in it: the first would be the same one.
    let first = to.copy_object(&from.object(&hash).unwrap()).unwrap();
    to.remove(&first);
    let copied = to.copy_object(&from.object(&hash).unwrap()).unwrap();
    assert_ne!(copied, hash);
    let strip = |row: &LabelRow, hash: &str| {
        let text = row.labels().to_string().replace(hash, "HASH");
        serde_json::from_str::<Value>(&text).unwrap()
    };
    assert_eq!(strip(&to, &copied), strip(&from, &hash));
    assert!(to.problems().is_empty());
    // It is a label like any other: answered and drawn again.
    to.answer(&copied, "Colour", "Blue").unwrap();
    assert_eq!(to.object(&copied).unwrap().answer("Shade"), None);
    assert_eq!(to.objects().len(), 1);
}

#[test]
fn a_copy_may_keep_the_hash_where_it_is_free() {
    let (from, hash) = with_car(&clip(3));
    let mut to = row(&clip(3));
    to.copy_object_with_hash(&from.object(&hash).unwrap())
        .unwrap();
    assert_eq!(to.labels(), from.labels());
    let again = to.copy_object_with_hash(&from.object(&hash).unwrap());
    assert!(
        again
            .unwrap_err()
            .to_string()
            .contains("already has a label with the hash")
    );
    let inside = to.clone();
    to.copy_objects(&inside).unwrap();
    assert_eq!(to.objects().len(), 2);
}

#[test]
fn a_copy_that_does_not_fit_changes_nothing() {
    let (from, hash) = with_car(&clip(3));
    let car = from.object(&hash).unwrap();
    let refused = |task: TestTask| {
        let mut to = row(&task);
        let error = to.copy_object(&car).unwrap_err().to_string();
        assert!(!to.changed(), "{error}");
        error
    };
    let other = task("clip.mp4").video(vec![Picture::filled(8, 8, [0; 3]); 3]);
    assert!(refused(other.clone()).contains("has no object \"Car\""));
    let fewer = ontology().object("Car", "bounding_box");
    assert!(refused(other.ontology(fewer)).contains("no attribute \"Colour\""));
    assert!(refused(clip(2)).contains("there is no frame 2"));
    let sound = task("a.wav").audio().ontology(kinds());
    assert!(refused(sound).contains("does not fit on data of the type audio"));
}

#[test]
fn ranges_of_sounds_are_copied_too() {
    let sound = task("a.wav").audio().ontology(kinds());
    let mut from = row(&sound);
    let ontology = from.ontology();
    let siren = ontology.object("Siren").unwrap().range(100, 200).unwrap();
    let hash = from.add(siren).unwrap();
    let mut to = row(&sound);
    let copied = to.copy_object(&from.object(&hash).unwrap()).unwrap();
    assert_eq!(to.object(&copied).unwrap().ranges(), [(100, 200)]);
}

fn lights(row: &LabelRow) -> Vec<(String, Vec<(u64, u64)>)> {
    let all = row.classifications();
    let mut list: Vec<_> = all
        .iter()
        .map(|c| (c.answer().unwrap().to_string(), c.ranges()))
        .collect();
    list.sort();
    list
}

#[test]
fn a_classification_is_copied_with_nested_answers_frames_and_authors() {
    let mut from = row(&clip(9));
    let ontology = from.ontology();
    let light = ontology.classification("Light").unwrap();
    let foggy = light.answer("Dim").unwrap().nested("Why", "fog").unwrap();
    let hash = from.add(foggy.on_frames(2, 4).manual(false)).unwrap();
    let mut blob = from.labels().clone();
    blob["classification_answers"][&hash]["createdBy"] = json!("ann@example.com");
    let from = row(&clip(9).labels(blob));
    let mut to = row(&clip(9));
    to.classify("Light", "Bright").unwrap();
    to.copy_classifications(&from).unwrap();
    let bright = ("Bright".to_owned(), vec![(0, 1), (5, 8)]);
    assert_eq!(lights(&to), [bright, ("Dim".to_owned(), vec![(2, 4)])]);
    let all = to.classifications();
    let copied = all.iter().find(|c| c.nested("Why").is_some()).unwrap();
    assert_eq!(copied.nested("Why"), Some("fog".into()));
    let entry = |row: &LabelRow, hash: &str| {
        let mut entry = row.labels()["classification_answers"][hash].clone();
        entry["classificationHash"] = Value::Null;
        entry
    };
    assert_eq!(entry(&to, copied.hash()), entry(&from, &hash));
    // The same once more changes nothing, and a kind that the ontology lacks is named.
    let before = to.labels().clone();
    to.copy_classifications(&from).unwrap();
    assert_eq!(*to.labels(), before);
    let mut other = row(&task("a.jpg").ontology(ontology_without_light()));
    let error = other.copy_classifications(&from).unwrap_err().to_string();
    assert!(error.contains("has no classification \"Light\""), "{error}");
}

fn ontology_without_light() -> OntologyBuilder {
    ontology().object("Car", "bounding_box")
}

#[test]
fn an_answer_replaced_on_frames_takes_them_from_the_others() {
    let mut row = row(&clip(20));
    let ontology = row.ontology();
    let light = ontology.classification("Light").unwrap();
    let answer = |text: &str| light.answer(text).unwrap();
    let first = row.replace(&answer("Dim").on_frames(0, 9)).unwrap();
    row.replace(&answer("Bright").on_frames(4, 5)).unwrap();
    assert_eq!(
        lights(&row),
        [
            ("Bright".to_owned(), vec![(4, 5)]),
            ("Dim".to_owned(), vec![(0, 3), (6, 9)])
        ]
    );
    // The same answer is extended, and joins what it touches.
    let again = row.replace(&answer("Dim").on_frames(5, 12)).unwrap();
    assert_eq!(again, first);
    assert_eq!(
        lights(&row),
        [
            ("Bright".to_owned(), vec![(4, 4)]),
            ("Dim".to_owned(), vec![(0, 3), (5, 12)])
        ]
    );
    let before = row.labels().clone();
    row.replace(&answer("Dim").on_frames(6, 7)).unwrap();
    assert_eq!(*row.labels(), before);
    // Another nested answer is another answer.
    let foggy = answer("Dim").nested("Why", "fog").unwrap();
    row.replace(&foggy.on_frames(0, 19)).unwrap();
    assert_eq!(lights(&row), [("Dim".to_owned(), vec![(0, 19)])]);
    // Without frames it is the whole.
    row.replace(&answer("Bright")).unwrap();
    assert_eq!(lights(&row), [("Bright".to_owned(), vec![(0, 19)])]);
    let before = row.labels().clone();
    let beyond = row.replace(&answer("Dim").on_frames(19, 20)).unwrap_err();
    assert!(beyond.to_string().contains("there is no frame 20"));
    assert_eq!(*row.labels(), before);
    row.add(answer("Dim").on_frame(0)).unwrap_err();
}

#[test]
fn frames_between_key_frames_are_drawn_halfway() {
    let (mut row, hash) = with_car(&clip(12));
    let ontology = row.ontology();
    let car = ontology.object("Car").unwrap();
    let far = car.bounding_box(0.7, 0.4, 0.1, 0.2).unwrap().on_frame(10);
    row.add_to(&hash, &far.confidence(1.0).unwrap()).unwrap();
    let labels = row.clone();
    assert_eq!(row.interpolate(&hash, ..10), Ok(0));
    assert_eq!(row.interpolate(&hash, 2..), Ok(7));
    let drawn = row.object(&hash).unwrap();
    assert_eq!(drawn.frames(), (0..=10).collect::<Vec<_>>());
    let middle = drawn.bounding_box(6).unwrap();
    for (is, wanted) in middle.corners().into_iter().zip([0.6, 0.3, 0.8, 0.6]) {
        assert!((is - wanted).abs() < 1e-12, "{middle:?}");
    }
    assert_eq!(drawn.confidence(6), Some(1.0));
    assert!(!drawn.is_manual(6) && drawn.is_manual(10));
    // Key frames stay as they are, and answers too.
    for frame in [0, 1, 2, 10] {
        let before = labels.object(&hash).unwrap();
        assert_eq!(drawn.on_frame(frame), before.on_frame(frame));
    }
    assert_eq!(drawn.answer("Shade"), Some("dark".into()));
    assert_eq!(row.interpolate(&hash, ..), Ok(0));
}

#[test]
fn shapes_turn_the_shorter_way_and_need_the_same_points() {
    let mut row = row(&clip(5));
    let ontology = row.ontology();
    let turned = |theta: f64| RotatableBox {
        upright: BoundingBox::new(0.1, 0.1, 0.2, 0.2).unwrap(),
        theta,
    };
    let kind = ontology.object("Crate").unwrap();
    let hash = row.add(kind.rotatable_box(turned(350.0)).unwrap()).unwrap();
    let last = kind.rotatable_box(turned(10.0)).unwrap().on_frame(4);
    row.add_to(&hash, &last).unwrap();
    assert_eq!(row.interpolate(&hash, ..), Ok(3));
    let theta = row.object(&hash).unwrap().rotatable_box(2).unwrap().theta;
    assert_eq!(theta.rem_euclid(360.0), 0.0);

    let kind = ontology.object("Wheel").unwrap();
    let hash = row
        .add(kind.circle(Circle::new(0.2, 0.2, 0.1)).unwrap())
        .unwrap();
    let last = kind.circle(Circle::new(0.6, 0.2, 0.3)).unwrap().on_frame(2);
    row.add_to(&hash, &last).unwrap();
    row.interpolate(&hash, ..).unwrap();
    let circle = row.object(&hash).unwrap().circle(1).unwrap();
    assert!((circle.radius - 0.2).abs() < 1e-12 && (circle.center.x - 0.4).abs() < 1e-12);

    let kind = ontology.object("Area").unwrap();
    let ring = |n: u32| {
        (0..n)
            .map(|i| Point::new(f64::from(i) / 10.0, i % 2))
            .collect::<Vec<_>>()
    };
    let hash = row.add(kind.polygon(&ring(3)).unwrap()).unwrap();
    row.add_to(&hash, &kind.polygon(&ring(4)).unwrap().on_frame(2))
        .unwrap();
    let before = row.labels().clone();
    let error = row.interpolate(&hash, ..).unwrap_err().to_string();
    assert!(
        error.contains("other points on frame 0 than on frame 2"),
        "{error}"
    );
    assert_eq!(*row.labels(), before);
    row.add_to(&hash, &kind.polygon(&ring(3)).unwrap().on_frame(2))
        .unwrap();
    assert_eq!(row.interpolate(&hash, ..), Ok(1));

    let mask = Bitmask::from_pixels(8, 8, &[true; 64]).unwrap();
    let kind = ontology.object("Puddle").unwrap();
    let hash = row.add(kind.bitmask(&mask).unwrap()).unwrap();
    let error = row.interpolate(&hash, ..).unwrap_err().to_string();
    assert!(error.contains("\"Puddle\" is a bitmask"), "{error}");
    assert!(row.interpolate("nothing", ..).is_err());
}

#[test]
fn frames_come_in_batches_from_any_iterator() {
    #[stage("s")]
    fn batched(frames: Frames<'_>) -> Result<Route> {
        let mut sizes = Vec::new();
        for batch in frames.batches(3) {
            sizes.push(batch?.iter().map(Frame::index).collect::<Vec<_>>());
        }
        for batch in frames
            .every(2)
            .batches(0)
            .chain(frames.sample(0.5)?.batches(9))
        {
            sizes.push(batch?.iter().map(Frame::index).collect());
        }
        Ok(Route::to(format!("{sizes:?}")))
    }
    let run = clip(5).run::<batched>();
    let wanted = "[[0, 1, 2], [3, 4], [0], [2], [4], [0, 2, 4]]";
    assert_eq!(run.route(), Some(wanted));
    assert_eq!(run.frames_held(), 0);

    #[stage("s")]
    fn errors(frames: Frames<'_>) -> Route {
        let batches = frames
            .batches(2)
            .map(|batch| batch.map_or(0, |batch| batch.len()));
        Route::to(format!("{:?}", batches.collect::<Vec<_>>()))
    }
    let run = clip(6).broken_frame(3, "cut off").run::<errors>();
    assert_eq!(run.route(), Some("[2, 0]"));
    assert_eq!(run.frames_held(), 0);
}
