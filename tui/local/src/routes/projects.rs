//! Projects: read, listed, their status; their branches; and the caller's bearer token.

use std::collections::HashSet;

use crate::routes::members;
use crate::routes::prelude::*;
use crate::store::{catalog, like, rows};

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
    user_role: Value,
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
            user_role: json!(0),
            source_projects: None,
            workflow_manager_uuid: p.manager,
            workflow: json!({"stages": p.graph.stages_json()}),
        }
    }
}

pub(super) async fn one(call: Call, InProject(project): InProject) -> Reply {
    let user_role = members::role(&call, project.uuid).await?;
    let project = ProjectDto::from(&*project);
    json_reply(&ProjectDto {
        user_role,
        ..project
    })
}

pub(super) async fn list(call: Call, pairs: Pairs) -> Reply {
    let after = pairs.after()?;
    let filter: CatalogFilter = pairs.parse()?;
    let tagged = tagged(&call, pairs.texts("tagsAnyof")).await?;
    let catalog = call.catalog();
    let fitting = catalog.projects.iter().filter(|p| {
        p.id > after
            && filter.fits(&p.title, &p.description, p.created, p.edited)
            && tagged.as_ref().is_none_or(|t| t.contains(&p.uuid))
    });
    let found: Vec<&Arc<Project>> = fitting.take(call.page_size + 1).collect();
    let page = Page::cut(found, call.page_size, |p| token(p.id));
    json_reply(&page.map(|p| ProjectDto::from(&**p)))
}

/// The projects that carry one of these tags; `None` without tags.
async fn tagged(call: &Call, tags: HashSet<String>) -> Result<Option<HashSet<Uuid>>, Refusal> {
    if tags.is_empty() {
        return Ok(None);
    }
    let uses = call
        .store
        .read(|db| records::all(db, RecordKind::TAG_USE))
        .await?;
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
) -> Reply {
    if !STATUSES.contains(&status.as_str()) {
        return Err(invalid!(
            "{status:?} is not a status; known are {}",
            STATUSES.join(", ")
        ));
    }
    call.change_catalog(move |tx| catalog::set_status(tx, project.id, &status))
        .await
}

/// The filters of lists of projects, ontologies and datasets, as each generation of the API spells them.
/// Instants in milliseconds since 1970.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct CatalogFilter {
    #[serde(alias = "title_eq")]
    title_eq: Option<String>,
    #[serde(alias = "title_like")]
    title_like: Option<String>,
    #[serde(alias = "descriptionEq", alias = "desc_eq")]
    desc_eq: Option<String>,
    #[serde(alias = "descriptionLike", alias = "desc_like")]
    desc_like: Option<String>,
    #[serde(alias = "created_after", deserialize_with = "time::deserialize")]
    created_after: Option<i64>,
    #[serde(alias = "created_before", deserialize_with = "time::deserialize")]
    created_before: Option<i64>,
    #[serde(alias = "edited_after", deserialize_with = "time::deserialize")]
    edited_after: Option<i64>,
    #[serde(alias = "edited_before", deserialize_with = "time::deserialize")]
    edited_before: Option<i64>,
}

impl CatalogFilter {
    pub(super) fn fits(&self, title: &str, description: &str, created: i64, edited: i64) -> bool {
        let equal =
            |pattern: &Option<String>, text: &str| pattern.as_ref().is_none_or(|p| p == text);
        let like = |pattern: &Option<String>, text: &str| {
            pattern.as_ref().is_none_or(|p| like::matches_like(p, text))
        };
        equal(&self.title_eq, title)
            && like(&self.title_like, title)
            && equal(&self.desc_eq, description)
            && like(&self.desc_like, description)
            && time::is_within(created, self.created_after, self.created_before)
            && time::is_within(edited, self.edited_after, self.edited_before)
    }
}

fn dataset_json(dataset: &Arc<Dataset>) -> Value {
    json!({
        "datasetHash": dataset.uuid, "title": dataset.title, "description": dataset.description,
        "backingFolderUuid": dataset.mirror(), "createdAt": time::iso(dataset.created),
        "lastEditedAt": time::iso(dataset.edited),
    })
}

pub(super) async fn datasets(InProject(project): InProject) -> Reply {
    json_reply(&Page::whole(project.datasets.iter().map(dataset_json)))
}

pub(super) async fn branches(call: Call, InProject(project): InProject) -> Reply {
    let read = call.store.read(move |db| rows::branches(db, &project));
    let found = read.await?.into_iter();
    json_reply(&Page::whole(found.map(|b| json!({"name": b}))))
}

pub(super) async fn bearer_token(call: Call) -> Reply {
    let token = call.keyring.bearer(&call.caller, time::now() / 1000);
    json_reply(&json!({"token": token}))
}
