//! The legacy calls about whole projects: made, copied and deleted on demand, listed, given other
//! datasets, people or another ontology; and one data unit's files.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use rusqlite::Connection;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::endpoint::Endpoint;
use crate::error::Refusal;
use crate::item::ItemKind;
use crate::routes::legacy::{Context, Found};
use crate::routes::members;
use crate::routes::ontologies::completed;
use crate::routes::projects::CatalogFilter;
use crate::routes::reply::uuid;
use crate::store::catalog::{self, NewProject, Project};
use crate::store::folders::{self, NewDataset};
use crate::store::items;
use crate::store::{copies, records, units};
use crate::time;
use crate::workflow::Graph;

/// Roles of a project: admin, annotator, reviewer, both, team manager, viewer.
const HIGHEST_ROLE: i64 = 5;

impl Context<'_> {
    pub(super) async fn create_project(&self) -> Found {
        #[derive(Deserialize)]
        struct Payload {
            title: String,
            #[serde(default)]
            description: String,
            dataset_hashes: Vec<String>,
            ontology_hash: Option<Uuid>,
            workflow_template_id: Option<Uuid>,
        }
        let asked: Payload = self.call.payload()?;
        let catalog = self.app.catalog();
        let ontology = match asked.ontology_hash {
            Some(wanted) => Some(catalog.ontology(wanted)?.id),
            None => None,
        };
        let graph = match asked.workflow_template_id {
            Some(wanted) => {
                let found = catalog.templates.iter().find(|(uuid, ..)| *uuid == wanted);
                let found = found.ok_or_else(|| {
                    Refusal::NotFound(format!(
                        "there is no workflow template {wanted} on this server"
                    ))
                })?;
                found.2.clone()
            }
            None => standard_workflow()?,
        };
        let mut new = NewProject {
            // Not named by the seed: nobody can say how often a script asks for "the same" project.
            uuid: Uuid::new_v4(),
            title: asked.title,
            description: asked.description,
            ontology: ontology.unwrap_or_default(),
            datasets: self.datasets_of(&asked.dataset_hashes)?,
            graph,
            creator: self.caller.email.to_string(),
        };
        let uuid = new.uuid;
        let work = move |c: &Connection| {
            if ontology.is_none() {
                new.ontology = empty_ontology(c, &new.title)?;
            }
            let begin = |_: u64, task: Uuid| (new.graph.first_for(task), 0.5);
            catalog::insert_project(c, &new, &begin, time::now())
        };
        let (_, tasks) = self.app.store.write(work).await?;
        self.app.reload().await?;
        self.app.tally.changed(Endpoint::CreateProject, tasks);
        Ok(serde_json::to_vec(&uuid)?)
    }

    /// The numbers of datasets, each once.
    fn datasets_of(&self, hashes: &[String]) -> Result<Vec<i64>, Refusal> {
        let catalog = self.app.catalog();
        let mut out = Vec::new();
        for hash in hashes {
            let wanted = uuid(hash, "dataset")?;
            let found = catalog.datasets.iter().find(|d| d.uuid == wanted);
            let found = found.ok_or_else(|| {
                Refusal::NotFound(format!("there is no dataset {wanted} on this server"))
            })?;
            if !out.contains(&found.id) {
                out.push(found.id);
            }
        }
        Ok(out)
    }

    pub(super) async fn delete_project(&self) -> Found {
        let wanted = self.call.uuids()?;
        let wanted = wanted
            .first()
            .ok_or_else(|| Refusal::Invalid("no project to delete is named".to_owned()))?;
        let project = Arc::clone(self.app.catalog().project(*wanted)?);
        let work = move |c: &Connection| {
            units::forget_reviews(c, &project)?;
            records::forget(c, project.uuid)?;
            catalog::delete_project(c, project.id)
        };
        self.app.store.write(work).await?;
        self.app.reload().await?;
        self.app.tally.changed(Endpoint::DeleteProject, 1);
        Ok(b"true".to_vec())
    }

    /// All projects with the caller's role, as clients before v2 list them.
    pub(super) async fn list_projects(&self) -> Found {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Payload {
            filter: HashMap<String, String>,
        }
        let asked = self.call.payload::<Option<Payload>>()?.unwrap_or_default();
        let filter = CatalogFilter::of_legacy(&asked.filter)?;
        let catalog = self.app.catalog();
        let fitting = catalog
            .projects
            .iter()
            .filter(|p| filter.fits(&p.title, &p.description, p.created, p.edited));
        let one = |p: &Arc<Project>| {
            let project = json!({
                "project_hash": p.uuid, "title": p.title, "description": p.description,
                "created_at": time::plain(p.created), "last_edited_at": time::plain(p.edited),
                "ontology_hash": p.ontology.uuid,
            });
            json!({"user_role": 0, "project": project})
        };
        Ok(serde_json::to_vec(&fitting.map(one).collect::<Vec<_>>())?)
    }

    pub(super) async fn add_project_users(&self, project: &Project) -> Found {
        let (emails, role) = self.new_members()?;
        members::add(self.app, project.uuid, emails.clone(), role, HIGHEST_ROLE).await?;
        self.app
            .tally
            .changed(Endpoint::ChangeProjects, emails.len());
        let user = |email: String| json!({"user_email": email, "user_role": role, "project_hash": project.uuid});
        Ok(serde_json::to_vec(
            &emails.into_iter().map(user).collect::<Vec<_>>(),
        )?)
    }

    pub(super) async fn add_datasets(&self, project: Arc<Project>) -> Found {
        #[derive(Deserialize)]
        struct Payload {
            dataset_hashes: Vec<String>,
        }
        let asked: Payload = self.call.payload()?;
        let datasets = self.datasets_of(&asked.dataset_hashes)?;
        let work = move |c: &Connection| units::add_datasets(c, &project, &datasets, time::now());
        let tasks = self.app.store.write(work).await?;
        self.app.reload().await?;
        self.app.tally.changed(Endpoint::ChangeProjects, tasks);
        Ok(b"true".to_vec())
    }

    pub(super) async fn remove_datasets(&self, project: Arc<Project>) -> Found {
        let mut datasets = Vec::new();
        for wanted in self.call.uuids()? {
            let found = project.datasets.iter().find(|d| d.uuid == wanted);
            let found = found.ok_or_else(|| {
                Refusal::NotFound(format!("the project does not use a dataset {wanted}"))
            })?;
            datasets.push(found.id);
        }
        let n = datasets.len();
        let work = move |c: &Connection| units::remove_datasets(c, &project, &datasets);
        self.app.store.write(work).await?;
        self.app.reload().await?;
        self.app.tally.changed(Endpoint::ChangeProjects, n);
        Ok(b"true".to_vec())
    }

    /// The older way to change a project's ontology: its structure is replaced.
    pub(super) async fn save_project_ontology(&self, project: Arc<Project>) -> Found {
        #[derive(Deserialize)]
        struct Payload {
            editor: Box<RawValue>,
        }
        let sent: Payload = self.call.payload()?;
        let editor = completed(&sent.editor)?;
        let work = move |c: &Connection| {
            catalog::save_ontology(c, project.ontology.id, None, None, &editor, time::now())
        };
        self.app.store.write(work).await?;
        self.app.reload().await?;
        self.app.tally.changed(Endpoint::ChangeOntologies, 1);
        Ok(b"true".to_vec())
    }

    /// One data unit's files: a video, or pictures. Other kinds have neither.
    pub(super) async fn unit_files(&self, project: Arc<Project>) -> Found {
        #[derive(Deserialize)]
        struct Asked {
            data_hash: Uuid,
            #[serde(default)]
            get_signed_url: bool,
        }
        let asked: Asked = serde_json::from_value(self.call.uid().clone())?;
        let find = move |c: &Connection| {
            let mut found = items::by_hash(c, &[asked.data_hash])?;
            found.retain(|d| project.dataset(d.dataset).is_some());
            let unit = found.pop().ok_or_else(|| {
                Refusal::NotFound(format!(
                    "data unit {} is not in this project",
                    asked.data_hash
                ))
            })?;
            let pictures = match unit.kind {
                ItemKind::Image => Some(vec![unit.clone()]),
                ItemKind::ImageGroup => Some(items::children(c, unit.id)?),
                _ => None,
            };
            Ok((unit, pictures))
        };
        let (unit, pictures) = self.app.store.read(find).await?;
        let link = |d: &items::Data| match asked.get_signed_url {
            true => self.app.signed_url(d, false).unwrap_or_else(|| d.link()),
            false => d.link(),
        };
        let moving = matches!(unit.kind, ItemKind::Video | ItemKind::ImageSequence);
        let video = moving.then(|| {
            json!({
                "data_hash": unit.hash, "title": unit.title, "file_link": link(&unit), "backing_item_uuid": unit.item,
            })
        });
        let image = |d: &items::Data| json!({"data_hash": unit.hash, "image_hash": d.hash, "title": d.title, "file_link": link(d)});
        let images = pictures.map(|list| list.iter().map(image).collect::<Vec<_>>());
        Ok(serde_json::to_vec(
            &json!({"data_hash": unit.hash, "video": video, "images": images}),
        )?)
    }

    /// A project like this one: the same workflow and ontology, all tasks at the beginning.
    pub(super) async fn copy_project(&self, project: Arc<Project>) -> Found {
        let asked: CopyBody = self.call.payload()?;
        asked.check()?;
        let creator = self.caller.email.to_string();
        let uuid = Uuid::new_v4();
        let work = move |c: &Connection| asked.run(c, &project, uuid, creator, time::now());
        let tasks = self.app.store.write(work).await?;
        self.app.reload().await?;
        self.app.tally.changed(Endpoint::CreateProject, tasks);
        Ok(serde_json::to_vec(&uuid)?)
    }
}

/// How a project is to be copied.
#[derive(Deserialize)]
struct CopyBody {
    copy_project_options: HashSet<String>,
    copy_labels_options: Option<LabelOptions>,
    project_copy_metadata: Option<Titles>,
}

#[derive(Default, Deserialize)]
struct LabelOptions {
    #[serde(default)]
    datasets_to_data_hashes_map: HashMap<Uuid, Vec<Uuid>>,
    accepted_label_hashes: Option<HashSet<Uuid>>,
    accepted_label_statuses: Option<Vec<String>>,
    create_new_dataset: Option<bool>,
}

#[derive(Default, Deserialize)]
struct Titles {
    project_title: Option<String>,
    project_description: Option<String>,
    dataset_title: Option<String>,
    dataset_description: Option<String>,
}

impl CopyBody {
    fn check(&self) -> Result<(), Refusal> {
        let options = self.copy_labels_options.as_ref();
        if options.is_some_and(|o| o.accepted_label_statuses.is_some()) {
            return Err(Refusal::NotServed(
                "a local project does not copy labels by the state of their review; name the rows \
                 (`accepted_label_hashes`) or copy all"
                    .to_owned(),
            ));
        }
        Ok(())
    }

    /// Returns how many tasks the copy has.
    fn run(
        self,
        connection: &Connection,
        from: &Project,
        uuid: Uuid,
        creator: String,
        now: i64,
    ) -> Result<usize, Refusal> {
        let titles = self.project_copy_metadata.unwrap_or_default();
        let options = self.copy_labels_options.unwrap_or_default();
        let with = |what: &str| self.copy_project_options.contains(what);
        let title = titles
            .project_title
            .unwrap_or_else(|| format!("Copy of {}", from.title));
        let cloned = options.create_new_dataset == Some(true);
        let (datasets, pairs) = if cloned {
            let new = NewDataset {
                uuid: Uuid::new_v4(),
                folder: None,
                title: titles.dataset_title.as_deref().unwrap_or(&title),
                description: titles.dataset_description.as_deref().unwrap_or_default(),
            };
            let dataset = folders::insert_dataset(connection, &new, now)?;
            let wanted = &options.datasets_to_data_hashes_map;
            let pairs = copies::clone_units(connection, from, dataset, wanted, now)?;
            (vec![dataset], Some(pairs))
        } else if with("datasets") {
            (from.datasets.iter().map(|d| d.id).collect(), None)
        } else {
            (Vec::new(), None)
        };
        let has_data = !datasets.is_empty();
        let new = NewProject {
            uuid,
            title,
            description: titles
                .project_description
                .unwrap_or_else(|| from.description.clone()),
            ontology: from.ontology.id,
            datasets,
            graph: from.graph.clone(),
            creator,
        };
        let begin = |_: u64, task: Uuid| (new.graph.first_for(task), 0.5);
        let (id, tasks) = catalog::insert_project(connection, &new, &begin, now)?;
        if with("labels") && has_data {
            let wanted = options.accepted_label_hashes.as_ref();
            copies::labels(connection, from, (id, uuid), pairs.as_deref(), wanted, now)?;
        }
        if with("collaborators") {
            for member in records::list(connection, records::Kind::Member, from.uuid)? {
                let known = records::named(uuid, &member.name);
                let (kind, name) = (records::Kind::Member, &member.name);
                records::put(connection, kind, uuid, known, name, &member.body, now)?;
            }
        }
        Ok(tasks)
    }
}

/// An ontology without classes, for a project that names none.
fn empty_ontology(connection: &Connection, title: &str) -> Result<i64, Refusal> {
    let editor = r#"{"objects":[],"classifications":[]}"#;
    let title = format!("Ontology of {title}");
    Ok(catalog::insert_ontology(
        connection,
        Uuid::new_v4(),
        &title,
        "",
        editor,
        time::now(),
    )?)
}

/// The workflow of a project that names no template: annotation, review with a way back, done.
fn standard_workflow() -> Result<Graph, Refusal> {
    let [start, annotate, review, done] = [(); 4].map(|()| Uuid::new_v4());
    let spec = json!({"graphNodes": [
        {"uuid": start, "nodeType": "START", "toNode": annotate},
        {"uuid": annotate, "nodeType": "ANNOTATION", "title": "Annotate 1", "toNode": review},
        {"uuid": review, "nodeType": "REVIEW", "title": "Review 1", "approveNode": done, "rejectNode": annotate},
        {"uuid": done, "nodeType": "DONE", "title": "Complete", "nodeSubtype": "COMPLETED"},
    ]});
    Graph::from_value(&spec).map_err(Refusal::Internal)
}
