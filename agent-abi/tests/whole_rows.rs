//! What an agent gives back: numbers of 32 bits are taken back to the edge, blobs that are no whole rows are
//! refused, and rows that cannot be read are never taken for empty ones.
#![allow(clippy::unwrap_used)] // a test may stop anywhere

#[path = "rows/drawn.rs"]
mod drawn;

use agent_abi::model::{
    BoundingBox, Circle, Cuboid, CuboidBack, Ellipse, LabelRow, Point, RotatableBox, Vertex,
};
use agent_abi::wire::Outcome;
use drawn::*;
use serde_json::{Value, json};

#[test]
fn numbers_of_a_32_bit_detector_are_taken_wherever_labels_come_from() {
    let kinds = ontology();
    let kind = |name: &str| kinds.object(name).unwrap();
    let up = f64::from(1.0_f32 + f32::EPSILON);
    let at = |x: f64, y: f64| Point { x, y };
    for made in [
        kind("bounding_box").bounding_box(0.5, 0.5, 0.500_000_06, 0.1),
        kind("bounding_box").bounding_box(-3e-8, 0.5, 0.2, 0.1),
        kind("rotatable_bounding_box").rotatable_box(RotatableBox {
            upright: BoundingBox {
                x: 0.5,
                y: 0.5,
                w: up - 0.5,
                h: 0.5,
            },
            theta: 1.0,
        }),
        kind("polygon").polygon(&[at(up, 0.0), at(0.5, -1e-7), at(0.0, up)]),
        kind("polyline").polyline(&[at(up, 0.0), at(-1e-7, up)]),
        kind("point").point(up, -1e-7),
        kind("skeleton").skeleton(&[Vertex::new("head", up, -1e-7)]),
        kind("ellipse").ellipse(Ellipse {
            center: at(up, -1e-7),
            rx: 0.1,
            ry: 0.1,
            theta: 0.0,
        }),
        kind("circle").circle(Circle::new(up, -1e-7, 0.1)),
        kind("cuboid_2d").cuboid(&Cuboid {
            front: vec![at(up, 0.0), at(0.5, -1e-7), at(0.0, 1.0)],
            back: CuboidBack::Isometric {
                offset: at(0.0, 0.0),
            },
        }),
    ] {
        let mut row = row(
            "IMAGE",
            json!({"objects": [], "classifications": []}),
            json!({"object_answers": {}}),
        );
        row.add(made.unwrap().confidence(up).unwrap()).unwrap();
        let text = row.labels().to_string();
        assert!(
            !text.contains("1.0000001") && !text.contains("e-7") && !text.contains("e-8"),
            "{text}"
        );
        assert_eq!(row.problems(), []);
    }
    let text = kind("point").point(1.5, 0.5).unwrap_err().to_string();
    assert!(
        text.contains("0.5 beyond") && text.contains("Point::clamped"),
        "{text}"
    );
}

#[test]
fn a_whole_blob_of_a_32_bit_detector_is_taken_back_to_the_edge_where_the_agent_drew() {
    let old = json!({"x": 0.5, "y": 0.5, "w": 0.500_000_1, "h": 0.1});
    let row = image("bounding_box", "boundingBox", old.clone());
    let mut labels = row.labels().clone();
    let mut new = drawn("bounding_box", "boundingBox", old.clone());
    new["objectHash"] = json!("new");
    new["confidence"] = json!(1.000_000_1);
    labels["data_units"]["u"]["labels"]["objects"]
        .as_array_mut()
        .unwrap()
        .push(new);
    labels["object_answers"]["new"] = json!({"objectHash": "new", "classifications": []});
    let after = row.after(Some(labels), &Outcome::default()).unwrap();
    let objects = &after.labels()["data_units"]["u"]["labels"]["objects"];
    assert_eq!(
        objects[0]["boundingBox"], old,
        "what others drew is left alone"
    );
    assert_eq!(
        objects[1]["boundingBox"],
        json!({"x": 0.5, "y": 0.5, "w": 0.5, "h": 0.1})
    );
    assert_eq!(objects[1]["confidence"], json!(1.0));
}

#[test]
fn a_blob_that_is_not_a_whole_row_is_refused_in_words() {
    let area = json!({"x": 0.1, "y": 0.1, "w": 0.1, "h": 0.1});
    let object = drawn("bounding_box", "boundingBox", area);
    let frame = |objects: Value| json!({"objects": objects, "classifications": []});
    let row = row("VIDEO", json!({"3": frame(json!([object]))}), json!({}));
    let with = |path: &str, value: Value| {
        let mut labels = row.labels().clone();
        *labels.pointer_mut(path).unwrap() = value;
        labels
    };
    let without = |key: &str| {
        let mut labels = row.labels().clone();
        labels.as_object_mut().unwrap().remove(key);
        labels
    };
    let unit = "/data_units/u/labels";
    let mut second = object.clone();
    second["objectHash"] = json!("k");
    for (labels, why) in [
        (json!({}), "\"object_answers\" is missing"),
        (json!([]), "the document is a list"),
        (json!("boo"), "the document is a text"),
        (json!({"data_units": "boo"}), "not a whole label row"),
        (with("/data_units", json!({})), "the data unit u is missing"),
        (with("/data_units", json!([])), "\"data_units\" is a list"),
        (
            with("/data_units", json!({"u": 1})),
            "the data unit u is a number",
        ),
        (
            with("/data_units", json!({"u": {}})),
            "\"labels\" of the data unit u is missing",
        ),
        (
            with(
                "/data_units",
                json!({"u": {"labels": {}}, "v": {"labels": {}}}),
            ),
            "a data unit v",
        ),
        (
            with(unit, json!([])),
            "\"labels\" of the data unit u is a list",
        ),
        (
            with("/object_actions", json!(null)),
            "\"object_actions\" is null",
        ),
        (
            with("/object_answers", json!([])),
            "\"object_answers\" is a list",
        ),
        (
            with("/object_answers", json!({"h": 1})),
            "\"object_answers\" of h is a number",
        ),
        (without("data_units"), "\"data_units\" is missing"),
        (without("object_answers"), "\"object_answers\" is missing"),
        (
            with(unit, json!({"10": frame(json!([object]))})),
            "there is no frame 10",
        ),
        (
            with(unit, json!({"3": frame(json!([object, object]))})),
            "the object h lies twice on frame 3",
        ),
        (
            with(unit, json!({"3": frame(json!([{"x": 1}]))})),
            "has no \"objectHash\"",
        ),
        (
            with(unit, json!({"3": frame(json!([object, second]))})),
            "the object k on frame 3 of the data unit u has no entry",
        ),
        (
            with(unit, json!({"3": frame(json!({}))})),
            "are an object, not a list",
        ),
    ] {
        let error = row
            .after(Some(labels), &Outcome::default())
            .unwrap_err()
            .to_string();
        assert!(error.contains(why), "{why}: {error}");
    }
    let same = row.labels().clone();
    for key in ["classification_answers", "object_actions"] {
        let mut bare = same.clone();
        bare.as_object_mut().unwrap().remove(key);
        assert!(
            row.after(Some(bare), &Outcome::default()).is_ok(),
            "{key} was empty"
        );
    }
}

#[test]
fn mistakes_that_a_row_came_with_are_not_the_agents() {
    let area = json!({"x": 0.1, "y": 0.1, "w": 0.1, "h": 0.1});
    let object = drawn("bounding_box", "boundingBox", area);
    let labels =
        json!({"objects": [object, object, {"objectHash": "orphan"}], "classifications": []});
    let row = row("IMAGE", labels, json!({}));
    let mut labels = row.labels().clone();
    labels["data_units"]["u"]["labels"]["objects"][0]["boundingBox"]["x"] = json!(0.2);
    assert!(row.after(Some(labels.clone()), &Outcome::default()).is_ok());
    labels["data_units"]["u"]["labels"]["objects"][0]["objectHash"] = json!("new");
    assert!(row.after(Some(labels), &Outcome::default()).is_err());
}

#[test]
fn a_row_that_cannot_be_read_is_an_error_and_never_an_empty_row() {
    let row =
        |labels: &str| format!(r#"{{"metadata": {{"data_type": "IMAGE"}}, "labels": {labels}}}"#);
    let deep = format!("{{\"a\": {}{}}}", "[".repeat(200), "]".repeat(200));
    for broken in [
        deep.as_str(),
        r#"{"a": 1, "a": 2}"#,
        r#"{"a": NaN}"#,
        r#"{"a": "\x"}"#,
    ] {
        for text in [
            row(broken),
            format!(r#"{{"labels": {{}}, "metadata": {broken}}}"#),
        ] {
            let error = LabelRow::from_json(&text, ontology())
                .unwrap_err()
                .to_string();
            assert!(error.contains("cannot be read"), "{error}");
        }
    }
}

#[test]
fn half_of_a_surrogate_pair_and_a_number_beyond_all_can_be_read() {
    let unit = r#"{"u": {"labels": {"objects": [], "classifications": []}, "note": "x\ud83d", "n": 1e400}}"#;
    let text = format!(
        r#"{{"metadata": {{"data_type": "IMAGE", "data_title": "\ude00"}}, "labels": {{"data_units": {unit}}}}}"#
    );
    let mut row = LabelRow::from_json(&text, ontology()).unwrap();
    assert_eq!(row.title(), "\u{10DE00}");
    let kinds = row.ontology();
    row.add(kinds.object("point").unwrap().point(0.5, 0.5).unwrap())
        .unwrap();
    assert_eq!(row.labels()["data_units"]["u"]["note"], "x\u{10D83D}");
    assert_eq!(row.objects().len(), 1);
}
