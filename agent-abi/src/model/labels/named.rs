//! Labels by name as other languages give them, made into objects and classifications of this crate. Where
//! they go in a row is left to `outcome`.

use super::super::ontology::paths_to;
use super::super::{
    Answer, Bitmask, BoundingBox, Circle, Cuboid, Ellipse, HtmlRange, ModelError, ModelResult,
    Ontology, OntologyClassification, OntologyObject, Point, RotatableBox, quoted,
};
use super::{NewClassification, NewObject};
use crate::wire::AddLabel;
use serde_json::{Map, Value};

/// What draws an object of a kind.
type Draw<'l> =
    Box<dyn for<'o> Fn(&'o OntologyObject, &Ontology) -> ModelResult<NewObject<'o>> + 'l>;

pub(super) fn refuse<T>(label: &AddLabel, why: &str) -> ModelResult<T> {
    let name = match &label.hash {
        Some(hash) if label.name.is_empty() => hash,
        _ => &label.name,
    };
    Err(ModelError::Invalid(format!("{}: {why}", quoted(name))))
}

fn points(list: &[[f64; 2]]) -> Vec<Point> {
    list.iter().map(|[x, y]| Point { x: *x, y: *y }).collect()
}

/// A shape that is a JSON object, or what it has to be.
fn read<T>(
    label: &AddLabel,
    value: &Value,
    from: impl Fn(&Value) -> Option<T>,
    what: &str,
) -> ModelResult<T> {
    from(value).map_or_else(|| refuse(label, &format!("{what}, not {value}")), Ok)
}

/// `{rle, width, height}`, and for a part of the picture `top` and `left`.
fn mask(value: &Value) -> Option<Bitmask> {
    let side = |key: &str| value.get(key)?.as_u64()?.try_into().ok();
    let edge = |key: &str| value.get(key).map_or(Some(0), |_| side(key));
    Some(Bitmask {
        width: side("width")?,
        height: side("height")?,
        top: edge("top")?,
        left: edge("left")?,
        rle: value.get("rle")?.as_str()?.to_owned(),
    })
}

/// Shapes that are JSON objects; each is read when it is there.
fn drawn_by_fields<'l>(label: &'l AddLabel, found: &mut Vec<Draw<'l>>) -> ModelResult<()> {
    if let Some(value) = &label.bounding_box {
        let what = "a box has x, y, w and h, 0 to 1";
        let area = read(label, value, BoundingBox::from_value, what)?;
        found.push(Box::new(move |kind, _| kind.boxed(area)));
    }
    if let Some(value) = &label.rotatable_bounding_box {
        let what = "a rotatable box has x, y, w and h, 0 to 1, and theta in degrees";
        let area = read(label, value, RotatableBox::from_value, what)?;
        found.push(Box::new(move |kind, _| kind.rotatable_box(area)));
    }
    if let Some(value) = &label.bitmask {
        let what = "a mask has rle (a text), width and height in pixels";
        let mask = read(label, value, mask, what)?;
        found.push(Box::new(move |kind, _| kind.bitmask(&mask)));
    }
    if let Some(value) = &label.ellipse {
        let what = "an ellipse has x, y, rx and ry, and may have theta in degrees";
        let ellipse = read(label, value, Ellipse::from_value, what)?;
        found.push(Box::new(move |kind, _| kind.ellipse(ellipse)));
    }
    if let Some(value) = &label.circle {
        let what = "a circle has x, y and r, and may have stretch and theta";
        let circle = read(label, value, Circle::from_value, what)?;
        found.push(Box::new(move |kind, _| kind.circle(circle)));
    }
    if let Some(value) = &label.cuboid_2d {
        let what = "a cuboid has front, and offset or vanishingPoint and scaleRatio";
        let cuboid = read(label, value, Cuboid::from_value, what)?;
        found.push(Box::new(move |kind, _| kind.cuboid(&cuboid)));
    }
    if let Some(value) = &label.html_range {
        let what = "a range of HTML has start and end, each with xpath and offset";
        let range = read(label, value, HtmlRange::from_value, what)?;
        found.push(Box::new(move |kind, _| kind.html_range(range.clone())));
    }
    Ok(())
}

/// The shapes of a label, all of them.
fn shapes(label: &AddLabel) -> ModelResult<Vec<Draw<'_>>> {
    let mut found: Vec<Draw<'_>> = Vec::new();
    drawn_by_fields(label, &mut found)?;
    if let Some(list) = &label.polygon {
        found.push(Box::new(|kind, _| kind.polygon(&points(list))));
    }
    if let Some(list) = &label.polygons {
        let rings = |rings: &Vec<Vec<[f64; 2]>>| rings.iter().map(|ring| points(ring)).collect();
        let all: Vec<Vec<Vec<Point>>> = list.iter().map(rings).collect();
        found.push(Box::new(move |kind, _| kind.polygons(&all)));
    }
    if let Some(list) = &label.polyline {
        found.push(Box::new(|kind, _| kind.polyline(&points(list))));
    }
    if let Some([x, y]) = label.point {
        found.push(Box::new(move |kind, _| kind.point(x, y)));
    }
    if let Some([from, to]) = label.range {
        found.push(Box::new(move |kind, _| kind.range(from, to)));
    }
    if let Some(places) = &label.skeleton {
        found.push(Box::new(|kind, ontology| {
            let places = places.iter().map(|(name, [x, y])| (name.as_str(), *x, *y));
            let template = ontology.skeleton(&kind.feature_hash)?;
            kind.skeleton(&template.place(places)?)
        }));
    }
    Ok(found)
}

/// The one shape of a label, if it has any.
fn shape(label: &AddLabel) -> ModelResult<Option<Draw<'_>>> {
    let mut found = shapes(label)?;
    if found.len() > 1 {
        return refuse(label, "one shape makes one object; here are several");
    }
    Ok(found.pop())
}

/// Whether a label by name is an object: it has a shape, or frames with shapes.
pub(super) fn is_object(label: &AddLabel) -> ModelResult<bool> {
    Ok(!label.frames.is_empty() || shape(label)?.is_some())
}

/// The object of a label by name, in the order of its frames: one for each shape. The answers of the whole
/// object are with the first.
pub(super) fn objects<'o>(
    kind: &'o OntologyObject,
    ontology: &Ontology,
    label: &AddLabel,
) -> ModelResult<Vec<NewObject<'o>>> {
    if label.answer.is_some() {
        return refuse(
            label,
            "an object takes no answer; its questions are answered under \"attributes\"",
        );
    }
    let mut parts: Vec<(NewObject<'o>, &AddLabel)> = Vec::new();
    for (frame, part) in &label.frames {
        let at = |why: &str| refuse(label, &format!("on frame {frame} {why}"));
        let here = part.hash.is_some() || !part.name.is_empty() || part.answer.is_some();
        if here || part.frame != 0 || part.last_frame.is_some() || !part.frames.is_empty() {
            return at("stand only a shape, confidence, manual and attributes");
        }
        let Some(draw) = shape(part)? else {
            return at("there is no shape");
        };
        let new = draw(kind, ontology)?.on_frame(*frame);
        parts.push((rated(new, part, label)?, part));
    }
    let last = label.last_frame.unwrap_or(label.frame);
    if let Some(draw) = shape(label)? {
        if !parts.is_empty() {
            return refuse(label, "the shapes stand under \"frames\", or one beside it");
        }
        let new = draw(kind, ontology)?.on_frames(label.frame, last);
        parts.push((rated(new, label, label)?, label));
    } else if label.frame != 0 || label.last_frame.is_some() {
        return refuse(
            label,
            "\"frame\" and \"lastFrame\" belong to one shape; under \"frames\" each has its own",
        );
    }
    let mut spans: Vec<(u64, u64)> = label.frames.keys().map(|frame| (*frame, *frame)).collect();
    if spans.is_empty() {
        spans.push((label.frame, last));
    }
    let mut made = Vec::with_capacity(parts.len());
    for (n, (mut new, part)) in parts.into_iter().enumerate() {
        if n == 0 {
            new = with_attributes(new, kind, label, &label.attributes, &spans)?;
        }
        if !label.frames.is_empty() {
            new = with_attributes(new, kind, label, &part.attributes, &spans[n..=n])?;
        }
        made.push(new);
    }
    Ok(made)
}

/// With confidence and who made it, as its own frame has them, else as the label has.
fn rated<'o>(
    mut new: NewObject<'o>,
    part: &AddLabel,
    label: &AddLabel,
) -> ModelResult<NewObject<'o>> {
    if let Some(confidence) = part.confidence.or(label.confidence) {
        new = new.confidence(confidence)?;
    }
    Ok(match part.manual.or(label.manual) {
        Some(manual) => new.manual(manual),
        None => new,
    })
}

/// With answers to its attributes; dynamic ones hold on these frames.
fn with_attributes<'o>(
    new: NewObject<'o>,
    kind: &OntologyObject,
    label: &AddLabel,
    attributes: &Map<String, Value>,
    spans: &[(u64, u64)],
) -> ModelResult<NewObject<'o>> {
    in_any_order(new, attributes, |new, name, value| {
        let answer = given(label, value)?;
        let paths = paths_to(&kind.attributes, name);
        if !paths.iter().any(|(_, attribute)| attribute.dynamic) {
            return new.answer(name, answer);
        }
        spans.iter().try_fold(new, |new, (from, to)| {
            new.answer_on(name, answer.clone(), *from, *to)
        })
    })
}

/// A nested question can be answered only after the one above it, in whatever order they came.
fn in_any_order<T: Clone>(
    mut label: T,
    attributes: &Map<String, Value>,
    answer: impl Fn(T, &str, &Value) -> ModelResult<T>,
) -> ModelResult<T> {
    let mut open: Vec<(&String, &Value)> = attributes.iter().collect();
    while !open.is_empty() {
        let (before, mut later, mut why) = (open.len(), Vec::new(), None);
        for (name, value) in open {
            match answer(label.clone(), name, value) {
                Ok(answered) => label = answered,
                Err(error) => {
                    why.get_or_insert(error);
                    later.push((name, value));
                }
            }
        }
        match why {
            Some(error) if later.len() == before => return Err(error),
            _ => open = later,
        }
    }
    Ok(label)
}

/// The classification of a label by name.
pub(super) fn classification<'o>(
    kind: &'o OntologyClassification,
    label: &AddLabel,
    answer: &Value,
) -> ModelResult<NewClassification<'o>> {
    let mut new = kind.answer(given(label, answer)?)?;
    if let Some(confidence) = label.confidence {
        new = new.confidence(confidence)?;
    }
    if let Some(manual) = label.manual {
        new = new.manual(manual);
    }
    in_any_order(new, &label.attributes, |new, name, value| {
        new.nested(name, given(label, value)?)
    })
}

/// An answer as other languages give it.
pub(super) fn given(label: &AddLabel, answer: &Value) -> ModelResult<Answer> {
    match Answer::given(answer) {
        Some(answer) => Ok(answer),
        None => refuse(
            label,
            &format!("an answer is a text, a number or a list of texts, not {answer}"),
        ),
    }
}
