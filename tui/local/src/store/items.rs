//! Data units and their storage items: lookup, children, changes of metadata.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::error::Refusal;
use crate::ids::{Mask, mix};
use crate::item::ItemKind;
use crate::media::{MediaSource, PHOTOS, is_dark};
use crate::store::catalog::unknown;
use crate::store::exact::JsonObject;
use crate::store::sql::Sql as _;
use crate::store::tx::Tx;

/// A data unit with its storage item, as in the database.
#[derive(Debug, Clone)]
pub(crate) struct Data {
    pub id: i64,
    pub dataset: i64,
    pub hash: Uuid,
    pub item: Uuid,
    pub kind: ItemKind,
    pub title: String,
    pub description: String,
    pub source: Option<MediaSource>,
    pub mime: Option<String>,
    pub width: Option<u32>,
    pub height: Option<u32>,
    /// Frames of a video, pictures of a group, pages of a document.
    pub frames: Option<u32>,
    pub fps: Option<f64>,
    pub duration: Option<f64>,
    pub rate: Option<u32>,
    pub size: Option<u64>,
    metadata: Option<String>,
    pub created: i64,
    pub edited: i64,
    /// The storage folder: `None` in a dataset's own folder, 0 if the row is a further unit of an item that
    /// is stored elsewhere.
    pub folder: Option<i64>,
}

/// The columns that [`Data::read`] expects, of the table `d`.
pub(crate) const COLUMNS: &str = "d.id, d.dataset, d.hash, d.item, d.kind, d.title, d.description, \
     d.source, d.mime, d.width, d.height, d.frames, d.fps, d.duration, d.rate, d.size, d.metadata, d.created, d.edited, d.folder";
/// The number of those columns: the first index for columns of other tables.
pub(crate) const COLUMN_COUNT: usize = 20;

impl Data {
    pub(crate) fn read(row: &Row<'_>) -> Result<Self, rusqlite::Error> {
        let source: Option<String> = row.get(7)?;
        let hash = row.get(2)?;
        let item: Option<Uuid> = row.get(3)?;
        Ok(Self {
            id: row.get(0)?,
            dataset: row.get(1)?,
            hash,
            item: item.unwrap_or_else(|| Mask::ITEM.flip(hash)),
            kind: ItemKind::from_code(row.get(4)?),
            title: row.get(5)?,
            description: row.get(6)?,
            source: source.as_deref().and_then(MediaSource::parse),
            mime: row.get(8)?,
            width: row.get(9)?,
            height: row.get(10)?,
            frames: row.get(11)?,
            fps: row.get(12)?,
            duration: row.get(13)?,
            rate: row.get(14)?,
            size: row.get(15)?,
            metadata: row.get(16)?,
            created: row.get(17)?,
            edited: row.get(18)?,
            folder: row.get(19)?,
        })
    }

    /// Client metadata: those that were set, or generated ones.
    pub(crate) fn metadata(&self) -> JsonObject {
        if let Some(text) = &self.metadata {
            return JsonObject::parse(text.clone()).unwrap_or_default();
        }
        let made = match &self.source {
            Some(MediaSource::Photo(photo, crop)) => picture_metadata(*photo, *crop, self.hash),
            _ => json!({"site": site(self.hash), "kind": self.kind.item_type()}),
        };
        JsonObject::parse(made.to_string()).unwrap_or_default()
    }

    /// The link to the bytes, opaque to clients.
    pub(crate) fn link(&self) -> String {
        format!("local/{}", self.item)
    }

    /// `number_of_frames` of row metadata.
    pub(crate) fn frame_count(&self) -> u32 {
        self.frames.unwrap_or(1)
    }

    /// The `n`th picture of an image sequence.
    fn picture(&self, n: u32) -> Self {
        Self {
            hash: crate::ids::below(self.hash, "frame", n),
            kind: ItemKind::Image,
            title: format!("{}/{n}", self.title),
            mime: Some("image/jpeg".to_owned()),
            fps: None,
            ..self.clone()
        }
    }
}

/// The generated origin of a data unit.
pub(crate) fn site(hash: Uuid) -> String {
    format!("cam{}", 1 + mix(hash.as_u64_pair().0) % 8)
}

fn picture_metadata(photo: usize, crop: u16, hash: Uuid) -> Value {
    let draw = mix(hash.as_u64_pair().1);
    let (weather, lux) = match (is_dark(crop), draw % 2) {
        (true, _) => ("Night", 1 + draw % 40),
        (false, 0) => ("Sunny", 8_000 + draw % 40_000),
        (false, _) => ("Cloudy", 500 + draw % 5_000),
    };
    json!({
        "site": site(hash),
        "lux": lux,
        "weather": weather,
        "shows": PHOTOS[photo].shows,
        "photograph": format!("{}.jpg", PHOTOS[photo].name),
    })
}

/// The number of a storage item's data unit.
fn id_of(db: &Connection, item: Uuid) -> Result<i64, Refusal> {
    let sql = "SELECT id FROM data WHERE item = ?1 AND folder IS NOT 0 \
               UNION ALL SELECT id FROM data WHERE hash = ?2 AND item IS NULL";
    db.row(sql, [item, Mask::ITEM.flip(item)], |r| r.get(0))?
        .ok_or_else(|| unknown("storage item", item))
}

/// The items with these UUIDs in the given order, or a refusal if one is missing.
pub(crate) fn by_uuid(db: &Connection, items: &[Uuid]) -> Result<Vec<Data>, Refusal> {
    let mut find = db.prepare_cached(&format!("SELECT {COLUMNS} FROM data d WHERE d.id = ?1"))?;
    let one = |uuid: &Uuid| Ok(find.query_row([id_of(db, *uuid)?], Data::read)?);
    items.iter().map(one).collect()
}

/// The item with this UUID.
pub(crate) fn one(db: &Connection, item: Uuid) -> Result<Data, Refusal> {
    by_uuid(db, &[item])?
        .pop()
        .ok_or_else(|| unknown("storage item", item))
}

/// The data units with these hashes; unknown ones are left out.
pub(crate) fn by_hash(db: &Connection, hashes: &[Uuid]) -> Result<Vec<Data>, Refusal> {
    let mut find = db.prepare_cached(&format!("SELECT {COLUMNS} FROM data d WHERE d.hash = ?1"))?;
    let found = hashes
        .iter()
        .map(|hash| Ok(find.query_row([hash], Data::read).optional()?));
    found.filter_map(Result::transpose).collect()
}

/// The children of a group, in their order.
pub(crate) fn children(db: &Connection, parent: i64) -> Result<Vec<Data>, Refusal> {
    let sql = format!("SELECT {COLUMNS} FROM data d WHERE d.parent = ?1 ORDER BY d.position");
    db.rows(&sql, [parent], Data::read)
}

/// The pictures of an image group or sequence, in their order; none of other types. Those of a sequence are
/// frames of its video and have no items of their own.
pub(crate) fn pictures(db: &Connection, data: &Data) -> Result<Vec<Data>, Refusal> {
    match data.kind {
        ItemKind::ImageGroup => children(db, data.id),
        ItemKind::ImageSequence => Ok((0..data.frame_count()).map(|n| data.picture(n)).collect()),
        _ => Ok(Vec::new()),
    }
}

/// Up to `limit` items whose number is above `after`, of a dataset or of all.
pub(crate) fn list(
    db: &Connection,
    dataset: Option<i64>,
    with_children: bool,
    after: i64,
    limit: usize,
) -> Result<Vec<Data>, Refusal> {
    let sql = format!(
        "SELECT {COLUMNS} FROM data d WHERE (?1 IS NULL OR d.dataset = ?1) AND (?2 OR d.parent IS NULL) AND d.id > ?3
         ORDER BY d.id LIMIT ?4"
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let values = params![dataset, with_children, after, limit];
    db.rows(&sql, values, Data::read)
}

/// The number of data units of this row's item.
pub(crate) fn unit_count(db: &Connection, item: &Data) -> Result<u32, Refusal> {
    let mut count = db.prepare_cached(
        "SELECT count(*) FROM data WHERE (id = ?1 OR item = ?2) AND dataset > 0 AND parent IS NULL",
    )?;
    Ok(count.query_row(params![item.id, item.item], |r| r.get(0))?)
}

/// Changes to an item. `None` leaves a field as it is; metadata are replaced as a whole.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ItemPatch {
    pub name: Option<String>,
    pub description: Option<String>,
    pub client_metadata: Option<JsonObject>,
}

/// Changes items, or none if one is missing. A data unit's title follows its item's name.
pub(crate) fn patch(tx: &Tx<'_>, patches: &[(Uuid, ItemPatch)]) -> Result<usize, Refusal> {
    let mut update = tx.prepare_cached(
        "UPDATE data SET title = coalesce(?2, title), description = coalesce(?3, description),
         metadata = coalesce(?4, metadata), edited = ?5 WHERE id = ?1 OR item = ?6",
    )?;
    for (item, change) in patches {
        let metadata = change.client_metadata.as_ref().map(JsonObject::get);
        let (id, name, description) = (id_of(tx, *item)?, &change.name, &change.description);
        update.execute(params![id, name, description, metadata, tx.now, item])?;
    }
    Ok(patches.len())
}
