//! Creates storage items and data units: from uploads, by linking items to datasets, by grouping; adds
//! datasets to projects and removes them. Every project has a task for each unit of its datasets. Moving
//! and deleting items is in `uses`.

use rusqlite::{Connection, params};
use uuid::Uuid;

use crate::error::{Refusal, exists, invalid, not_found};
use crate::item::ItemKind;
use crate::media::{Facts, MediaSource};
use crate::store::catalog::{Catalog, Project};
use crate::store::exact::JsonObject;
use crate::store::folders::Folder;
use crate::store::items::{self, Data};
use crate::store::records;
use crate::store::sql::Sql as _;
use crate::store::tasks;
use crate::store::tx::Tx;

/// An item to be created, with the row of its data unit.
#[derive(Debug, Clone)]
pub(crate) struct NewItem {
    /// The item's UUID; `None` if the hash implies it.
    pub uuid: Option<Uuid>,
    /// The data unit's hash.
    pub hash: Uuid,
    pub kind: ItemKind,
    pub title: String,
    pub description: String,
    /// `None` for a group of other items.
    pub source: Option<MediaSource>,
    pub mime: Option<String>,
    pub facts: Facts,
    pub size: Option<u64>,
    /// Client metadata, an object.
    pub metadata: Option<JsonObject>,
    /// The images of an image group, in order.
    pub children: Vec<Self>,
}

/// The place of a data unit's row.
#[derive(Clone, Copy, Default)]
pub(crate) struct UnitPlace {
    pub dataset: i64,
    pub parent: Option<i64>,
    pub position: usize,
    pub folder: Option<i64>,
}

impl NewItem {
    /// An item without bytes, as groups are.
    pub(crate) fn new(uuid: Uuid, kind: ItemKind, title: String) -> Self {
        Self {
            uuid: Some(uuid),
            hash: Uuid::new_v4(),
            kind,
            title,
            description: String::new(),
            source: None,
            mime: None,
            facts: Facts::default(),
            size: None,
            metadata: None,
            children: Vec::new(),
        }
    }

    /// Writes the row and returns its number. Children are not written.
    pub(crate) fn insert_row(&self, tx: &Tx<'_>, place: UnitPlace) -> Result<i64, rusqlite::Error> {
        let mut insert = tx.prepare_cached(
            "INSERT INTO data(dataset, parent, position, hash, item, kind, title, description, source, mime, width,
                              height, frames, fps, duration, rate, size, metadata, created, edited, folder)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?19, ?20)",
        )?;
        insert.execute(params![
            place.dataset,
            place.parent,
            place.position as i64,
            self.hash,
            self.uuid,
            self.kind.code(),
            self.title,
            self.description,
            self.source.as_ref().map(MediaSource::spell),
            self.mime,
            self.facts.width,
            self.facts.height,
            self.facts.frames,
            self.facts.fps,
            self.facts.duration,
            self.facts.sample_rate,
            self.size,
            self.metadata.as_ref().map(JsonObject::get),
            tx.now,
            place.folder,
        ])?;
        Ok(tx.last_insert_rowid())
    }

    /// Writes the row and those of the children. Returns the unit's number and hash.
    fn insert_rows(&self, tx: &Tx<'_>, place: UnitPlace) -> Result<(i64, Uuid), rusqlite::Error> {
        let id = self.insert_row(tx, place)?;
        for (position, child) in self.children.iter().enumerate() {
            child.insert_rows(tx, place.below(id, position))?;
        }
        Ok((id, self.hash))
    }
}

impl UnitPlace {
    /// The place of a child of the row `parent` at this place.
    pub(crate) fn below(self, parent: i64, position: usize) -> Self {
        let parent = Some(parent);
        Self {
            parent,
            position,
            ..self
        }
    }
}

/// Creates an item in a folder. In a dataset's own folder it becomes a data unit of that dataset. Returns
/// the unit's number and hash.
pub(crate) fn insert(tx: &Tx<'_>, folder: &Folder, item: &NewItem) -> Result<(i64, Uuid), Refusal> {
    let sql = "SELECT item FROM data WHERE item = ?1";
    if let Some(upload) = tx.row(sql, [item.uuid], |r| r.get::<_, Uuid>(0))? {
        return Err(invalid!("the upload {upload} has already become an item"));
    }
    let place = UnitPlace {
        dataset: folder.dataset.unwrap_or(0),
        folder: folder.dataset.is_none().then_some(folder.id),
        ..UnitPlace::default()
    };
    let unit = item.insert_rows(tx, place)?;
    if let Some(dataset) = folder.dataset {
        add_tasks(tx, dataset, &[unit])?;
    }
    Ok(unit)
}

/// One more data unit of an item, with its children, in a dataset.
fn copy(tx: &Tx<'_>, item: &Data, place: UnitPlace) -> Result<(i64, Uuid), Refusal> {
    let (hash, position) = (Uuid::new_v4(), place.position as i64);
    tx.run(
        "INSERT INTO data(dataset, parent, position, hash, item, kind, title, description, source, mime, width,
                          height, frames, fps, duration, rate, size, metadata, created, edited, folder)
         SELECT ?2, ?3, ?4, ?5, ?6, kind, title, description, source, mime, width,
                height, frames, fps, duration, rate, size, metadata, ?7, ?7, 0 FROM data WHERE id = ?1",
        params![item.id, place.dataset, place.parent, position, hash, item.item, tx.now],
    )?;
    let id = tx.last_insert_rowid();
    for (position, child) in items::children(tx, item.id)?.iter().enumerate() {
        copy(tx, child, place.below(id, position))?;
    }
    Ok((id, hash))
}

/// Creates an item of other items: a data group, or an image group.
pub(crate) fn insert_group(
    tx: &Tx<'_>,
    folder: &Folder,
    group: &NewItem,
    members: &[Uuid],
) -> Result<(i64, Uuid), Refusal> {
    let members = items::by_uuid(tx, members)?;
    if members.is_empty() {
        return Err(invalid!("a group needs at least one item"));
    }
    let pictures_only = group.kind != ItemKind::Group;
    if let Some(other) = members.iter().find(|m| match pictures_only {
        true => m.kind != ItemKind::Image,
        false => m.kind == ItemKind::Group,
    }) {
        return Err(invalid!(
            "\"{}\" is of type {} and cannot be part of this group",
            other.title,
            other.kind.item_type()
        ));
    }
    let (id, hash) = insert(tx, folder, group)?;
    let place = UnitPlace {
        dataset: folder.dataset.unwrap_or(0),
        ..UnitPlace::default()
    };
    for (position, member) in members.iter().enumerate() {
        copy(tx, member, place.below(id, position))?;
    }
    tx.run(
        "UPDATE data SET frames = ?2 WHERE id = ?1",
        params![id, members.len() as i64],
    )?;
    Ok((id, hash))
}

/// How to link an item that is already in the dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Duplicates {
    Duplicate,
    Fail,
    Skip,
}

/// Creates data units of items. Returns the hashes of the new units.
pub(crate) fn link(
    tx: &Tx<'_>,
    dataset: i64,
    item_uuids: &[Uuid],
    duplicates: Duplicates,
) -> Result<Vec<Uuid>, Refusal> {
    let mut there = tx.prepare_cached(
        "SELECT 1 FROM data WHERE id = ?1 AND dataset = ?2 UNION ALL
         SELECT 1 FROM data WHERE item = ?3 AND dataset = ?2 AND parent IS NULL",
    )?;
    let place = UnitPlace {
        dataset,
        ..UnitPlace::default()
    };
    let mut units = Vec::new();
    for item in items::by_uuid(tx, item_uuids)? {
        if there.exists(params![item.id, dataset, item.item])? {
            match duplicates {
                Duplicates::Duplicate => {}
                Duplicates::Skip => continue,
                Duplicates::Fail => {
                    return Err(exists!(
                        "\"{}\" ({}) is already in this dataset; nothing was linked",
                        item.title,
                        item.item
                    ));
                }
            }
        }
        units.push(copy(tx, &item, place)?);
    }
    add_tasks(tx, dataset, &units)?;
    Ok(units.into_iter().map(|(_, hash)| hash).collect())
}

/// Creates tasks for new units in every project that uses the dataset, at the start of its workflow.
pub(super) fn add_tasks(tx: &Tx<'_>, dataset: i64, units: &[(i64, Uuid)]) -> Result<(), Refusal> {
    if units.is_empty() {
        return Ok(());
    }
    for project in &Catalog::load(tx)?.projects {
        if project.dataset(dataset).is_some() {
            begin(tx, project, units)?;
        }
    }
    Ok(())
}

fn begin(tx: &Tx<'_>, project: &Project, units: &[(i64, Uuid)]) -> Result<(), Refusal> {
    for (data, hash) in units {
        let stage = project.graph.first_for(project.task_of(*hash));
        tasks::insert(tx, project.id, *data, &project.graph, (stage, 0.5))?;
    }
    Ok(())
}

/// Adds datasets to a project. Returns the number of new tasks.
pub(crate) fn add_datasets(
    tx: &Tx<'_>,
    project: &Project,
    datasets: &[i64],
) -> Result<usize, Refusal> {
    let mut tasks = 0;
    for dataset in datasets {
        if project.dataset(*dataset).is_some() {
            continue;
        }
        tx.run(
            "INSERT INTO project_dataset(project, dataset) VALUES (?1, ?2)",
            [project.id, *dataset],
        )?;
        let units = units_of(tx, *dataset)?;
        begin(tx, project, &units)?;
        tasks += units.len();
    }
    Ok(tasks)
}

fn units_of(db: &Connection, dataset: i64) -> Result<Vec<(i64, Uuid)>, Refusal> {
    let sql = "SELECT id, hash FROM data WHERE dataset = ?1 AND parent IS NULL ORDER BY id";
    db.rows(sql, [dataset], |r| r.try_into())
}

/// Removes datasets from a project, with the tasks and labels of their units.
pub(crate) fn remove_datasets(
    db: &Connection,
    project: &Project,
    datasets: &[i64],
) -> Result<(), Refusal> {
    for dataset in datasets {
        for table in ["task", "label"] {
            db.run(
                &format!(
                    "DELETE FROM {table} WHERE project = ?1 AND data IN (SELECT id FROM data WHERE dataset = ?2)"
                ),
                [project.id, *dataset],
            )?;
        }
        db.run(
            "DELETE FROM project_dataset WHERE project = ?1 AND dataset = ?2",
            [project.id, *dataset],
        )?;
    }
    Ok(())
}

/// Renames a data unit.
pub(crate) fn rename(tx: &Tx<'_>, dataset: i64, hash: Uuid, title: &str) -> Result<(), Refusal> {
    let changed = tx.run(
        "UPDATE data SET title = ?3, edited = ?4 WHERE hash = ?1 AND dataset = ?2",
        params![hash, dataset, title, tx.now],
    )?;
    if changed == 0 {
        return Err(not_found!("data unit {hash} is not in this dataset"));
    }
    Ok(())
}

/// Removes the reviews of a project's tasks.
pub(crate) fn forget_reviews(db: &Connection, project: &Project) -> Result<(), Refusal> {
    let hashes: Vec<Uuid> = db.rows(
        "SELECT d.hash FROM task t JOIN data d ON d.id = t.data WHERE t.project = ?1
         AND EXISTS(SELECT 1 FROM record WHERE kind = 'review')",
        [project.id],
        |r| r.get(0),
    )?;
    for hash in hashes {
        records::forget(db, project.task_of(hash))?;
    }
    Ok(())
}
