//! The spaces of a data group (its parts that can be labelled), as in row metadata. Their labels are
//! stored with the row, under the same hashes.

use rusqlite::Connection;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::error::Refusal;
use crate::item::ItemKind;
use crate::store::items::{self, Data};

/// Spaces by hash, in order.
#[derive(Debug)]
pub(crate) struct Spaces(Vec<(Uuid, Value)>);

impl Serialize for Spaces {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(hash, space)| (hash, space)))
    }
}

/// The spaces of a data group by the hashes of their data units. Other types have none, nor does an image
/// group within a group.
pub(crate) fn spaces(db: &Connection, data: &Data) -> Result<Spaces, Refusal> {
    let mut out = Vec::new();
    if data.kind != ItemKind::Group {
        return Ok(Spaces(out));
    }
    for (position, child) in items::children(db, data.id)?.iter().enumerate() {
        let Some(mut space) = space(db, child)? else {
            continue;
        };
        space["labels"] = json!({});
        space["child_info"] = json!({
            "layout_key": position.to_string(), "file_name": child.title, "data_link": child.link(),
        });
        out.push((child.hash, space));
    }
    Ok(Spaces(out))
}

fn space(db: &Connection, child: &Data) -> Result<Option<Value>, Refusal> {
    let (width, height) = (child.width, child.height);
    Ok(Some(match child.kind {
        ItemKind::Image => json!({"space_type": "image", "width": width, "height": height}),
        ItemKind::Video => json!({
            "space_type": "video", "number_of_frames": child.frames, "width": width, "height": height,
            "data_duration": child.duration, "data_fps": child.fps,
        }),
        ItemKind::ImageSequence => {
            let frame = |(n, picture): (usize, &Data)| {
                json!({
                    "data_uuid": picture.hash, "data_type": "image/jpeg", "data_sequence": n,
                    "data_link": child.link(), "data_title": picture.title,
                })
            };
            let pictures = items::pictures(db, child)?;
            let frames: Vec<Value> = pictures.iter().enumerate().map(frame).collect();
            json!({
                "space_type": "image_sequence", "number_of_frames": child.frames, "width": width, "height": height,
                "frames": frames,
            })
        }
        ItemKind::Audio => {
            let length = child.duration.unwrap_or_default() * 1000.0;
            json!({"space_type": "audio", "duration_ms": length.round() as i64})
        }
        ItemKind::PlainText if child.mime.as_deref() == Some("text/html") => {
            json!({"space_type": "html"})
        }
        ItemKind::PlainText => json!({"space_type": "text"}),
        ItemKind::Pdf => json!({"space_type": "pdf", "number_of_pages": child.frames}),
        ItemKind::ImageGroup | ItemKind::Group => return Ok(None),
    }))
}
