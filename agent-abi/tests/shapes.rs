//! Shapes beyond boxes: skeletons by their templates, round things, cuboids, ranges of HTML, masks and
//! classifications of the whole; and shapes that this version does not know, which are carried along.
#![allow(clippy::unwrap_used)] // a test may stop anywhere

mod rows;

use agent_abi::model::{
    BoundingBox, Circle, Cuboid, CuboidBack, Ellipse, HtmlRange, LabelChangeKind, LabelRow,
    Ontology, Point, Shape, Visibility, diff,
};
use agent_abi::wire::RowDoc;
use rows::capture;
use serde_json::{Value, json};
use std::sync::Arc;

fn ontology() -> Arc<Ontology> {
    let shapes = [
        ("Pose", "skeleton"),
        ("Wheel", "ellipse"),
        ("Lamp", "circle"),
        ("Crate", "cuboid_2d"),
        ("Mask", "bitmask"),
        ("Word", "text"),
        ("Cloud", "segmentation"),
        ("Car", "bounding_box"),
    ];
    let object = |(n, (name, shape)): (usize, &(&str, &str))| json!({"id": n.to_string(), "name": name, "color": "#D33115", "shape": shape, "featureNodeHash": format!("obj{n:05}")});
    let objects: Vec<Value> = shapes.iter().enumerate().map(object).collect();
    let vertex = |x: f64, name: &str| json!({"x": x, "y": x, "name": name, "featureHash": format!("ver-{name}")});
    let scene = json!({"id": "1", "featureNodeHash": "ClsScene", "level": "global", "attributes": [
        {"id": "1.1", "name": "Scene", "type": "text", "featureNodeHash": "AttScene"}]});
    let editor = json!({
        "objects": objects, "classifications": [scene],
        "skeleton_templates": [{"template": {
            "name": "Human", "width": 0.2, "height": 0.3, "featureNodeHash": "obj00000", "shape": "skeleton", "skeletonEdges": {},
            // Ten vertices and more: their order is the one of the numbers, not of the texts.
            "skeleton": {"10": vertex(1.0, "foot"), "2": vertex(0.5, "hand"), "0": vertex(0.0, "head")}}}],
    });
    Arc::new(Ontology::from_editor(&editor).unwrap())
}

fn row(kind: &str, mime: &str, labels: Value) -> LabelRow {
    let metadata =
        json!({"data_type": kind, "file_type": mime, "data_title": "x", "number_of_frames": 1});
    LabelRow::from_doc(RowDoc { metadata, labels }, ontology())
}

fn image() -> LabelRow {
    let unit = json!({"data_sequence": 0, "width": 4, "height": 2, "data_type": "image/png", "labels": {"objects": [], "classifications": []}});
    row(
        "IMAGE",
        "image/png",
        json!({"data_units": {"u": unit}, "object_answers": {}, "classification_answers": {}, "object_actions": {}}),
    )
}

fn text(mime: &str) -> LabelRow {
    let unit = json!({"data_sequence": 0, "data_type": mime, "labels": {}});
    row(
        "PLAIN_TEXT",
        mime,
        json!({"data_units": {"u": unit}, "object_answers": {}, "classification_answers": {}, "object_actions": {}}),
    )
}

#[test]
fn a_skeleton_gets_its_vertices_from_the_template_in_its_order() {
    let ontology = ontology();
    let template = ontology.skeleton("Pose").unwrap();
    assert_eq!(template, ontology.skeleton("Human").unwrap());
    let places = [("foot", 0.3, 0.9), ("head", 0.3, 0.1), ("hand", 0.4, 0.5)];
    let mut vertices = template.place(places).unwrap();
    let names: Vec<&str> = vertices.iter().map(|v| v.name.as_str()).collect();
    assert_eq!(names, ["head", "hand", "foot"]);
    vertices[1] = vertices[1].clone().seen(Visibility::SelfOccluded);
    let mut row = image();
    let kind = ontology.object("Pose").unwrap();
    row.add(kind.skeleton(&vertices).unwrap()).unwrap();
    let drawn = &row.objects()[0];
    assert_eq!(drawn.vertices(0), vertices);
    let written = &drawn.on_frame(0).unwrap()["skeleton"]["1"];
    assert_eq!(
        *written,
        json!({"x": 0.4, "y": 0.5, "name": "hand", "featureHash": "ver-hand", "visibility": "selfOccluded"})
    );
    assert_eq!(row.problems(), []);

    for (places, words) in [
        (
            vec![("head", 0.1, 0.1), ("hand", 0.1, 0.1)],
            "\"foot\" of the skeleton \"Human\" has no place",
        ),
        (vec![("foo", 0.1, 0.1)], "Did you mean \"foot\"?"),
        (
            vec![("head", 0.1, 0.1), ("head", 0.2, 0.1)],
            "\"head\" has two places",
        ),
    ] {
        let error = template.place(places).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    let error = ontology.skeleton("Dog").unwrap_err().to_string();
    assert_eq!(
        error,
        "the ontology has no skeleton \"Dog\". There are \"Human\"."
    );
}

#[test]
fn a_template_at_rest_fills_a_box() {
    let area = BoundingBox::new(0.2, 0.4, 0.2, 0.4).unwrap();
    let ontology = ontology();
    let rest = ontology.skeleton("Pose").unwrap().at_rest_in(&area);
    let at: Vec<(f64, f64)> = rest.iter().map(|v| (v.at.x, v.at.y)).collect();
    assert_eq!(
        (at[0], at[1]),
        ((0.2, 0.4), (0.30000000000000004, 0.6000000000000001))
    );
    assert!((at[2].0 - 0.4).abs() < 1e-12 && (at[2].1 - 0.8).abs() < 1e-12);
}

#[test]
fn a_skeleton_that_is_not_its_template_is_a_problem_with_its_path() {
    let ontology = ontology();
    let template = ontology.skeleton("Pose").unwrap();
    let places = [("foot", 0.3, 0.9), ("head", 0.3, 0.1), ("hand", 0.4, 0.5)];
    let whole = template.place(places).unwrap();
    let mut row = image();
    let kind = ontology.object("Pose").unwrap();
    let hash = row.add(kind.skeleton(&whole[..2]).unwrap()).unwrap();
    let problems: Vec<String> = row.problems().iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        [format!(
            "frame 0/objects/{hash}: the vertex \"foot\" is missing"
        )]
    );
}

#[test]
fn round_things_and_cuboids_are_written_as_the_sdk_writes_them_and_read_back() {
    let ontology = ontology();
    let mut row = image();
    let at = |x, y| Point { x, y };
    let ellipse = Ellipse {
        center: at(0.5, 0.4),
        rx: 0.1,
        ry: 0.2,
        theta: 30.0,
    };
    let circle = Circle::new(0.5, 0.5, 0.125);
    let back = CuboidBack::Perspective {
        vanishing_point: at(1.4, 0.3),
        scale_ratio: 0.75,
    };
    let front = vec![at(0.0, 0.0), at(0.1, 0.0), at(0.1, 0.1)];
    let cuboid = Cuboid { front, back };
    let kind = |name: &str| ontology.object(name).unwrap();
    row.add(kind("Wheel").ellipse(ellipse).unwrap()).unwrap();
    row.add(kind("Lamp").circle(circle).unwrap()).unwrap();
    row.add(kind("Crate").cuboid(&cuboid).unwrap()).unwrap();
    let objects = row.objects();
    let written = |n: usize, key: &str| objects[n].on_frame(0).unwrap()[key].clone();
    assert_eq!(
        written(0, "ellipse"),
        json!({"x": 0.5, "y": 0.4, "rx": 0.1, "ry": 0.2, "theta": 30.0})
    );
    assert_eq!(
        written(1, "circle"),
        json!({"x": 0.5, "y": 0.5, "r": 0.125, "stretch": 1.0, "theta": 0.0})
    );
    assert_eq!(
        written(2, "cuboid_2d"),
        json!({"front": [0.0, 0.0, 0.1, 0.0, 0.1, 0.1], "vanishingPoint": {"x": 1.4, "y": 0.3}, "scaleRatio": 0.75})
    );
    assert_eq!(
        (
            objects[0].ellipse(0),
            objects[1].circle(0),
            objects[2].cuboid(0)
        ),
        (Some(ellipse), Some(circle), Some(cuboid))
    );
    assert_eq!(row.problems(), []);

    let flat = Ellipse { ry: 0.0, ..ellipse };
    assert!(kind("Wheel").ellipse(flat).is_err());
    assert!(kind("Lamp").circle(Circle::new(1.5, 0.5, 0.1)).is_err());
    let error = kind("Lamp").ellipse(ellipse).unwrap_err().to_string();
    assert_eq!(error, "\"Lamp\" is a circle in the ontology, not ellipse");
}

#[test]
fn html_is_labelled_from_node_to_node_and_plain_text_is_not() {
    let ontology = ontology();
    let kind = ontology.object("Word").unwrap();
    let (first, second) = (
        "/html[1]/body[1]/p[1]/text()[1]",
        "/html[1]/body[1]/p[2]/text()[1]",
    );
    let here = HtmlRange::new((first, 3), (second, 9));
    let there = HtmlRange::new((first, 0), (first, 2));
    let mut page = text("text/html");
    assert!(page.is_html() && !text("text/plain").is_html());
    let label = kind.html_range(here.clone()).unwrap();
    let hash = page
        .add(label.and_html_range(there.clone()).unwrap())
        .unwrap();
    let entry = page.labels()["object_answers"][&hash].clone();
    assert_eq!(entry["range"], json!([]));
    assert_eq!(
        entry["range_html"][0],
        json!({"start": {"xpath": first, "offset": 3}, "end": {"xpath": second, "offset": 9}})
    );
    assert_eq!(page.objects()[0].html_ranges(), [here.clone(), there]);
    assert_eq!(page.problems(), []);

    let changed = |row: &LabelRow| diff(&page, row).iter().map(|c| c.kind).collect::<Vec<_>>();
    let mut moved = page.clone();
    moved
        .add_to(&hash, &kind.html_range(here.clone()).unwrap())
        .unwrap();
    assert_eq!(
        changed(&moved),
        [LabelChangeKind::Changed],
        "a range more is a change"
    );
    assert_eq!(changed(&page), []);

    let plain = kind.range(0, 5).unwrap();
    let error = page.add(plain.clone()).unwrap_err().to_string();
    assert_eq!(
        error,
        "\"x\" is an HTML page: use html_range, from node to node"
    );
    let error = text("text/plain").add(kind.html_range(here).unwrap());
    assert_eq!(
        error.unwrap_err().to_string(),
        "\"x\" is not an HTML page: use range"
    );
    for (range, words) in [
        (HtmlRange::new(("p[1]", 0), (first, 2)), "no absolute XPath"),
        (HtmlRange::new((first, 5), (first, 2)), "runs backwards"),
    ] {
        let error = kind.html_range(range).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    let mut alien = page.into_labels();
    alien["object_answers"][&hash]["range_html"] = Value::Null;
    let page = row("PLAIN_TEXT", "text/html", alien);
    assert!(
        page.problems()[0].text.contains("range_html"),
        "{:?}",
        page.problems()
    );
}

#[test]
fn a_shape_that_is_not_known_is_carried_along_and_can_be_written_in_encords_own_words() {
    let ontology = ontology();
    let kind = ontology.object("Cloud").unwrap();
    assert_eq!(kind.shape, Shape::Other("segmentation".to_owned()));
    let mut row = image();
    let geometry = json!({"points": "a/b", "deep": [1, {"kept": null}]});
    row.add(kind.other("segmentation", geometry.clone()).unwrap())
        .unwrap();
    let blob = row.into_labels();
    let mut again = self::row("IMAGE", "image/png", blob.clone());
    assert_eq!(again.problems(), []);
    again
        .add(
            ontology
                .object("Car")
                .unwrap()
                .bounding_box(0.1, 0.1, 0.1, 0.1)
                .unwrap(),
        )
        .unwrap();
    let (theirs, ours) = (
        blob["data_units"]["u"]["labels"]["objects"][0].clone(),
        again.objects(),
    );
    assert_eq!(ours[0].on_frame(0), Some(&theirs));
    assert_eq!(theirs["segmentation"], geometry);
    let known = ontology.object("Car").unwrap();
    assert!(known.other("boundingBox", json!({})).is_err());
}

#[test]
fn a_mask_has_a_bit_for_each_pixel_of_its_picture() {
    let ontology = ontology();
    let kind = ontology.object("Mask").unwrap();
    let mask = |w: u32, h: u32| {
        let set = vec![true; (w * h) as usize];
        agent_abi::model::Bitmask::from_pixels(w, h, &set).unwrap()
    };
    let mut row = image();
    let error = row.add(kind.bitmask(&mask(2, 2)).unwrap()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the mask is 2 x 2, the picture 4 x 2: a mask has a bit for each of its pixels"
    );
    row.add(kind.bitmask(&mask(4, 2)).unwrap()).unwrap();
}

#[test]
fn a_classification_of_the_whole_has_no_frames_and_is_there_once() {
    let ontology = ontology();
    let mut row = image();
    let hash = row.classify("Scene", "a street").unwrap();
    assert_eq!(
        row.labels()["classification_answers"][&hash]["range"],
        json!([])
    );
    assert_eq!(
        (
            row.problems().len(),
            row.classify("Scene", "a yard").unwrap()
        ),
        (0, hash)
    );
    let kind = ontology.classification("Scene").unwrap();
    let error = row.add(kind.answer("x").unwrap().on_frame(0)).unwrap_err();
    assert!(
        error.to_string().contains("leave the frames out"),
        "{error}"
    );
    assert!(row.add(kind.answer("x").unwrap()).is_err());
}

#[test]
fn every_label_of_the_sdk_survives_a_change_of_another_one() {
    for name in ["image", "video", "img_group", "audio", "plain_text"] {
        let before = rows::row_of(capture(name));
        let mut after = before.clone();
        after.classify("Notes", "one more").unwrap();
        let (mut left, mut right) = (before.into_labels(), after.into_labels());
        for blob in [&mut left, &mut right] {
            let answers = blob["classification_answers"].as_object_mut().unwrap();
            answers.retain(|_, entry| entry["featureHash"] != "NotesCl1");
        }
        assert_eq!(left, right, "{name}");
    }
}
