//! Saved filters. A filter is kept as it was sent; nothing here applies one.

use crate::routes::prelude::*;
use crate::routes::records::Described;

fn preset_json(p: &Record) -> Value {
    json!({
        "uuid": p.uuid, "name": p.name, "description": p.body["description"], "createdAt": time::iso(p.created),
        "lastUpdatedAt": time::iso(p.edited),
    })
}

pub(super) async fn list(call: Call, pairs: Pairs) -> Reply {
    let wanted = pairs.uuids("uuids")?;
    let read = call.store.read(|db| records::all(db, RecordKind::PRESET));
    let mut found = read.await?;
    found.retain(|p| wanted.is_empty() || wanted.contains(&p.uuid));
    json_reply(&Page::whole(found.iter().map(preset_json)))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewPreset {
    filter_preset_json: Value,
    #[serde(flatten)]
    described: Described,
}

pub(super) async fn create(call: Call, Sent(sent): Sent<NewPreset>) -> Reply {
    let id = Uuid::new_v4();
    let create = call.change(move |tx| {
        let description = &sent.described.description;
        let body = json!({"description": description, "filters": sent.filter_preset_json});
        records::put(
            tx,
            RecordKind::PRESET.global(id),
            sent.described.name()?,
            &body,
        )?;
        Ok(1)
    });
    create.await?;
    json_reply(&id)
}

pub(super) async fn one(call: Call, PresetId(id): PresetId) -> Reply {
    json_reply(&call.record(RecordKind::PRESET, id).await?.body["filters"])
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
) -> Reply {
    let change = call.edit_record(RecordKind::PRESET, id, |_, record| {
        sent.described.apply(record);
        if let Some(filters) = sent.filter_preset {
            record.body["filters"] = filters;
        }
        Ok(())
    });
    change.await?;
    Ok(call.null())
}

pub(super) async fn remove(call: Call, PresetId(id): PresetId) -> Reply {
    call.remove_record(RecordKind::PRESET, id, None).await
}
