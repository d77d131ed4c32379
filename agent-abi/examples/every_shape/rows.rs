//! The ontology with every shape, and rows of every kind of data that nobody has labelled yet.

use agent_abi::wire::RowDoc;
use serde_json::{Value, json};

pub fn editor() -> Value {
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
pub fn blank(kind: &str, images: usize) -> RowDoc {
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
