//! Projects: read, listed, their status; their branches; and the caller's bearer token.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use axum::Extension;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::routing::{get, put};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::Shared;
use crate::auth::Caller;
use crate::endpoint::Endpoint;
use crate::error::Refusal;
use crate::routes::reply::{Answer, Page, Pairs, body, json_answer, null};
use crate::store::catalog::{Dataset, Project};
use crate::store::records::{self, Kind};
use crate::store::{catalog, like, rows};
use crate::time;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/v2/public/projects", get(list))
        .route("/v2/public/projects/{project}", get(one))
        .route("/v2/public/projects/{project}/status", put(set_status))
        .route("/v2/public/projects/{project}/datasets", get(datasets))
        .route("/v2/public/projects/{project}/branches", get(branches))
        .route("/v2/public/user/bearer-token", get(bearer_token))
}

type QueryPairs = Query<Vec<(String, String)>>;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProjectDto<'a> {
    project_hash: Uuid,
    project_type: &'static str,
    status: &'a str,
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
            status: &p.status,
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

async fn one(State(app): State<Shared>, Path(project): Path<String>) -> Answer {
    json_answer(&ProjectDto::from(&*app.project(&project)?))
}

async fn list(State(app): State<Shared>, Query(pairs): QueryPairs) -> Answer {
    let pairs = Pairs(pairs);
    let after = pairs.after()?;
    let filter = CatalogFilter::read(&pairs)?;
    let tags: HashSet<String> = pairs.all("tagsAnyof").map(str::to_owned).collect();
    let tagged = match tags.is_empty() {
        true => None,
        false => Some(tagged(&app, tags).await?),
    };
    let catalog = app.catalog();
    let fitting = catalog.projects.iter().filter(|p| {
        p.id > after
            && filter.fits(&p.title, &p.description, p.created, p.edited)
            && tagged.as_ref().is_none_or(|t| t.contains(&p.uuid))
    });
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

/// The projects that carry one of these tags.
async fn tagged(app: &Shared, tags: HashSet<String>) -> Result<HashSet<Uuid>, Refusal> {
    let uses = app.store.read(|c| records::all(c, Kind::TagUse)).await?;
    let fitting = uses.into_iter().filter(|u| tags.contains(&u.name));
    Ok(fitting.map(|u| u.scope).collect())
}

const STATUSES: [&str; 7] = [
    "notStarted",
    "inProgress",
    "inReview",
    "paused",
    "completed",
    "cancelled",
    "archived",
];

/// A word for people: a project can be worked on whatever its status is.
async fn set_status(
    State(app): State<Shared>,
    Path(project): Path<String>,
    bytes: Bytes,
) -> Answer {
    #[derive(Deserialize)]
    struct Sent {
        status: String,
    }
    let project = app.project(&project)?;
    let status = body::<Sent>(&bytes)?.status;
    if !STATUSES.contains(&status.as_str()) {
        return Err(Refusal::Invalid(format!(
            "{status:?} is not a status; known are {}",
            STATUSES.join(", ")
        )));
    }
    app.store
        .write(move |c| catalog::set_status(c, project.id, &status, time::now()))
        .await?;
    app.reload().await?;
    app.tally.changed(Endpoint::ChangeProjects, 1);
    Ok(null())
}

/// What lists of projects and ontologies are filtered by.
pub(super) struct CatalogFilter {
    title: Option<String>,
    title_like: Option<String>,
    description: Option<String>,
    description_like: Option<String>,
    created: (Option<i64>, Option<i64>),
    edited: (Option<i64>, Option<i64>),
}

/// Two instants in milliseconds since 1970, between which something must lie.
type Span = (Option<i64>, Option<i64>);

pub(super) fn within((after, before): Span, at: i64) -> bool {
    after.is_none_or(|a| at > a) && before.is_none_or(|b| at < b)
}

fn instant(key: &str, value: Option<&str>) -> Result<Option<i64>, Refusal> {
    match value {
        None => Ok(None),
        Some(value) => match time::parse(value) {
            Some(at) => Ok(Some(at)),
            None => Err(Refusal::Invalid(format!("{key} {value:?} is not a date"))),
        },
    }
}

pub(super) fn instant_filter(pairs: &Pairs, after: &str, before: &str) -> Result<Span, Refusal> {
    Ok((
        instant(after, pairs.first(after))?,
        instant(before, pairs.first(before))?,
    ))
}

impl CatalogFilter {
    pub(super) fn read(pairs: &Pairs) -> Result<Self, Refusal> {
        let text = |key: &str| pairs.first(key).map(str::to_owned);
        Ok(Self {
            title: text("titleEq"),
            title_like: text("titleLike"),
            description: text("descEq"),
            description_like: text("descLike"),
            created: instant_filter(pairs, "createdAfter", "createdBefore")?,
            edited: instant_filter(pairs, "editedAfter", "editedBefore")?,
        })
    }

    /// The same filter as the legacy API spells it.
    pub(super) fn of_legacy(filter: &HashMap<String, String>) -> Result<Self, Refusal> {
        let text = |key: &str| filter.get(key).cloned();
        let at = |key: &str| instant(key, filter.get(key).map(String::as_str));
        Ok(Self {
            title: text("title_eq"),
            title_like: text("title_like"),
            description: text("desc_eq"),
            description_like: text("desc_like"),
            created: (at("created_after")?, at("created_before")?),
            edited: (at("edited_after")?, at("edited_before")?),
        })
    }

    /// Instants in milliseconds since 1970.
    pub(super) fn fits(&self, title: &str, description: &str, created: i64, edited: i64) -> bool {
        let equal = |wanted: &Option<String>, text: &str| wanted.as_ref().is_none_or(|w| w == text);
        let like = |wanted: &Option<String>, text: &str| {
            wanted.as_ref().is_none_or(|w| like::matches_like(w, text))
        };
        equal(&self.title, title)
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
        "backingFolderUuid": dataset.mirror(), "createdAt": time::iso(dataset.created),
        "lastEditedAt": time::iso(dataset.edited),
    })
}

async fn datasets(State(app): State<Shared>, Path(project): Path<String>) -> Answer {
    let project = app.project(&project)?;
    json_answer(&Page::whole(
        project.datasets.iter().map(dataset_json).collect(),
    ))
}

async fn branches(State(app): State<Shared>, Path(project): Path<String>) -> Answer {
    let project = app.project(&project)?;
    let found = app.store.read(move |c| rows::branches(c, &project)).await?;
    json_answer(&Page::whole(
        found.into_iter().map(|b| json!({"name": b})).collect(),
    ))
}

async fn bearer_token(State(app): State<Shared>, Extension(caller): Extension<Caller>) -> Answer {
    json_answer(&json!({"token": app.gate.bearer(&caller, time::now() / 1000)}))
}
