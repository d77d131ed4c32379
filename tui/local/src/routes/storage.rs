//! Storage items: one, several, children, searches, and changes of their metadata.

use std::collections::BTreeMap;

use axum::Extension;
use axum::extract::{Path, Query, State};
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

type QueryPairs = Query<Vec<(String, String)>>;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ItemDto {
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
struct Show {
    sign: bool,
    expired: bool,
}

impl App {
    fn item(&self, folder: Uuid, data: Data, show: Show) -> ItemDto {
        let audio = data.kind == crate::item::ItemKind::Audio;
        // Looking up the size of a crop makes the crop: whoever asks for its URL wants it anyway.
        let size = data
            .size
            .or_else(|| self.library.size(data.source.as_ref()?));
        ItemDto {
            uuid: data.item,
            parent: folder,
            item_type: data.kind.item_type(),
            client_metadata: data.metadata().to_string(),
            owner: crate::world::build::OWNER,
            created_at: time::iso(data.created),
            last_edited_at: time::iso(data.edited),
            is_tombstone: false,
            is_placeholder: false,
            backed_data_units_count: 1,
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

    /// The folder of a dataset's items.
    fn folder_of(&self, dataset: i64) -> Uuid {
        self.catalog()
            .datasets
            .iter()
            .find(|d| d.id == dataset)
            .map_or_else(Uuid::nil, |d| d.folder)
    }
}

/// Reads items and shows them, away from the threads that serve connections: crops may be made.
async fn show(
    app: &Shared,
    how: Show,
    find: impl FnOnce(&Connection) -> Result<Vec<Data>, Refusal> + Send + 'static,
) -> Result<Vec<(i64, ItemDto)>, Refusal> {
    let here = Shared::clone(app);
    app.store
        .read(move |c| {
            let found = find(c)?;
            Ok(found
                .into_iter()
                .map(|d| (d.id, here.item(here.folder_of(d.dataset), d, how)))
                .collect())
        })
        .await
}

fn plain(items: Vec<(i64, ItemDto)>) -> Page<ItemDto> {
    Page::whole(items.into_iter().map(|(_, item)| item).collect())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BulkDto {
    item_uuids: Vec<Uuid>,
    #[serde(default)]
    sign_urls: bool,
}

pub(super) async fn bulk(
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
    json_answer(&plain(found))
}

pub(super) async fn one(
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
    json_answer(&found.first().map(|(_, item)| item))
}

pub(super) async fn children(
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
    json_answer(&plain(show(&app, how, find).await?))
}

/// The items of a folder that match a search text and are of some types, page by page.
async fn page(app: &Shared, folder: Option<Uuid>, pairs: &Pairs, spoil: Spoil) -> Answer {
    let dataset = match folder {
        None => None,
        Some(wanted) => {
            let found = app
                .catalog()
                .datasets
                .iter()
                .find(|d| d.folder == wanted)
                .map(|d| d.id);
            Some(found.ok_or_else(|| {
                Refusal::Forbidden(format!("there is no storage folder {wanted}"))
            })?)
        }
    };
    let after = pairs.after()?;
    let search = pairs.first("search").unwrap_or_default().to_lowercase();
    let types: Vec<String> = pairs.all("itemTypes").map(str::to_owned).collect();
    // Every item of a local project is in a dataset.
    let none = pairs
        .first("isInDataset")
        .is_some_and(|_| !pairs.flag("isInDataset"));
    let fits = move |d: &Data| {
        !none
            && d.title.to_lowercase().contains(&search)
            && (types.is_empty() || types.iter().any(|t| t == d.kind.item_type()))
    };
    let size = app.page_size;
    let how = Show {
        sign: pairs.flag("getSignedUrls") || pairs.flag("signUrls"),
        expired: spoil.expire,
    };
    let find = move |c: &Connection| {
        let mut found: Vec<Data> = Vec::new();
        let mut from = after;
        // A page of rows may hold few that fit: go on until this page is full.
        while found.len() <= size {
            let rows = items::list(c, dataset, false, from, size + 1)?;
            let Some(last) = rows.last() else { break };
            from = last.id;
            found.extend(rows.into_iter().filter(&fits));
        }
        found.truncate(size + 1);
        Ok(found)
    };
    let cut = Page::cut(show(app, how, find).await?, size, |(id, _)| *id);
    let next_page_token = cut.next_page_token;
    json_answer(&Page {
        results: cut.results.into_iter().map(|(_, i)| i).collect(),
        next_page_token,
    })
}

pub(super) async fn in_folder(
    State(app): State<Shared>,
    Path(folder): Path<String>,
    Query(pairs): QueryPairs,
    Extension(spoil): Extension<Spoil>,
) -> Answer {
    let folder = uuid(&folder, "folder")?;
    page(&app, Some(folder), &Pairs(pairs), spoil).await
}

pub(super) async fn search(
    State(app): State<Shared>,
    Query(pairs): QueryPairs,
    Extension(spoil): Extension<Spoil>,
) -> Answer {
    page(&app, None, &Pairs(pairs), spoil).await
}

async fn apply(
    app: &Shared,
    patches: Vec<(Uuid, ItemPatch)>,
) -> Result<Vec<(i64, ItemDto)>, Refusal> {
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

pub(super) async fn patch_one(
    State(app): State<Shared>,
    Path((_folder, item)): Path<(String, String)>,
    bytes: Bytes,
) -> Answer {
    let item = uuid(&item, "item")?;
    let changed = apply(&app, vec![(item, body(&bytes)?)]).await?;
    json_answer(&changed.first().map(|(_, item)| item))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BulkPatchDto {
    item_patches: BTreeMap<Uuid, ItemPatch>,
}

pub(super) async fn patch_bulk(State(app): State<Shared>, bytes: Bytes) -> Answer {
    let sent: BulkPatchDto = body(&bytes)?;
    json_answer(&plain(
        apply(&app, sent.item_patches.into_iter().collect()).await?,
    ))
}
