//! Writes label rows with every shape and attribute that this crate can make, as JSON on stdout:
//! `{"ontology": editor, "rows": [{"metadata", "labels"}]}`. With a file of such JSON as argument it
//! reads the rows and prints what it finds, a line per label. For checks against the Python SDK, in
//! both directions.

use agent_abi::model::{
    Bitmask, BoundingBox, Circle, Cuboid, CuboidBack, DataType, Ellipse, HtmlRange, LabelRow,
    Ontology, Point, RotatableBox,
};
use agent_abi::wire::RowDoc;
use serde_json::{Value, json};
use std::error::Error;
use std::sync::Arc;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    match std::env::args().nth(1) {
        None => write(),
        Some(path) => read(&serde_json::from_str(&std::fs::read_to_string(path)?)?),
    }
}

fn editor() -> Value {
    let option = |id: &str, label: &str| json!({"id": id, "label": label, "value": label.to_lowercase(), "featureNodeHash": format!("opt{:0>5}", label.to_lowercase())[..8].to_owned()});
    let shapes = [
        ("Box", "bounding_box"),
        ("Turned", "rotatable_bounding_box"),
        ("Area", "polygon"),
        ("Line", "polyline"),
        ("Spot", "point"),
        ("Mask", "bitmask"),
        ("Pose", "skeleton"),
        ("Sound", "audio"),
        ("Word", "text"),
        ("Wheel", "ellipse"),
        ("Lamp", "circle"),
        ("Crate", "cuboid_2d"),
    ];
    let objects: Vec<Value> = shapes
        .iter()
        .enumerate()
        .map(|(i, (name, shape))| {
            let id = i + 1;
            json!({"id": id.to_string(), "name": name, "color": "#D33115", "shape": shape, "featureNodeHash": format!("obj{id:05}"),
                "attributes": [
                    {"id": format!("{id}.1"), "name": "Colour", "type": "radio", "required": false, "dynamic": false,
                     "featureNodeHash": format!("col{id:05}"), "options": [
                        option(&format!("{id}.1.1"), "Red"),
                        {"id": format!("{id}.1.2"), "label": "Other", "value": "other", "featureNodeHash": format!("oth{id:05}"), "options": [
                            {"id": format!("{id}.1.2.1"), "name": "Which", "type": "text", "required": false, "dynamic": false,
                             "featureNodeHash": format!("whi{id:05}")}]}]},
                    {"id": format!("{id}.2"), "name": "Plate", "type": "text", "required": false, "dynamic": false,
                     "featureNodeHash": format!("pla{id:05}")},
                    {"id": format!("{id}.3"), "name": "Size", "type": "numeric", "required": false, "dynamic": false,
                     "featureNodeHash": format!("siz{id:05}")},
                    {"id": format!("{id}.4"), "name": "Marks", "type": "checklist", "required": false, "dynamic": false,
                     "featureNodeHash": format!("mar{id:05}"), "options": [
                        option(&format!("{id}.4.1"), "New"), option(&format!("{id}.4.2"), "Old")]},
                    {"id": format!("{id}.5"), "name": "Moving", "type": "checklist", "required": false, "dynamic": true,
                     "featureNodeHash": format!("mov{id:05}"), "options": [
                        option(&format!("{id}.5.1"), "Fast"), option(&format!("{id}.5.2"), "Slow")]},
                ]})
        })
        .collect();
    let classification = |id: u8, name: &str, kind: &str, options: Value| {
        let mut first = json!({"id": format!("{id}.1"), "name": name, "type": kind, "required": false, "dynamic": false,
            "featureNodeHash": format!("atr{id:05}")});
        if options.is_array() {
            first["options"] = options;
        }
        json!({"id": id.to_string(), "featureNodeHash": format!("cla{id:05}"), "attributes": [first]})
    };
    let mut scene = classification(4, "Scene", "text", Value::Null);
    scene["level"] = json!("global");
    json!({"objects": objects, "classifications": [
        classification(1, "Weather", "radio", json!([option("1.1.1", "Sunny"), option("1.1.2", "Night")])),
        classification(2, "Notes", "text", Value::Null),
        classification(3, "Tags", "checklist", json!([option("3.1.1", "Dark"), option("3.1.2", "Crowded")])),
        scene,
    ], "skeleton_templates": [{"template": {
        "name": "Pose", "width": 0.2, "height": 0.3, "featureNodeHash": "obj00007", "shape": "skeleton", "skeletonEdges": {},
        "skeleton": {
            "0": {"x": 0.0, "y": 0.0, "name": "head", "color": "#D33115", "value": "head", "featureHash": "ver00001"},
            "1": {"x": 0.5, "y": 0.5, "name": "tail", "color": "#D33115", "value": "tail", "featureHash": "ver00002"}},
    }}]})
}

/// An empty row. `kind` is a data type, or `html`: text with another MIME type.
fn blank(kind: &str, images: usize) -> RowDoc {
    let data_type = if kind == "html" { "plain_text" } else { kind };
    let hash = |n: usize| format!("00000000-0000-0000-0000-{n:012}");
    let unit = |n: usize, sequence: Value, labels: Value| {
        let mut unit = json!({"data_hash": hash(n), "data_title": format!("unit {n}"), "data_link": "a/b", "data_sequence": sequence, "labels": labels,
            "data_type": mime(kind)});
        match data_type {
            "audio" => {
                for (key, value) in [
                    ("audio_codec", json!("pcm_s16le")),
                    ("audio_sample_rate", json!(8000)),
                    ("audio_bit_depth", json!(16)),
                    ("audio_num_channels", json!(1)),
                    ("data_duration", json!(60.0)),
                ] {
                    unit[key] = value;
                }
            }
            "plain_text" => {}
            "pdf" => {
                for key in ["width", "height", "data_fps"] {
                    unit[key] = json!(0);
                }
            }
            _ => {
                unit["width"] = json!(64);
                unit["height"] = json!(48);
            }
        }
        if data_type == "video" {
            unit["data_fps"] = json!(10.0);
            unit["data_duration"] = json!(1.2);
        }
        unit
    };
    let still = json!({"objects": [], "classifications": []});
    let units: serde_json::Map<String, Value> = match data_type {
        "img_group" => (0..images)
            .map(|i| {
                (
                    hash(i + 10),
                    unit(i + 10, json!(i.to_string()), still.clone()),
                )
            })
            .collect(),
        "image" => [(hash(1), unit(1, json!(0), still))].into_iter().collect(),
        _ => [(hash(1), unit(1, json!(0), json!({})))]
            .into_iter()
            .collect(),
    };
    let date = "Sun, 22 Nov 2026 07:57:53 UTC";
    let labels = json!({
        "label_hash": hash(2), "branch_name": "main", "created_at": date, "last_edited_at": date, "data_hash": hash(1),
        "dataset_hash": hash(3), "dataset_title": "D", "data_title": "T", "data_type": data_type,
        "annotation_task_status": "QUEUED", "is_shadow_data": false, "object_answers": {}, "classification_answers": {},
        "object_actions": {}, "label_status": "LABEL_IN_PROGRESS", "data_units": units, "spaces": {},
    });
    let frames = match data_type {
        "video" => 12,
        "pdf" => 3,
        _ => images.max(1),
    };
    let metadata = json!({
        "label_hash": hash(2), "data_hash": hash(1), "data_type": data_type.to_uppercase(), "number_of_frames": frames,
        "data_title": "T", "width": 64, "height": 48, "file_type": mime(kind),
    });
    RowDoc { metadata, labels }
}

fn mime(kind: &str) -> &'static str {
    match kind {
        "video" => "video/mp4",
        "audio" => "audio/wav",
        "plain_text" => "text/plain",
        "html" => "text/html",
        "pdf" => "application/pdf",
        _ => "image/png",
    }
}

/// Draws every shape that lies on frames, on `first` (and on later frames of a video).
fn draw(row: &mut LabelRow, first: u64) -> Outcome<()> {
    let ontology = row.ontology();
    let point = |x, y| Point { x, y };
    let ring = [
        point(0.1, 0.1),
        point(0.5, 0.1),
        point(0.5, 0.5),
        point(0.1, 0.5),
    ];
    let hole = [point(0.2, 0.2), point(0.3, 0.2), point(0.3, 0.3)];
    let object = ontology
        .object("Box")?
        .bounding_box(0.1, 0.2, 0.3, 0.4)?
        .on_frame(first)
        .confidence(0.9)?;
    let object = object
        .answer("Colour", "Other")?
        .answer("Which", "mauve")?
        .answer("Plate", "AB \"C\" ü")?;
    let mut object = object
        .answer("Size", 3.5)?
        .answer("Marks", ["New", "Old"])?;
    if row.frame_count() == Some(12) {
        object = object
            .on_frames(3, 5)
            .answer_on("Moving", ["Fast"], 3, 4)?
            .answer_on("Moving", ["Slow"], 5, 5)?;
    }
    let told = row.add(object.manual(false))?;
    if row.frame_count() == Some(12) {
        tell_again(row, &told)?;
    }
    let upright = BoundingBox::new(0.2, 0.2, 0.4, 0.2)?;
    row.add(
        ontology
            .object("Turned")?
            .rotatable_box(RotatableBox {
                upright,
                theta: 30.0,
            })?
            .on_frame(first),
    )?;
    row.add(
        ontology
            .object("Area")?
            .polygon(&ring)?
            .on_frame(first)
            .answer("Colour", "Red")?,
    )?;
    row.add(
        ontology
            .object("Area")?
            .polygon_with_holes(&[&ring, &hole])?
            .on_frame(first),
    )?;
    row.add(
        ontology
            .object("Line")?
            .polyline(&ring[..3])?
            .on_frame(first),
    )?;
    row.add(ontology.object("Spot")?.point(0.25, 0.75)?.on_frame(first))?;
    let mask = Bitmask {
        width: 64,
        height: 48,
        top: 0,
        left: 0,
        rle: "U1o_20".to_owned(),
    };
    // Pages of a PDF have no pixels.
    if row.data_type() != DataType::Pdf {
        row.add(ontology.object("Mask")?.bitmask(&mask)?.on_frame(first))?;
    }
    let template = ontology.skeleton("Pose")?;
    let pose = template.place([("tail", 0.75, 0.5), ("head", 0.25, 0.5)])?;
    row.add(ontology.object("Pose")?.skeleton(&pose)?.on_frame(first))?;
    draw_round(row, first)
}

/// Answers that take the place of others: what only those asked for goes with them.
fn tell_again(row: &mut LabelRow, told: &str) -> Outcome<()> {
    let ontology = row.ontology();
    row.answer_on(told, "Moving", ["Slow"], 4, 4)?;
    row.answer_on(told, "Moving", ["Fast"], 0, 0)?;
    let kind = ontology.object("Box")?;
    let other = kind.bounding_box(0.5, 0.5, 0.1, 0.1)?.on_frames(0, 11);
    let other = other.answer("Colour", "Other")?.answer("Which", "mauve")?;
    let other = other
        .answer_on("Moving", ["Fast"], 0, 11)?
        .answer_on("Moving", ["Slow"], 3, 5)?;
    let hash = row.add(other)?;
    row.answer(&hash, "Colour", "Red")?;
    let moved = kind.bounding_box(0.6, 0.5, 0.1, 0.1)?.on_frame(7);
    row.add_to(&hash, &moved.answer_on("Moving", ["Slow", "Fast"], 7, 7)?)?;
    Ok(())
}

/// Ellipse, circle, both kinds of cuboid, several polygons as one object.
fn draw_round(row: &mut LabelRow, first: u64) -> Outcome<()> {
    let ontology = row.ontology();
    let point = |x, y| Point { x, y };
    let ellipse = Ellipse {
        center: point(0.5, 0.5),
        rx: 0.1,
        ry: 0.2,
        theta: 30.0,
    };
    let wheel = ontology.object("Wheel")?.ellipse(ellipse)?;
    row.add(wheel.on_frame(first))?;
    let lamp = ontology
        .object("Lamp")?
        .circle(Circle::new(0.5, 0.5, 0.125))?;
    row.add(lamp.on_frame(first))?;
    let backs = [
        CuboidBack::Perspective {
            vanishing_point: point(0.4, 0.3),
            scale_ratio: 0.75,
        },
        CuboidBack::Isometric {
            offset: point(0.05, -0.05),
        },
    ];
    for back in backs {
        let front = vec![point(0.0, 0.0), point(0.1, 0.0), point(0.1, 0.1)];
        let crate_kind = ontology.object("Crate")?;
        row.add(crate_kind.cuboid(&Cuboid { front, back })?.on_frame(first))?;
    }
    let corner = |x: f64| vec![vec![point(x, 0.0), point(x + 0.1, 0.0), point(x, 0.1)]];
    let area = ontology.object("Area")?;
    row.add(area.polygons(&[corner(0.1), corner(0.5)])?.on_frame(first))?;
    Ok(())
}

fn write() -> Outcome<()> {
    let ontology = Arc::new(Ontology::from_editor(&editor())?);
    let mut rows = Vec::new();
    for (kind, images) in [
        ("image", 0),
        ("video", 0),
        ("img_group", 3),
        ("pdf", 0),
        ("audio", 0),
        ("plain_text", 0),
        ("html", 0),
    ] {
        let doc = blank(kind, images);
        let metadata = doc.metadata.clone();
        let mut row = LabelRow::from_doc(doc, Arc::clone(&ontology));
        match kind {
            "audio" => drop(
                row.add(
                    ontology
                        .object("Sound")?
                        .range(10, 100)?
                        .and_range(200, 300)?
                        .answer("Colour", "Red")?,
                )?,
            ),
            "plain_text" => {
                drop(row.add(ontology.object("Word")?.range(0, 5)?.answer("Plate", "x")?)?);
            }
            "html" => {
                let (here, there) = (
                    "/html[1]/body[1]/p[1]/text()[1]",
                    "/html[1]/body[1]/p[2]/text()[1]",
                );
                let word = ontology
                    .object("Word")?
                    .html_range(HtmlRange::new((here, 3), (there, 9)))?;
                row.add(
                    word.and_html_range(HtmlRange::new((here, 0), (here, 2)))?
                        .answer("Colour", "Red")?,
                )?;
            }
            _ => draw(&mut row, if kind == "img_group" { 1 } else { 0 })?,
        }
        row.classify("Weather", "Night")?;
        row.classify("Notes", "a note")?;
        row.classify("Tags", ["Dark", "Crowded"])?;
        row.classify("Scene", "a street")?;
        rows.push(json!({"metadata": metadata, "labels": row.into_labels()}));
    }
    println!("{}", json!({"ontology": editor(), "rows": rows}));
    Ok(())
}

fn read(file: &Value) -> Outcome<()> {
    let ontology = Arc::new(Ontology::from_editor(&file["ontology"])?);
    for doc in file["rows"].as_array().into_iter().flatten() {
        let row = LabelRow::from_doc(serde_json::from_value(doc.clone())?, Arc::clone(&ontology));
        for object in row.objects() {
            let frames = object.frames();
            let frame = frames.first().copied().unwrap_or(0);
            let answers: Vec<String> = ["Colour", "Which", "Plate", "Size", "Marks"]
                .iter()
                .filter_map(|name| Some(format!("{name}={}", object.answer(name)?)))
                .collect();
            println!(
                "{} {} {:?} {:?} {:?} {:?} {} points {:?} {:?} {:?}",
                row.data_type().word(),
                object.name(),
                frames,
                object.ranges(),
                object.html_ranges(),
                object.bounding_box(frame),
                object.points(frame).len(),
                (
                    object.vertices(frame),
                    object.polygons(frame),
                    object.ellipse(frame),
                    object.circle(frame),
                    object.cuboid(frame)
                ),
                answers,
                object.answer_on("Moving", 4),
            );
        }
        for classification in row.classifications() {
            println!(
                "{} {} {:?} {:?}",
                row.data_type().word(),
                classification.title(),
                classification.answer(),
                classification.ranges()
            );
        }
    }
    Ok(())
}
