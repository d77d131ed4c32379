//! Storage items: one, several, children, and changes of their metadata. Lists are in `listing`.

use std::collections::BTreeMap;

use axum::Extension;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::routing::{get, patch, post};
use bytes::Bytes;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::app::{App, Shared};
use crate::endpoint::Endpoint;
use crate::error::Refusal;
use crate::routes::door::Spoil;
use crate::routes::reply::{Answer, Page, Pairs, body, json_answer, uuid};
use crate::store::items::{self, Data, ItemPatch};
use crate::store::rows::audio_codec;
use crate::time;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/v2/public/storage/items/get-bulk", post(bulk))
        .route("/v2/public/storage/items/patch-bulk", patch(patch_bulk))
        .route("/v2/public/storage/items/{item}", get(one))
        .route(
            "/v2/public/storage/folders/{folder}/items/{item}",
            patch(patch_one),
        )
        .route(
            "/v2/public/storage/folders/{folder}/items/{item}/child-items",
            get(children),
        )
}

type QueryPairs = Query<Vec<(String, String)>>;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ItemDto {
    uuid: Uuid,
    parent: Uuid,
    item_type: &'static str,
    name: String,
    description: String,
    /// JSON inside a string, as the API has it.
    client_metadata: String,
    owner: &'static str,
    created_at: String,
    last_edited_at: String,
    is_tombstone: bool,
    is_placeholder: bool,
    backed_data_units_count: u32,
    storage_location: &'static str,
    integration_hash: Option<Uuid>,
    url: Option<String>,
    signed_url: Option<String>,
    file_size: Option<u64>,
    mime_type: Option<String>,
    duration: Option<f64>,
    fps: Option<f64>,
    height: Option<u32>,
    width: Option<u32>,
    dicom_instance_uid: Option<String>,
    dicom_study_uid: Option<String>,
    dicom_series_uid: Option<String>,
    frame_count: Option<u32>,
    audio_sample_rate: Option<u32>,
    audio_bit_depth: Option<u32>,
    audio_codec: Option<&'static str>,
    audio_num_channels: Option<u32>,
}

/// How items are to be shown.
#[derive(Clone, Copy)]
pub(super) struct Show {
    pub sign: bool,
    pub expired: bool,
}

impl App {
    fn item(&self, folder: Uuid, units: u32, data: Data, show: Show) -> ItemDto {
        let audio = data.kind == crate::item::ItemKind::Audio;
        let size = self.size_of(&data);
        ItemDto {
            uuid: data.item,
            parent: folder,
            item_type: data.kind.item_type(),
            client_metadata: data.metadata().get().to_owned(),
            owner: crate::world::build::OWNER,
            created_at: time::iso(data.created),
            last_edited_at: time::iso(data.edited),
            is_tombstone: false,
            is_placeholder: false,
            backed_data_units_count: units,
            storage_location: "encord",
            integration_hash: None,
            url: data.kind.has_media().then(|| data.link()),
            signed_url: show
                .sign
                .then(|| self.signed_url(&data, show.expired))
                .flatten(),
            file_size: size,
            duration: data.duration,
            fps: data.fps,
            height: data.height,
            width: data.width,
            dicom_instance_uid: None,
            dicom_study_uid: None,
            dicom_series_uid: None,
            frame_count: data.frames,
            audio_sample_rate: data.rate,
            audio_bit_depth: audio.then_some(16),
            audio_codec: audio.then(|| audio_codec(&data)),
            audio_num_channels: audio.then_some(1),
            name: data.title,
            description: data.description,
            mime_type: data.mime,
        }
    }
}

/// Reads items and shows them, away from the threads that serve connections: crops may be made.
pub(super) async fn show(
    app: &Shared,
    how: Show,
    find: impl FnOnce(&Connection) -> Result<Vec<Data>, Refusal> + Send + 'static,
) -> Result<Vec<ItemDto>, Refusal> {
    let here = Shared::clone(app);
    let catalog = app.catalog();
    app.store
        .read(move |c| {
            let one = |d: Data| {
                let folder = catalog.folder_of(&d).map_or_else(Uuid::nil, |f| f.uuid);
                let units = items::unit_count(c, &d)?;
                Ok(here.item(folder, units, d, how))
            };
            find(c)?.into_iter().map(one).collect()
        })
        .await
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BulkDto {
    item_uuids: Vec<Uuid>,
    #[serde(default)]
    sign_urls: bool,
}

async fn bulk(
    State(app): State<Shared>,
    Extension(spoil): Extension<Spoil>,
    bytes: Bytes,
) -> Answer {
    let sent: BulkDto = body(&bytes)?;
    let how = Show {
        sign: sent.sign_urls,
        expired: spoil.expire,
    };
    let found = show(&app, how, move |c| items::by_uuid(c, &sent.item_uuids)).await?;
    json_answer(&Page::whole(found))
}

async fn one(
    State(app): State<Shared>,
    Path(item): Path<String>,
    Query(pairs): QueryPairs,
    Extension(spoil): Extension<Spoil>,
) -> Answer {
    let item = uuid(&item, "item")?;
    let how = Show {
        sign: Pairs(pairs).flag("signUrl"),
        expired: spoil.expire,
    };
    let found = show(&app, how, move |c| items::by_uuid(c, &[item])).await?;
    json_answer(&found.first())
}

async fn children(
    State(app): State<Shared>,
    Path((_folder, item)): Path<(String, String)>,
    Query(pairs): QueryPairs,
    Extension(spoil): Extension<Spoil>,
) -> Answer {
    let item = uuid(&item, "item")?;
    let how = Show {
        sign: Pairs(pairs).flag("signUrls"),
        expired: spoil.expire,
    };
    let find = move |c: &Connection| {
        let parent = items::by_uuid(c, &[item])?;
        parent
            .first()
            .map_or_else(|| Ok(Vec::new()), |p| items::children(c, p.id))
    };
    json_answer(&Page::whole(show(&app, how, find).await?))
}

async fn apply(app: &Shared, patches: Vec<(Uuid, ItemPatch)>) -> Result<Vec<ItemDto>, Refusal> {
    let uuids: Vec<Uuid> = patches.iter().map(|(item, _)| *item).collect();
    let changed = app
        .store
        .write(move |c| items::patch(c, &patches, time::now()))
        .await?;
    app.tally.changed(Endpoint::PatchItems, changed);
    show(
        app,
        Show {
            sign: false,
            expired: false,
        },
        move |c| items::by_uuid(c, &uuids),
    )
    .await
}

async fn patch_one(
    State(app): State<Shared>,
    Path((_folder, item)): Path<(String, String)>,
    bytes: Bytes,
) -> Answer {
    let item = uuid(&item, "item")?;
    let changed = apply(&app, vec![(item, body(&bytes)?)]).await?;
    json_answer(&changed.first())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BulkPatchDto {
    item_patches: BTreeMap<Uuid, ItemPatch>,
}

async fn patch_bulk(State(app): State<Shared>, bytes: Bytes) -> Answer {
    let sent: BulkPatchDto = body(&bytes)?;
    json_answer(&Page::whole(
        apply(&app, sent.item_patches.into_iter().collect()).await?,
    ))
}
