//! Storage folders: one per dataset, without a parent.

use axum::extract::{Path, Query, State};
use serde_json::{Value, json};

use crate::app::Shared;
use crate::error::Refusal;
use crate::routes::reply::{Answer, Page, Pairs, json_answer, uuid};
use crate::store::catalog::Dataset;
use crate::time;

fn folder_json(dataset: &Dataset) -> Value {
    json!({
        "uuid": dataset.folder, "parent": null, "name": dataset.title, "description": dataset.description,
        "clientMetadata": null, "owner": crate::world::build::OWNER, "createdAt": time::iso(dataset.created),
        "lastEditedAt": time::iso(dataset.edited), "userRole": "admin", "syncedDatasetHash": dataset.uuid,
        "pathToRoot": [], "folderType": "generic", "integrationHash": null, "remoteUrl": null,
    })
}

pub(super) async fn one(State(app): State<Shared>, Path(folder): Path<String>) -> Answer {
    let wanted = uuid(&folder, "folder")?;
    let catalog = app.catalog();
    let found = catalog.datasets.iter().find(|d| d.folder == wanted);
    let found =
        found.ok_or_else(|| Refusal::Forbidden(format!("there is no storage folder {wanted}")))?;
    json_answer(&folder_json(found))
}

pub(super) async fn list(
    State(app): State<Shared>,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Answer {
    let pairs = Pairs(pairs);
    let search = pairs.first("search").unwrap_or_default().to_lowercase();
    let catalog = app.catalog();
    let found = catalog
        .datasets
        .iter()
        .filter(|d| d.title.to_lowercase().contains(&search));
    json_answer(&Page::whole(found.map(|d| folder_json(d)).collect()))
}
