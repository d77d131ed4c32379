//! Collections of storage items, picked by hand.

use crate::routes::prelude::*;
use crate::routes::records::Described;
use crate::routes::storage::{show, signed};
use crate::store::items::COLUMNS;

fn collection_json(c: &Record) -> Value {
    json!({
        "uuid": c.uuid, "topLevelFolderUuid": c.scope, "name": c.name, "description": c.body["description"],
        "createdAt": time::iso(c.created), "lastEditedAt": time::iso(c.edited),
    })
}

pub(super) async fn list(call: Call, pairs: Pairs) -> Reply {
    let folder = pairs.uuids("topLevelFolderUuid")?.pop();
    let wanted = pairs.uuids("uuids")?;
    let read = call
        .store
        .read(|db| records::all(db, RecordKind::COLLECTION));
    let mut found = read.await?;
    found.retain(|c| {
        folder.is_none_or(|f| f == c.scope) && (wanted.is_empty() || wanted.contains(&c.uuid))
    });
    json_reply(&Page::whole(found.iter().map(collection_json)))
}

pub(super) async fn create(call: Call, pairs: Pairs, Sent(sent): Sent<Described>) -> Reply {
    let missing = || invalid!("`topLevelFolderUuid` is needed");
    let folder = pairs.uuids("topLevelFolderUuid")?.pop();
    let folder = folder.ok_or_else(missing)?;
    call.catalog().folder(folder)?;
    let id = Uuid::new_v4();
    let create = call.change(move |tx| {
        let body = json!({"description": sent.description, "items": []});
        records::put(
            tx,
            RecordKind::COLLECTION.of(folder, id),
            sent.name()?,
            &body,
        )?;
        Ok(1)
    });
    create.await?;
    json_reply(&id)
}

pub(super) async fn change(
    call: Call,
    CollectionId(id): CollectionId,
    Sent(sent): Sent<Described>,
) -> Reply {
    let change = call.edit_record(RecordKind::COLLECTION, id, |_, record| {
        sent.apply(record);
        Ok(())
    });
    change.await?;
    Ok(call.null())
}

pub(super) async fn remove(call: Call, CollectionId(id): CollectionId) -> Reply {
    call.remove_record(RecordKind::COLLECTION, id, None).await
}

fn members(record: &Record) -> Vec<Uuid> {
    serde_json::from_value(record.body["items"].clone()).unwrap_or_default()
}

pub(super) async fn items_of(call: Call, CollectionId(id): CollectionId, pairs: Pairs) -> Reply {
    let begin = usize::try_from(pairs.after()?).unwrap_or(0);
    let size = pairs.page_size(call.page_size);
    let all = members(&call.record(RecordKind::COLLECTION, id).await?);
    let next = (all.len() > begin + size).then_some(begin + size);
    let page: Vec<Uuid> = all.into_iter().skip(begin).take(size).collect();
    let show = show(&call, signed(&call, false), move |db| {
        // An item that has been deleted since is no longer in any collection.
        let existing = page.iter().filter_map(|item| items::one(db, *item).ok());
        Ok(existing.collect())
    });
    json_reply(&Page {
        results: show.await?,
        next_page_token: next.map(|n| token(n as i64)),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Items {
    item_uuids: Vec<Uuid>,
}

/// Adds existing items and returns the others.
fn put_in(db: &Connection, record: &mut Record, wanted: Vec<Uuid>) -> Vec<Uuid> {
    let mut all = members(record);
    let mut failed = Vec::new();
    for item in wanted {
        if items::one(db, item).is_err() {
            failed.push(item);
        } else if !all.contains(&item) {
            all.push(item);
        }
    }
    record.body["items"] = json!(all);
    failed
}

pub(super) async fn add_items(
    call: Call,
    CollectionId(id): CollectionId,
    Sent(sent): Sent<Items>,
) -> Reply {
    let add = call.edit_record(RecordKind::COLLECTION, id, |tx, record| {
        Ok(put_in(tx, record, sent.item_uuids))
    });
    json_reply(&json!({"failedItems": add.await?}))
}

pub(super) async fn remove_items(
    call: Call,
    CollectionId(id): CollectionId,
    Sent(sent): Sent<Items>,
) -> Reply {
    let remove = call.edit_record(RecordKind::COLLECTION, id, move |_, record| {
        let mut all = members(record);
        let wanted = sent.item_uuids.into_iter();
        let (gone, failed): (Vec<Uuid>, Vec<Uuid>) = wanted.partition(|i| all.contains(i));
        all.retain(|i| !gone.contains(i));
        record.body["items"] = json!(all);
        Ok(failed)
    });
    json_reply(&json!({"failedItems": remove.await?}))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Titles {
    data_titles: Vec<String>,
}

/// Adds the items with these titles, if a title is that of one item only.
pub(super) async fn add_titles(
    call: Call,
    CollectionId(id): CollectionId,
    Sent(sent): Sent<Titles>,
) -> Reply {
    let add = call.edit_record(RecordKind::COLLECTION, id, move |tx, record| {
        let mut find = tx.prepare(&format!(
            "SELECT {COLUMNS} FROM data d WHERE d.title = ?1 AND d.folder IS NOT 0 LIMIT 2"
        ))?;
        let (mut one, mut several, mut none) = (Vec::new(), Vec::new(), Vec::new());
        let mut titles = sent.data_titles;
        titles.sort_unstable();
        titles.dedup();
        let requested = titles.len();
        for title in titles {
            let found = find.query_map([&title], Data::read)?;
            match found.collect::<Result<Vec<_>, _>>()?.as_slice() {
                [] => none.push(title),
                [item] => one.push(item.item),
                _ => several.push(title),
            }
        }
        let before = members(record).len();
        let matched = one.len();
        let failed = put_in(tx, record, one);
        Ok(json!({
            "requested": requested, "matchedTitles": matched, "itemsAdded": members(record).len() - before,
            "ambiguousTitles": several, "unmatchedTitles": none, "failedItems": failed,
        }))
    });
    json_reply(&add.await?)
}

pub(super) async fn not_applied() -> Reply {
    Err(not_served!(
        "a local project keeps filter presets but does not apply them: add the items by UUID or title"
    ))
}
