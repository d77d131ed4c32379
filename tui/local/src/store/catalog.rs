//! Projects, ontologies, datasets, folders and workflow templates. Kept in memory and read again after
//! a change; tasks and labels are never kept in memory.

use std::sync::Arc;

use rusqlite::types::FromSqlError;
use rusqlite::{Connection, params};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::error::{Refusal, forbidden, internal, not_found};
use crate::ids::{Mask, below};
use crate::store::folders::{self, Folder};
use crate::store::items::Data;
use crate::store::sql::Sql as _;
use crate::store::tasks;
use crate::store::tx::Tx;
use crate::workflow::Graph;

/// An ontology; `editor` is its structure as JSON.
#[derive(Debug)]
pub(crate) struct Ontology {
    pub id: i64,
    pub uuid: Uuid,
    pub title: String,
    pub description: String,
    pub editor: Box<RawValue>,
    pub created: i64,
    pub edited: i64,
}

/// A dataset and the storage folder of its items.
#[derive(Debug)]
pub(crate) struct Dataset {
    pub id: i64,
    pub uuid: Uuid,
    pub folder: Uuid,
    pub title: String,
    pub description: String,
    pub created: i64,
    pub edited: i64,
}

/// A project: its workflow is a copy of its template's, with the template's UUIDs.
#[derive(Debug)]
pub(crate) struct Project {
    pub id: i64,
    pub uuid: Uuid,
    pub title: String,
    pub description: String,
    pub ontology: Arc<Ontology>,
    pub datasets: Vec<Arc<Dataset>>,
    pub manager: Uuid,
    pub graph: Graph,
    pub creator: String,
    pub created: i64,
    pub edited: i64,
    /// As in the API: `inProgress`, `paused`, …
    pub status: String,
    mask: Mask,
}

impl Project {
    /// The UUID of the task that handles a data unit.
    pub(crate) fn task_of(&self, data_hash: Uuid) -> Uuid {
        self.mask.flip(data_hash)
    }

    /// The data unit of a task of this project.
    pub(crate) fn data_of(&self, task: Uuid) -> Uuid {
        self.mask.flip(task)
    }

    pub(crate) fn dataset(&self, id: i64) -> Option<&Arc<Dataset>> {
        self.datasets.iter().find(|d| d.id == id)
    }

    /// The datasets' numbers as an SQL list. Numbers only: nothing to escape.
    pub(crate) fn dataset_list(&self) -> String {
        let ids: Vec<String> = self.datasets.iter().map(|d| d.id.to_string()).collect();
        format!("({})", ids.join(","))
    }
}

/// Everything but tasks and labels.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    pub ontologies: Vec<Arc<Ontology>>,
    pub datasets: Vec<Arc<Dataset>>,
    pub folders: Vec<Arc<Folder>>,
    pub templates: Vec<(Uuid, String, Graph)>,
    pub projects: Vec<Arc<Project>>,
}

impl Catalog {
    pub(crate) fn load(db: &Connection) -> Result<Self, Refusal> {
        let mut catalog = Self {
            ontologies: ontologies(db)?,
            datasets: datasets(db)?,
            folders: folders::all(db)?.into_iter().map(Arc::new).collect(),
            templates: templates(db)?,
            projects: Vec::new(),
        };
        catalog.projects = catalog.read_projects(db)?;
        Ok(catalog)
    }

    /// The project, or the refusal that clients expect without access.
    pub(crate) fn project(&self, uuid: Uuid) -> Result<&Arc<Project>, Refusal> {
        let found = self.projects.iter().find(|p| p.uuid == uuid);
        found.ok_or_else(|| unknown("project", uuid))
    }

    /// The dataset, or the refusal that clients expect without access.
    pub(crate) fn dataset(&self, uuid: Uuid) -> Result<&Arc<Dataset>, Refusal> {
        let found = self.datasets.iter().find(|d| d.uuid == uuid);
        found.ok_or_else(|| unknown("dataset", uuid))
    }

    /// The storage folder, or the refusal that clients expect without access.
    pub(crate) fn folder(&self, uuid: Uuid) -> Result<&Arc<Folder>, Refusal> {
        let found = self.folders.iter().find(|f| f.uuid == uuid);
        found.ok_or_else(|| unknown("storage folder", uuid))
    }

    /// Whether a project, dataset, ontology or folder has this UUID.
    pub(crate) fn has(&self, uuid: Uuid) -> bool {
        self.projects.iter().any(|p| p.uuid == uuid)
            || self.datasets.iter().any(|d| d.uuid == uuid)
            || self.ontologies.iter().any(|o| o.uuid == uuid)
            || self.folders.iter().any(|f| f.uuid == uuid)
    }

    /// The folder of an item.
    pub(crate) fn folder_of(&self, item: &Data) -> Option<&Arc<Folder>> {
        match item.folder {
            None => self
                .folders
                .iter()
                .find(|f| f.dataset == Some(item.dataset)),
            Some(id) => self.folders.iter().find(|f| f.id == id),
        }
    }

    /// The ontology with this UUID.
    pub(crate) fn ontology(&self, uuid: Uuid) -> Result<&Arc<Ontology>, Refusal> {
        let found = self.ontologies.iter().find(|o| o.uuid == uuid);
        found.ok_or_else(|| not_found!("there is no ontology {uuid} on this server"))
    }

    fn read_projects(&self, db: &Connection) -> Result<Vec<Arc<Project>>, Refusal> {
        let used = "SELECT dataset FROM project_dataset WHERE project = ?1 ORDER BY rowid";
        let mut used = db.prepare(used)?;
        let mut statement = db.prepare(
            "SELECT id, uuid, title, description, ontology, manager, spec, creator, created, edited, status
             FROM project ORDER BY id",
        )?;
        let mut rows = statement.query([])?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            let (id, wanted): (i64, i64) = (row.get(0)?, row.get(4)?);
            let ontology = self.ontologies.iter().find(|o| o.id == wanted);
            let lost = || internal!("a project without its ontology");
            let mut datasets = Vec::new();
            for used in used.query_map([id], |r| r.get::<_, i64>(0))? {
                let used = used?;
                datasets.extend(self.datasets.iter().find(|d| d.id == used).cloned());
            }
            let uuid = row.get(1)?;
            out.push(Arc::new(Project {
                id,
                uuid,
                mask: task_mask(uuid),
                title: row.get(2)?,
                description: row.get(3)?,
                ontology: Arc::clone(ontology.ok_or_else(lost)?),
                datasets,
                manager: row.get(5)?,
                graph: Graph::parse(&row.get::<_, String>(6)?).map_err(Refusal::Internal)?,
                creator: row.get(7)?,
                created: row.get(8)?,
                edited: row.get(9)?,
                status: row.get(10)?,
            }));
        }
        Ok(out)
    }
}

fn ontologies(db: &Connection) -> Result<Vec<Arc<Ontology>>, Refusal> {
    let sql =
        "SELECT id, uuid, title, description, editor, created, edited FROM ontology ORDER BY id";
    db.rows(sql, [], |row| {
        let editor = RawValue::from_string(row.get(4)?);
        Ok(Arc::new(Ontology {
            id: row.get(0)?,
            uuid: row.get(1)?,
            title: row.get(2)?,
            description: row.get(3)?,
            editor: editor.map_err(FromSqlError::other)?,
            created: row.get(5)?,
            edited: row.get(6)?,
        }))
    })
}

fn datasets(db: &Connection) -> Result<Vec<Arc<Dataset>>, Refusal> {
    let sql =
        "SELECT id, uuid, folder, title, description, created, edited FROM dataset ORDER BY id";
    db.rows(sql, [], |row| {
        Ok(Arc::new(Dataset {
            id: row.get(0)?,
            uuid: row.get(1)?,
            folder: row.get(2)?,
            title: row.get(3)?,
            description: row.get(4)?,
            created: row.get(5)?,
            edited: row.get(6)?,
        }))
    })
}

fn templates(db: &Connection) -> Result<Vec<(Uuid, String, Graph)>, Refusal> {
    let sql = "SELECT uuid, title, spec FROM template ORDER BY id";
    let found: Vec<(Uuid, String, String)> = db.rows(sql, [], |row| row.try_into())?;
    let read = |(uuid, title, spec): (Uuid, String, String)| {
        Ok((uuid, title, Graph::parse(&spec).map_err(Refusal::Internal)?))
    };
    found.into_iter().map(read).collect()
}

/// Tasks of different projects on the same data have different UUIDs.
fn task_mask(project: Uuid) -> Mask {
    Mask::of(project, "task")
}

/// The refusal that clients expect for something that does not exist or that they have no access to.
pub(super) fn unknown(what: &str, uuid: Uuid) -> Refusal {
    forbidden!("there is no {what} {uuid} on this server, or you have no access to it")
}

/// A project to be created.
#[derive(Debug, Clone)]
pub(crate) struct NewProject {
    pub uuid: Uuid,
    pub title: String,
    pub description: String,
    pub ontology: i64,
    pub datasets: Vec<i64>,
    pub graph: Graph,
    pub creator: String,
}

/// Creates a project and its tasks, one per top-level data unit. Returns the project's number and how many
/// tasks it has. `place` gives the stage and priority of the nth task.
pub(crate) fn insert_project(
    tx: &Tx<'_>,
    new: &NewProject,
    place: &dyn Fn(u64, Uuid) -> (usize, f64),
) -> Result<(i64, usize), Refusal> {
    tx.execute(
        "INSERT INTO project(uuid, title, description, ontology, manager, spec, creator, created, edited)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)",
        params![
            new.uuid,
            new.title,
            new.description,
            new.ontology,
            below(new.uuid, "manager", 0),
            new.graph.specification().to_string(),
            new.creator,
            tx.now
        ],
    )?;
    let project = tx.last_insert_rowid();
    let mut use_dataset =
        tx.prepare("INSERT INTO project_dataset(project, dataset) VALUES (?1, ?2)")?;
    let mask = task_mask(new.uuid);
    let mut count = 0;
    for dataset in &new.datasets {
        use_dataset.execute([project, *dataset])?;
        let mut units = tx.prepare(
            "SELECT id, hash FROM data WHERE dataset = ?1 AND parent IS NULL ORDER BY id",
        )?;
        let mut rows = units.query([dataset])?;
        while let Some(row) = rows.next()? {
            let (data, hash): (i64, Uuid) = (row.get(0)?, row.get(1)?);
            let place = place(count as u64, mask.flip(hash));
            tasks::insert(tx, project, data, &new.graph, place)?;
            count += 1;
        }
    }
    Ok((project, count))
}

/// Sets the status of a project.
pub(crate) fn set_status(tx: &Tx<'_>, project: i64, status: &str) -> Result<usize, Refusal> {
    let sql = "UPDATE project SET status = ?2, edited = ?3 WHERE id = ?1";
    tx.run(sql, params![project, status, tx.now])
}

/// Creates an ontology; `editor` is its structure.
pub(crate) fn insert_ontology(
    tx: &Tx<'_>,
    uuid: Uuid,
    title: &str,
    description: &str,
    editor: &str,
) -> Result<i64, Refusal> {
    tx.run(
        "INSERT INTO ontology(uuid, title, description, editor, created, edited) VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
        params![uuid, title, description, editor, tx.now],
    )?;
    Ok(tx.last_insert_rowid())
}

/// Replaces an ontology's structure, and its title and description if they are given.
pub(crate) fn save_ontology(
    tx: &Tx<'_>,
    id: i64,
    title: Option<&str>,
    description: Option<&str>,
    editor: &str,
) -> Result<usize, Refusal> {
    tx.run(
        "UPDATE ontology SET title = coalesce(?2, title), description = coalesce(?3, description), editor = ?4,
         edited = ?5 WHERE id = ?1",
        params![id, title, description, editor, tx.now],
    )
}

/// Removes a project with its tasks and labels. Datasets stay.
pub(crate) fn delete_project(db: &Connection, project: i64) -> Result<usize, Refusal> {
    for table in ["task", "label", "project_dataset"] {
        let sql = format!("DELETE FROM {table} WHERE project = ?1");
        db.run(&sql, [project])?;
    }
    db.run("DELETE FROM project WHERE id = ?1", [project])
}
