//! Collections of storage items, picked by hand, and saved filters. A filter is kept as it came;
//! nothing here applies one.

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::routing::{get, patch, post};
use bytes::Bytes;
use rusqlite::Connection;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::Shared;
use crate::endpoint::Endpoint;
use crate::error::Refusal;
use crate::routes::reply::{Answer, Page, Pairs, body, json_answer, null, uuid};
use crate::routes::storage::{Show, show};
use crate::store::items;
use crate::store::records::{self, EVERYWHERE, Kind, Record};
use crate::time;

type QueryPairs = Query<Vec<(String, String)>>;

pub(super) fn routes() -> Router<Shared> {
    const ONE: &str = "/v2/public/index/collections/{collection}";
    let below = |rest: &str| format!("{ONE}/{rest}");
    Router::new()
        .route("/v2/public/index/collections", get(list).post(create))
        .route(ONE, patch(change).delete(remove))
        .route(&below("accessible-items"), get(items_of))
        .route(&below("all-items"), get(items_of))
        .route(&below("add-items"), post(add_items))
        .route(&below("remove-items"), post(remove_items))
        .route(&below("add-data-title-items"), post(add_titles))
        .route(&below("add-preset-items"), post(not_applied))
        .route(&below("remove-preset-items"), post(not_applied))
        .route("/v2/public/index/presets", get(presets).post(create_preset))
        .route(
            "/v2/public/index/presets/{preset}",
            get(preset).patch(change_preset).delete(remove_preset),
        )
}

fn find(connection: &Connection, kind: Kind, id: Uuid) -> Result<Record, Refusal> {
    records::find(connection, kind, id)?.ok_or_else(|| {
        Refusal::Forbidden(format!(
            "there is nothing with the UUID {id} on this server, or you have no access to it"
        ))
    })
}

/// Reads a record, changes it, writes it back.
async fn edit<T: Send + 'static>(
    app: &Shared,
    kind: Kind,
    id: Uuid,
    change: impl FnOnce(&Connection, &mut Record) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let work = move |c: &Connection| {
        let mut record = find(c, kind, id)?;
        let out = change(c, &mut record)?;
        records::put(
            c,
            kind,
            record.scope,
            id,
            &record.name,
            &record.body,
            time::now(),
        )?;
        Ok(out)
    };
    let out = app.store.write(work).await?;
    app.tally.changed(Endpoint::ChangeNotes, 1);
    Ok(out)
}

fn collection_json(c: &Record) -> Value {
    json!({
        "uuid": c.uuid, "topLevelFolderUuid": c.scope, "name": c.name, "description": c.body["description"],
        "createdAt": time::iso(c.created), "lastEditedAt": time::iso(c.edited),
    })
}

async fn list(State(app): State<Shared>, Query(pairs): QueryPairs) -> Answer {
    let pairs = Pairs(pairs);
    let folder = pairs.uuids("topLevelFolderUuid")?.pop();
    let wanted = pairs.uuids("uuids")?;
    let found = app
        .store
        .read(|c| records::all(c, Kind::Collection))
        .await?;
    let fitting = found.iter().filter(|c| {
        folder.is_none_or(|f| f == c.scope) && (wanted.is_empty() || wanted.contains(&c.uuid))
    });
    json_answer(&Page::whole(fitting.map(collection_json).collect()))
}

#[derive(Deserialize)]
struct Named {
    name: Option<String>,
    description: Option<String>,
}

impl Named {
    fn name(&self) -> Result<&str, Refusal> {
        let name = self.name.as_deref().filter(|n| !n.is_empty());
        name.ok_or_else(|| Refusal::Invalid("a `name` is needed".to_owned()))
    }

    fn apply(self, record: &mut Record) {
        record.name = self.name.unwrap_or_else(|| record.name.clone());
        if let Some(text) = self.description {
            record.body["description"] = json!(text);
        }
    }
}

async fn create(State(app): State<Shared>, Query(pairs): QueryPairs, bytes: Bytes) -> Answer {
    let folder = Pairs(pairs).uuids("topLevelFolderUuid")?.pop();
    let folder = folder.ok_or_else(|| Refusal::Invalid("`topLevelFolderUuid` is needed".into()))?;
    app.catalog().folder(folder)?;
    let sent: Named = body(&bytes)?;
    let id = Uuid::new_v4();
    let work = move |c: &Connection| {
        let body = json!({"description": sent.description, "items": []});
        records::put(
            c,
            Kind::Collection,
            folder,
            id,
            sent.name()?,
            &body,
            time::now(),
        )
    };
    app.store.write(work).await?;
    app.tally.changed(Endpoint::ChangeNotes, 1);
    json_answer(&id)
}

async fn change(State(app): State<Shared>, Path(collection): Path<String>, bytes: Bytes) -> Answer {
    let sent: Named = body(&bytes)?;
    let id = uuid(&collection, "collection")?;
    edit(&app, Kind::Collection, id, |_, record| {
        sent.apply(record);
        Ok(())
    })
    .await?;
    Ok(null())
}

async fn remove_record(app: &Shared, kind: Kind, text: &str) -> Answer {
    let id = uuid(text, "UUID")?;
    let work = move |c: &Connection| {
        let scope = find(c, kind, id)?.scope;
        records::remove(c, kind, scope, id)
    };
    app.store.write(work).await?;
    app.tally.changed(Endpoint::ChangeNotes, 1);
    Ok(null())
}

async fn remove(State(app): State<Shared>, Path(collection): Path<String>) -> Answer {
    remove_record(&app, Kind::Collection, &collection).await
}

fn members(record: &Record) -> Vec<Uuid> {
    serde_json::from_value(record.body["items"].clone()).unwrap_or_default()
}

async fn items_of(
    State(app): State<Shared>,
    Path(collection): Path<String>,
    Query(pairs): QueryPairs,
) -> Answer {
    let id = uuid(&collection, "collection")?;
    let pairs = Pairs(pairs);
    let begin = usize::try_from(pairs.after()?).unwrap_or(0);
    let size = pairs.first("pageSize").and_then(|n| n.parse().ok());
    let size: usize = size.unwrap_or(app.page_size).clamp(1, 1000);
    let list = move |c: &Connection| {
        let all = members(&find(c, Kind::Collection, id)?);
        let next = (all.len() > begin + size).then_some(begin + size);
        let page: Vec<Uuid> = all.into_iter().skip(begin).take(size).collect();
        Ok((page, next))
    };
    let (page, next) = app.store.read(list).await?;
    let how = Show {
        sign: false,
        expired: false,
    };
    let results = show(&app, how, move |c| {
        // An item that has been deleted since is no longer in any collection.
        let there = page
            .iter()
            .filter_map(|item| items::by_uuid(c, &[*item]).ok());
        Ok(there.flatten().collect())
    })
    .await?;
    json_answer(&Page {
        results,
        next_page_token: next.map(|n| crate::routes::reply::token(n as i64)),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ItemsBody {
    item_uuids: Vec<Uuid>,
}

/// Adds items that are there; answers with those that are not.
fn put_in(connection: &Connection, record: &mut Record, wanted: Vec<Uuid>) -> Vec<Uuid> {
    let mut all = members(record);
    let mut failed = Vec::new();
    for item in wanted {
        if items::by_uuid(connection, &[item]).is_err() {
            failed.push(item);
        } else if !all.contains(&item) {
            all.push(item);
        }
    }
    record.body["items"] = json!(all);
    failed
}

async fn add_items(
    State(app): State<Shared>,
    Path(collection): Path<String>,
    bytes: Bytes,
) -> Answer {
    let sent: ItemsBody = body(&bytes)?;
    let id = uuid(&collection, "collection")?;
    let failed = edit(&app, Kind::Collection, id, |c, record| {
        Ok(put_in(c, record, sent.item_uuids))
    })
    .await?;
    json_answer(&json!({"failedItems": failed}))
}

async fn remove_items(
    State(app): State<Shared>,
    Path(collection): Path<String>,
    bytes: Bytes,
) -> Answer {
    let sent: ItemsBody = body(&bytes)?;
    let id = uuid(&collection, "collection")?;
    let failed = edit(&app, Kind::Collection, id, move |_, record| {
        let mut all = members(record);
        let (gone, failed): (Vec<Uuid>, Vec<Uuid>) =
            sent.item_uuids.into_iter().partition(|i| all.contains(i));
        all.retain(|i| !gone.contains(i));
        record.body["items"] = json!(all);
        Ok(failed)
    })
    .await?;
    json_answer(&json!({"failedItems": failed}))
}

/// Adds the items with these names, where a name is that of one item only.
async fn add_titles(
    State(app): State<Shared>,
    Path(collection): Path<String>,
    bytes: Bytes,
) -> Answer {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Sent {
        data_titles: Vec<String>,
    }
    let sent: Sent = body(&bytes)?;
    let id = uuid(&collection, "collection")?;
    let answer = edit(&app, Kind::Collection, id, move |c, record| {
        let sql = format!(
            "SELECT {} FROM data d WHERE d.title = ?1 AND d.folder IS NOT 0 LIMIT 2",
            items::COLUMNS
        );
        let mut find = c.prepare(&sql)?;
        let (mut one, mut several, mut none) = (Vec::new(), Vec::new(), Vec::new());
        let mut titles = sent.data_titles;
        titles.sort_unstable();
        titles.dedup();
        let requested = titles.len();
        for title in titles {
            let found: Vec<items::Data> = find
                .query_map([&title], items::Data::read)?
                .collect::<Result<_, _>>()?;
            match found.as_slice() {
                [] => none.push(title),
                [item] => one.push(item.item),
                _ => several.push(title),
            }
        }
        let before = members(record).len();
        let matched = one.len();
        let failed = put_in(c, record, one);
        Ok(json!({
            "requested": requested, "matchedTitles": matched, "itemsAdded": members(record).len() - before,
            "ambiguousTitles": several, "unmatchedTitles": none, "failedItems": failed,
        }))
    })
    .await?;
    json_answer(&answer)
}

async fn not_applied() -> Answer {
    Err(Refusal::NotServed(
        "a local project keeps filter presets but does not apply them: add the items by UUID or title".to_owned(),
    ))
}

fn preset_json(p: &Record) -> Value {
    json!({
        "uuid": p.uuid, "name": p.name, "description": p.body["description"], "createdAt": time::iso(p.created),
        "lastUpdatedAt": time::iso(p.edited),
    })
}

async fn presets(State(app): State<Shared>, Query(pairs): QueryPairs) -> Answer {
    let wanted = Pairs(pairs).uuids("uuids")?;
    let found = app.store.read(|c| records::all(c, Kind::Preset)).await?;
    let fitting = found
        .iter()
        .filter(|p| wanted.is_empty() || wanted.contains(&p.uuid));
    json_answer(&Page::whole(fitting.map(preset_json).collect()))
}

async fn create_preset(State(app): State<Shared>, bytes: Bytes) -> Answer {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Sent {
        filter_preset_json: Value,
        #[serde(flatten)]
        named: Named,
    }
    let sent: Sent = body(&bytes)?;
    let id = Uuid::new_v4();
    let work = move |c: &Connection| {
        let body =
            json!({"description": sent.named.description, "filters": sent.filter_preset_json});
        let name = sent.named.name()?;
        records::put(c, Kind::Preset, EVERYWHERE, id, name, &body, time::now())
    };
    app.store.write(work).await?;
    app.tally.changed(Endpoint::ChangeNotes, 1);
    json_answer(&id)
}

async fn preset(State(app): State<Shared>, Path(preset): Path<String>) -> Answer {
    let id = uuid(&preset, "preset")?;
    let found = app.store.read(move |c| find(c, Kind::Preset, id)).await?;
    json_answer(&found.body["filters"])
}

async fn change_preset(
    State(app): State<Shared>,
    Path(preset): Path<String>,
    bytes: Bytes,
) -> Answer {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Sent {
        filter_preset: Option<Value>,
        #[serde(flatten)]
        named: Named,
    }
    let sent: Sent = body(&bytes)?;
    let id = uuid(&preset, "preset")?;
    edit(&app, Kind::Preset, id, |_, record| {
        sent.named.apply(record);
        if let Some(filters) = sent.filter_preset {
            record.body["filters"] = filters;
        }
        Ok(())
    })
    .await?;
    Ok(null())
}

async fn remove_preset(State(app): State<Shared>, Path(preset): Path<String>) -> Answer {
    remove_record(&app, Kind::Preset, &preset).await
}
