//! The legacy API: one path, the call inside the body, every answer in an envelope with status 200.

use std::collections::HashSet;
use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::Shared;
use crate::auth::Caller;
use crate::endpoint::Endpoint;
use crate::error::Refusal;
use crate::people::SOMEBODY;
use crate::routes::door::Spoil;
use crate::routes::reply::{json_bytes, legacy_refusal, uuid};
use crate::store::blob::{self, FeatureFilter};
use crate::store::catalog::{Dataset, Project};
use crate::store::items::Data;
use crate::store::labels::{self, SavedRow};
use crate::store::rows::{self, RowQuery};
use crate::store::tasks;
use crate::time;

/// A call as it comes.
#[derive(Debug, Deserialize)]
pub(super) struct LegacyCall {
    pub(super) query_type: String,
    pub(super) query_method: String,
    #[serde(default)]
    values: Values,
}

#[derive(Debug, Default, Deserialize)]
struct Values {
    #[serde(default)]
    uid: Value,
    payload: Option<Box<RawValue>>,
}

impl LegacyCall {
    pub(super) fn endpoint(&self) -> Endpoint {
        match (self.query_type.as_str(), self.query_method.as_str()) {
            ("labelrowmetadata", "GET") => Endpoint::LabelRows,
            ("labelrow", "PUT") => Endpoint::CreateLabels,
            ("labelrow", "GET") => Endpoint::GetLabels,
            ("labelrow", "POST") => Endpoint::SaveLabels,
            ("labelworkflowgraphnode", "POST") => Endpoint::Complete,
            ("project", "POST") => Endpoint::CreateProject,
            ("project", "DELETE") => Endpoint::DeleteProject,
            ("project", "GET") => Endpoint::GetProject,
            ("dataset" | "datarows", "GET") => Endpoint::GetDataset,
            _ => Endpoint::Unknown,
        }
    }

    pub(super) fn payload<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        let text = self.values.payload.as_ref().map_or("null", |p| p.get());
        Ok(serde_json::from_str(text)?)
    }

    /// The UUIDs that the call is about; one alone is a list of one.
    pub(super) fn uuids(&self) -> Result<Vec<Uuid>, Refusal> {
        let one = |value: &Value| {
            let text = value
                .as_str()
                .ok_or_else(|| Refusal::Invalid("`uid` holds something other than text".into()))?;
            uuid(text, "uid")
        };
        match &self.values.uid {
            Value::Null => Ok(Vec::new()),
            Value::Array(list) => list.iter().map(one).collect(),
            single => Ok(vec![one(single)?]),
        }
    }

    /// One alone is answered with one alone.
    fn single(&self) -> bool {
        self.values.uid.is_string()
    }
}

/// What a call is answered with, as JSON.
pub(super) type Found = Result<Vec<u8>, Refusal>;

/// Everything a call needs.
pub(super) struct Context<'a> {
    pub app: &'a Shared,
    pub call: &'a LegacyCall,
    pub caller: Caller,
    spoil: Spoil,
}

pub(super) async fn project_scope(
    State(app): State<Shared>,
    Extension(call): Extension<Arc<LegacyCall>>,
    Extension(caller): Extension<Caller>,
    Extension(spoil): Extension<Spoil>,
    headers: HeaderMap,
) -> Response {
    let context = Context {
        app: &app,
        call: &call,
        caller,
        spoil,
    };
    let text = |name: &str| {
        headers
            .get(name)
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default()
    };
    let (scope, id) = (text("ResourceType"), text("ResourceID"));
    envelope(match scope {
        "project" => context.in_project(id).await,
        "dataset" => context.in_dataset(id).await,
        other => Err(Refusal::Invalid(format!(
            "the header ResourceType is {other:?}, not project or dataset"
        ))),
    })
}

pub(super) async fn user_scope(
    State(app): State<Shared>,
    Extension(call): Extension<Arc<LegacyCall>>,
    Extension(caller): Extension<Caller>,
    Extension(spoil): Extension<Spoil>,
) -> Response {
    let context = Context {
        app: &app,
        call: &call,
        caller,
        spoil,
    };
    envelope(match call.endpoint() {
        Endpoint::CreateProject => context.create_project().await,
        Endpoint::DeleteProject => context.delete_project().await,
        _ => Err(context.unknown()),
    })
}

fn envelope(found: Found) -> Response {
    match found {
        Ok(inner) => {
            let mut body = br#"{"status":200,"response":"#.to_vec();
            body.extend(inner);
            body.push(b'}');
            json_bytes(body)
        }
        Err(refusal) => legacy_refusal(&refusal),
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct LabelOptions {
    branch_name: Option<String>,
    get_signed_url: Option<bool>,
    include_object_feature_hashes: Option<HashSet<String>>,
    include_classification_feature_hashes: Option<HashSet<String>>,
}

/// The rows of a save: several come as the list `labels`, one as `labels`, and the older call for
/// one row sends the row itself.
fn saved_rows(call: &LegacyCall) -> Result<Vec<SavedRow>, Refusal> {
    #[derive(Deserialize)]
    struct Payload {
        labels: Option<Box<RawValue>>,
    }
    match call.payload::<Payload>()?.labels {
        Some(labels) if labels.get().starts_with('[') => Ok(serde_json::from_str(labels.get())?),
        Some(label) => Ok(vec![serde_json::from_str(label.get())?]),
        None => Ok(vec![call.payload()?]),
    }
}

impl Context<'_> {
    pub(super) fn unknown(&self) -> Refusal {
        Refusal::Method(format!(
            "this server does not know the legacy call {} {}",
            self.call.query_method, self.call.query_type
        ))
    }

    async fn in_project(&self, id: &str) -> Found {
        let project = self.app.project(id)?;
        match self.call.endpoint() {
            Endpoint::LabelRows => {
                let query: RowQuery = self.call.payload::<Option<RowQuery>>()?.unwrap_or_default();
                self.app
                    .store
                    .read(move |c| rows::list(c, &project, &query))
                    .await
            }
            Endpoint::CreateLabels => self.create_labels(project).await,
            Endpoint::GetLabels => self.get_labels(project).await,
            Endpoint::SaveLabels => self.save_labels(project).await,
            Endpoint::Complete => self.complete(project).await,
            Endpoint::GetProject => self.legacy_project(project).await,
            Endpoint::DeleteProject => self.delete_project().await,
            _ => Err(self.unknown()),
        }
    }

    /// One alone is answered without the list around it.
    fn unwrapped(&self, list: Vec<u8>) -> Found {
        if !self.call.single() {
            return Ok(list);
        }
        if list.len() <= 2 {
            return Err(Refusal::NotFound("there is no such label row".to_owned()));
        }
        Ok(list[1..list.len() - 1].to_vec())
    }

    async fn create_labels(&self, project: Arc<Project>) -> Found {
        let hashes = self.call.uuids()?;
        let options: LabelOptions = self.call.payload::<Option<_>>()?.unwrap_or_default();
        let branch = options.branch_name.unwrap_or_else(|| "main".to_owned());
        let here = (Arc::clone(&project), hashes.clone(), branch.clone());
        let missing = self
            .app
            .store
            .read(move |c| labels::missing(c, &here.0, &here.1, &here.2))
            .await?;
        if missing {
            let here = (
                Arc::clone(&project),
                hashes.clone(),
                branch.clone(),
                self.caller.clone(),
            );
            self.app
                .store
                .write(move |c| {
                    labels::create(c, &here.0, &here.1, &here.2, &here.3.email, time::now())
                })
                .await?;
        }
        let link = self.linker(options.get_signed_url.unwrap_or(false));
        let list = self
            .app
            .store
            .read(move |c| blob::by_data(c, &project, &hashes, &branch, &link))
            .await?;
        self.unwrapped(list)
    }

    async fn get_labels(&self, project: Arc<Project>) -> Found {
        let hashes = self.call.uuids()?;
        let options: LabelOptions = self.call.payload::<Option<_>>()?.unwrap_or_default();
        let link = self.linker(options.get_signed_url.unwrap_or(false));
        let filter = FeatureFilter {
            objects: options.include_object_feature_hashes,
            classifications: options.include_classification_feature_hashes,
        };
        let first = hashes.first().copied();
        let here = Arc::clone(&project);
        let list = self
            .app
            .store
            .read(move |c| blob::by_hash(c, &here, &hashes, &filter, &link))
            .await?;
        if self.spoil.conflict
            && let Some(hash) = first
        {
            self.app
                .store
                .write(move |c| labels::disturb(c, &project, hash, SOMEBODY, time::now()))
                .await?;
        }
        self.unwrapped(list)
    }

    fn linker(&self, sign: bool) -> impl Fn(&Data) -> String + Send + 'static {
        let app = Shared::clone(self.app);
        let expired = self.spoil.expire;
        move |data| match sign.then(|| app.signed_url(data, expired)).flatten() {
            Some(url) => url,
            None => data.link(),
        }
    }

    async fn save_labels(&self, project: Arc<Project>) -> Found {
        let hashes = self.call.uuids()?;
        let rows = saved_rows(self.call)?;
        if hashes.len() != rows.len() {
            return Err(Refusal::Invalid(format!(
                "{} label hashes came with {} rows",
                hashes.len(),
                rows.len()
            )));
        }
        if self.spoil.conflict
            && let Some(hash) = hashes.first().copied()
        {
            let here = Arc::clone(&project);
            self.app
                .store
                .write(move |c| labels::disturb(c, &here, hash, SOMEBODY, time::now()))
                .await?;
        }
        let pairs: Vec<(Uuid, SavedRow)> = hashes.into_iter().zip(rows).collect();
        let author = self.caller.clone();
        let work = move |c: &rusqlite::Connection| {
            labels::save(c, &project, pairs, &author.email, time::now())
        };
        let changed = self.app.store.write(work).await?;
        self.app.tally.changed(Endpoint::SaveLabels, changed);
        Ok(b"true".to_vec())
    }

    async fn complete(&self, project: Arc<Project>) -> Found {
        #[derive(Deserialize)]
        struct Payload {
            action: String,
        }
        let complete = match self.call.payload::<Payload>()?.action.as_str() {
            "complete" => true,
            "reopen" => false,
            other => {
                return Err(Refusal::Invalid(format!(
                    "{other:?} is neither complete nor reopen"
                )));
            }
        };
        let hashes = self.call.uuids()?;
        let actor = self.caller.clone();
        let work = move |c: &rusqlite::Connection| {
            tasks::complete_or_reopen(c, &project, &hashes, complete, &actor.email, time::now())
        };
        let changed = self.app.store.write(work).await?;
        self.app.tally.changed(Endpoint::Complete, changed);
        Ok(b"true".to_vec())
    }

    /// The project as clients before v2 read it.
    async fn legacy_project(&self, project: Arc<Project>) -> Found {
        let here = Arc::clone(&project);
        let rows = self
            .app
            .store
            .read(move |c| rows::list(c, &here, &RowQuery::default()))
            .await?;
        let rows: Value = serde_json::from_slice(&rows)?;
        let dataset = |d: &Arc<Dataset>| json!({"dataset_hash": d.uuid, "title": d.title, "description": d.description, "dataset_type": "CORD_STORAGE"});
        let out = json!({
            "project_hash": project.uuid, "title": project.title, "description": project.description,
            "created_at": time::plain(project.created), "last_edited_at": time::plain(project.edited),
            "ontology_hash": project.ontology.uuid, "editor_ontology": project.ontology.editor,
            "datasets": project.datasets.iter().map(dataset).collect::<Vec<_>>(), "label_rows": rows,
            "source_projects": null, "workflow_manager_uuid": project.manager,
        });
        Ok(serde_json::to_vec(&out)?)
    }
}
