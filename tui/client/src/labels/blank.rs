//! The empty label row of a data unit that has none yet, made from its metadata.
//!
//! Asking the platform for it would create one, and a dry run writes nothing.

use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;
use std::borrow::Cow;
use wb_core::work::wire::text;

/// A value that is passed on as the platform wrote it; `None` for null and for what is not there.
type Raw<'a> = Option<&'a RawValue>;

/// What a blob takes over from a `labelrowmetadata` row.
#[derive(Deserialize)]
struct Metadata<'a> {
    #[serde(borrow)]
    data_hash: Cow<'a, str>,
    #[serde(borrow)]
    data_title: &'a RawValue,
    #[serde(borrow)]
    data_type: Cow<'a, str>,
    #[serde(borrow, default)]
    data_link: Raw<'a>,
    #[serde(borrow)]
    dataset_hash: &'a RawValue,
    #[serde(borrow)]
    dataset_title: &'a RawValue,
    #[serde(borrow)]
    branch_name: &'a RawValue,
    #[serde(borrow, default)]
    label_status: Raw<'a>,
    #[serde(borrow, default)]
    annotation_task_status: Raw<'a>,
    #[serde(borrow, default)]
    is_shadow_data: Raw<'a>,
    #[serde(borrow, default)]
    file_type: Raw<'a>,
    #[serde(borrow, default)]
    width: Raw<'a>,
    #[serde(borrow, default)]
    height: Raw<'a>,
    #[serde(borrow, default)]
    duration: Raw<'a>,
    #[serde(borrow, default)]
    frames_per_second: Raw<'a>,
    #[serde(borrow, default)]
    audio_codec: Raw<'a>,
    #[serde(borrow, default)]
    audio_sample_rate: Raw<'a>,
    #[serde(borrow, default)]
    audio_bit_depth: Raw<'a>,
    #[serde(borrow, default)]
    audio_num_channels: Raw<'a>,
    #[serde(borrow, default)]
    images_data: Option<Vec<Image<'a>>>,
}

#[derive(Deserialize)]
struct Image<'a> {
    index: u64,
    #[serde(borrow)]
    title: &'a RawValue,
    #[serde(borrow, default)]
    file_type: Raw<'a>,
    #[serde(borrow, default)]
    height: Raw<'a>,
    #[serde(borrow, default)]
    width: Raw<'a>,
    #[serde(borrow)]
    image_hash: Cow<'a, str>,
}

/// A label row without labels, as the platform writes it.
#[derive(Serialize)]
struct Blob<'a> {
    label_hash: (),
    branch_name: &'a RawValue,
    created_at: (),
    last_edited_at: (),
    data_hash: &'a str,
    dataset_hash: &'a RawValue,
    dataset_title: &'a RawValue,
    data_title: &'a RawValue,
    data_type: &'a str,
    annotation_task_status: Raw<'a>,
    is_shadow_data: bool,
    object_answers: Nothing,
    classification_answers: Nothing,
    object_actions: Nothing,
    label_status: Field<'a>,
    #[serde(serialize_with = "by_hash")]
    data_units: Vec<Unit<'a>>,
    spaces: Nothing,
}

/// `{}`
#[derive(Serialize)]
struct Nothing {}

/// A value of a unit.
#[derive(Serialize)]
#[serde(untagged)]
enum Field<'a> {
    Raw(Raw<'a>),
    Number(u8),
    Word(&'static str),
    Text(String),
}

#[derive(Serialize)]
#[serde(untagged)]
enum Labels {
    Lists {
        objects: [(); 0],
        classifications: [(); 0],
    },
    Frames {},
}

/// A data unit of the row; what its kind does not have is left out.
#[derive(Serialize)]
struct Unit<'a> {
    data_hash: &'a str,
    data_title: &'a RawValue,
    data_link: Field<'a>,
    data_type: Raw<'a>,
    data_sequence: Field<'a>,
    #[serde(flatten)]
    extent: Extent<'a>,
    labels: Labels,
}

/// How large a data unit is, in the terms of its kind.
#[derive(Serialize)]
#[serde(untagged)]
enum Extent<'a> {
    Picture {
        width: Raw<'a>,
        height: Raw<'a>,
    },
    Sound {
        audio_codec: Raw<'a>,
        audio_sample_rate: Raw<'a>,
        audio_bit_depth: Raw<'a>,
        audio_num_channels: Raw<'a>,
        data_duration: Raw<'a>,
    },
    Pages {
        width: u8,
        height: u8,
        data_fps: u8,
    },
    Film {
        width: Raw<'a>,
        height: Raw<'a>,
        data_duration: Raw<'a>,
        data_fps: Raw<'a>,
    },
    None {},
}

/// Makes the blob, as JSON. Image groups need `images_data` in their metadata.
///
/// # Errors
/// When the metadata lack a field: serde's words, which name it.
pub(crate) fn blank(metadata: &[u8]) -> Result<Vec<u8>, serde_json::Error> {
    let meta: Metadata<'_> = serde_json::from_slice(metadata)?;
    let kind = meta.data_type.to_lowercase();
    let status = meta.label_status.filter(|raw| raw.get().starts_with('"'));
    let blob = Blob {
        label_hash: (),
        branch_name: meta.branch_name,
        created_at: (),
        last_edited_at: (),
        data_hash: &meta.data_hash,
        dataset_hash: meta.dataset_hash,
        dataset_title: meta.dataset_title,
        data_title: meta.data_title,
        data_type: &kind,
        annotation_task_status: meta.annotation_task_status,
        is_shadow_data: meta.is_shadow_data.is_some_and(|raw| raw.get() == "true"),
        object_answers: Nothing {},
        classification_answers: Nothing {},
        object_actions: Nothing {},
        label_status: status.map_or(Field::Word("NOT_LABELLED"), |raw| Field::Raw(Some(raw))),
        data_units: units(&meta, &kind),
        spaces: Nothing {},
    };
    // Values that are passed on unread may hold anything that is not a JSON tree.
    let blob = serde_json::to_string(&blob)?;
    text::check(&blob)?;
    Ok(blob.into_bytes())
}

fn units<'a>(meta: &'a Metadata<'a>, kind: &str) -> Vec<Unit<'a>> {
    if kind == "img_group"
        && let Some(images) = meta.images_data.as_ref().filter(|list| !list.is_empty())
    {
        return images.iter().map(group_unit).collect();
    }
    let extent = match kind {
        "image" => Extent::Picture {
            width: meta.width,
            height: meta.height,
        },
        "audio" => Extent::Sound {
            audio_codec: meta.audio_codec,
            audio_sample_rate: meta.audio_sample_rate,
            audio_bit_depth: meta.audio_bit_depth,
            audio_num_channels: meta.audio_num_channels,
            data_duration: meta.duration,
        },
        "pdf" => Extent::Pages {
            width: 0,
            height: 0,
            data_fps: 0,
        },
        "video" | "img_group" => Extent::Film {
            width: meta.width,
            height: meta.height,
            data_duration: meta.duration,
            data_fps: meta.frames_per_second,
        },
        _ => Extent::None {},
    };
    vec![Unit {
        data_hash: &meta.data_hash,
        data_title: meta.data_title,
        data_link: Field::Raw(meta.data_link),
        data_type: meta.file_type,
        data_sequence: Field::Number(0),
        extent,
        labels: match kind {
            "image" | "group" => LISTS,
            _ => Labels::Frames {},
        },
    }]
}

const LISTS: Labels = Labels::Lists {
    objects: [],
    classifications: [],
};

fn group_unit<'a>(image: &'a Image<'a>) -> Unit<'a> {
    Unit {
        data_hash: &image.image_hash,
        data_title: image.title,
        data_link: Field::Word(""),
        data_type: image.file_type,
        data_sequence: Field::Text(image.index.to_string()),
        extent: Extent::Picture {
            width: image.width,
            height: image.height,
        },
        labels: LISTS,
    }
}

fn by_hash<S: Serializer>(units: &[Unit<'_>], to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(units.iter().map(|unit| (unit.data_hash, unit)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

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
            let made: Value = serde_json::from_slice(&made).unwrap();
            if name == "img_group" {
                // Metadata do not contain the address of each image.
                for unit in expected["data_units"].as_object_mut().unwrap().values_mut() {
                    unit["data_link"] = json!("");
                }
            }
            assert_eq!(made, expected, "{name}");
        }
    }

    #[test]
    fn a_value_that_nobody_can_read_is_refused_here() {
        let row = |width: &str| {
            format!(
                r#"{{"data_hash": "h", "data_title": "t", "data_type": "IMAGE", "dataset_hash": null,
                "dataset_title": null, "branch_name": "main", "width": {width}}}"#
            )
        };
        assert!(blank(row("640").as_bytes()).is_ok());
        let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
        assert!(blank(row("1e999").as_bytes()).is_ok());
        for wrong in [r#""\ud800""#, &deep] {
            assert!(blank(row(wrong).as_bytes()).is_err(), "{wrong}");
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
