//! Saved filters. A filter is kept as it was sent; nothing here applies one. Also what presets have in
//! common with collections: records with a name and a description.

use rusqlite::Connection;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::error::{Refusal, forbidden, invalid};
use crate::routes::extract::{Call, Pairs, PresetId, Sent};
use crate::routes::paging::Page;
use crate::routes::reply::{Answer, json_answer, null};
use crate::store::records::{self, Kind, Record};
use crate::store::tx::Tx;
use crate::time;

pub(super) fn find(db: &Connection, kind: Kind, id: Uuid) -> Result<Record, Refusal> {
    records::find(db, kind, id)?.ok_or_else(|| {
        forbidden!(
            "there is nothing with the UUID {id} on this server, or you have no access to it"
        )
    })
}

/// Reads a record, changes it, and writes it back.
pub(super) async fn edit<T: Send + 'static>(
    call: &Call,
    kind: Kind,
    id: Uuid,
    change: impl FnOnce(&Tx<'_>, &mut Record) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let edit = call.write(move |tx| {
        let mut record = find(tx, kind, id)?;
        let out = change(tx, &mut record)?;
        let key = kind.of(record.scope, id);
        records::put(tx, key, &record.name, &record.body)?;
        Ok(out)
    });
    let out = edit.await?;
    call.count(1);
    Ok(out)
}

pub(super) async fn remove_record(call: &Call, kind: Kind, id: Uuid) -> Answer {
    call.change(move |tx| {
        let scope = find(tx, kind, id)?.scope;
        records::remove(tx, kind.of(scope, id))?;
        Ok(1)
    })
    .await
}

/// A name and a description; what is absent stays as it is.
#[derive(Deserialize)]
pub(super) struct Described {
    name: Option<String>,
    pub description: Option<String>,
}

impl Described {
    pub(super) fn name(&self) -> Result<&str, Refusal> {
        let name = self.name.as_deref().filter(|n| !n.is_empty());
        name.ok_or_else(|| invalid!("a `name` is needed"))
    }

    pub(super) fn apply(self, record: &mut Record) {
        if let Some(name) = self.name {
            record.name = name;
        }
        if let Some(text) = self.description {
            record.body["description"] = json!(text);
        }
    }
}

fn preset_json(p: &Record) -> Value {
    json!({
        "uuid": p.uuid, "name": p.name, "description": p.body["description"], "createdAt": time::iso(p.created),
        "lastUpdatedAt": time::iso(p.edited),
    })
}

pub(super) async fn list(call: Call, pairs: Pairs) -> Answer {
    let wanted = pairs.uuids("uuids")?;
    let read = call.store.read(|db| records::all(db, Kind::Preset));
    let mut found = read.await?;
    found.retain(|p| wanted.is_empty() || wanted.contains(&p.uuid));
    json_answer(&Page::whole(found.iter().map(preset_json)))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewPreset {
    filter_preset_json: Value,
    #[serde(flatten)]
    described: Described,
}

pub(super) async fn create(call: Call, Sent(sent): Sent<NewPreset>) -> Answer {
    let id = Uuid::new_v4();
    let create = call.change(move |tx| {
        let description = &sent.described.description;
        let body = json!({"description": description, "filters": sent.filter_preset_json});
        records::put(tx, Kind::Preset.global(id), sent.described.name()?, &body)?;
        Ok(1)
    });
    create.await?;
    json_answer(&id)
}

pub(super) async fn one(call: Call, PresetId(id): PresetId) -> Answer {
    let read = call.store.read(move |db| find(db, Kind::Preset, id));
    json_answer(&read.await?.body["filters"])
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PresetPatch {
    filter_preset: Option<Value>,
    #[serde(flatten)]
    described: Described,
}

pub(super) async fn change(
    call: Call,
    PresetId(id): PresetId,
    Sent(sent): Sent<PresetPatch>,
) -> Answer {
    let change = edit(&call, Kind::Preset, id, |_, record| {
        sent.described.apply(record);
        if let Some(filters) = sent.filter_preset {
            record.body["filters"] = filters;
        }
        Ok(())
    });
    change.await?;
    Ok(null())
}

pub(super) async fn remove(call: Call, PresetId(id): PresetId) -> Answer {
    remove_record(&call, Kind::Preset, id).await
}
