//! Writes a scenario into an empty database: named things first, then tasks in bulk, then the indexes,
//! then labels.

use std::path::Path;

use rusqlite::{Connection, params};
use serde_json::json;
use uuid::Uuid;

use crate::error::{LocalError, Refusal};
use crate::ids::{Names, below};
use crate::keys;
use crate::media::MediaLibrary;
use crate::private;
use crate::store::catalog::{Catalog, NewProject, insert_project};
use crate::store::folders::{self, NewDataset};
use crate::store::schema;
use crate::store::tx::Tx;
use crate::store::units::UnitPlace;
use crate::workflow::Graph;
use crate::world::fill::Filler;
use crate::world::{ItemSpec, ProjectSpec, World, ontology, populate};

/// The creator of everything in a scenario.
pub(crate) const OWNER: &str = "agent@example.test";

/// Builds the database at `path`. Safe to interrupt: it is built under another name and renamed.
pub(crate) fn build(path: &Path, world: &World, names: Names, now: i64) -> Result<(), LocalError> {
    let unfinished = path.with_extension("unfinished");
    if unfinished.exists() {
        std::fs::remove_file(&unfinished)
            .map_err(|e| LocalError::file("cannot remove", &unfinished, e))?;
    }
    // SQLite gives the database's other files the same mode.
    private::file(&unfinished).map_err(|e| LocalError::file("cannot write", &unfinished, e))?;
    let connection = Connection::open(&unfinished)?;
    // No durability needed: an interrupted build starts over.
    connection.execute_batch(
        "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE;
         PRAGMA cache_size=-32768; PRAGMA temp_store=MEMORY; PRAGMA threads=2;",
    )?;
    let work = Builder {
        connection: &connection,
        names,
        now,
        library: MediaLibrary::default(),
    };
    work.run(world).map_err(|error| match error {
        LocalError::Database(inner) => twice(inner),
        other => other,
    })?;
    connection.close().map_err(|(_, e)| e)?;
    let written = std::fs::File::open(&unfinished).and_then(|file| file.sync_all());
    written
        .and_then(|()| std::fs::rename(&unfinished, path))
        .and_then(|()| sync_folder(path))
        .map_err(|e| LocalError::file("cannot write", path, e))
}

/// A rename is durable only once its folder is synced.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        std::fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

pub(super) struct Builder<'a> {
    pub connection: &'a Connection,
    pub names: Names,
    pub now: i64,
    pub library: MediaLibrary,
}

/// Something that a scenario can refer to by title or id.
struct Named<T> {
    uuid: Uuid,
    title: String,
    /// Its number in the database, or a workflow.
    value: T,
}

/// The one with this title or id; the first without a name.
fn find<'a, T>(list: &'a [Named<T>], name: Option<&str>, what: &str) -> Result<&'a T, LocalError> {
    let fits = |n: &&Named<T>| {
        name.is_none_or(|name| n.title == name || Uuid::parse_str(name).is_ok_and(|u| u == n.uuid))
    };
    let found = list.iter().find(fits).map(|n| &n.value);
    found.ok_or_else(|| {
        let known: Vec<&str> = list.iter().map(|n| n.title.as_str()).collect();
        LocalError::World(match name {
            None => format!("the scenario has no {what}"),
            Some(name) => format!(
                "the scenario names the {what} {name:?}, but has only {}",
                known.join(", ")
            ),
        })
    })
}

/// A constraint violation means that ids in the scenario collide.
fn twice(error: rusqlite::Error) -> LocalError {
    if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) {
        return LocalError::World(format!(
            "two things of the scenario have the same id ({error})"
        ));
    }
    error.into()
}

fn refused(refusal: Refusal) -> LocalError {
    LocalError::World(refusal.message().to_owned())
}

impl Builder<'_> {
    pub(super) fn tx(&self) -> Tx<'_> {
        Tx::at(self.connection, OWNER, self.now)
    }

    fn run(&self, world: &World) -> Result<(), LocalError> {
        self.connection.execute_batch("BEGIN")?;
        schema::create_tables(self.connection)?;
        for user in &world.users {
            let key = crate::auth::hex(keys::public(&user.public_key)?.as_bytes());
            self.connection.execute(
                "INSERT INTO user(email, key) VALUES (?1, ?2)",
                [&user.email, &key],
            )?;
        }
        let ontologies = self.ontologies(world)?;
        let datasets = self.datasets(world)?;
        let templates = self.templates(world)?;
        let mut projects = Vec::new();
        for (place, spec) in world.projects.iter().enumerate() {
            projects.push(self.project(
                place,
                spec,
                world.lively,
                &ontologies,
                &datasets,
                &templates,
            )?);
        }
        schema::create_indexes(self.connection)?;
        let catalog = Catalog::load(self.connection).map_err(refused)?;
        for (spec, project) in world.projects.iter().zip(&catalog.projects) {
            self.place_tasks(spec, project)?;
        }
        if world.lively {
            populate::labels(&self.tx(), &catalog, self.names).map_err(refused)?;
        }
        let project = *projects
            .first()
            .ok_or_else(|| LocalError::World("the scenario has no project".to_owned()))?;
        schema::set_meta(self.connection, "project", &project.to_string())?;
        if let Some(twin) = projects.get(1) {
            schema::set_meta(self.connection, "twin", &twin.to_string())?;
        }
        self.connection.execute_batch("COMMIT")?;
        Ok(())
    }

    fn ontologies(&self, world: &World) -> Result<Vec<Named<i64>>, LocalError> {
        let insert = |(place, spec): (usize, &super::OntologySpec)| {
            let uuid = spec
                .id
                .unwrap_or_else(|| self.names.uuid("ontology", place));
            let structure = ontology::structure(spec)
                .map_err(|e| LocalError::Options(format!("ontology \"{}\": {e}", spec.title)))?;
            self.connection.execute(
                "INSERT INTO ontology(uuid, title, description, editor, created, edited) VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
                params![uuid, spec.title, spec.description, structure, self.now],
            )?;
            Ok(Named {
                uuid,
                title: spec.title.clone(),
                value: self.connection.last_insert_rowid(),
            })
        };
        world.ontologies.iter().enumerate().map(insert).collect()
    }

    fn templates(&self, world: &World) -> Result<Vec<Named<Graph>>, LocalError> {
        let insert = |(place, spec): (usize, &super::TemplateSpec)| {
            let uuid = spec
                .id
                .unwrap_or_else(|| self.names.uuid("template", place));
            let graph = Graph::from_value(&json!({"graphNodes": spec.graph_nodes}))
                .map_err(|e| LocalError::World(format!("workflow \"{}\": {e}", spec.title)))?;
            self.connection.execute(
                "INSERT INTO template(uuid, title, spec) VALUES (?1, ?2, ?3)",
                params![uuid, spec.title, graph.specification().to_string()],
            )?;
            Ok(Named {
                uuid,
                title: spec.title.clone(),
                value: graph,
            })
        };
        world
            .workflow_templates
            .iter()
            .enumerate()
            .map(insert)
            .collect()
    }

    fn datasets(&self, world: &World) -> Result<Vec<Named<i64>>, LocalError> {
        for (place, spec) in world.folders.iter().enumerate() {
            let uuid = spec.id.unwrap_or_else(|| self.names.uuid("folder", place));
            folders::create(&self.tx(), uuid, None, &spec.title, "", None)?;
        }
        let mut out = Vec::new();
        for (place, spec) in world.datasets.iter().enumerate() {
            let uuid = spec.id.unwrap_or_else(|| self.names.uuid("dataset", place));
            let new = NewDataset {
                uuid,
                folder: Some(spec.folder.unwrap_or_else(|| below(uuid, "folder", 0))),
                title: &spec.title,
                description: &spec.description,
            };
            let id = folders::insert_dataset(&self.tx(), &new)?;
            let mut filler = Filler {
                builder: self,
                uuid,
                salt: place as u64,
                number: 0,
                pictures: 0,
            };
            let top = UnitPlace {
                dataset: id,
                ..UnitPlace::default()
            };
            for (item, copy) in interleaved(&spec.items) {
                filler.add(&spec.items[item], copy, top)?;
            }
            out.push(Named {
                uuid,
                title: spec.title.clone(),
                value: id,
            });
        }
        Ok(out)
    }

    fn project(
        &self,
        place: usize,
        spec: &ProjectSpec,
        lively: bool,
        ontologies: &[Named<i64>],
        datasets: &[Named<i64>],
        templates: &[Named<Graph>],
    ) -> Result<Uuid, LocalError> {
        let uuid = spec.id.unwrap_or_else(|| self.names.uuid("project", place));
        let datasets = match &spec.datasets[..] {
            [] => vec![*find(datasets, None, "dataset")?],
            names => {
                let ids = names
                    .iter()
                    .map(|n| find(datasets, Some(n), "dataset").copied());
                ids.collect::<Result<_, _>>()?
            }
        };
        let template = spec.workflow_template.as_deref();
        let new = NewProject {
            uuid,
            title: spec.title.clone(),
            description: spec.description.clone(),
            ontology: *find(ontologies, spec.ontology.as_deref(), "ontology")?,
            datasets,
            graph: find(templates, template, "workflow template")?.clone(),
            creator: OWNER.to_owned(),
        };
        let names = self.names;
        let place_task = |n: u64, task: Uuid| {
            if lively {
                populate::place(&new.graph, names, place as u64, n, task)
            } else {
                (new.graph.first_for(task), 0.5)
            }
        };
        insert_project(&self.tx(), &new, &place_task).map_err(refused)?;
        Ok(uuid)
    }

    fn place_tasks(
        &self,
        spec: &ProjectSpec,
        project: &crate::store::catalog::Project,
    ) -> Result<(), LocalError> {
        for task in &spec.tasks {
            let stage = match &task.stage {
                None => None,
                Some(name) => {
                    let found = project.graph.stage_called(name).map(|(n, _)| n as i64);
                    Some(found.ok_or_else(|| {
                        LocalError::World(format!("the workflow has no stage {name:?}"))
                    })?)
                }
            };
            let hash = Uuid::parse_str(&task.data).ok();
            let changed = self.connection.execute(
                "UPDATE task SET stage = coalesce(?3, stage), priority = coalesce(?4, priority)
                 WHERE project = ?1 AND data IN (SELECT id FROM data WHERE hash = ?2 OR title = ?5)",
                params![project.id, hash, stage, task.priority, task.data],
            )?;
            if changed == 0 {
                return Err(LocalError::World(format!(
                    "the project has no data unit {:?}",
                    task.data
                )));
            }
        }
        Ok(())
    }
}

/// The items in the order of their tasks. Single items are spread among the first of many, so that a
/// person sees them soon.
fn interleaved(items: &[ItemSpec]) -> Vec<(usize, usize)> {
    let total: usize = items.iter().map(|i| i.count).sum();
    let mut out = Vec::with_capacity(total);
    let mut singles: Vec<usize> = (1..items.len())
        .filter(|i| items[*i].count == 1)
        .rev()
        .collect();
    if items.first().is_none_or(|i| i.count < 8) {
        singles.clear();
    }
    let spread = !singles.is_empty();
    for (item, spec) in items.iter().enumerate() {
        if spread && item > 0 && spec.count == 1 {
            continue;
        }
        for copy in 0..spec.count {
            if copy % 3 == 2
                && let Some(single) = singles.pop()
            {
                out.push((single, 0));
            }
            out.push((item, copy));
        }
    }
    out.extend(singles.into_iter().rev().map(|single| (single, 0)));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::ItemKind;

    #[test]
    fn interleaving_keeps_every_item_once() {
        let mut items = vec![ItemSpec::of(ItemKind::Image).times(20)];
        items.extend((0..3).map(|_| ItemSpec::of(ItemKind::Video)));
        let mut order = interleaved(&items);
        assert_eq!(order.len(), 23);
        assert!(order[..12].iter().filter(|(item, _)| *item > 0).count() >= 3);
        order.sort_unstable();
        order.dedup();
        assert_eq!(order.len(), 23);
    }
}
