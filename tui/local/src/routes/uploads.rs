//! Uploads: announced, sent to a signed URL, and turned into items by a job. A job finishes before its first
//! response; its result is stored for later queries. `media::upload` checks that files are of the
//! announced type.

use std::io::Write as _;

use axum::response::Response;

use crate::media::PART;
use crate::private;
use crate::routes::jobs::{self, JobBody};
use crate::routes::media::check_url;
use crate::routes::prelude::*;

/// How long an upload URL is valid, in milliseconds.
const LIFE: i64 = 24 * 3600 * 1000;
/// The maximum number of URLs per request.
const MOST: usize = 10_000;

/// Signed URLs, each for one future item.
fn urls(call: &Call, count: usize, item_type: &str) -> Reply {
    if ItemKind::of_item_type(item_type).is_none_or(|k| !k.has_media()) && item_type != "dicomFile"
    {
        return Err(not_served!(
            "a local project has no items of type {item_type:?}; it has image, video, audio, plainText and pdf"
        ));
    }
    if count > MOST {
        return Err(invalid!("at most {MOST} files at once"));
    }
    let expires = time::now() + LIFE;
    let one = |_| {
        let item = Uuid::new_v4();
        let seal = call.keyring.seal(&format!("upload/{item}/{expires}"));
        json!({
            "itemUuid": item, "objectKey": format!("uploads/{item}"), "uploadHeaders": {},
            "signedUrl": format!("{}/uploads/{item}?expires={expires}&seal={seal}", call.domain),
        })
    };
    json_reply(&Page::whole((0..count).map(one)))
}

pub(super) async fn announce(call: Call, pairs: Pairs) -> Reply {
    let count = pairs.first("count").and_then(|n| n.parse().ok());
    let count = count.ok_or_else(|| invalid!("`count` is not a number"))?;
    let item_type = pairs.first("uploadItemType").unwrap_or_default();
    urls(&call, count, item_type)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Announced {
    item_type: String,
    count: usize,
}

pub(super) async fn announce_in_folder(call: Call, _: InFolder, sent: Sent<Announced>) -> Reply {
    urls(&call, sent.count, &sent.item_type)
}

/// Stores a file. It is on disk before the response; a repeated upload replaces it.
pub(super) async fn receive(call: Call, ItemId(item): ItemId, pairs: Pairs) -> Reply {
    check_url(&call, &pairs, &format!("upload/{item}"))?;
    let (path, bytes) = (call.library.upload(item), call.body.clone());
    let written = tokio::task::spawn_blocking(move || keep(&path, &bytes)).await;
    written
        .map_err(|e| internal!("an upload ended early: {e}"))?
        .map_err(|e| internal!("an upload could not be kept: {e}"))?;
    Ok(Response::new(axum::body::Body::empty()))
}

/// Writes a file under a temporary name and renames it, so that it is complete or missing.
pub(super) fn keep(path: &std::path::Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or_else(|| std::path::Path::new("."));
    private::folder(folder)?;
    let mut file = tempfile::Builder::new().prefix(PART).tempfile_in(folder)?;
    private::restrict_file(file.as_file())?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    // A rename is durable only once its folder is synced.
    #[cfg(unix)]
    std::fs::File::open(folder)?.sync_all()?;
    Ok(())
}

pub(super) async fn start(call: Call, folder: InFolder, Sent(sent): Sent<JobBody>) -> Reply {
    let scope = folder.uuid;
    let done = jobs::run(&call, folder.0, None, sent).await?;
    json_reply(&jobs::keep(&call, scope, done).await?)
}

pub(super) async fn status(call: Call, FolderId(folder): FolderId, JobId(job): JobId) -> Reply {
    let found = jobs::find(&call, folder, job).await?;
    let units = |key: &str| found.body[key].as_array().map_or(0, Vec::len);
    let items = found.body["made"].as_array().cloned().unwrap_or_default();
    let named = |m: &Value| json!({"itemUuid": m["backing_item_uuid"], "name": m["title"]});
    json_reply(&json!({
        "status": found.body["status"], "itemsWithNames": items.iter().map(named).collect::<Vec<_>>(),
        "errors": found.body["errors"], "unitErrors": jobs::unit_errors(&found), "fileName": null,
        "unitsPendingCount": 0, "unitsDoneCount": units("made"), "unitsErrorCount": units("errors"),
        "unitsCancelledCount": 0,
    }))
}

/// Jobs finish before their first answer: there is never anything left to cancel.
pub(super) async fn cancel() -> Reply {
    Ok(json_bytes(r#"{"unitsCancelledCount":0}"#))
}
