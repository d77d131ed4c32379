//! Writes label rows with every shape and attribute that this crate can make, as JSON on stdout:
//! `{"ontology": editor, "rows": [{"metadata", "labels"}]}`. With a file of such JSON as argument it
//! reads the rows and prints what it finds, a line per label. For checks against the Python SDK, in
//! both directions. Of each row there are two: one drawn with the functions of the model, one with labels by
//! name, as agents in other languages give them.

mod by_name;
mod rows;

use agent_abi::model::{
    Bitmask, BoundingBox, Circle, Cuboid, CuboidBack, DataType, Ellipse, HtmlRange, LabelRow,
    Ontology, Point, RotatableBox,
};
use rows::{blank, editor};
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
    let hash = row.add(object.manual(false))?;
    if row.frame_count() == Some(12) {
        answer_again(row, &hash)?;
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
fn answer_again(row: &mut LabelRow, hash: &str) -> Outcome<()> {
    let ontology = row.ontology();
    row.answer_on(hash, "Moving", ["Slow"], 4, 4)?;
    row.answer_on(hash, "Moving", ["Fast"], 0, 0)?;
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
        let mut row = LabelRow::from_doc(blank(kind, images), Arc::clone(&ontology));
        row.take_outcome(&serde_json::from_value(by_name::outcome(kind))?)?;
        by_name::change(&mut row)?;
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
