//! Where storage items are used; moving and deleting them. Labels are never lost by accident: an item in
//! use is not deleted, and a move that changes a dataset must be allowed explicitly.

use rusqlite::{Connection, params};
use uuid::Uuid;

use crate::error::{Refusal, invalid, not_found};
use crate::store::folders::Folder;
use crate::store::items::{self, Data};
use crate::store::sql::Sql as _;
use crate::store::tx::Tx;
use crate::store::units::add_tasks;

/// Removes data units from a dataset, with their tasks and labels in all projects. The item of a unit in
/// the dataset's own folder is removed too, unless it is in use elsewhere.
pub(crate) fn delete_units(db: &Connection, dataset: i64, hashes: &[Uuid]) -> Result<(), Refusal> {
    for hash in hashes {
        let found = items::by_hash(db, &[*hash])?.pop();
        let unit = found
            .filter(|d| d.dataset == dataset)
            .ok_or_else(|| not_found!("data unit {hash} is not in this dataset"))?;
        forget_work(db, &unit)?;
        if unit.folder.is_none() && uses_elsewhere(db, &unit)? > 0 {
            db.run(
                "UPDATE data SET dataset = 0, item = ?3, folder = (SELECT id FROM folder WHERE dataset = ?2)
                 WHERE id = ?1",
                params![unit.id, dataset, unit.item],
            )?;
            db.run(
                "UPDATE data SET dataset = 0, folder = (SELECT id FROM folder WHERE dataset = ?2) WHERE parent = ?1",
                [unit.id, dataset],
            )?;
        } else {
            remove_row(db, unit.id)?;
        }
    }
    Ok(())
}

/// Removes the tasks and labels of a unit and its children.
fn forget_work(db: &Connection, unit: &Data) -> Result<(), Refusal> {
    for table in ["task", "label"] {
        let sql = format!(
            "DELETE FROM {table} WHERE data = ?1 OR data IN (SELECT id FROM data WHERE parent = ?1)"
        );
        db.run(&sql, [unit.id])?;
    }
    Ok(())
}

/// The number of other rows of the item.
fn uses_elsewhere(db: &Connection, unit: &Data) -> Result<i64, Refusal> {
    let mut count = db.prepare_cached("SELECT count(*) FROM data WHERE item = ?1 AND id <> ?2")?;
    Ok(count.query_row(params![unit.item, unit.id], |r| r.get(0))?)
}

fn remove_row(db: &Connection, id: i64) -> Result<(), Refusal> {
    db.run("DELETE FROM data WHERE id = ?1 OR parent = ?1", [id])?;
    Ok(())
}

/// The items of a folder by UUID, or a refusal if one is in another folder.
fn in_folder(db: &Connection, folder: &Folder, item_uuids: &[Uuid]) -> Result<Vec<Data>, Refusal> {
    let found = items::by_uuid(db, item_uuids)?;
    let here = |d: &Data| match d.folder {
        Some(id) => id == folder.id,
        None => Some(d.dataset) == folder.dataset,
    };
    match found.iter().find(|d| !here(d)) {
        None => Ok(found),
        Some(other) => Err(invalid!(
            "the item \"{}\" ({}) is not in the folder \"{}\". Nothing of this request was applied",
            other.title,
            other.item,
            folder.name
        )),
    }
}

/// Deletes unused items. In a dataset's own folder the data unit is deleted with the item.
pub(crate) fn delete_items(
    db: &Connection,
    folder: &Folder,
    item_uuids: &[Uuid],
) -> Result<usize, Refusal> {
    let found = in_folder(db, folder, item_uuids)?;
    for item in &found {
        let uses = uses_elsewhere(db, item)?;
        if uses > 0 {
            return Err(invalid!(
                "the item \"{}\" is used by {uses} data units or groups; delete those first, so that no labels are lost \
                 by accident. Nothing of this request was applied",
                item.title
            ));
        }
        forget_work(db, item)?;
        remove_row(db, item.id)?;
    }
    Ok(found.len())
}

/// Moves items into another folder. `with_units` allows changes to a dataset: an item that leaves the
/// folder of a dataset leaves the dataset too, and its tasks and labels are removed.
pub(crate) fn move_items(
    tx: &Tx<'_>,
    from: &Folder,
    to: &Folder,
    item_uuids: &[Uuid],
    with_units: bool,
) -> Result<usize, Refusal> {
    let found = in_folder(tx, from, item_uuids)?;
    if (from.dataset.is_some() || to.dataset.is_some()) && !with_units && from.id != to.id {
        return Err(invalid!(
            "one of the folders belongs to a dataset, whose data units would change; allow it with \
             `allow_mirror_dataset_changes=True`"
        ));
    }
    let mut update = tx.prepare_cached(
        "UPDATE data SET dataset = ?2, folder = ?3, item = ?5, edited = ?4 WHERE id = ?1",
    )?;
    for item in found.iter().filter(|_| from.id != to.id) {
        if from.dataset.is_some() {
            forget_work(tx, item)?;
        }
        let folder = to.dataset.is_none().then_some(to.id);
        let dataset = to.dataset.unwrap_or(0);
        update.execute(params![item.id, dataset, folder, tx.now, item.item])?;
        tx.run(
            "UPDATE data SET dataset = ?2, folder = CASE folder WHEN 0 THEN 0 ELSE ?3 END WHERE parent = ?1",
            params![item.id, dataset, folder],
        )?;
        if to.dataset.is_some() {
            add_tasks(tx, dataset, &[(item.id, item.hash)])?;
        }
    }
    Ok(found.len())
}

/// The uses of an item.
pub(crate) struct Uses {
    /// The rows of the groups that contain it.
    pub groups: Vec<Data>,
    /// Dataset number, data hash and creation time of each unit.
    pub units: Vec<(i64, Uuid, i64)>,
}

/// Where an item is used.
pub(crate) fn uses(db: &Connection, item: &Data) -> Result<Uses, Refusal> {
    let mut find = db.prepare_cached(
        "SELECT id, dataset, hash, created, parent FROM data WHERE item = ?1 OR id = ?2 ORDER BY id",
    )?;
    let mut rows = find.query(params![item.item, item.id])?;
    let mut found = Uses {
        groups: Vec::new(),
        units: Vec::new(),
    };
    let mut parents: Vec<Uuid> = Vec::new();
    while let Some(row) = rows.next()? {
        let (dataset, parent): (i64, Option<i64>) = (row.get(1)?, row.get(4)?);
        match parent {
            Some(parent) => parents.extend(item_of_row(db, parent)?),
            None if dataset > 0 => found.units.push((dataset, row.get(2)?, row.get(3)?)),
            None => {}
        }
    }
    parents.sort_unstable();
    parents.dedup();
    found.groups = items::by_uuid(db, &parents)?;
    Ok(found)
}

fn item_of_row(db: &Connection, id: i64) -> Result<Option<Uuid>, Refusal> {
    let sql = format!("SELECT {} FROM data d WHERE d.id = ?1", items::COLUMNS);
    Ok(db.row(&sql, [id], Data::read)?.map(|d| d.item))
}
