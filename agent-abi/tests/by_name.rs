//! Labels by name from languages without a label model: each becomes what the functions of the model draw.
#![allow(clippy::unwrap_used)] // a test may stop anywhere

use agent_abi::model::{
    Bitmask, BoundingBox, Circle, Cuboid, CuboidBack, Ellipse, HtmlRange, LabelRow, ModelResult,
    NewObject, Ontology, OntologyObject, Point, RotatableBox,
};
use agent_abi::testing::ontology;
use agent_abi::wire::{Outcome, RowDoc};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

fn kinds() -> ModelResult<Ontology> {
    let mut kinds = ontology().skeleton("skeleton", &["head", "tail"]);
    for shape in [
        "bounding_box",
        "rotatable_bounding_box",
        "polygon",
        "polyline",
        "point",
        "bitmask",
        "ellipse",
        "circle",
        "cuboid_2d",
        "audio",
        "text",
    ] {
        kinds = kinds.object(shape, shape);
    }
    kinds
        .object("Car", "bounding_box")
        .attribute("Plate", "text", &[])
        .dynamic("Speed", "numeric", &[])
        .radio("Sky", &["Clear", "Cloudy"])
        .build()
}

/// A row without labels of ten frames of 4 x 2 pixels.
fn row(data_type: &str, mime: &str) -> LabelRow {
    let labels = json!({
        "object_answers": {}, "object_actions": {}, "classification_answers": {},
        "data_units": {"u": {"data_sequence": 0, "width": 4, "height": 2, "labels": {}}},
    });
    let metadata = json!({"data_type": data_type, "file_type": mime, "number_of_frames": 10});
    let ontology = Arc::new(kinds().unwrap());
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_334_273);
    LabelRow::from_doc(RowDoc { metadata, labels }, ontology).at(time)
}

fn video() -> LabelRow {
    row("VIDEO", "video/mp4")
}

fn given(row: &LabelRow, outcome: Value) -> ModelResult<LabelRow> {
    let outcome: Outcome = serde_json::from_value(outcome).unwrap();
    row.after(None, &outcome)
}

fn added(row: &LabelRow, label: Value) -> ModelResult<LabelRow> {
    given(row, json!({"add": [label]}))
}

fn area() -> Value {
    json!({"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4})
}

type Draw = fn(&OntologyObject) -> ModelResult<NewObject<'_>>;

fn ring(x: f64) -> Vec<Point> {
    let point = |x, y| Point { x, y };
    vec![point(x, 0.1), point(x + 0.1, 0.1), point(x, 0.2)]
}

#[test]
fn every_shape_by_name_is_what_the_model_draws() {
    let shapes: [(&str, &str, Value, Draw); 11] = [
        ("bounding_box", "boundingBox", area(), |k| {
            k.bounding_box(0.1, 0.2, 0.3, 0.4)
        }),
        (
            "rotatable_bounding_box",
            "rotatableBoundingBox",
            json!({"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4, "theta": 30}),
            |k| {
                let upright = BoundingBox::new(0.1, 0.2, 0.3, 0.4)?;
                k.rotatable_box(RotatableBox {
                    upright,
                    theta: 30.0,
                })
            },
        ),
        (
            "polygon",
            "polygon",
            json!([[0.5, 0.1], [0.6, 0.1], [0.5, 0.2]]),
            |k| k.polygon(&ring(0.5)),
        ),
        (
            "polygon",
            "polygons",
            json!([
                [[[0.5, 0.1], [0.6, 0.1], [0.5, 0.2]]],
                [[[0.25, 0.1], [0.35, 0.1], [0.25, 0.2]]]
            ]),
            |k| k.polygons(&[vec![ring(0.5)], vec![ring(0.25)]]),
        ),
        (
            "polyline",
            "polyline",
            json!([[0.5, 0.1], [0.6, 0.1], [0.5, 0.2]]),
            |k| k.polyline(&ring(0.5)),
        ),
        ("point", "point", json!([0.25, 0.75]), |k| {
            k.point(0.25, 0.75)
        }),
        (
            "bitmask",
            "bitmask",
            json!({"rle": "02", "width": 4, "height": 2}),
            |k| {
                let rle = "02".to_owned();
                k.bitmask(&Bitmask {
                    width: 4,
                    height: 2,
                    top: 0,
                    left: 0,
                    rle,
                })
            },
        ),
        (
            "skeleton",
            "skeleton",
            json!({"tail": [0.75, 0.5], "head": [0.25, 0.5]}),
            |k| {
                let ontology = kinds().unwrap();
                let places = [("head", 0.25, 0.5), ("tail", 0.75, 0.5)];
                k.skeleton(&ontology.skeleton("skeleton")?.place(places)?)
            },
        ),
        (
            "ellipse",
            "ellipse",
            json!({"x": 0.5, "y": 0.5, "rx": 0.1, "ry": 0.2}),
            |k| {
                let center = Point { x: 0.5, y: 0.5 };
                k.ellipse(Ellipse {
                    center,
                    rx: 0.1,
                    ry: 0.2,
                    theta: 0.0,
                })
            },
        ),
        (
            "circle",
            "circle",
            json!({"x": 0.5, "y": 0.5, "r": 0.125}),
            |k| k.circle(Circle::new(0.5, 0.5, 0.125)),
        ),
        (
            "cuboid_2d",
            "cuboid_2d",
            json!({"front": [0.5, 0.1, 0.6, 0.1, 0.5, 0.2], "offset": {"x": 0.05, "y": -0.05}}),
            |k| {
                let offset = Point { x: 0.05, y: -0.05 };
                k.cuboid(&Cuboid {
                    front: ring(0.5),
                    back: CuboidBack::Isometric { offset },
                })
            },
        ),
    ];
    for (name, key, shape, draw) in shapes {
        let mut wanted = video();
        let ontology = wanted.ontology();
        let new = draw(ontology.object(name).unwrap()).unwrap().on_frame(3);
        wanted
            .add(new.confidence(0.5).unwrap().manual(false))
            .unwrap();
        let label =
            json!({"name": name, key: shape, "frame": 3, "confidence": 0.5, "manual": false});
        let made = added(&video(), label).unwrap();
        assert_eq!(made.labels(), wanted.labels(), "{key}");
    }
}

#[test]
fn ranges_of_sounds_texts_and_pages_are_what_the_model_makes() {
    let (here, there) = (
        "/html[1]/body[1]/p[1]/text()[1]",
        "/html[1]/body[1]/p[2]/text()[1]",
    );
    for (data, mime, label, draw) in [
        (
            "AUDIO",
            "audio/wav",
            json!({"name": "audio", "range": [250, 1000]}),
            None,
        ),
        (
            "PLAIN_TEXT",
            "text/plain",
            json!({"name": "text", "range": [250, 1000]}),
            None,
        ),
        (
            "PLAIN_TEXT",
            "text/html",
            json!({"name": "text", "htmlRange": {"start": {"xpath": here, "offset": 3}, "end": {"xpath": there, "offset": 9}}}),
            Some(HtmlRange::new((here, 3), (there, 9))),
        ),
    ] {
        let mut wanted = row(data, mime);
        let ontology = wanted.ontology();
        let kind = ontology.object(label["name"].as_str().unwrap()).unwrap();
        let new = match draw {
            Some(range) => kind.html_range(range),
            None => kind.range(250, 1000),
        };
        wanted.add(new.unwrap()).unwrap();
        let made = added(&row(data, mime), label).unwrap();
        assert_eq!(made.labels(), wanted.labels(), "{mime}");
    }
}

#[test]
fn a_track_is_one_object_with_the_shape_of_each_frame_and_nothing_between_them() {
    let at = |x: f64| json!({"x": x, "y": 0.5, "w": 0.25, "h": 0.25});
    let label = json!({"name": "Car", "confidence": 0.9, "manual": false,
        "attributes": {"Plate": "ZH 1", "Speed": 50},
        "frames": {
            "0": {"boundingBox": at(0.0)},
            "5": {"boundingBox": at(0.5), "confidence": 0.5, "manual": true, "attributes": {"Speed": 80}},
            "9": {"boundingBox": at(0.75)}}});
    let row = added(&video(), label).unwrap();
    let objects = row.objects();
    let [car] = objects.as_slice() else {
        panic!("{} objects", objects.len());
    };
    assert_eq!(car.frames(), [0, 5, 9]);
    let x = [0, 5, 9].map(|frame| car.bounding_box(frame).unwrap().x);
    assert_eq!(x, [0.0, 0.5, 0.75]);
    let rated = [0, 5, 9].map(|frame| (car.confidence(frame).unwrap(), car.is_manual(frame)));
    assert_eq!(rated, [(0.9, false), (0.5, true), (0.9, false)]);
    assert_eq!(car.answer("Plate"), Some("ZH 1".into()));
    let speed = [0, 5, 9].map(|frame| car.answer_on("Speed", frame));
    assert_eq!(speed, [50, 80, 50].map(|n| Some(n.into())));
    assert_eq!(row.problems(), []);

    // More frames of what is there, and another place on one of them.
    let hash = car.hash().to_owned();
    let more = json!({"hash": hash, "frames": {"5": {"boundingBox": at(0.25)}, "6": {"boundingBox": at(0.25)}}});
    let row = added(&row, more).unwrap();
    let car = row.object(&hash).unwrap();
    assert_eq!((row.objects().len(), car.frames()), (1, vec![0, 5, 6, 9]));
    assert_eq!(car.bounding_box(5).unwrap().x, 0.25);
    assert_eq!(car.confidence(5), Some(0.5), "what is not given stays");
}

#[test]
fn labels_that_are_there_are_removed_and_answered() {
    let label = json!({"name": "Car", "boundingBox": area(), "frame": 2, "lastFrame": 4});
    let sky = json!({"name": "Sky", "answer": "Clear"});
    let row = given(&video(), json!({"add": [label, label, sky]})).unwrap();
    let hashes: Vec<String> = row.objects().iter().map(|o| o.hash().to_owned()).collect();
    let sky = row.classification("Sky").unwrap().hash().to_owned();
    let after = given(
        &row,
        json!({"remove": [hashes[1]], "answer": [
            {"hash": hashes[0], "name": "Plate", "value": "ZH 1"},
            {"hash": hashes[0], "name": "Speed", "value": 50},
            {"hash": hashes[0], "name": "Speed", "value": 80, "frames": [[3, 3]]},
            {"hash": sky, "value": "Cloudy"}]}),
    )
    .unwrap();
    let objects = after.objects();
    let [car] = objects.as_slice() else {
        panic!("{} objects", objects.len());
    };
    assert_eq!(car.hash(), hashes[0]);
    assert_eq!(car.answer("Plate"), Some("ZH 1".into()));
    let speed = [2, 3, 4].map(|frame| car.answer_on("Speed", frame));
    assert_eq!(speed, [50, 80, 50].map(|n| Some(n.into())));
    let answer = after.classification("Sky").unwrap().answer();
    assert_eq!(answer, Some("Cloudy".into()));
    assert_eq!(after.problems(), []);
    let emptied = given(&row, json!({"remove": [hashes[0], hashes[1], sky]})).unwrap();
    assert_eq!(emptied.labels(), video().labels());
}

#[test]
fn what_cannot_be_drawn_is_refused_with_the_label_and_the_reason() {
    let row = added(&video(), json!({"name": "Car", "boundingBox": area()})).unwrap();
    let hash = row.objects()[0].hash().to_owned();
    let mask = |rle: &str, width: u32| json!({"rle": rle, "width": width, "height": 2});
    for (label, why) in [
        (
            json!({"name": "ellipse", "ellipse": {"x": 0.5}}),
            "\"ellipse\": an ellipse has x, y, rx and ry",
        ),
        (
            json!({"name": "rotatable_bounding_box", "rotatableBoundingBox": area()}),
            "and theta in degrees",
        ),
        (
            json!({"name": "bitmask", "bitmask": {"rle": 7, "width": 4, "height": 2}}),
            "rle (a text)",
        ),
        (
            json!({"name": "bitmask", "bitmask": mask("02", 5)}),
            "the mask is 5 x 2, the picture 4 x 2",
        ),
        (
            json!({"name": "bitmask", "bitmask": mask("not runs", 4)}),
            "the mask's runs cannot be read",
        ),
        (
            json!({"name": "bitmask", "bitmask": mask("0`9", 4)}),
            "the mask's runs do not fit its size",
        ),
        (
            json!({"name": "skeleton", "skeleton": {"head": [0.5, 0.5]}}),
            "the vertex \"tail\"",
        ),
        (
            json!({"name": "skeleton", "skeleton": {"heda": [0.5, 0.5]}}),
            "Did you mean \"head\"?",
        ),
        (
            json!({"name": "Car", "ellipse": {"x": 0.5, "y": 0.5, "rx": 0.1, "ry": 0.1}}),
            "not ellipse",
        ),
        (
            json!({"name": "Car", "frames": {"3": {}}}),
            "\"Car\": on frame 3 there is no shape",
        ),
        (
            json!({"name": "Car", "frames": {"3": {"boundingBox": area(), "frame": 4}}}),
            "on frame 3 stand only",
        ),
        (
            json!({"name": "Car", "frames": {"3": {"boundingBox": area()}}, "boundingBox": area()}),
            "under \"frames\"",
        ),
        (
            json!({"name": "Car", "frames": {"3": {"boundingBox": area()}}, "frame": 2}),
            "belong to one shape",
        ),
        (
            json!({"name": "Car", "frames": {"10": {"boundingBox": area()}}}),
            "there is no frame 10",
        ),
        (
            json!({"name": "Car", "frames": {"3": {"boundingBox": area()}}, "answer": "x"}),
            "takes no answer",
        ),
        (json!({"hash": hash, "answer": "x"}), "one shape is added"),
    ] {
        let error = added(&row, label.clone()).unwrap_err().to_string();
        assert!(error.contains(why), "{label}: {error}");
    }
    for (outcome, why) in [
        (
            json!({"remove": ["nobody"]}),
            "no object or classification with the hash nobody",
        ),
        (
            json!({"answer": [{"hash": "nobody", "value": 1}]}),
            "with the hash nobody",
        ),
        (
            json!({"answer": [{"hash": hash, "value": "x"}]}),
            "names the attribute",
        ),
        (
            json!({"answer": [{"hash": hash, "name": "Plat", "value": "x"}]}),
            "Did you mean \"Plate\"?",
        ),
        (
            json!({"answer": [{"hash": hash, "name": "Plate", "value": "x", "frames": [[0, 0]]}]}),
            "leave the frames out",
        ),
        (
            json!({"answer": [{"hash": hash, "name": "Speed", "value": 1, "frames": [[3, 2]]}]}),
            "run backwards",
        ),
        (
            json!({"answer": [{"hash": hash, "name": "Plate", "value": {}}]}),
            "a text, a number or a list",
        ),
    ] {
        let error = given(&row, outcome.clone()).unwrap_err().to_string();
        assert!(error.contains(why), "{outcome}: {error}");
    }
}
