//! Projects: read, listed, their status; their branches; and the caller's bearer token.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::error::{Refusal, invalid};
use crate::routes::extract::{Call, InProject, Pairs, Sent};
use crate::routes::paging::{Page, token};
use crate::routes::reply::{Answer, json_answer, null};
use crate::store::catalog::{Dataset, Project};
use crate::store::records::{self, Kind};
use crate::store::{catalog, like, rows};
use crate::time;

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

pub(super) async fn one(InProject(project): InProject) -> Answer {
    json_answer(&ProjectDto::from(&*project))
}

pub(super) async fn list(call: Call, pairs: Pairs) -> Answer {
    let after = pairs.after()?;
    let filter = CatalogFilter::read(&pairs)?;
    let tagged = tagged(&call, pairs.texts("tagsAnyof")).await?;
    let catalog = call.catalog();
    let fitting = catalog.projects.iter().filter(|p| {
        p.id > after
            && filter.fits(&p.title, &p.description, p.created, p.edited)
            && tagged.as_ref().is_none_or(|t| t.contains(&p.uuid))
    });
    let found: Vec<&Arc<Project>> = fitting.take(call.page_size + 1).collect();
    let page = Page::cut(found, call.page_size, |p| token(p.id));
    json_answer(&page.map(|p| ProjectDto::from(&**p)))
}

/// The projects that carry one of these tags; `None` without tags.
async fn tagged(call: &Call, tags: HashSet<String>) -> Result<Option<HashSet<Uuid>>, Refusal> {
    if tags.is_empty() {
        return Ok(None);
    }
    let uses = call.store.read(|db| records::all(db, Kind::TagUse)).await?;
    let fitting = uses.into_iter().filter(|u| tags.contains(&u.name));
    Ok(Some(fitting.map(|u| u.scope).collect()))
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

#[derive(Deserialize)]
pub(super) struct Status {
    status: String,
}

/// Informational: the status does not restrict a project.
pub(super) async fn set_status(
    call: Call,
    InProject(project): InProject,
    Sent(Status { status }): Sent<Status>,
) -> Answer {
    if !STATUSES.contains(&status.as_str()) {
        return Err(invalid!(
            "{status:?} is not a status; known are {}",
            STATUSES.join(", ")
        ));
    }
    call.change_catalog(move |tx| catalog::set_status(tx, project.id, &status).map(|()| 1))
        .await?;
    Ok(null())
}

/// The filters of lists of projects and ontologies.
pub(super) struct CatalogFilter {
    title: Option<String>,
    title_like: Option<String>,
    description: Option<String>,
    description_like: Option<String>,
    created: (Option<i64>, Option<i64>),
    edited: (Option<i64>, Option<i64>),
}

/// An open interval of instants in milliseconds since 1970.
type Span = (Option<i64>, Option<i64>);

pub(super) fn within((after, before): Span, at: i64) -> bool {
    after.is_none_or(|a| at > a) && before.is_none_or(|b| at < b)
}

fn instant(key: &str, value: Option<&str>) -> Result<Option<i64>, Refusal> {
    let Some(value) = value else { return Ok(None) };
    let wrong = || invalid!("{key} {value:?} is not a date");
    time::parse(value).map(Some).ok_or_else(wrong)
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

    /// The same filter in the legacy API.
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

pub(super) async fn datasets(InProject(project): InProject) -> Answer {
    json_answer(&Page::whole(project.datasets.iter().map(dataset_json)))
}

pub(super) async fn branches(call: Call, InProject(project): InProject) -> Answer {
    let read = call.store.read(move |db| rows::branches(db, &project));
    let found = read.await?.into_iter();
    json_answer(&Page::whole(found.map(|b| json!({"name": b}))))
}

pub(super) async fn bearer_token(call: Call) -> Answer {
    let token = call.keyring.bearer(&call.caller, time::now() / 1000);
    json_answer(&json!({"token": token}))
}
