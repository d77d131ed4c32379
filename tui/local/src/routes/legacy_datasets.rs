//! The legacy calls about one dataset: its rows, links, uploads and users.

use crate::routes::jobs::{self, JobBody};
use crate::routes::members::NewMembers;
use crate::routes::prelude::*;
use crate::routes::projects::CatalogFilter;
use crate::store::items::ItemPatch;
use crate::store::units::{self, Duplicates};
use crate::store::uses;

/// Roles of a dataset: 0 admin, 1 user.
const HIGHEST_ROLE: i64 = 1;

pub(super) async fn one(
    call: Call,
    InDataset(dataset): InDataset,
    Sent(asked): Sent<Option<DatasetQuery>>,
) -> Reply {
    #[derive(Serialize)]
    struct DatasetReply {
        #[serde(flatten)]
        fields: Value,
        #[serde(skip_serializing_if = "Option::is_none")]
        data_rows: Option<Box<RawValue>>,
    }
    let asked = asked.unwrap_or_default();
    let fields = json!({
        "dataset_hash": dataset.uuid, "title": dataset.title, "description": dataset.description,
        "dataset_type": "CORD_STORAGE", "backing_folder_uuid": dataset.mirror(),
    });
    let data_rows = match asked.dataset_access_settings.fetch_rows {
        true => Some(serde_json::from_slice(
            &data_rows(&call, &dataset, asked).await?,
        )?),
        false => None,
    };
    json_reply(&DatasetReply { fields, data_rows })
}

pub(super) async fn rows(
    call: Call,
    InDataset(dataset): InDataset,
    Sent(asked): Sent<Option<DatasetQuery>>,
) -> Reply {
    let rows = data_rows(&call, &dataset, asked.unwrap_or_default()).await?;
    Ok(json_bytes(rows))
}

async fn data_rows(
    call: &Call,
    dataset: &Dataset,
    asked: DatasetQuery,
) -> Result<Vec<u8>, Refusal> {
    let (app, dataset) = (call.app.clone(), dataset.id);
    let list = move |db: &Connection| {
        let found = match &asked.data_hashes {
            Some(hashes) => {
                let mut found = items::by_hash(db, hashes)?;
                found.retain(|d| d.dataset == dataset);
                found
            }
            None => items::list(db, Some(dataset), false, 0, usize::MAX >> 1)?,
        };
        let with_metadata = asked.dataset_access_settings.fetch_client_metadata;
        let fitting = found.iter().filter(|d| asked.fits(d));
        let rows = fitting.map(|d| data_row(&app, d, with_metadata));
        Ok(serde_json::to_vec(&rows.collect::<Vec<_>>())?)
    };
    call.store.read(list).await
}

/// The one unit that the call names, if it is in the dataset.
async fn unit(call: &Call, dataset: &Dataset, wanted: &[Uuid]) -> Result<Data, Refusal> {
    let (id, wanted) = (dataset.id, wanted.to_vec());
    let found = call.store.read(move |db| items::by_hash(db, &wanted));
    let found = found.await?.into_iter().find(|d| d.dataset == id);
    found.ok_or_else(|| not_found!("there is no such data unit in this dataset"))
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct RowOptions {
    additional_data: Additional,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Additional {
    signed_url: bool,
    client_metadata: bool,
    images_data_fetch_options: Option<Value>,
}

pub(super) async fn row(
    call: Call,
    InDataset(dataset): InDataset,
    Uids(wanted): Uids,
    Sent(asked): Sent<Option<RowOptions>>,
) -> Reply {
    let asked = asked.unwrap_or_default().additional_data;
    let unit = unit(&call, &dataset, &wanted).await?;
    let mut row = data_row(&call, &unit, asked.client_metadata);
    if asked.signed_url {
        row.fields["signed_url"] = json!(call.signed_url(&unit, false));
    }
    if let Some(options) = asked.images_data_fetch_options {
        let sign = options["fetch_signed_urls"] == true;
        let id = unit.id;
        let children = call.store.read(move |db| items::children(db, id)).await?;
        let image = |d: &Data| {
            json!({
                "image_hash": d.hash, "title": d.title, "file_link": d.link(), "file_type": d.mime,
                "file_size": call.size_of(d), "storage_location": 0,
                "created_at": time::long(d.created), "last_edited_at": time::long(d.edited),
                "width": d.width, "height": d.height,
                "signed_url": sign.then(|| call.signed_url(d, false)).flatten(),
            })
        };
        row.fields["images_data"] = children.iter().map(image).collect();
    }
    json_reply(&row)
}

/// The older way to change a unit's title or metadata.
pub(super) async fn save_row(
    call: Call,
    InDataset(dataset): InDataset,
    Uids(wanted): Uids,
    Sent(fields): Sent<std::collections::BTreeMap<String, Box<RawValue>>>,
) -> Reply {
    let before = unit(&call, &dataset, &wanted).await?;
    let known = ["client_metadata", "data_title", "title"];
    if let Some(other) = fields.keys().find(|k| !known.contains(&k.as_str())) {
        return Err(invalid!(
            "the field {other:?} of a data row cannot be changed"
        ));
    }
    let text = |key: &str| serde_json::from_str::<String>(fields.get(key)?.get()).ok();
    let metadata = fields.get("client_metadata");
    let patch = ItemPatch {
        name: text("data_title").or_else(|| text("title")),
        description: None,
        client_metadata: metadata.and_then(|m| JsonObject::parse(m.get().to_owned())),
    };
    call.change(move |tx| items::patch(tx, &[(before.item, patch)]))
        .await?;
    let after = unit(&call, &dataset, &wanted).await?;
    #[derive(Serialize)]
    struct Changed<'a> {
        updated_fields: Vec<&'a String>,
        data_row: DataRow,
    }
    json_reply(&Changed {
        updated_fields: fields.keys().collect(),
        data_row: data_row(&call, &after, true),
    })
}

#[derive(Deserialize)]
pub(super) struct Links {
    item_uuids: Vec<Uuid>,
    #[serde(default = "skip")]
    duplicates_behavior: Duplicates,
}

fn skip() -> Duplicates {
    Duplicates::Skip
}

pub(super) async fn link(call: Call, dataset: InDataset, Sent(asked): Sent<Links>) -> Reply {
    let link = call.write(move |tx| {
        let behaviour = asked.duplicates_behavior;
        let made = units::link(tx, dataset.id, &asked.item_uuids, behaviour)?;
        items::by_hash(tx, &made)
    });
    let made = link.await?;
    call.count(made.len());
    let rows: Vec<DataRow> = made.iter().map(|d| data_row(&call, d, false)).collect();
    json_reply(&rows)
}

pub(super) async fn delete(call: Call, dataset: InDataset, Uids(hashes): Uids) -> Reply {
    call.change(move |tx| uses::delete_units(tx, dataset.id, &hashes).map(|()| hashes.len()))
        .await
}

#[derive(Deserialize)]
pub(super) struct Renamed {
    video_hash: Uuid,
    title: String,
}

pub(super) async fn rename(call: Call, dataset: InDataset, sent: Sent<Vec<Renamed>>) -> Reply {
    call.change(move |tx| {
        for unit in sent.iter() {
            units::rename(tx, dataset.id, unit.video_hash, &unit.title)?;
        }
        Ok(sent.len())
    })
    .await?;
    Ok(json_bytes(r#"{"success":true}"#))
}

pub(super) async fn add_users(call: Call, dataset: InDataset, sent: Sent<NewMembers>) -> Reply {
    sent.0
        .add(&call, dataset.uuid, "dataset_hash", HIGHEST_ROLE)
        .await
}

pub(super) async fn start_job(call: Call, dataset: InDataset, Sent(sent): Sent<JobBody>) -> Reply {
    let Some(folder) = sent.folder_uuid.or(dataset.mirror()) else {
        return Err(invalid!(
            "this dataset has no folder of its own: name the storage folder of the new items (`folder_uuid`)"
        ));
    };
    let folder = Arc::clone(call.catalog().folder(folder)?);
    let done = jobs::run(&call, folder, Some(dataset.id), sent).await?;
    let job = jobs::keep(&call, dataset.uuid, done).await?;
    json_reply(&json!({"process_hash": job}))
}

#[derive(Deserialize)]
pub(super) struct JobQuery {
    process_hash: Uuid,
}

pub(super) async fn job_status(call: Call, dataset: InDataset, asked: Sent<JobQuery>) -> Reply {
    let found = jobs::find(&call, dataset.uuid, asked.process_hash).await?;
    let count = |key: &str| found.body[key].as_array().map_or(0, Vec::len);
    json_reply(&json!({
        "status": found.body["status"], "data_hashes_with_titles": found.body["made"],
        "errors": found.body["errors"], "data_unit_errors": jobs::unit_errors(&found),
        "units_pending_count": 0, "units_done_count": count("made"), "units_error_count": count("errors"),
        "units_cancelled_count": 0,
    }))
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct DatasetQuery {
    dataset_access_settings: AccessSettings,
    #[serde(flatten)]
    filter: CatalogFilter,
    data_types: Option<Vec<String>>,
    data_hashes: Option<Vec<Uuid>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AccessSettings {
    fetch_client_metadata: bool,
    fetch_rows: bool,
}

impl DatasetQuery {
    fn fits(&self, data: &Data) -> bool {
        let name = data.kind.upper_data_type();
        let is_of = |types: &Vec<String>| types.iter().any(|t| t.eq_ignore_ascii_case(name));
        let filter = &self.filter;
        filter.fits(&data.title, &data.description, data.created, data.edited)
            && self.data_types.as_ref().is_none_or(is_of)
    }
}

/// A data unit as legacy calls list it.
#[derive(Serialize)]
struct DataRow {
    #[serde(flatten)]
    fields: Value,
    client_metadata: Option<JsonObject>,
}

fn data_row(app: &App, data: &Data, with_metadata: bool) -> DataRow {
    let fields = json!({
        "data_hash": data.hash, "data_title": data.title, "data_type": data.kind.upper_data_type(),
        "created_at": time::long(data.created), "last_edited_at": time::long(data.edited),
        "width": data.width, "height": data.height, "file_link": data.kind.has_media().then(|| data.link()),
        "file_size": app.size_of(data), "file_type": data.mime, "storage_location": 0,
        "frames_per_second": data.fps, "duration": data.duration,
        "images_data": null, "signed_url": null,
        "is_optimised_image_group": data.kind == ItemKind::ImageSequence, "backing_item_uuid": data.item,
    });
    DataRow {
        fields,
        client_metadata: with_metadata.then(|| data.metadata()),
    }
}
