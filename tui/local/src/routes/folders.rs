//! Storage folders: listed, created, changed, moved, deleted, summarised.

use std::collections::{BTreeMap, HashSet};

use crate::routes::listing::tree;
use crate::routes::prelude::*;
use crate::store::folders::FolderPatch;

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

pub(super) async fn one(call: Call, InFolder(folder): InFolder) -> Reply {
    json_reply(&folder_json(&call.catalog(), &folder))
}

/// A page of these folders, filtered and sorted as requested. All are in memory: the token is an index into
/// the list.
fn page(catalog: &Catalog, mut found: Vec<&Folder>, pairs: &Pairs) -> Reply {
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
    let size = pairs.page_size(100);
    let begin = usize::try_from(pairs.after()?).unwrap_or(0);
    let end = begin.saturating_add(size);
    let next = (found.len() > end).then(|| token(end as i64));
    let results = found.iter().skip(begin).take(size);
    json_reply(&Page {
        results: results.map(|f| folder_json(catalog, f)).collect(),
        next_page_token: next,
    })
}

pub(super) async fn list(call: Call, pairs: Pairs) -> Reply {
    let catalog = call.catalog();
    let top = catalog.folders.iter().filter(|f| f.parent.is_none());
    page(&catalog, top.map(|f| &**f).collect(), &pairs)
}

pub(super) async fn search(call: Call, pairs: Pairs) -> Reply {
    let catalog = call.catalog();
    let all = catalog.folders.iter().map(|f| &**f).collect();
    page(&catalog, all, &pairs)
}

pub(super) async fn below(call: Call, InFolder(folder): InFolder, pairs: Pairs) -> Reply {
    let catalog = call.catalog();
    let found = if pairs.flag("isRecursive") {
        tree(&catalog, &folder).split_off(1)
    } else {
        let below = catalog.folders.iter().map(|f| &**f);
        below.filter(|f| f.parent == Some(folder.id)).collect()
    };
    page(&catalog, found, &pairs)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewFolder {
    name: String,
    description: Option<String>,
    parent: Option<Uuid>,
    /// JSON inside a string.
    client_metadata: Option<String>,
    cloud_synced_folder_params: Option<Value>,
}

pub(super) async fn create(call: Call, Sent(sent): Sent<NewFolder>) -> Reply {
    if sent.cloud_synced_folder_params.is_some() {
        return Err(not_served!(
            "a local project has no cloud storage to mirror; make a plain folder and upload files"
        ));
    }
    if let Some(text) = &sent.client_metadata {
        serde_json::from_str::<JsonObject>(text)?;
    }
    let parent = match sent.parent {
        None => None,
        Some(wanted) => Some(call.catalog().folder(wanted)?.id),
    };
    let uuid = Uuid::new_v4();
    let create = call.change_catalog(move |tx| {
        let metadata = sent.client_metadata.as_deref();
        let description = sent.description.unwrap_or_default();
        let name = &sent.name;
        Ok(folders::create(
            tx,
            uuid,
            parent,
            name,
            &description,
            metadata,
        )?)
    });
    create.await?;
    answer_with(&call, uuid)
}

fn answer_with(call: &Call, folder: Uuid) -> Reply {
    let catalog = call.catalog();
    json_reply(&folder_json(&catalog, catalog.folder(folder)?))
}

pub(super) async fn patch_one(call: Call, folder: InFolder, patch: Sent<FolderPatch>) -> Reply {
    let uuid = folder.uuid;
    call.change_catalog(move |tx| folders::patch(tx, &[(uuid, patch.0)]))
        .await?;
    answer_with(&call, uuid)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Patches {
    folder_patches: BTreeMap<Uuid, FolderPatch>,
}

pub(super) async fn patch_bulk(call: Call, Sent(sent): Sent<Patches>) -> Reply {
    let patches: Vec<_> = sent.folder_patches.into_iter().collect();
    let uuids: HashSet<Uuid> = patches.iter().map(|(folder, _)| *folder).collect();
    call.change_catalog(move |tx| folders::patch(tx, &patches))
        .await?;
    let catalog = call.catalog();
    let found = catalog.folders.iter().filter(|f| uuids.contains(&f.uuid));
    json_reply(&Page::whole(found.map(|f| folder_json(&catalog, f))))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Moved {
    folder_uuids: Vec<Uuid>,
    new_parent_uuid: Option<Uuid>,
}

pub(super) async fn move_folders(call: Call, Sent(sent): Sent<Moved>) -> Reply {
    let catalog = call.catalog();
    let number = |folder: &Uuid| catalog.folder(*folder).map(|f| f.id);
    let moved = sent.folder_uuids.iter().map(number);
    let moved: Vec<i64> = moved.collect::<Result<_, _>>()?;
    let parent = sent.new_parent_uuid.as_ref().map(number).transpose()?;
    call.change_catalog(move |tx| folders::move_folders(tx, &moved, parent))
        .await
}

pub(super) async fn delete(call: Call, InFolder(folder): InFolder) -> Reply {
    call.change_catalog(move |tx| folders::delete(tx, &folder))
        .await
}

pub(super) async fn summary(call: Call, InFolder(folder): InFolder) -> Reply {
    let catalog = call.catalog();
    let below = |f: &&Arc<Folder>| f.parent == Some(folder.id);
    let subfolders = catalog.folders.iter().filter(below).count();
    let read = call.store.read(move |db| folders::summary(db, &folder));
    let found = read.await?;
    let count = |kind: ItemKind| {
        let of_kind = found.iter().filter(|(k, ..)| *k == kind);
        of_kind.map(|(_, n, _)| n).sum::<u64>()
    };
    json_reply(&json!({
        "files": found.iter().map(|(_, n, _)| n).sum::<u64>(), "folders": subfolders,
        "videos": count(ItemKind::Video), "images": count(ItemKind::Image),
        "imageGroups": count(ItemKind::ImageGroup), "imageSequences": count(ItemKind::ImageSequence),
        "dicomFiles": 0, "dicomSeries": 0, "niftis": 0, "audios": count(ItemKind::Audio),
        "pdfs": count(ItemKind::Pdf), "plainTexts": count(ItemKind::PlainText), "tombstones": 0,
        "uploadJobs": 0, "totalSize": found.iter().map(|(.., size)| size).sum::<u64>(),
    }))
}
