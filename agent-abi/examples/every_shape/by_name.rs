//! The same shapes by their names, as an agent in another language gives them back.

use agent_abi::model::LabelRow;
use serde_json::{Value, json};
use std::error::Error;

/// What an agent could give back for a row of this kind.
pub fn outcome(kind: &str) -> Value {
    let mut add = match kind {
        "audio" => vec![
            json!({"name": "Sound", "range": [10, 100], "attributes": {"Colour": "Red"}, "manual": false}),
        ],
        "plain_text" => {
            vec![json!({"name": "Word", "range": [0, 5], "attributes": {"Plate": "x"}})]
        }
        "html" => vec![json!({"name": "Word", "htmlRange": {
            "start": {"xpath": "/html[1]/body[1]/p[1]/text()[1]", "offset": 3},
            "end": {"xpath": "/html[1]/body[1]/p[2]/text()[1]", "offset": 9}}})],
        "video" => tracks(),
        "img_group" => on_frame(1, true),
        "pdf" => on_frame(0, false),
        _ => on_frame(0, true),
    };
    add.extend([
        json!({"name": "Weather", "answer": "Night", "manual": false}),
        json!({"name": "Notes", "answer": "a note", "confidence": 0.5}),
        json!({"name": "Tags", "answer": ["Dark", "Crowded"]}),
        json!({"name": "Scene", "answer": "a street"}),
    ]);
    json!({"add": add})
}

/// Every shape, on one frame. Pages of a PDF have no pixels for a mask.
fn on_frame(frame: u64, pixels: bool) -> Vec<Value> {
    let mut all = vec![
        json!({"name": "Box", "boundingBox": {"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4}, "confidence": 0.9, "manual": false,
            "attributes": {"Which": "mauve", "Colour": "Other", "Plate": "AB \"C\" ü", "Size": 3.5, "Marks": ["New", "Old"]}}),
        json!({"name": "Turned", "rotatableBoundingBox": {"x": 0.2, "y": 0.2, "w": 0.4, "h": 0.2, "theta": 30.0}}),
        json!({"name": "Area", "polygon": [[0.1, 0.1], [0.5, 0.1], [0.5, 0.5]]}),
        json!({"name": "Area", "polygons": [
            [[[0.1, 0.1], [0.5, 0.1], [0.5, 0.5]], [[0.2, 0.15], [0.3, 0.15], [0.3, 0.2]]], [[[0.6, 0.6], [0.7, 0.6], [0.7, 0.7]]]]}),
        json!({"name": "Line", "polyline": [[0.1, 0.1], [0.5, 0.1], [0.5, 0.5]]}),
        json!({"name": "Spot", "point": [0.25, 0.75]}),
        json!({"name": "Pose", "skeleton": {"tail": [0.75, 0.5], "head": [0.25, 0.5]}}),
        json!({"name": "Wheel", "ellipse": {"x": 0.5, "y": 0.5, "rx": 0.1, "ry": 0.2, "theta": 30.0}}),
        json!({"name": "Lamp", "circle": {"x": 0.5, "y": 0.5, "r": 0.125}}),
        json!({"name": "Crate", "cuboid_2d": {"front": [0.0, 0.0, 0.1, 0.0, 0.1, 0.1], "offset": {"x": 0.05, "y": -0.05}}}),
    ];
    if pixels {
        all.push(json!({"name": "Mask", "bitmask": {"rle": "U1o_20", "width": 64, "height": 48}}));
    }
    for label in &mut all {
        label["frame"] = json!(frame);
    }
    all
}

/// Objects over frames of a video: a track with a shape for each frame, one whose shape stays, the others.
fn tracks() -> Vec<Value> {
    let at = |x: f64| json!({"x": x, "y": 0.2, "w": 0.3, "h": 0.4});
    let mut all = on_frame(0, true);
    all.push(json!({"name": "Box", "confidence": 0.9, "manual": false, "attributes": {"Moving": ["Slow"], "Colour": "Red"},
        "frames": {
            "0": {"boundingBox": at(0.1)},
            "5": {"boundingBox": at(0.2), "confidence": 0.5, "attributes": {"Moving": ["Fast"]}},
            "11": {"boundingBox": at(0.3), "manual": true}}}));
    all.push(json!({"name": "Box", "boundingBox": at(0.4), "frame": 3, "lastFrame": 6, "attributes": {"Moving": "Slow"}}));
    all.push(json!({"name": "Mask", "frames": {
        "2": {"bitmask": {"rle": "U1o_20", "width": 64, "height": 48}}, "4": {"bitmask": {"rle": "U1o_20", "width": 64, "height": 48}}}}));
    all
}

/// Changes what is there by then: the first label is answered and another one goes.
pub fn change(row: &mut LabelRow) -> Result<(), Box<dyn Error>> {
    let objects: Vec<String> = row.objects().iter().map(|o| o.hash().to_owned()).collect();
    let (Some(first), Some(last)) = (objects.first(), objects.last()) else {
        return Err("nothing was drawn".into());
    };
    let tags = row.classification("Tags").map(|c| c.hash().to_owned());
    let mut answers = vec![
        json!({"hash": first, "name": "Plate", "value": "ZH 1"}),
        json!({"hash": tags, "value": ["Crowded"]}),
    ];
    let mut outcome = json!({});
    if row.frame_count() == Some(12) {
        answers
            .push(json!({"hash": first, "name": "Moving", "value": ["Fast"], "frames": [[0, 0]]}));
        outcome["remove"] = json!([last]);
        outcome["add"] = json!([{"hash": first, "frames": {
            "0": {"boundingBox": {"x": 0.5, "y": 0.5, "w": 0.1, "h": 0.1}},
            "1": {"boundingBox": {"x": 0.6, "y": 0.5, "w": 0.1, "h": 0.1}}}}]);
    }
    outcome["answer"] = Value::Array(answers);
    row.take_outcome(&serde_json::from_value(outcome)?)?;
    Ok(())
}
