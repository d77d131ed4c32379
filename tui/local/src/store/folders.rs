//! Storage folders: a tree of them, those of datasets included, and the items in them.
//!
//! Items themselves are in `items`, and which datasets use them in `units`.

use rusqlite::types::Value as SqlValue;
use rusqlite::{Connection, params, params_from_iter};
use uuid::Uuid;

use crate::error::{Refusal, invalid};
use crate::item::ItemKind;
use crate::store::catalog::unknown;
use crate::store::exact::JsonObject;
use crate::store::items::{COLUMNS, Data};
use crate::store::sql::Sql as _;
use crate::store::tx::Tx;

/// A storage folder.
#[derive(Debug)]
pub(crate) struct Folder {
    pub id: i64,
    pub uuid: Uuid,
    pub parent: Option<i64>,
    /// The dataset that always has the same items as the folder.
    pub dataset: Option<i64>,
    pub name: String,
    pub description: String,
    /// Client metadata as JSON text.
    pub metadata: Option<String>,
    pub created: i64,
    pub edited: i64,
}

/// A dataset to be created. With a folder, it always has the same items as that folder.
pub(crate) struct NewDataset<'a> {
    pub uuid: Uuid,
    pub folder: Option<Uuid>,
    pub title: &'a str,
    pub description: &'a str,
}

/// Changes to a folder. `None` leaves a field as it is; metadata are replaced as a whole.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FolderPatch {
    pub name: Option<String>,
    pub description: Option<String>,
    pub client_metadata: Option<JsonObject>,
}

/// Creates a dataset, and its folder if one is named. Returns the dataset's number.
pub(crate) fn insert_dataset(tx: &Tx<'_>, new: &NewDataset<'_>) -> Result<i64, rusqlite::Error> {
    let (title, description) = (new.title, new.description);
    tx.execute(
        "INSERT INTO dataset(uuid, folder, title, description, created, edited) VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
        params![new.uuid, new.folder.unwrap_or_default(), title, description, tx.now],
    )?;
    let dataset = tx.last_insert_rowid();
    if let Some(uuid) = new.folder {
        tx.execute(
            "INSERT INTO folder(uuid, dataset, name, description, created, edited) VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
            params![uuid, dataset, title, description, tx.now],
        )?;
    }
    Ok(dataset)
}

/// All folders, oldest first.
pub(crate) fn all(db: &Connection) -> Result<Vec<Folder>, Refusal> {
    let sql = "SELECT id, uuid, parent, dataset, name, description, metadata, created, edited FROM folder ORDER BY id";
    db.rows(sql, [], |row| {
        Ok(Folder {
            id: row.get(0)?,
            uuid: row.get(1)?,
            parent: row.get(2)?,
            dataset: row.get(3)?,
            name: row.get(4)?,
            description: row.get(5)?,
            metadata: row.get(6)?,
            created: row.get(7)?,
            edited: row.get(8)?,
        })
    })
}

/// Creates a folder in `parent`, or at the top.
pub(crate) fn create(
    tx: &Tx<'_>,
    uuid: Uuid,
    parent: Option<i64>,
    name: &str,
    description: &str,
    metadata: Option<&str>,
) -> Result<usize, rusqlite::Error> {
    tx.execute(
        "INSERT INTO folder(uuid, parent, name, description, metadata, created, edited) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)",
        params![uuid, parent, name, description, metadata, tx.now],
    )
}

/// Changes folders, or none if one is missing.
pub(crate) fn patch(tx: &Tx<'_>, patches: &[(Uuid, FolderPatch)]) -> Result<usize, Refusal> {
    let mut update = tx.prepare_cached(
        "UPDATE folder SET name = coalesce(?2, name), description = coalesce(?3, description),
         metadata = coalesce(?4, metadata), edited = ?5 WHERE uuid = ?1",
    )?;
    for (folder, change) in patches {
        let metadata = change.client_metadata.as_ref().map(JsonObject::get);
        let (name, description) = (&change.name, &change.description);
        let changed = update.execute(params![folder, name, description, metadata, tx.now])?;
        if changed == 0 {
            return Err(unknown("storage folder", *folder));
        }
    }
    Ok(patches.len())
}

/// Moves folders into another one, or to the top. A folder cannot be moved into itself.
pub(crate) fn move_folders(
    tx: &Tx<'_>,
    folders: &[i64],
    parent: Option<i64>,
) -> Result<usize, Refusal> {
    let mut up = tx.prepare_cached("SELECT parent FROM folder WHERE id = ?1")?;
    let mut at = parent;
    while let Some(id) = at {
        if folders.contains(&id) {
            return Err(invalid!(
                "a folder cannot be moved into itself or below itself"
            ));
        }
        at = up.query_row([id], |r| r.get(0))?;
    }
    let mut update =
        tx.prepare_cached("UPDATE folder SET parent = ?2, edited = ?3 WHERE id = ?1")?;
    for id in folders {
        update.execute(params![id, parent, tx.now])?;
    }
    Ok(folders.len())
}

/// Removes an empty folder.
pub(crate) fn delete(db: &Connection, folder: &Folder) -> Result<usize, Refusal> {
    if folder.dataset.is_some() {
        return Err(invalid!(
            "this folder belongs to a dataset and cannot be deleted alone"
        ));
    }
    let count = |sql: &str| db.query_row(sql, [folder.id], |r| r.get::<_, i64>(0));
    let items = count("SELECT count(*) FROM data WHERE dataset = 0 AND folder = ?1")?;
    let folders = count("SELECT count(*) FROM folder WHERE parent = ?1")?;
    if items + folders > 0 {
        return Err(invalid!(
            "the folder \"{}\" is not empty: it holds {items} items and {folders} folders; move or delete them first",
            folder.name
        ));
    }
    db.run("DELETE FROM folder WHERE id = ?1", [folder.id])
}

/// The filters and the order of a list of items.
#[derive(Debug, Default)]
pub(crate) struct ItemQuery {
    /// Numbers of folders and of the datasets they belong to; `None`: everywhere.
    pub folders: Option<Vec<(i64, Option<i64>)>>,
    /// Part of the name; case is ignored.
    pub search: Option<String>,
    pub kinds: Vec<ItemKind>,
    pub in_dataset: Option<bool>,
    pub by_creation: bool,
    pub descending: bool,
    /// Name and number of the last item of the page before.
    pub after: Option<(String, i64)>,
}

impl ItemQuery {
    fn conditions(&self, values: &mut Vec<SqlValue>) -> String {
        let mut out = "d.folder IS NOT 0 AND d.parent IS NULL".to_owned();
        if let Some(folders) = &self.folders {
            // Numbers only: nothing to escape. Loose items are all in dataset 0, which is a short list.
            let list = |numbers: Vec<i64>| {
                let texts: Vec<String> = numbers.iter().map(i64::to_string).collect();
                texts.join(",")
            };
            let ids = list(folders.iter().map(|(id, _)| *id).collect());
            let own = list(folders.iter().filter_map(|(_, dataset)| *dataset).collect());
            out.push_str(&format!(
                " AND (d.dataset IN ({own}) AND d.folder IS NULL OR d.dataset = 0 AND d.folder IN ({ids}))"
            ));
        }
        if let Some(text) = self.search.as_ref().filter(|t| !t.is_empty()) {
            values.push(text.to_lowercase().into());
            out.push_str(&format!(
                " AND instr(lower_unicode(d.title), ?{}) > 0",
                values.len()
            ));
        }
        if !self.kinds.is_empty() {
            let codes: Vec<String> = self.kinds.iter().map(|k| k.code().to_string()).collect();
            out.push_str(&format!(" AND d.kind IN ({})", codes.join(",")));
        }
        if let Some(wanted) = self.in_dataset {
            let not = if wanted { "" } else { "NOT " };
            out.push_str(&format!(
                " AND {not}(d.dataset > 0 OR EXISTS(SELECT 1 FROM data x WHERE x.item = d.item AND x.dataset > 0))"
            ));
        }
        out
    }
}

/// Up to `limit` items in the requested order.
pub(crate) fn list_items(
    db: &Connection,
    query: &ItemQuery,
    limit: usize,
) -> Result<Vec<Data>, Refusal> {
    let mut values = vec![SqlValue::from(i64::try_from(limit).unwrap_or(i64::MAX))];
    let mut conditions = query.conditions(&mut values);
    let (order, sign) = if query.descending {
        ("DESC", "<")
    } else {
        ("ASC", ">")
    };
    if let Some((name, id)) = &query.after {
        values.push((*id).into());
        if query.by_creation {
            conditions.push_str(&format!(" AND d.id {sign} ?{}", values.len()));
        } else {
            values.push(name.clone().into());
            let n = values.len();
            conditions.push_str(&format!(" AND (d.title, d.id) {sign} (?{n}, ?{})", n - 1));
        }
    }
    let by = if query.by_creation {
        format!("d.id {order}")
    } else {
        format!("d.title {order}, d.id {order}")
    };
    let sql = format!("SELECT {COLUMNS} FROM data d WHERE {conditions} ORDER BY {by} LIMIT ?1");
    db.rows(&sql, params_from_iter(values), Data::read)
}

/// The number of items of each type in a folder, and their size in bytes if known.
pub(crate) fn summary(
    db: &Connection,
    folder: &Folder,
) -> Result<Vec<(ItemKind, u64, u64)>, Refusal> {
    db.rows(
        "SELECT kind, count(*), coalesce(sum(size), 0) FROM data
         WHERE (dataset = ?1 AND folder IS NULL OR dataset = 0 AND folder = ?2) AND parent IS NULL GROUP BY kind",
        params![folder.dataset.unwrap_or(-1), folder.id],
        |r| Ok((ItemKind::from_code(r.get(0)?), r.get(1)?, r.get(2)?)),
    )
}
