//! What an agent does not change stays as it is when it redraws an object: who made it and when, what others
//! noted beside it, fields that this version does not know.
#![allow(clippy::unwrap_used)] // a test may stop anywhere

#[path = "rows/drawn.rs"]
mod drawn;

use agent_abi::model::{
    Bitmask, BoundingBox, Circle, Cuboid, CuboidBack, Ellipse, LabelRow, Point, RotatableBox,
    Vertex,
};
use drawn::*;
use serde_json::{Value, json};

#[test]
fn redrawing_an_object_keeps_who_made_it_and_unknown_fields() {
    let old_box = json!({"x": 0.1, "y": 0.1, "w": 0.1, "h": 0.1, "newField": true});
    let mut row = image("bounding_box", "boundingBox", old_box);
    let (before, kinds) = (first(&row), row.ontology());
    let kind = kinds.object("bounding_box").unwrap();
    row.add_to("h", &kind.bounding_box(0.5, 0.5, 0.25, 0.25).unwrap())
        .unwrap();
    let moved = json!({"x": 0.5, "y": 0.5, "w": 0.25, "h": 0.25, "newField": true});
    assert_eq!(first(&row), but(before, json!({"boundingBox": moved})));
    let entry = json!({"objectHash": "h", "classifications": [], "objectNumber": 7, "newField": 1});
    assert_eq!(row.labels()["object_answers"]["h"], entry);

    let sure = kind
        .bounding_box(0.5, 0.5, 0.25, 0.25)
        .unwrap()
        .confidence(0.75)
        .unwrap();
    row.add_to("h", &sure.manual(true)).unwrap();
    assert_eq!(
        (&first(&row)["confidence"], &first(&row)["manualAnnotation"]),
        (&json!(0.75), &json!(true))
    );
    assert_eq!(first(&row)["createdBy"], "ann@example.test");
}

#[test]
fn the_same_geometry_is_not_a_change() {
    let area = json!({"x": 0.5, "y": 0.5, "w": 0.25, "h": 0.25});
    let mut row = image("bounding_box", "boundingBox", area);
    row.object_mut("h")
        .unwrap()
        .set_bounding_box(0, BoundingBox::new(0.5, 0.5, 0.25, 0.25).unwrap())
        .unwrap();
    assert!(!row.changed());
}

/// A shape as it was, redrawn, and what the label is then.
fn check(shape: &str, old: &str, changed: &str, draw: impl FnOnce(&mut LabelRow)) {
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let mut row = image(shape, "unused", Value::Null);
    let mut label = first(&row);
    label
        .as_object_mut()
        .unwrap()
        .extend(json(old).as_object().unwrap().clone());
    row = stored(row, label.clone());
    draw(&mut row);
    assert_eq!(first(&row), but(label, json(changed)), "{shape}");
}

fn at(x: f64, y: f64) -> Point {
    Point { x, y }
}

const RING: [Point; 3] = [
    Point { x: 0.5, y: 0.5 },
    Point { x: 0.75, y: 0.5 },
    Point { x: 0.75, y: 0.75 },
];
const NUMBERED: &str =
    r#"{"0": {"x": 0.5, "y": 0.5}, "1": {"x": 0.75, "y": 0.5}, "2": {"x": 0.75, "y": 0.75}}"#;
const FOUR: &str = r#"{"0": {"x": 0.1, "y": 0.1}, "1": {"x": 0.2, "y": 0.1}, "2": {"x": 0.2, "y": 0.2},
    "3": {"x": 0.1, "y": 0.2}}"#;

#[test]
fn shapes_of_points_are_redrawn_and_nothing_else_changes() {
    let flat = "[[[0.5, 0.5, 0.75, 0.5, 0.75, 0.75]]]";
    let both = format!(r#"{{"polygon": {NUMBERED}, "polygons": {flat}}}"#);
    let old = format!(r#"{{"polygon": {FOUR}}}"#);
    check("polygon", &old, &both, |row| {
        row.object_mut("h").unwrap().set_polygon(0, &RING).unwrap();
    });
    check("polygon", r#"{"polygons": [[[0.1, 0.1]]]}"#, &both, |row| {
        let mut object = row.object_mut("h").unwrap();
        object.set_polygons(0, &[vec![RING.to_vec()]]).unwrap();
    });
    let (old, new) = (
        format!(r#"{{"polyline": {FOUR}}}"#),
        format!(r#"{{"polyline": {NUMBERED}}}"#),
    );
    check("polyline", &old, &new, |row| {
        row.object_mut("h").unwrap().set_polyline(0, &RING).unwrap();
    });
    let old = r#"{"point": {"0": {"x": 0.1, "y": 0.1, "new": 1}}}"#;
    let new = r#"{"point": {"0": {"x": 0.5, "y": 0.75, "new": 1}}}"#;
    check("point", old, new, |row| {
        row.object_mut("h")
            .unwrap()
            .set_point(0, at(0.5, 0.75))
            .unwrap();
    });
    let old =
        r#"{"skeleton": {"0": {"x": 0.1, "y": 0.1, "name": "head", "visibility": "occluded"}}}"#;
    let new =
        r#"{"skeleton": {"0": {"x": 0.5, "y": 0.5, "name": "head", "visibility": "occluded"}}}"#;
    check("skeleton", old, new, |row| {
        let mut object = row.object_mut("h").unwrap();
        object
            .set_skeleton(0, &[Vertex::new("head", 0.5, 0.5)])
            .unwrap();
    });
}

#[test]
fn other_shapes_are_redrawn_and_nothing_else_changes() {
    let old = r#"{"rotatableBoundingBox": {"x": 0.1, "y": 0.1, "w": 0.1, "h": 0.1, "theta": 4.0, "new": 1}}"#;
    let new = r#"{"rotatableBoundingBox": {"x": 0.5, "y": 0.5, "w": 0.25, "h": 0.25, "theta": 30.0, "new": 1}}"#;
    check("rotatable_bounding_box", old, new, |row| {
        let upright = BoundingBox::new(0.5, 0.5, 0.25, 0.25).unwrap();
        let area = RotatableBox {
            upright,
            theta: 30.0,
        };
        row.object_mut("h")
            .unwrap()
            .set_rotatable_box(0, area)
            .unwrap();
    });
    let old = r#"{"bitmask": {"top": 0, "left": 0, "width": 4, "height": 2, "rleString": "8", "new": 1}}"#;
    let new = r#"{"bitmask": {"top": 0, "left": 0, "width": 4, "height": 2, "rleString": "08", "new": 1}}"#;
    check("bitmask", old, new, |row| {
        let mask = Bitmask::from_pixels(4, 2, &[true; 8]).unwrap();
        row.object_mut("h").unwrap().set_bitmask(0, &mask).unwrap();
    });
    let old = r#"{"ellipse": {"x": 0.1, "y": 0.1, "rx": 0.1, "ry": 0.1, "theta": 1.0, "new": 1}}"#;
    let new =
        r#"{"ellipse": {"x": 0.5, "y": 0.5, "rx": 0.25, "ry": 0.125, "theta": 0.0, "new": 1}}"#;
    check("ellipse", old, new, |row| {
        let ellipse = Ellipse {
            center: at(0.5, 0.5),
            rx: 0.25,
            ry: 0.125,
            theta: 0.0,
        };
        row.object_mut("h")
            .unwrap()
            .set_ellipse(0, ellipse)
            .unwrap();
    });
    let old = r#"{"circle": {"x": 0.1, "y": 0.1, "r": 0.1, "new": 1}}"#;
    let new =
        r#"{"circle": {"x": 0.5, "y": 0.5, "r": 0.25, "stretch": 1.0, "theta": 0.0, "new": 1}}"#;
    check("circle", old, new, |row| {
        let circle = Circle::new(0.5, 0.5, 0.25);
        row.object_mut("h").unwrap().set_circle(0, circle).unwrap();
    });
    let old = r#"{"cuboid_2d": {"front": [], "vanishingPoint": {"x": 2, "y": 2}, "scaleRatio": 0.5, "new": 1}}"#;
    let new = r#"{"cuboid_2d": {"front": [0.5, 0.5, 0.75, 0.5, 0.75, 0.75], "offset": {"x": 0.1, "y": 0.1}, "new": 1}}"#;
    check("cuboid_2d", old, new, |row| {
        let back = CuboidBack::Isometric {
            offset: at(0.1, 0.1),
        };
        let front = RING.to_vec();
        row.object_mut("h")
            .unwrap()
            .set_cuboid(0, &Cuboid { front, back })
            .unwrap();
    });
}

#[test]
fn an_object_can_be_redrawn_only_where_it_is() {
    let area = json!({"x": 0.1, "y": 0.1, "w": 0.1, "h": 0.1});
    let frame = |object: Value| json!({"objects": [object], "classifications": [], "newField": 3});
    let labels =
        json!({"3": frame(drawn("bounding_box", "boundingBox", area)), "5": {"newField": 4}});
    let mut row = row("VIDEO", labels, json!({}));
    let before = row.labels().clone();
    let area = BoundingBox::new(0.5, 0.5, 0.25, 0.25).unwrap();
    let error = row
        .object_mut("h")
        .unwrap()
        .set_bounding_box(4, area)
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "the object h is not on frame 4; add_to puts it there"
    );
    let error = row
        .object_mut("h")
        .unwrap()
        .set_point(3, Point { x: 0.5, y: 0.5 })
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("is a bounding_box in the ontology"),
        "{error}"
    );
    assert!(row.object_mut("other").is_none());
    assert_eq!((row.labels(), row.changed()), (&before, false));

    let (kinds, mut after) = (row.ontology(), before);
    let kind = kinds.object("bounding_box").unwrap();
    row.add_to("h", &kind.boxed(area).unwrap().on_frames(3, 5))
        .unwrap();
    let frames = &mut after["data_units"]["u"]["labels"];
    let moved = json!({"boundingBox": {"x": 0.5, "y": 0.5, "w": 0.25, "h": 0.25}});
    frames["3"]["objects"][0] = but(frames["3"]["objects"][0].clone(), moved);
    let now = row.labels()["data_units"]["u"]["labels"].clone();
    assert_eq!(now["3"], frames["3"]);
    assert_eq!(now["4"]["objects"][0]["createdAt"], NOW);
    assert_eq!(
        (
            &now["5"]["newField"],
            now["5"]["objects"].as_array().unwrap().len()
        ),
        (&json!(4), 1)
    );
    row.remove("h");
    assert_eq!(
        row.labels()["data_units"]["u"]["labels"]["5"]["newField"],
        4
    );
}
