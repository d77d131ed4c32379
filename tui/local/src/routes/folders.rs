//! Storage folders: one per dataset, without a parent.

use axum::extract::{Path, State};
use serde_json::{Value, json};

use crate::app::Shared;
use crate::error::Refusal;
use crate::routes::reply::{Answer, Page, json_answer, uuid};
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

pub(super) async fn list(State(app): State<Shared>) -> Answer {
    let catalog = app.catalog();
    json_answer(&Page::whole(
        catalog.datasets.iter().map(|d| folder_json(d)).collect(),
    ))
}
