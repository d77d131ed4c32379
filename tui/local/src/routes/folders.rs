//! Storage folders: the tree of them, made, changed, moved, deleted, summed up.

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::routing::{get, patch, post};
use bytes::Bytes;
use rusqlite::Connection;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet};
use uuid::Uuid;

use crate::app::Shared;
use crate::endpoint::Endpoint;
use crate::error::Refusal;
use crate::item::ItemKind;
use crate::routes::listing::tree;
use crate::routes::reply::{Answer, Page, Pairs, body, json_answer, null, uuid};
use crate::store::catalog::Catalog;
use crate::store::exact::Object;
use crate::store::folders::{self, Folder, FolderPatch};
use crate::time;

type QueryPairs = Query<Vec<(String, String)>>;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/v2/public/storage/folders", get(list).post(create))
        .route("/v2/public/storage/folders/patch-bulk", patch(patch_bulk))
        .route("/v2/public/storage/folders/move", post(move_folders))
        .route("/v2/public/storage/search/folders", get(search))
        .route(
            "/v2/public/storage/folders/{folder}",
            get(one).patch(patch_one).delete(delete),
        )
        .route("/v2/public/storage/folders/{folder}/folders", get(below))
        .route("/v2/public/storage/folders/{folder}/summary", get(summary))
}

fn folder_json(catalog: &Catalog, folder: &Folder) -> Value {
    let by_id = |id: Option<i64>| catalog.folders.iter().find(|f| Some(f.id) == id);
    let dataset = |f: &Folder| {
        let found = catalog.datasets.iter().find(|d| Some(d.id) == f.dataset);
        found.map(|d| d.uuid)
    };
    let mut path = Vec::new();
    let mut at = by_id(folder.parent);
    while let Some(above) = at {
        let parent = by_id(above.parent);
        path.push(json!({
            "uuid": above.uuid, "parentUuid": parent.map(|p| p.uuid), "name": above.name,
            "syncedDatasetHash": dataset(above),
        }));
        at = parent;
    }
    json!({
        "uuid": folder.uuid, "parent": by_id(folder.parent).map(|p| p.uuid), "name": folder.name,
        "description": folder.description, "clientMetadata": folder.metadata, "owner": crate::world::build::OWNER,
        "createdAt": time::iso(folder.created), "lastEditedAt": time::iso(folder.edited), "userRole": "admin",
        "syncedDatasetHash": dataset(folder), "pathToRoot": path, "folderType": "generic",
        "integrationHash": null, "remoteUrl": null,
    })
}

async fn one(State(app): State<Shared>, Path(folder): Path<String>) -> Answer {
    let catalog = app.catalog();
    let folder = catalog.folder(uuid(&folder, "folder")?)?;
    json_answer(&folder_json(&catalog, folder))
}

/// Those of these folders that the query wants, in its order, a page of them. All are in memory:
/// the token is a place in the list.
fn page(catalog: &Catalog, mut found: Vec<&Folder>, pairs: &Pairs) -> Answer {
    let search = pairs.first("search").unwrap_or_default().to_lowercase();
    found.retain(|f| f.name.to_lowercase().contains(&search));
    if pairs.first("datasetSynced").is_some() {
        found.retain(|f| f.dataset.is_some() == pairs.flag("datasetSynced"));
    }
    // No folder of a local project carries tags.
    if pairs.all("organisationTagNamesAllof").next().is_some() {
        found.clear();
    }
    if pairs.first("order") == Some("createdAt") {
        found.sort_by_key(|f| f.id);
    } else {
        found.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
    }
    if pairs.flag("desc") {
        found.reverse();
    }
    let size = pairs
        .first("pageSize")
        .and_then(|n| n.parse::<usize>().ok());
    let size = size.unwrap_or(100).clamp(1, 1000);
    let begin = usize::try_from(pairs.after()?).unwrap_or(0);
    let end = begin.saturating_add(size);
    let next = (found.len() > end).then(|| crate::routes::reply::token(end as i64));
    let results = found.iter().skip(begin).take(size);
    json_answer(&Page {
        results: results.map(|f| folder_json(catalog, f)).collect(),
        next_page_token: next,
    })
}

async fn list(State(app): State<Shared>, Query(pairs): QueryPairs) -> Answer {
    let catalog = app.catalog();
    let top = catalog.folders.iter().filter(|f| f.parent.is_none());
    page(&catalog, top.map(|f| &**f).collect(), &Pairs(pairs))
}

async fn search(State(app): State<Shared>, Query(pairs): QueryPairs) -> Answer {
    let catalog = app.catalog();
    let all = catalog.folders.iter().map(|f| &**f).collect();
    page(&catalog, all, &Pairs(pairs))
}

async fn below(
    State(app): State<Shared>,
    Path(folder): Path<String>,
    Query(pairs): QueryPairs,
) -> Answer {
    let catalog = app.catalog();
    let folder = catalog.folder(uuid(&folder, "folder")?)?;
    let pairs = Pairs(pairs);
    let found = if pairs.flag("isRecursive") {
        tree(&catalog, folder).split_off(1)
    } else {
        let below = catalog.folders.iter().map(|f| &**f);
        below.filter(|f| f.parent == Some(folder.id)).collect()
    };
    page(&catalog, found, &pairs)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewFolder {
    name: String,
    description: Option<String>,
    parent: Option<Uuid>,
    /// JSON inside a string.
    client_metadata: Option<String>,
    cloud_synced_folder_params: Option<Value>,
}

async fn create(State(app): State<Shared>, bytes: Bytes) -> Answer {
    let sent: NewFolder = body(&bytes)?;
    if sent.cloud_synced_folder_params.is_some() {
        return Err(Refusal::NotServed(
            "a local project has no cloud storage to mirror; make a plain folder and upload files"
                .to_owned(),
        ));
    }
    if let Some(text) = &sent.client_metadata {
        serde_json::from_str::<Object>(text)?;
    }
    let parent = match sent.parent {
        None => None,
        Some(wanted) => Some(app.catalog().folder(wanted)?.id),
    };
    let uuid = Uuid::new_v4();
    let work = move |c: &Connection| {
        let description = sent.description.unwrap_or_default();
        let metadata = sent.client_metadata.as_deref();
        folders::create(
            c,
            uuid,
            parent,
            &sent.name,
            &description,
            metadata,
            time::now(),
        )
    };
    app.store.write(work).await?;
    changed(&app, 1).await?;
    answer_with(&app, uuid)
}

async fn changed(app: &Shared, n: usize) -> Result<(), Refusal> {
    app.tally.changed(Endpoint::ChangeFolders, n);
    app.reload().await
}

fn answer_with(app: &Shared, folder: Uuid) -> Answer {
    let catalog = app.catalog();
    json_answer(&folder_json(&catalog, catalog.folder(folder)?))
}

async fn patch_one(State(app): State<Shared>, Path(folder): Path<String>, bytes: Bytes) -> Answer {
    let folder = uuid(&folder, "folder")?;
    let patches = vec![(folder, body::<FolderPatch>(&bytes)?)];
    let n = app
        .store
        .write(move |c| folders::patch(c, &patches, time::now()))
        .await?;
    changed(&app, n).await?;
    answer_with(&app, folder)
}

async fn patch_bulk(State(app): State<Shared>, bytes: Bytes) -> Answer {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Sent {
        folder_patches: BTreeMap<Uuid, FolderPatch>,
    }
    let patches: Vec<_> = body::<Sent>(&bytes)?.folder_patches.into_iter().collect();
    let uuids: HashSet<Uuid> = patches.iter().map(|(folder, _)| *folder).collect();
    let n = app
        .store
        .write(move |c| folders::patch(c, &patches, time::now()))
        .await?;
    changed(&app, n).await?;
    let catalog = app.catalog();
    let found = catalog.folders.iter().filter(|f| uuids.contains(&f.uuid));
    json_answer(&Page::whole(
        found.map(|f| folder_json(&catalog, f)).collect(),
    ))
}

async fn move_folders(State(app): State<Shared>, bytes: Bytes) -> Answer {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Sent {
        folder_uuids: Vec<Uuid>,
        new_parent_uuid: Option<Uuid>,
    }
    let sent: Sent = body(&bytes)?;
    let catalog = app.catalog();
    let number = |folder: &Uuid| catalog.folder(*folder).map(|f| f.id);
    let moved: Vec<i64> = sent
        .folder_uuids
        .iter()
        .map(number)
        .collect::<Result<_, _>>()?;
    let parent = sent.new_parent_uuid.as_ref().map(number).transpose()?;
    let n = app
        .store
        .write(move |c| folders::move_folders(c, &moved, parent, time::now()))
        .await?;
    changed(&app, n).await?;
    Ok(null())
}

async fn delete(State(app): State<Shared>, Path(folder): Path<String>) -> Answer {
    let folder = app.catalog().folder(uuid(&folder, "folder")?)?.clone();
    app.store
        .write(move |c| folders::delete(c, &folder))
        .await?;
    changed(&app, 1).await?;
    Ok(null())
}

async fn summary(State(app): State<Shared>, Path(folder): Path<String>) -> Answer {
    let catalog = app.catalog();
    let folder = catalog.folder(uuid(&folder, "folder")?)?.clone();
    let subfolders = catalog
        .folders
        .iter()
        .filter(|f| f.parent == Some(folder.id))
        .count();
    let found = app
        .store
        .read(move |c| folders::summary(c, &folder))
        .await?;
    let count = |kind: ItemKind| {
        let of_kind = found.iter().filter(|(k, ..)| *k == kind);
        of_kind.map(|(_, n, _)| n).sum::<u64>()
    };
    json_answer(&json!({
        "files": found.iter().map(|(_, n, _)| n).sum::<u64>(), "folders": subfolders,
        "videos": count(ItemKind::Video), "images": count(ItemKind::Image),
        "imageGroups": count(ItemKind::ImageGroup), "imageSequences": count(ItemKind::ImageSequence),
        "dicomFiles": 0, "dicomSeries": 0, "niftis": 0, "audios": count(ItemKind::Audio),
        "pdfs": count(ItemKind::Pdf), "plainTexts": count(ItemKind::PlainText), "tombstones": 0,
        "uploadJobs": 0, "totalSize": found.iter().map(|(.., size)| size).sum::<u64>(),
    }))
}
