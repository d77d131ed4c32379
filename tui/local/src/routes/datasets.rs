//! Datasets: listed and made. Their rows are read by the older API, in `legacy_datasets`.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::routing::{get, post};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::app::Shared;
use crate::endpoint::Endpoint;
use crate::error::Refusal;
use crate::routes::projects::{instant_filter, within};
use crate::routes::reply::{Answer, Pairs, body, json_answer};
use crate::store::catalog::Dataset;
use crate::store::folders::{self, NewDataset};
use crate::store::like;
use crate::time;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/v2/public/datasets", post(create))
        .route("/v2/public/datasets/list", get(list))
}

impl Dataset {
    /// The folder that holds exactly what the dataset holds, if it has one.
    pub(super) fn mirror(&self) -> Option<Uuid> {
        (!self.folder.is_nil()).then_some(self.folder)
    }
}

/// All datasets, with the caller's role. The key is `result` here, not `results`.
async fn list(State(app): State<Shared>, Query(pairs): Query<Vec<(String, String)>>) -> Answer {
    let pairs = Pairs(pairs);
    let equal = |key: &str, text: &str| pairs.first(key).is_none_or(|w| w == text);
    let like = |key: &str, text: &str| pairs.first(key).is_none_or(|w| like::matches_like(w, text));
    let created = instant_filter(&pairs, "createdAfter", "createdBefore")?;
    let edited = instant_filter(&pairs, "editedAfter", "editedBefore")?;
    let catalog = app.catalog();
    let fitting = catalog.datasets.iter().filter(|d| {
        equal("titleEq", &d.title)
            && like("titleLike", &d.title)
            && equal("descriptionEq", &d.description)
            && like("descriptionLike", &d.description)
            && within(created, d.created)
            && within(edited, d.edited)
    });
    let one = |d: &Arc<Dataset>| {
        json!({
            "datasetUuid": d.uuid, "title": d.title, "description": d.description, "createdAt": time::iso(d.created),
            "lastEditedAt": time::iso(d.edited), "userRole": "admin", "storageLocation": 0,
            "backingFolderUuid": d.mirror(),
        })
    };
    json_answer(&json!({"result": fitting.map(one).collect::<Vec<_>>()}))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DatasetBody {
    title: String,
    description: Option<String>,
    #[serde(default)]
    create_backing_folder: bool,
}

async fn create(State(app): State<Shared>, bytes: Bytes) -> Answer {
    let sent: DatasetBody = body(&bytes)?;
    let uuid = Uuid::new_v4();
    let folder = sent.create_backing_folder.then(Uuid::new_v4);
    let work = move |c: &rusqlite::Connection| {
        let new = NewDataset {
            uuid,
            folder,
            title: &sent.title,
            description: sent.description.as_deref().unwrap_or_default(),
        };
        folders::insert_dataset(c, &new, time::now()).map_err(Refusal::from)
    };
    app.store.write(work).await?;
    app.reload().await?;
    app.tally.changed(Endpoint::ChangeDatasets, 1);
    json_answer(&json!({"datasetUuid": uuid, "backingFolderUuid": folder}))
}
