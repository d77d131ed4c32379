//! What happens to storage items as a whole: grouped, moved, deleted, and the summary of their uses.

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::{get, post};
use bytes::Bytes;
use rusqlite::Connection;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::app::Shared;
use crate::endpoint::Endpoint;
use crate::item::ItemKind;
use crate::media::Facts;
use crate::routes::reply::{Answer, body, json_answer, null, uuid};
use crate::store::exact::Object;
use crate::store::items;
use crate::store::units::{self, NewItem};
use crate::store::uses;
use crate::time;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route(
            "/v2/public/storage/folders/{folder}/items/{item}/summary",
            get(summary),
        )
        .route(
            "/v2/public/storage/folders/{folder}/items/move",
            post(move_items),
        )
        .route(
            "/v2/public/storage/folders/{folder}/items/delete",
            post(delete_items),
        )
        .route(
            "/v2/public/storage/folders/{folder}/create-group-items",
            post(create_groups),
        )
}

async fn summary(
    State(app): State<Shared>,
    Path((_folder, item)): Path<(String, String)>,
) -> Answer {
    let item = uuid(&item, "item")?;
    let catalog = app.catalog();
    let find = move |c: &Connection| {
        let mut found = items::by_uuid(c, &[item])?;
        let item = found.remove(0);
        let children = items::children(c, item.id)?;
        Ok((uses::uses(c, &item)?, item, children))
    };
    let (uses, item, children) = app.store.read(find).await?;
    let group = |g: &items::Data| {
        let folder = catalog.folder_of(g);
        json!({
            "uuid": g.item, "name": g.title, "itemType": g.kind.item_type(),
            "parentUuid": folder.map(|f| f.uuid), "parentName": folder.map(|f| f.name.clone()),
        })
    };
    let used = catalog.datasets.iter().filter_map(|d| {
        let of_it: Vec<_> = uses.units.iter().filter(|(id, ..)| *id == d.id).collect();
        let first = of_it.first()?;
        Some(json!({
            "datasetHash": d.uuid, "backingFolderUuid": d.mirror(), "title": d.title,
            "dataHashes": of_it.iter().map(|(_, hash, _)| hash).collect::<Vec<_>>(),
            "dataUnitsCreatedAt": time::iso(first.2),
        }))
    });
    let used: Vec<Value> = used.collect();
    let layout = (item.kind == ItemKind::Group).then(|| {
        let contents: Map<String, Value> = children
            .iter()
            .enumerate()
            .map(|(n, c)| {
                let child =
                    json!({"uuid": c.item, "name": c.title, "itemType": c.kind.item_type()});
                (n.to_string(), child)
            })
            .collect();
        json!({"layoutContents": contents, "layout": null, "layoutSettings": {}, "timeline": []})
    });
    json_answer(&json!({
        "frameInGroups": uses.groups.len(), "accessibleGroupItems": uses.groups.iter().map(group).collect::<Vec<_>>(),
        "usedInDatasets": used.len(), "accessibleDatasets": used, "groupLayout": layout,
    }))
}

async fn move_items(State(app): State<Shared>, Path(folder): Path<String>, bytes: Bytes) -> Answer {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Sent {
        item_uuids: Vec<Uuid>,
        new_parent_uuid: Uuid,
        #[serde(default)]
        allow_synced_dataset_move: bool,
    }
    let sent: Sent = body(&bytes)?;
    let catalog = app.catalog();
    let from = catalog.folder(uuid(&folder, "folder")?)?.clone();
    let to = catalog.folder(sent.new_parent_uuid)?.clone();
    let work = move |c: &Connection| {
        let allowed = sent.allow_synced_dataset_move;
        uses::move_items(c, &from, &to, &sent.item_uuids, allowed, time::now())
    };
    let changed = app.store.write(work).await?;
    app.tally.changed(Endpoint::ChangeItems, changed);
    Ok(null())
}

async fn delete_items(
    State(app): State<Shared>,
    Path(folder): Path<String>,
    bytes: Bytes,
) -> Answer {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Sent {
        child_uuids: Vec<Uuid>,
    }
    let sent: Sent = body(&bytes)?;
    let folder = app.catalog().folder(uuid(&folder, "folder")?)?.clone();
    let work = move |c: &Connection| uses::delete_items(c, &folder, &sent.child_uuids);
    let changed = app.store.write(work).await?;
    app.tally.changed(Endpoint::ChangeItems, changed);
    json_answer(&json!({"removedItemsCount": changed, "removedFoldersCount": 0}))
}

/// A data group to be made. Its layout is for people's eyes; only its contents matter here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GroupBody {
    layout_contents: Contents,
    name: Option<String>,
    client_metadata: Option<Object>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Contents {
    List(Vec<Uuid>),
    Named(Map<String, Value>),
}

impl Contents {
    fn uuids(&self) -> Result<Vec<Uuid>, crate::error::Refusal> {
        match self {
            Self::List(list) => Ok(list.clone()),
            Self::Named(map) => map
                .values()
                .map(|v| uuid(v.as_str().unwrap_or_default(), "item"))
                .collect(),
        }
    }
}

async fn create_groups(
    State(app): State<Shared>,
    Path(folder): Path<String>,
    bytes: Bytes,
) -> Answer {
    let sent: Vec<GroupBody> = body(&bytes)?;
    let folder = app.catalog().folder(uuid(&folder, "folder")?)?.clone();
    let work = move |c: &Connection| {
        let mut made = Vec::new();
        for group in sent {
            let members = group.layout_contents.uuids()?;
            let item = NewItem {
                uuid: Uuid::new_v4(),
                kind: ItemKind::Group,
                title: group.name.unwrap_or_else(|| "Data group".to_owned()),
                source: None,
                mime: None,
                facts: Facts::default(),
                size: None,
                metadata: group.client_metadata,
                children: Vec::new(),
            };
            units::insert_group(c, &folder, &item, &members, time::now())?;
            made.push(item.uuid);
        }
        Ok(made)
    };
    let made = app.store.write(work).await?;
    app.tally.changed(Endpoint::ChangeItems, made.len());
    json_answer(&made)
}
