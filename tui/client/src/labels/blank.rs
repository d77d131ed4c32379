//! The empty label row of a data unit that has none yet, made from its metadata.
//!
//! Asking the platform for it would create one, and a dry run writes nothing.

use serde::Deserialize;
use serde_json::{Map, Value, json};

/// What a blob takes over from a `labelrowmetadata` row.
#[derive(Deserialize)]
struct Metadata {
    data_hash: String,
    data_title: String,
    data_type: String,
    #[serde(default)]
    data_link: Value,
    dataset_hash: Value,
    dataset_title: Value,
    branch_name: Value,
    #[serde(default)]
    label_status: Value,
    #[serde(default)]
    annotation_task_status: Value,
    #[serde(default)]
    is_shadow_data: Value,
    #[serde(default)]
    file_type: Value,
    #[serde(default)]
    width: Value,
    #[serde(default)]
    height: Value,
    #[serde(default)]
    duration: Value,
    #[serde(default)]
    frames_per_second: Value,
    #[serde(default)]
    audio_codec: Value,
    #[serde(default)]
    audio_sample_rate: Value,
    #[serde(default)]
    audio_bit_depth: Value,
    #[serde(default)]
    audio_num_channels: Value,
    #[serde(default)]
    images_data: Option<Vec<Image>>,
}

#[derive(Deserialize)]
struct Image {
    index: u64,
    title: Value,
    #[serde(default)]
    file_type: Value,
    #[serde(default)]
    height: Value,
    #[serde(default)]
    width: Value,
    image_hash: String,
}

/// Makes the blob. Image groups need `images_data` in their metadata.
///
/// # Errors
/// When the metadata lack a field: serde's words, which name it.
pub(crate) fn blank(metadata: &[u8]) -> Result<Value, serde_json::Error> {
    let mut meta: Metadata = serde_json::from_slice(metadata)?;
    let units = units(&mut meta);
    Ok(json!({
        "label_hash": null,
        "branch_name": meta.branch_name,
        "created_at": null,
        "last_edited_at": null,
        "data_hash": meta.data_hash,
        "dataset_hash": meta.dataset_hash,
        "dataset_title": meta.dataset_title,
        "data_title": meta.data_title,
        "data_type": meta.data_type.to_lowercase(),
        "annotation_task_status": meta.annotation_task_status,
        "is_shadow_data": meta.is_shadow_data.as_bool().unwrap_or(false),
        "object_answers": {},
        "classification_answers": {},
        "object_actions": {},
        "label_status": meta.label_status.as_str().unwrap_or("NOT_LABELLED"),
        "data_units": units,
        "spaces": {},
    }))
}

fn units(meta: &mut Metadata) -> Map<String, Value> {
    let kind = meta.data_type.to_lowercase();
    if kind == "img_group"
        && let Some(images) = meta.images_data.take().filter(|list| !list.is_empty())
    {
        return images.into_iter().map(group_unit).collect();
    }
    let mut unit = Map::new();
    let mut put = |key: &str, value: &Value| unit.insert(key.to_owned(), value.clone());
    put("data_hash", &json!(meta.data_hash));
    put("data_title", &json!(meta.data_title));
    put("data_link", &meta.data_link);
    put("data_type", &meta.file_type);
    put("data_sequence", &json!(0));
    match kind.as_str() {
        "image" => {
            put("width", &meta.width);
            put("height", &meta.height);
        }
        "audio" => {
            put("audio_codec", &meta.audio_codec);
            put("audio_sample_rate", &meta.audio_sample_rate);
            put("audio_bit_depth", &meta.audio_bit_depth);
            put("audio_num_channels", &meta.audio_num_channels);
            put("data_duration", &meta.duration);
        }
        "pdf" => {
            put("width", &json!(0));
            put("height", &json!(0));
            put("data_fps", &json!(0));
        }
        "video" | "img_group" => {
            put("width", &meta.width);
            put("height", &meta.height);
            put("data_duration", &meta.duration);
            put("data_fps", &meta.frames_per_second);
        }
        _ => {}
    }
    let labels = match kind.as_str() {
        "image" | "group" => json!({"objects": [], "classifications": []}),
        _ => json!({}),
    };
    put("labels", &labels);
    Map::from_iter([(meta.data_hash.clone(), Value::Object(unit))])
}

fn group_unit(image: Image) -> (String, Value) {
    let unit = json!({
        "data_hash": image.image_hash,
        "data_title": image.title,
        "data_link": "",
        "data_type": image.file_type,
        "data_sequence": image.index.to_string(),
        "width": image.width,
        "height": image.height,
        "labels": {"objects": [], "classifications": []},
    });
    (image.image_hash, unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row as the platform saved it, with its labels taken out.
    fn emptied(name: &str) -> Value {
        let path = format!("{}/tests/rows/save-{name}.json", env!("CARGO_MANIFEST_DIR"));
        let mut blob: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        for key in ["label_hash", "created_at", "last_edited_at"] {
            blob[key] = Value::Null;
        }
        for key in ["object_answers", "classification_answers", "object_actions"] {
            blob[key] = json!({});
        }
        blob["label_status"] = json!("NOT_LABELLED");
        for unit in blob["data_units"].as_object_mut().unwrap().values_mut() {
            let still = unit["data_type"].as_str().unwrap().starts_with("image/");
            unit["labels"] = if still {
                json!({"objects": [], "classifications": []})
            } else {
                json!({})
            };
        }
        blob
    }

    /// The metadata that the platform would give for that row.
    fn metadata(blob: &Value) -> Value {
        let units = blob["data_units"].as_object().unwrap();
        let unit = units.values().next().unwrap();
        let images: Vec<Value> = units
            .values()
            .map(|unit| {
                json!({
                    "index": unit["data_sequence"].as_str().unwrap_or("0").parse::<u64>().unwrap(),
                    "title": unit["data_title"], "file_type": unit["data_type"],
                    "height": unit["height"], "width": unit["width"], "image_hash": unit["data_hash"],
                })
            })
            .collect();
        json!({
            "label_hash": null, "branch_name": blob["branch_name"], "data_hash": blob["data_hash"],
            "dataset_hash": blob["dataset_hash"], "dataset_title": blob["dataset_title"],
            "data_title": blob["data_title"],
            "data_type": blob["data_type"].as_str().unwrap().to_uppercase(),
            "data_link": unit["data_link"], "label_status": "NOT_LABELLED", "number_of_frames": 1,
            "annotation_task_status": blob["annotation_task_status"],
            "file_type": unit["data_type"], "width": unit["width"], "height": unit["height"],
            "duration": unit["data_duration"], "frames_per_second": unit["data_fps"],
            "audio_codec": unit["audio_codec"], "audio_sample_rate": unit["audio_sample_rate"],
            "audio_bit_depth": unit["audio_bit_depth"],
            "audio_num_channels": unit["audio_num_channels"],
            "images_data": images, "spaces": {},
        })
    }

    #[test]
    fn a_blank_row_has_the_shape_of_a_saved_one_for_every_type() {
        for name in ["image", "video", "img_group", "audio", "plain_text"] {
            let mut expected = emptied(name);
            let made = blank(metadata(&expected).to_string().as_bytes()).unwrap();
            if name == "img_group" {
                // Metadata do not say where each image lies.
                for unit in expected["data_units"].as_object_mut().unwrap().values_mut() {
                    unit["data_link"] = json!("");
                }
            }
            assert_eq!(made, expected, "{name}");
        }
    }

    #[test]
    fn missing_metadata_are_named() {
        let error = blank(br#"{"data_hash":"x"}"#).unwrap_err();
        assert!(
            error.to_string().contains("missing field `data_title`"),
            "{error}"
        );
    }
}
