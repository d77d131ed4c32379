//! The legacy calls about whole projects: create, copy, delete, list, and change datasets, people and
//! ontology; and the files of one data unit.

use std::collections::{HashMap, HashSet};

use crate::routes::members::NewMembers;
use crate::routes::ontologies::completed;
use crate::routes::prelude::*;
use crate::routes::projects::CatalogFilter;
use crate::store::catalog::NewProject;
use crate::store::folders::NewDataset;
use crate::store::row_query::RowQuery;
use crate::store::{copies, items, records, rows, units};
use crate::workflow::Graph;

/// Roles of a project: admin, annotator, reviewer, both, team manager, viewer.
const HIGHEST_ROLE: i64 = 5;

/// The project as clients before v2 read it.
pub(super) async fn one(call: Call, InProject(project): InProject) -> Reply {
    #[derive(Serialize)]
    struct Legacy<'a> {
        #[serde(flatten)]
        fields: Value,
        editor_ontology: &'a RawValue,
        label_rows: &'a RawValue,
    }
    let here = Arc::clone(&project);
    let list = move |db: &_| rows::list(db, &here, &RowQuery::default());
    let rows = call.store.read(list).await?;
    let dataset = |d: &Arc<Dataset>| json!({"dataset_hash": d.uuid, "title": d.title, "description": d.description, "dataset_type": "CORD_STORAGE"});
    let fields = json!({
        "project_hash": project.uuid, "title": project.title, "description": project.description,
        "created_at": time::plain(project.created), "last_edited_at": time::plain(project.edited),
        "ontology_hash": project.ontology.uuid,
        "datasets": project.datasets.iter().map(dataset).collect::<Vec<_>>(),
        "source_projects": null, "workflow_manager_uuid": project.manager,
    });
    json_reply(&Legacy {
        fields,
        editor_ontology: &project.ontology.editor,
        label_rows: serde_json::from_slice(&rows)?,
    })
}

#[derive(Deserialize)]
pub(super) struct ProjectBody {
    title: String,
    #[serde(default)]
    description: String,
    dataset_hashes: Vec<String>,
    ontology_hash: Option<Uuid>,
    workflow_template_id: Option<Uuid>,
}

pub(super) async fn create(call: Call, Sent(asked): Sent<ProjectBody>) -> Reply {
    let catalog = call.catalog();
    let ontology = match asked.ontology_hash {
        Some(wanted) => Some(catalog.ontology(wanted)?.id),
        None => None,
    };
    let graph = match asked.workflow_template_id {
        Some(wanted) => {
            let found = catalog.templates.iter().find(|(uuid, ..)| *uuid == wanted);
            let found = found.ok_or_else(|| {
                not_found!("there is no workflow template {wanted} on this server")
            })?;
            found.2.clone()
        }
        None => standard_workflow()?,
    };
    let mut new = NewProject {
        // Not derived from the seed: a script may ask for "the same" project any number of times.
        uuid: Uuid::new_v4(),
        title: asked.title,
        description: asked.description,
        ontology: ontology.unwrap_or_default(),
        datasets: datasets_of(&call, &asked.dataset_hashes)?,
        graph,
        creator: call.caller.email.to_string(),
    };
    let uuid = new.uuid;
    let create = call.change_catalog(move |tx| {
        if ontology.is_none() {
            new.ontology = empty_ontology(tx, &new.title)?;
        }
        let begin = |_: u64, task: Uuid| (new.graph.first_for(task), 0.5);
        Ok(catalog::insert_project(tx, &new, &begin)?.1)
    });
    create.await?;
    json_reply(&uuid)
}

/// The numbers of datasets, each once.
fn datasets_of(call: &Call, hashes: &[String]) -> Result<Vec<i64>, Refusal> {
    let catalog = call.catalog();
    let mut out = Vec::new();
    for hash in hashes {
        let wanted = uuid(hash, "dataset")?;
        let found = catalog.datasets.iter().find(|d| d.uuid == wanted);
        let found =
            found.ok_or_else(|| not_found!("there is no dataset {wanted} on this server"))?;
        if !out.contains(&found.id) {
            out.push(found.id);
        }
    }
    Ok(out)
}

pub(super) async fn delete(call: Call, Uids(wanted): Uids) -> Reply {
    let unnamed = || invalid!("no project to delete is named");
    let wanted = wanted.first().ok_or_else(unnamed)?;
    let project = Arc::clone(call.catalog().project(*wanted)?);
    call.change_catalog(move |tx| {
        units::forget_reviews(tx, &project)?;
        records::forget(tx, project.uuid)?;
        catalog::delete_project(tx, project.id)
    })
    .await
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ListQuery {
    filter: CatalogFilter,
}

/// All projects with the caller's role, as clients before v2 list them.
pub(super) async fn list(call: Call, Sent(asked): Sent<Option<ListQuery>>) -> Reply {
    let filter = asked.unwrap_or_default().filter;
    let catalog = call.catalog();
    let fits = |p: &&Arc<Project>| filter.fits(&p.title, &p.description, p.created, p.edited);
    let one = |p: &Arc<Project>| {
        let project = json!({
            "project_hash": p.uuid, "title": p.title, "description": p.description,
            "created_at": time::plain(p.created), "last_edited_at": time::plain(p.edited),
            "ontology_hash": p.ontology.uuid,
        });
        json!({"user_role": 0, "project": project})
    };
    let fitting = catalog.projects.iter().filter(fits);
    json_reply(&fitting.map(one).collect::<Vec<_>>())
}

pub(super) async fn add_users(call: Call, project: InProject, sent: Sent<NewMembers>) -> Reply {
    sent.0
        .add(&call, project.uuid, "project_hash", HIGHEST_ROLE)
        .await
}

#[derive(Deserialize)]
pub(super) struct NewDatasets {
    dataset_hashes: Vec<String>,
}

pub(super) async fn add_datasets(
    call: Call,
    InProject(project): InProject,
    Sent(asked): Sent<NewDatasets>,
) -> Reply {
    let datasets = datasets_of(&call, &asked.dataset_hashes)?;
    call.change_catalog(move |tx| units::add_datasets(tx, &project, &datasets))
        .await
}

pub(super) async fn remove_datasets(call: Call, project: InProject, Uids(wanted): Uids) -> Reply {
    let mut datasets = Vec::new();
    for wanted in wanted {
        let found = project.datasets.iter().find(|d| d.uuid == wanted);
        let found =
            found.ok_or_else(|| not_found!("the project does not use a dataset {wanted}"))?;
        datasets.push(found.id);
    }
    call.change_catalog(move |tx| {
        units::remove_datasets(tx, &project, &datasets).map(|()| datasets.len())
    })
    .await
}

#[derive(Deserialize)]
pub(super) struct OntologyBody {
    editor: Box<RawValue>,
}

/// The older way to change a project's ontology: its structure is replaced.
pub(super) async fn save_ontology(
    call: Call,
    InProject(project): InProject,
    Sent(sent): Sent<OntologyBody>,
) -> Reply {
    let editor = completed(&sent.editor)?;
    call.change_catalog(move |tx| {
        catalog::save_ontology(tx, project.ontology.id, None, None, &editor)
    })
    .await
}

/// One data unit's files: a video, or pictures. Other kinds have neither.
pub(super) async fn unit_files(call: Call, InProject(project): InProject) -> Reply {
    #[derive(Deserialize)]
    struct FilesQuery {
        data_hash: Uuid,
        #[serde(default)]
        get_signed_url: bool,
    }
    let uid = call.legacy.as_ref().map(|l| l.uid.clone());
    let asked: FilesQuery = serde_json::from_value(uid.unwrap_or_default())?;
    let find = move |db: &Connection| {
        let mut found = items::by_hash(db, &[asked.data_hash])?;
        found.retain(|d| project.dataset(d.dataset).is_some());
        let unit = found
            .pop()
            .ok_or_else(|| not_found!("data unit {} is not in this project", asked.data_hash))?;
        let pictures = match unit.kind {
            ItemKind::Image => Some(vec![unit.clone()]),
            ItemKind::ImageGroup => Some(items::children(db, unit.id)?),
            _ => None,
        };
        Ok((unit, pictures))
    };
    let (unit, pictures) = call.store.read(find).await?;
    let link = |d: &Data| match asked.get_signed_url {
        true => call.signed_url(d, false).unwrap_or_else(|| d.link()),
        false => d.link(),
    };
    let moving = matches!(unit.kind, ItemKind::Video | ItemKind::ImageSequence);
    let video = moving.then(|| {
        json!({
            "data_hash": unit.hash, "title": unit.title, "file_link": link(&unit), "backing_item_uuid": unit.item,
        })
    });
    let image = |d: &Data| json!({"data_hash": unit.hash, "image_hash": d.hash, "title": d.title, "file_link": link(d)});
    let images = pictures.map(|list| list.iter().map(image).collect::<Vec<_>>());
    json_reply(&json!({"data_hash": unit.hash, "video": video, "images": images}))
}

/// Creates a project with the same workflow and ontology and all tasks at the start.
pub(super) async fn copy(call: Call, project: InProject, Sent(asked): Sent<CopyBody>) -> Reply {
    asked.check()?;
    let uuid = Uuid::new_v4();
    call.change_catalog(move |tx| asked.run(tx, &project, uuid))
        .await?;
    json_reply(&uuid)
}

/// The options of a copy.
#[derive(Deserialize)]
pub(super) struct CopyBody {
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
            return Err(not_served!(
                "a local project does not copy labels by the state of their review; name the rows \
                 (`accepted_label_hashes`) or copy all"
            ));
        }
        Ok(())
    }

    /// Returns how many tasks the copy has.
    fn run(self, tx: &Tx<'_>, from: &Project, uuid: Uuid) -> Result<usize, Refusal> {
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
            let dataset = folders::insert_dataset(tx, &new)?;
            let wanted = &options.datasets_to_data_hashes_map;
            let pairs = copies::clone_units(tx, from, dataset, wanted)?;
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
            creator: tx.actor.to_owned(),
        };
        let begin = |_: u64, task: Uuid| (new.graph.first_for(task), 0.5);
        let (id, tasks) = catalog::insert_project(tx, &new, &begin)?;
        if with("labels") && has_data {
            let wanted = options.accepted_label_hashes.as_ref();
            copies::labels(tx, from, (id, uuid), pairs.as_deref(), wanted)?;
        }
        if with("collaborators") {
            for member in records::list(tx, RecordKind::MEMBER, from.uuid)? {
                let key = RecordKind::MEMBER.of(uuid, records::named(uuid, &member.name));
                records::put(tx, key, &member.name, &member.body)?;
            }
        }
        Ok(tasks)
    }
}

/// An ontology without classes, for a project that names none.
fn empty_ontology(tx: &Tx<'_>, title: &str) -> Result<i64, Refusal> {
    let editor = r#"{"objects":[],"classifications":[]}"#;
    let title = format!("Ontology of {title}");
    catalog::insert_ontology(tx, Uuid::new_v4(), &title, "", editor)
}

/// The workflow of a project without a template: annotation, review with a loop back, done.
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
