//! The legacy API: one path, the call inside the body, every answer in an envelope with status 200.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::Shared;
use crate::auth::Caller;
use crate::endpoint::Endpoint;
use crate::error::Refusal;
use crate::routes::door::Spoil;
use crate::routes::reply::{json_bytes, legacy_refusal, uuid};
use crate::store::catalog::{Dataset, Project};
use crate::store::row_query::RowQuery;
use crate::store::rows;
use crate::time;

/// A call as it comes.
#[derive(Debug)]
pub(super) struct LegacyCall {
    pub(super) query_type: String,
    pub(super) query_method: String,
    uid: Value,
    /// A part of the body, not copied: a save of many rows is large.
    pub(super) payload: Option<Bytes>,
}

impl LegacyCall {
    pub(super) fn read(body: &Bytes) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Call<'a> {
            query_type: String,
            query_method: String,
            #[serde(borrow, default)]
            values: Values<'a>,
        }
        #[derive(Default, Deserialize)]
        struct Values<'a> {
            #[serde(default)]
            uid: Value,
            #[serde(borrow)]
            payload: Option<&'a RawValue>,
        }
        let call: Call<'_> = serde_json::from_slice(body)?;
        let part = |raw: &RawValue| body.slice_ref(raw.get().as_bytes());
        Ok(Self {
            query_type: call.query_type,
            query_method: call.query_method,
            uid: call.values.uid,
            payload: call.values.payload.map(part),
        })
    }

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
            ("projectwithuserrole", "GET") => Endpoint::ListProjects,
            ("projectcopy", "POST") => Endpoint::CopyProject,
            ("projectusers" | "projectdataset", "POST" | "DELETE") => Endpoint::ChangeProjects,
            ("datasetdata", "GET") => Endpoint::GetItems,
            ("labellog", "GET") => Endpoint::Analytics,
            ("dataset" | "datarows" | "datarow", "GET") => Endpoint::GetDataset,
            ("datarow" | "datasetlinkitems" | "datasetusers", "POST")
            | ("video", "POST" | "DELETE") => Endpoint::ChangeDatasets,
            ("datasetdatalongpolling", "POST") => Endpoint::UploadJobs,
            ("datasetdatalongpolling", "GET") => Endpoint::Announce,
            _ => Endpoint::Unknown,
        }
    }

    pub(super) fn payload<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Refusal> {
        let text: &[u8] = self.payload.as_deref().unwrap_or(b"null");
        Ok(serde_json::from_slice(text)?)
    }

    /// The UUIDs that the call is about; one alone is a list of one.
    pub(super) fn uuids(&self) -> Result<Vec<Uuid>, Refusal> {
        let one = |value: &Value| {
            let text = value
                .as_str()
                .ok_or_else(|| Refusal::Invalid("`uid` holds something other than text".into()))?;
            uuid(text, "uid")
        };
        match &self.uid {
            Value::Null => Ok(Vec::new()),
            Value::Array(list) => list.iter().map(one).collect(),
            single => Ok(vec![one(single)?]),
        }
    }

    /// What the call is about, as it came.
    pub(super) fn uid(&self) -> &Value {
        &self.uid
    }

    /// One alone is answered with one alone.
    pub(super) fn single(&self) -> bool {
        self.uid.is_string()
    }
}

/// Calls that only the platform has: models, interpolation, work on videos.
const ELSEWHERE: &[&str] = &[
    "labelingalgorithm",
    "reencodevideotask",
    "dicomdeidentifytask",
    "modelinference",
    "modeltrainingparams",
    // Of older clients.
    "imagegroupocr",
];

/// What a call is answered with, as JSON.
pub(super) type Found = Result<Vec<u8>, Refusal>;

/// Everything a call needs.
pub(super) struct Context<'a> {
    pub app: &'a Shared,
    pub call: &'a LegacyCall,
    pub caller: Caller,
    pub spoil: Spoil,
}

impl<'a> Context<'a> {
    fn new(app: &'a Shared, call: &'a LegacyCall, caller: Caller, spoil: Spoil) -> Self {
        Self {
            app,
            call,
            caller,
            spoil,
        }
    }
}

pub(super) async fn project_scope(
    State(app): State<Shared>,
    Extension(call): Extension<Arc<LegacyCall>>,
    Extension(caller): Extension<Caller>,
    Extension(spoil): Extension<Spoil>,
    headers: HeaderMap,
) -> Response {
    let context = Context::new(&app, &call, caller, spoil);
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
    let context = Context::new(&app, &call, caller, spoil);
    envelope(match call.endpoint() {
        Endpoint::CreateProject => context.create_project().await,
        Endpoint::DeleteProject => context.delete_project().await,
        Endpoint::ListProjects => context.list_projects().await,
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

impl Context<'_> {
    pub(super) fn unknown(&self) -> Refusal {
        let (method, name) = (&self.call.query_method, &self.call.query_type);
        if ELSEWHERE.contains(&name.as_str()) {
            return Refusal::NotServed(format!(
                "a local project does not serve {method} {name}: the platform has this call, this server has not"
            ));
        }
        Refusal::Method(format!(
            "this server does not know the call {method} {name}"
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
            // Here it does not make a project: it is sent to one.
            Endpoint::CreateProject => self.save_project_ontology(project).await,
            Endpoint::CopyProject => self.copy_project(project).await,
            Endpoint::GetItems => self.unit_files(project).await,
            // Nobody works in an editor here.
            Endpoint::Analytics => Ok(b"[]".to_vec()),
            Endpoint::ChangeProjects => match (&*self.call.query_type, &*self.call.query_method) {
                ("projectusers", "POST") => self.add_project_users(&project).await,
                ("projectdataset", "POST") => self.add_datasets(project).await,
                ("projectdataset", _) => self.remove_datasets(project).await,
                _ => Err(self.unknown()),
            },
            _ => Err(self.unknown()),
        }
    }

    /// The project as clients before v2 read it.
    async fn legacy_project(&self, project: Arc<Project>) -> Found {
        #[derive(Serialize)]
        struct Legacy<'a> {
            #[serde(flatten)]
            fields: Value,
            editor_ontology: &'a RawValue,
            label_rows: &'a RawValue,
        }
        let here = Arc::clone(&project);
        let rows = self
            .app
            .store
            .read(move |c| rows::list(c, &here, &RowQuery::default()))
            .await?;
        let dataset = |d: &Arc<Dataset>| json!({"dataset_hash": d.uuid, "title": d.title, "description": d.description, "dataset_type": "CORD_STORAGE"});
        let fields = json!({
            "project_hash": project.uuid, "title": project.title, "description": project.description,
            "created_at": time::plain(project.created), "last_edited_at": time::plain(project.edited),
            "ontology_hash": project.ontology.uuid,
            "datasets": project.datasets.iter().map(dataset).collect::<Vec<_>>(),
            "source_projects": null, "workflow_manager_uuid": project.manager,
        });
        Ok(serde_json::to_vec(&Legacy {
            fields,
            editor_ontology: &project.ontology.editor,
            label_rows: serde_json::from_slice(&rows)?,
        })?)
    }
}
