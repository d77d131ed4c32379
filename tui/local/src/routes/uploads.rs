//! Files that clients send: announced, sent to a signed URL, and made into items by a job. A job is
//! done before its first answer; it is kept, so that it can be asked about later.
//!
//! What a file is told to be and what it is must agree: see `media::upload`.

use std::io::Write as _;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::{get, post, put};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::Shared;
use crate::endpoint::Endpoint;
use crate::error::Refusal;
use crate::media::PART;
use crate::private;
use crate::routes::jobs::{self, JobBody};
use crate::routes::reply::{Answer, Page, Pairs, body, json_answer, json_bytes, uuid};
use crate::store::records::{self, Kind};
use crate::time;

/// How long a file may be sent after it was announced, in milliseconds.
const LIFE: i64 = 24 * 3600 * 1000;
/// No more URLs than this are given out at once.
const MOST: usize = 10_000;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/v2/public/presigned-urls", get(announce))
        .route(
            "/v2/public/storage/folders/{folder}/upload-signed-urls",
            post(announce_in_folder),
        )
        .route("/uploads/{item}", put(receive))
        .route(
            "/v2/public/storage/folders/{folder}/data-upload-jobs",
            post(start),
        )
        .route(
            "/v2/public/storage/folders/{folder}/data-upload-jobs/{job}",
            get(status),
        )
        .route(
            "/v2/public/storage/folders/{folder}/data-upload-jobs/{job}/cancel",
            post(cancel),
        )
}

/// Signed URLs, each for one item to come.
fn urls(app: &Shared, count: usize, item_type: &str) -> Answer {
    if crate::item::ItemKind::of_item_type(item_type).is_none_or(|k| !k.has_media())
        && item_type != "dicomFile"
    {
        return Err(Refusal::NotServed(format!(
            "a local project has no items of type {item_type:?}; it has image, video, audio, plainText and pdf"
        )));
    }
    if count > MOST {
        return Err(Refusal::Invalid(format!("at most {MOST} files at once")));
    }
    let expires = time::now() + LIFE;
    let one = |_| {
        let item = Uuid::new_v4();
        let seal = app.gate.seal(&format!("upload/{item}/{expires}"));
        json!({
            "itemUuid": item, "objectKey": format!("uploads/{item}"), "uploadHeaders": {},
            "signedUrl": format!("{}/uploads/{item}?expires={expires}&seal={seal}", app.domain),
        })
    };
    json_answer(&Page::whole((0..count).map(one).collect()))
}

async fn announce(State(app): State<Shared>, Query(pairs): Query<Vec<(String, String)>>) -> Answer {
    let pairs = Pairs(pairs);
    let count = pairs.first("count").and_then(|n| n.parse().ok());
    let count = count.ok_or_else(|| Refusal::Invalid("`count` is a number".to_owned()))?;
    urls(
        &app,
        count,
        pairs.first("uploadItemType").unwrap_or_default(),
    )
}

async fn announce_in_folder(
    State(app): State<Shared>,
    Path(folder): Path<String>,
    bytes: Bytes,
) -> Answer {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Sent {
        item_type: String,
        count: usize,
    }
    app.catalog().folder(uuid(&folder, "folder")?)?;
    let sent: Sent = body(&bytes)?;
    urls(&app, sent.count, &sent.item_type)
}

/// Takes a file. It is on disk before the answer; sent again, it replaces itself.
async fn receive(
    State(app): State<Shared>,
    Path(item): Path<String>,
    Query(pairs): Query<Vec<(String, String)>>,
    bytes: Bytes,
) -> Answer {
    let item = uuid(&item, "item")?;
    let pairs = Pairs(pairs);
    let expires = pairs.first("expires").unwrap_or_default();
    let seal = pairs.first("seal").unwrap_or_default();
    if !app.gate.sealed(&format!("upload/{item}/{expires}"), seal) {
        return Err(Refusal::Forbidden(
            "the URL's signature does not fit".to_owned(),
        ));
    }
    if expires.parse::<i64>().unwrap_or(0) < time::now() {
        return Err(Refusal::Forbidden(
            "the URL has expired; ask for another one".to_owned(),
        ));
    }
    let path = app.library.upload(item);
    let written = tokio::task::spawn_blocking(move || keep(&path, &bytes)).await;
    written
        .map_err(|e| Refusal::Internal(format!("an upload ended early: {e}")))?
        .map_err(|e| Refusal::Internal(format!("an upload could not be kept: {e}")))?;
    Ok(Response::new(axum::body::Body::empty()))
}

/// Writes a file under another name first, so that there is never half of one under its own.
pub(super) fn keep(path: &std::path::Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or_else(|| std::path::Path::new("."));
    private::folder(folder)?;
    let mut file = tempfile::Builder::new().prefix(PART).tempfile_in(folder)?;
    private::restrict_file(file.as_file())?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    // The name is on disk only once its folder is.
    #[cfg(unix)]
    std::fs::File::open(folder)?.sync_all()?;
    Ok(())
}

async fn start(State(app): State<Shared>, Path(folder): Path<String>, bytes: Bytes) -> Answer {
    let folder = app.catalog().folder(uuid(&folder, "folder")?)?.clone();
    let sent: JobBody = body(&bytes)?;
    let scope = folder.uuid;
    let done = jobs::run(&app, folder, None, sent).await?;
    let job = jobs::keep(&app, scope, done).await?;
    json_answer(&job)
}

async fn status(State(app): State<Shared>, Path((folder, job)): Path<(String, String)>) -> Answer {
    let (folder, job) = (uuid(&folder, "folder")?, uuid(&job, "job")?);
    let found = app
        .store
        .read(move |c| records::find(c, Kind::Job, job))
        .await?
        .filter(|r| r.scope == folder)
        .ok_or_else(|| Refusal::NotFound(format!("there is no upload job {job}")))?;
    let units = |key: &str| found.body[key].as_array().map_or(0, Vec::len);
    let items = found.body["made"].as_array().cloned().unwrap_or_default();
    let named = |m: &Value| json!({"itemUuid": m["backing_item_uuid"], "name": m["title"]});
    json_answer(&json!({
        "status": found.body["status"], "itemsWithNames": items.iter().map(named).collect::<Vec<_>>(),
        "errors": found.body["errors"], "unitErrors": jobs::unit_errors(&found), "fileName": null,
        "unitsPendingCount": 0, "unitsDoneCount": units("made"), "unitsErrorCount": units("errors"),
        "unitsCancelledCount": 0,
    }))
}

/// Jobs are done at once: there is never anything left to cancel.
async fn cancel() -> Answer {
    Ok(json_bytes(br#"{"unitsCancelledCount":0}"#.to_vec()))
}

/// What uploads are counted as.
pub(super) const COUNTED: Endpoint = Endpoint::UploadJobs;
