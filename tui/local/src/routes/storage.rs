//! Storage items: one, several, children, and changes of their metadata. Lists are in `listing`.

use std::collections::BTreeMap;

use crate::routes::prelude::*;
use crate::store::items::ItemPatch;
use crate::store::rows::AudioFacts;

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

/// How an item's URL is to be signed, if at all.
#[derive(Clone, Copy)]
pub(super) struct Signing {
    wanted: bool,
    expired: bool,
}

/// Signs URLs if `wanted`, as injected faults demand.
pub(super) fn signed(call: &Call, wanted: bool) -> Signing {
    let expired = call.injected.expire;
    Signing { wanted, expired }
}

impl App {
    fn item(&self, folder: Uuid, units: u32, data: Data, signing: Signing) -> ItemDto {
        let audio = AudioFacts::of(&data);
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
            signed_url: match signing.wanted {
                true => self.signed_url(&data, signing.expired),
                false => None,
            },
            file_size: size,
            duration: data.duration,
            fps: data.fps,
            height: data.height,
            width: data.width,
            dicom_instance_uid: None,
            dicom_study_uid: None,
            dicom_series_uid: None,
            frame_count: data.frames,
            audio_sample_rate: audio.audio_sample_rate,
            audio_bit_depth: audio.audio_bit_depth,
            audio_codec: audio.audio_codec,
            audio_num_channels: audio.audio_num_channels,
            name: data.title,
            description: data.description,
            mime_type: data.mime,
        }
    }
}

/// Reads items and converts them, off the async threads: crops may have to be created.
pub(super) async fn show(
    call: &Call,
    signing: Signing,
    find: impl FnOnce(&Connection) -> Result<Vec<Data>, Refusal> + Send + 'static,
) -> Result<Vec<ItemDto>, Refusal> {
    let (app, catalog) = (call.app.clone(), call.catalog());
    let read = call.store.read(move |db| {
        let one = |d: Data| {
            let folder = catalog.folder_of(&d).map_or_else(Uuid::nil, |f| f.uuid);
            let units = items::unit_count(db, &d)?;
            Ok(app.item(folder, units, d, signing))
        };
        find(db)?.into_iter().map(one).collect()
    });
    read.await
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Bulk {
    item_uuids: Vec<Uuid>,
    #[serde(default)]
    sign_urls: bool,
}

pub(super) async fn bulk(call: Call, Sent(sent): Sent<Bulk>) -> Reply {
    let signing = signed(&call, sent.sign_urls);
    let find = move |db: &_| items::by_uuid(db, &sent.item_uuids);
    json_reply(&Page::whole(show(&call, signing, find).await?))
}

pub(super) async fn one(call: Call, ItemId(item): ItemId, pairs: Pairs) -> Reply {
    let signing = signed(&call, pairs.flag("signUrl"));
    let find = move |db: &_| items::by_uuid(db, &[item]);
    json_reply(&show(&call, signing, find).await?.first())
}

pub(super) async fn children(call: Call, ItemId(item): ItemId, pairs: Pairs) -> Reply {
    let signing = signed(&call, pairs.flag("signUrls"));
    let find = move |db: &_| items::children(db, items::one(db, item)?.id);
    json_reply(&Page::whole(show(&call, signing, find).await?))
}

async fn apply(call: &Call, patches: Vec<(Uuid, ItemPatch)>) -> Result<Vec<ItemDto>, Refusal> {
    let uuids: Vec<Uuid> = patches.iter().map(|(item, _)| *item).collect();
    let changed = call.write(move |tx| items::patch(tx, &patches)).await?;
    call.count(changed);
    let find = move |db: &_| items::by_uuid(db, &uuids);
    show(call, signed(call, false), find).await
}

pub(super) async fn patch_one(call: Call, ItemId(item): ItemId, patch: Sent<ItemPatch>) -> Reply {
    json_reply(&apply(&call, vec![(item, patch.0)]).await?.first())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Patches {
    item_patches: BTreeMap<Uuid, ItemPatch>,
}

pub(super) async fn patch_bulk(call: Call, Sent(sent): Sent<Patches>) -> Reply {
    let patches = sent.item_patches.into_iter().collect();
    json_reply(&Page::whole(apply(&call, patches).await?))
}
