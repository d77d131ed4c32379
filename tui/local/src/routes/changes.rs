//! Groups, moves and deletes storage items; summarises their uses.

use serde_json::Map;

use crate::routes::prelude::*;
use crate::store::units::{self, NewItem};
use crate::store::uses;

pub(super) async fn summary(call: Call, ItemId(item): ItemId) -> Reply {
    let catalog = call.catalog();
    let find = move |db: &Connection| {
        let item = items::one(db, item)?;
        let children = items::children(db, item.id)?;
        Ok((uses::uses(db, &item)?, item, children))
    };
    let (uses, item, children) = call.store.read(find).await?;
    let group = |g: &Data| {
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
    json_reply(&json!({
        "frameInGroups": uses.groups.len(), "accessibleGroupItems": uses.groups.iter().map(group).collect::<Vec<_>>(),
        "usedInDatasets": used.len(), "accessibleDatasets": used, "groupLayout": layout,
    }))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Moved {
    item_uuids: Vec<Uuid>,
    new_parent_uuid: Uuid,
    #[serde(default)]
    allow_synced_dataset_move: bool,
}

pub(super) async fn move_items(call: Call, from: InFolder, Sent(sent): Sent<Moved>) -> Reply {
    let to = call.catalog().folder(sent.new_parent_uuid)?.clone();
    call.change(move |tx| {
        let allowed = sent.allow_synced_dataset_move;
        uses::move_items(tx, &from, &to, &sent.item_uuids, allowed)
    })
    .await
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Deleted {
    child_uuids: Vec<Uuid>,
}

pub(super) async fn delete_items(call: Call, folder: InFolder, sent: Sent<Deleted>) -> Reply {
    let delete = call.write(move |tx| uses::delete_items(tx, &folder, &sent.child_uuids));
    let deleted = delete.await?;
    call.count(deleted);
    json_reply(&json!({"removedItemsCount": deleted, "removedFoldersCount": 0}))
}

/// A data group to be created. Its visual layout is ignored.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DataGroupBody {
    layout_contents: Contents,
    name: Option<String>,
    client_metadata: Option<JsonObject>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Contents {
    List(Vec<Uuid>),
    Named(Map<String, Value>),
}

impl Contents {
    fn uuids(&self) -> Result<Vec<Uuid>, Refusal> {
        match self {
            Self::List(list) => Ok(list.clone()),
            Self::Named(map) => map
                .values()
                .map(|v| uuid(v.as_str().unwrap_or_default(), "item"))
                .collect(),
        }
    }
}

pub(super) async fn create_groups(
    call: Call,
    InFolder(folder): InFolder,
    Sent(sent): Sent<Vec<DataGroupBody>>,
) -> Reply {
    let create = call.write(move |tx| {
        let mut made = Vec::new();
        for group in sent {
            let members = group.layout_contents.uuids()?;
            let title = group.name.unwrap_or_else(|| "Data group".to_owned());
            let mut item = NewItem::new(Uuid::new_v4(), ItemKind::Group, title);
            item.metadata = group.client_metadata;
            units::insert_group(tx, &folder, &item, &members)?;
            made.push(item.uuid);
        }
        Ok(made)
    });
    let made = create.await?;
    call.count(made.len());
    json_reply(&made)
}
