//! Two agents for checks against the Python SDK: what it wrote is read here, and written here to be read
//! there. Built as a library: `cargo build -p agent-abi --example carry`.
//!
//! "Agent 1" writes what it read of every object into the text answer "Notes", as JSON. "Agent 2" draws
//! every object once more from what it read, takes the old one away, and leaves all else as it is. Both do so
//! on each part of a data group.

use agent_abi::model::{CuboidBack, HtmlRange, NewObject, OntologyObject, Point, Vertex};
use agent_abi::prelude::*;

#[stage("Agent 1", routes = ["complete", "second"])]
fn note(labels: &mut LabelRow) -> Result<Route> {
    on_each_part(labels, |labels| {
        let mut all: Vec<Value> = labels.objects().iter().map(object).collect();
        all.extend(labels.classifications().iter().map(classification));
        labels.classify("Notes", json!(all).to_string())?;
        Ok(())
    })?;
    Ok(Route::to("second"))
}

#[stage("Agent 2", routes = ["complete"])]
fn redraw(labels: &mut LabelRow) -> Result<Route> {
    on_each_part(labels, redraw_all)?;
    Ok(Route::to("complete"))
}

export![note, redraw];

/// Does the same with every part of a data group, or with the row of other data.
fn on_each_part(
    labels: &mut LabelRow,
    mut work: impl FnMut(&mut LabelRow) -> Result<()>,
) -> Result<()> {
    if !labels.is_group() {
        return work(labels);
    }
    for part in 0..labels.parts().len() {
        work(&mut *labels.part_mut(part)?)?;
    }
    Ok(())
}

fn redraw_all(labels: &mut LabelRow) -> Result<()> {
    let ontology = labels.ontology();
    let before = labels.clone();
    for old in before.objects() {
        let kind = ontology.object(old.feature_hash())?;
        let mut known: Option<String> = None;
        if old.frames().is_empty() {
            known = Some(labels.add(answered(on_ranges(kind, &old)?, kind, &old)?)?);
        }
        for frame in old.frames() {
            let Some(new) = drawn(kind, &old, frame) else {
                bail!("no {} on frame {frame}", kind.shape.word());
            };
            let new = new?.on_frame(frame);
            let new = new.confidence(old.confidence(frame).unwrap_or(1.0))?;
            let manual = old.is_manual(frame);
            match &known {
                None => known = Some(labels.add(answered(new, kind, &old)?.manual(manual))?),
                Some(hash) => labels.add_to(hash, &new.manual(manual))?,
            }
        }
        labels.remove(old.hash());
    }
    Ok(())
}

fn object(object: &Object<'_>) -> Value {
    let frames = object.frames();
    let shapes: Vec<Value> = frames.iter().map(|f| shape(object, *f)).collect();
    let ranges = object.html_ranges();
    let html: Vec<Value> = ranges.iter().map(html).collect();
    json!({
        "name": object.name(), "shape": object.shape().word(), "frames": frames, "shapes": shapes,
        "ranges": object.ranges(), "html": html, "plate": object.answer("Plate").map(text),
        "colour": object.answer("Colour").map(text), "extras": object.answer("Extras").map(text),
        "speed": frames.iter().map(|f| object.answer_on("Speed", *f).map(text)).collect::<Vec<_>>(),
    })
}

fn text(answer: Answer) -> String {
    answer.to_string()
}

fn classification(found: &Classification<'_>) -> Value {
    json!({
        "title": found.title(), "answer": found.answer().map(text), "ranges": found.ranges(),
        "nested": found.nested("How much").map(text),
    })
}

fn html(range: &HtmlRange) -> Value {
    let (start, end) = (&range.start, &range.end);
    json!([start.xpath, start.offset, end.xpath, end.offset])
}

fn pair(p: &Point) -> Value {
    json!([p.x, p.y])
}

/// What was read of an object on a frame, as plain numbers.
fn shape(object: &Object<'_>, frame: u64) -> Value {
    if let Some(found) = object.rotatable_box(frame) {
        let area = found.upright;
        return json!([area.x, area.y, area.w, area.h, found.theta]);
    }
    if let Some(area) = object.bounding_box(frame) {
        return json!([area.x, area.y, area.w, area.h]);
    }
    if let Some(mask) = object.bitmask(frame) {
        let set = mask.to_pixels().map(|p| p.iter().filter(|p| **p).count());
        return json!([mask.width, mask.height, set.unwrap_or(0)]);
    }
    if let Some(found) = object.ellipse(frame) {
        return json!([
            found.center.x,
            found.center.y,
            found.rx,
            found.ry,
            found.theta
        ]);
    }
    if let Some(found) = object.circle(frame) {
        return json!([
            found.center.x,
            found.center.y,
            found.radius,
            found.stretch,
            found.theta
        ]);
    }
    if let Some(found) = object.cuboid(frame) {
        let back = match found.back {
            CuboidBack::Perspective {
                vanishing_point: p,
                scale_ratio,
            } => json!([p.x, p.y, scale_ratio]),
            CuboidBack::Isometric { offset: p } => json!([p.x, p.y]),
        };
        return json!([found.front.iter().map(pair).collect::<Vec<_>>(), back]);
    }
    let vertices = object.vertices(frame);
    if !vertices.is_empty() {
        let vertex = |v: &Vertex| json!([v.name, v.at.x, v.at.y]);
        return json!(vertices.iter().map(vertex).collect::<Vec<_>>());
    }
    let polygons = object.polygons(frame);
    if !polygons.is_empty() {
        let ring = |ring: &Vec<Point>| ring.iter().map(pair).collect::<Value>();
        let polygon = |rings: &Vec<Vec<Point>>| rings.iter().map(ring).collect::<Value>();
        return polygons.iter().map(polygon).collect();
    }
    object.points(frame).iter().map(pair).collect()
}

/// The same shape built again; `None` when nothing could be read.
fn drawn<'o>(
    kind: &'o OntologyObject,
    old: &Object<'_>,
    frame: u64,
) -> Option<Result<NewObject<'o>>> {
    let points = old.points(frame);
    let made = match kind.shape {
        Shape::BoundingBox => kind.boxed(old.bounding_box(frame)?),
        Shape::RotatableBoundingBox => kind.rotatable_box(old.rotatable_box(frame)?),
        Shape::Polygon => kind.polygons(&old.polygons(frame)),
        Shape::Polyline => kind.polyline(&points),
        Shape::Point => kind.point(points.first()?.x, points.first()?.y),
        Shape::Bitmask => kind.bitmask(&old.bitmask(frame)?),
        Shape::Skeleton => kind.skeleton(&old.vertices(frame)),
        Shape::Ellipse => kind.ellipse(old.ellipse(frame)?),
        Shape::Circle => kind.circle(old.circle(frame)?),
        Shape::Cuboid2d => kind.cuboid(&old.cuboid(frame)?),
        _ => return None,
    };
    Some(made.map_err(Error::from))
}

fn on_ranges<'o>(kind: &'o OntologyObject, old: &Object<'_>) -> Result<NewObject<'o>> {
    let mut new: Option<NewObject<'o>> = None;
    for (from, to) in old.ranges() {
        new = Some(match new {
            None => kind.range(from, to)?,
            Some(new) => new.and_range(from, to)?,
        });
    }
    for range in old.html_ranges() {
        new = Some(match new {
            None => kind.html_range(range)?,
            Some(new) => new.and_html_range(range)?,
        });
    }
    new.context("an object without a range")
}

/// With the answers of the old object, nested and dynamic ones too.
fn answered<'o>(
    mut new: NewObject<'o>,
    kind: &OntologyObject,
    old: &Object<'_>,
) -> Result<NewObject<'o>> {
    for attribute in &kind.attributes {
        if attribute.dynamic {
            for frame in old.frames() {
                if let Some(answer) = old.answer_on(&attribute.name, frame) {
                    new = new.answer_on(&attribute.name, answer, frame, frame)?;
                }
            }
            continue;
        }
        let Some(answer) = old.answer(&attribute.name) else {
            continue;
        };
        new = new.answer(&attribute.name, answer)?;
        for nested in attribute.options.iter().flat_map(|o| &o.attributes) {
            if let Some(answer) = old.answer(&nested.name) {
                new = new.answer(&nested.name, answer)?;
            }
        }
    }
    Ok(new)
}
