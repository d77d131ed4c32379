//! Projects, ontologies, datasets, branches, and the caller's bearer token.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, Query, State};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::Shared;
use crate::auth::Caller;
use crate::error::Refusal;
use crate::routes::reply::{Answer, Page, Pairs, json_answer, uuid};
use crate::store::catalog::{Dataset, Ontology, Project};
use crate::store::rows;
use crate::time;

type QueryPairs = Query<Vec<(String, String)>>;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProjectDto<'a> {
    project_hash: Uuid,
    project_type: &'static str,
    status: &'static str,
    title: &'a str,
    description: &'a str,
    created_at: String,
    creator_email: &'a str,
    last_edited_at: String,
    ontology_hash: Uuid,
    editor_ontology: &'a RawValue,
    user_role: u8,
    source_projects: Option<Value>,
    workflow_manager_uuid: Uuid,
    workflow: Value,
}

impl<'a> From<&'a Project> for ProjectDto<'a> {
    fn from(p: &'a Project) -> Self {
        Self {
            project_hash: p.uuid,
            project_type: "workflow",
            status: "inProgress",
            title: &p.title,
            description: &p.description,
            created_at: time::iso(p.created),
            creator_email: &p.creator,
            last_edited_at: time::iso(p.edited),
            ontology_hash: p.ontology.uuid,
            editor_ontology: &p.ontology.editor,
            user_role: 0,
            source_projects: None,
            workflow_manager_uuid: p.manager,
            workflow: json!({"stages": p.graph.stages_json()}),
        }
    }
}

pub(super) async fn one(State(app): State<Shared>, Path(project): Path<String>) -> Answer {
    json_answer(&ProjectDto::from(&*app.project(&project)?))
}

pub(super) async fn list(State(app): State<Shared>, Query(pairs): QueryPairs) -> Answer {
    let pairs = Pairs(pairs);
    let after = pairs.after()?;
    let filter = CatalogFilter::read(&pairs)?;
    let catalog = app.catalog();
    let fitting = catalog
        .projects
        .iter()
        .filter(|p| p.id > after && filter.fits(&p.title, &p.description, p.created, p.edited));
    let found: Vec<&Arc<Project>> = fitting.take(app.page_size + 1).collect();
    let page = Page::cut(found, app.page_size, |p| p.id);
    let results: Vec<ProjectDto<'_>> = page
        .results
        .iter()
        .map(|p| ProjectDto::from(&***p))
        .collect();
    json_answer(&Page {
        results,
        next_page_token: page.next_page_token,
    })
}

/// What lists of projects and ontologies are filtered by.
struct CatalogFilter {
    title: Option<String>,
    title_like: Option<String>,
    description: Option<String>,
    description_like: Option<String>,
    created: (Option<i64>, Option<i64>),
    edited: (Option<i64>, Option<i64>),
    tagged: bool,
}

impl CatalogFilter {
    fn read(pairs: &Pairs) -> Result<Self, Refusal> {
        let text = |key: &str| pairs.first(key).map(str::to_owned);
        let instant = |key: &str| match pairs.first(key) {
            None => Ok(None),
            Some(value) => match time::parse(value) {
                Some(at) => Ok(Some(at)),
                None => Err(Refusal::Invalid(format!("{key} {value:?} is not a date"))),
            },
        };
        Ok(Self {
            title: text("titleEq"),
            title_like: text("titleLike"),
            description: text("descEq"),
            description_like: text("descLike"),
            created: (instant("createdAfter")?, instant("createdBefore")?),
            edited: (instant("editedAfter")?, instant("editedBefore")?),
            tagged: pairs.all("tagsAnyof").next().is_some(),
        })
    }

    /// Instants in milliseconds since 1970.
    fn fits(&self, title: &str, description: &str, created: i64, edited: i64) -> bool {
        let equal = |wanted: &Option<String>, text: &str| wanted.as_ref().is_none_or(|w| w == text);
        let like = |wanted: &Option<String>, text: &str| {
            wanted.as_ref().is_none_or(|w| rows::matches_like(w, text))
        };
        let within = |(after, before): (Option<i64>, Option<i64>), at: i64| {
            after.is_none_or(|a| at > a) && before.is_none_or(|b| at < b)
        };
        // Nothing on a local server carries tags.
        !self.tagged
            && equal(&self.title, title)
            && like(&self.title_like, title)
            && equal(&self.description, description)
            && like(&self.description_like, description)
            && within(self.created, created)
            && within(self.edited, edited)
    }
}

fn dataset_json(dataset: &Arc<Dataset>) -> Value {
    json!({
        "datasetHash": dataset.uuid, "title": dataset.title, "description": dataset.description,
        "backingFolderUuid": dataset.folder, "createdAt": time::iso(dataset.created),
        "lastEditedAt": time::iso(dataset.edited),
    })
}

pub(super) async fn datasets(State(app): State<Shared>, Path(project): Path<String>) -> Answer {
    let project = app.project(&project)?;
    json_answer(&Page::whole(
        project.datasets.iter().map(dataset_json).collect(),
    ))
}

/// All datasets, with the caller's role. The key is `result` here, not `results`.
pub(super) async fn all_datasets(State(app): State<Shared>, Query(pairs): QueryPairs) -> Answer {
    let pairs = Pairs(pairs);
    let equal = |key: &str, text: &str| pairs.first(key).is_none_or(|w| w == text);
    let like = |key: &str, text: &str| pairs.first(key).is_none_or(|w| rows::matches_like(w, text));
    let catalog = app.catalog();
    let fitting = catalog.datasets.iter().filter(|d| {
        equal("titleEq", &d.title)
            && like("titleLike", &d.title)
            && equal("descriptionEq", &d.description)
            && like("descriptionLike", &d.description)
    });
    let one = |d: &Arc<Dataset>| {
        json!({
            "datasetUuid": d.uuid, "title": d.title, "description": d.description, "createdAt": time::iso(d.created),
            "lastEditedAt": time::iso(d.edited), "userRole": "admin", "storageLocation": 0,
            "backingFolderUuid": d.folder,
        })
    };
    json_answer(&json!({"result": fitting.map(one).collect::<Vec<_>>()}))
}

pub(super) async fn branches(State(app): State<Shared>, Path(project): Path<String>) -> Answer {
    let project = app.project(&project)?;
    let found = app.store.read(move |c| rows::branches(c, &project)).await?;
    json_answer(&Page::whole(
        found.into_iter().map(|b| json!({"name": b})).collect(),
    ))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OntologyDto<'a> {
    ontology_uuid: Uuid,
    title: &'a str,
    description: &'a str,
    editor: &'a RawValue,
    created_at: String,
    last_edited_at: String,
    user_role: u8,
}

impl<'a> From<&'a Ontology> for OntologyDto<'a> {
    fn from(o: &'a Ontology) -> Self {
        Self {
            ontology_uuid: o.uuid,
            title: &o.title,
            description: &o.description,
            editor: &o.editor,
            created_at: time::iso(o.created),
            last_edited_at: time::iso(o.edited),
            user_role: 0,
        }
    }
}

pub(super) async fn ontology(State(app): State<Shared>, Path(ontology): Path<String>) -> Answer {
    let wanted = uuid(&ontology, "ontology")?;
    let catalog = app.catalog();
    let found = catalog.ontologies.iter().find(|o| o.uuid == wanted);
    let found = found.ok_or_else(|| {
        Refusal::NotFound(format!("there is no ontology {wanted} on this server"))
    })?;
    json_answer(&OntologyDto::from(&**found))
}

pub(super) async fn ontologies(State(app): State<Shared>, Query(pairs): QueryPairs) -> Answer {
    let filter = CatalogFilter::read(&Pairs(pairs))?;
    let catalog = app.catalog();
    let fitting = catalog
        .ontologies
        .iter()
        .filter(|o| filter.fits(&o.title, &o.description, o.created, o.edited));
    json_answer(&Page::whole(
        fitting.map(|o| OntologyDto::from(&**o)).collect(),
    ))
}

/// Everybody with a key, since all may do everything: administrators.
pub(super) async fn users(State(app): State<Shared>, Path(project): Path<String>) -> Answer {
    app.project(&project)?;
    let user = |email: &str| json!({"userEmail": email, "userRole": 0});
    json_answer(&Page::whole(
        app.gate.emails().into_iter().map(user).collect(),
    ))
}

pub(super) async fn bearer_token(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
) -> Answer {
    json_answer(&json!({"token": app.gate.bearer(&caller, time::now() / 1000)}))
}
