//! The server's own endpoints under `/local/`: on loopback only, with the token of the data folder
//! (`Authorization: Bearer TOKEN`) instead of a signature.
//!
//! | request | answer |
//! |---|---|
//! | GET `/local/health` | `{"ok":true}` as soon as requests are accepted |
//! | GET `/local/counters` | [`crate::Counters`] |
//! | GET `/local/faults` | the faults and how many requests each has affected |
//! | POST `/local/faults` `{"faults":["actions:lost@1%"]}` | replaces them; `[]` ends them |
//! | GET `/local/state?project=UUID&after=N&limit=N` | every task with stage, priority and a digest of its labels |
//! | GET `/local/scenario-schema` | the JSON schema of scenario files |
//! | GET `/local/templates` | UUID and title of each workflow template, for creating projects |
//! | GET `/local/workflow?project=UUID` | the workflow with all its edges |
//! | POST `/local/move` `{"tasks":[…],"stage":"Archive","by":"…"}` | moves tasks on behalf of somebody else |
//! | POST `/local/edit` `{"data_hash":"…","by":"…"}` | edits a label row on behalf of somebody else |
//! | POST `/local/rename` `{"id":"FEATURE_HASH","name":"…"}` | renames an element of the project's ontology |
//!
//! Without `project`, the main project is used. These requests are not counted or affected by faults.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get, post};
use bytes::Bytes;
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::app::SharedApp;
use crate::auth::hex;
use crate::error::{Refusal, forbidden, invalid, not_found};
use crate::fault::{FaultSpec, Injector};
use crate::people::SOMEBODY;
use crate::routes::extract::Pairs;
use crate::routes::reply::{Reply, json_bytes, json_reply};
use crate::store::catalog::{self, Project};
use crate::store::tx::Tx;
use crate::store::{labels, tasks};
use crate::workflow::Graph;

/// The message whose seal is the token for these endpoints.
pub(crate) const OWN_PAGES: &str = "local";

pub(super) fn router(app: &SharedApp) -> Router<SharedApp> {
    Router::new()
        .route("/local/health", get(health))
        .route("/local/scenario-schema", get(scenario_schema))
        .route("/local/counters", get(counters))
        .route("/local/faults", get(faults).post(set_faults))
        .route("/local/state", get(state))
        .route("/local/templates", get(templates))
        .route("/local/workflow", get(workflow))
        .route("/local/move", post(move_tasks))
        .route("/local/edit", post(edit))
        .route("/local/rename", post(rename))
        .route("/local", any(unknown))
        .route("/local/", any(unknown))
        .route("/local/{*page}", any(unknown))
        .layer(middleware::from_fn_with_state(
            SharedApp::clone(app),
            token_only,
        ))
        .layer(middleware::from_fn(loopback_only))
}

/// Refuses requests without the token: any user or program on this machine can connect.
async fn token_only(State(app): State<SharedApp>, request: Request, next: Next) -> Response {
    let header = request.headers().get(header::AUTHORIZATION);
    let sent = header.and_then(|h| h.to_str().ok()).unwrap_or_default();
    let (scheme, token) = sent.split_once(' ').unwrap_or_default();
    if scheme.eq_ignore_ascii_case("bearer") && app.keyring.sealed(OWN_PAGES, token.trim()) {
        return next.run(request).await;
    }
    let why = match header {
        None => "no token was sent",
        Some(_) => "the token that was sent is not this server's",
    };
    let refusal = Refusal::Unauthenticated(format!(
        "{} requires the header `Authorization: Bearer TOKEN`: {why}. The token is `local_token` in the line that \
         the server printed at start, and in the file `local-token` of its data folder",
        request.uri().path()
    ));
    let mut response = refusal.into_response();
    response
        .headers_mut()
        .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

async fn unknown(request: Request) -> Refusal {
    not_found!("this server has no page {}", request.uri().path())
}

/// Refuses requests from web pages: those through a name that resolves to this machine have another `Host`,
/// and those by address have an `Origin`.
async fn loopback_only(request: Request, next: Next) -> Response {
    if !is_local_program(request.headers()) {
        return forbidden!("these pages are for programs on this machine").into_response();
    }
    next.run(request).await
}

fn is_local_program(headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| Some(headers.get(name)?.to_str().unwrap_or("?"));
    let host = text(header::HOST).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let from_a_page = text(header::ORIGIN).is_some()
        || text(HeaderName::from_static("sec-fetch-site")).is_some_and(|s| s != "none");
    matches!(name, "127.0.0.1" | "localhost" | "[::1]") && !from_a_page
}

async fn scenario_schema() -> Response {
    json_bytes(crate::SCENARIO_SCHEMA)
}

async fn health() -> Reply {
    json_reply(&json!({"ok": true}))
}

async fn counters(State(app): State<SharedApp>) -> Reply {
    json_reply(&app.counters.read())
}

async fn faults(State(app): State<SharedApp>) -> Reply {
    let injector = app.injector();
    let list: Vec<_> = injector
        .specs()
        .map(|(spec, n)| json!({"fault": spec.to_string(), "struck": n}))
        .collect();
    json_reply(&json!({"faults": list}))
}

async fn set_faults(State(app): State<SharedApp>, bytes: Bytes) -> Reply {
    #[derive(Deserialize)]
    struct FaultsBody {
        faults: Vec<String>,
    }
    let asked: FaultsBody = serde_json::from_slice(&bytes)?;
    let specs: Vec<FaultSpec> = asked
        .faults
        .iter()
        .map(|f| f.parse())
        .collect::<Result<_, _>>()
        .map_err(Refusal::Invalid)?;
    *app.injector() = Injector::new(app.seed, specs);
    faults(State(app)).await
}

fn project_of(app: &SharedApp, text: Option<&str>) -> Result<Arc<Project>, Refusal> {
    match text {
        Some(text) => app.project(text),
        None => app.catalog().project(app.project).map(Arc::clone),
    }
}

async fn templates(State(app): State<SharedApp>) -> Reply {
    let catalog = app.catalog();
    let one = |(uuid, title, _): &(Uuid, String, Graph)| json!({"uuid": uuid, "title": title});
    let list: Vec<_> = catalog.templates.iter().map(one).collect();
    json_reply(&json!({"templates": list}))
}

async fn workflow(State(app): State<SharedApp>, pairs: Pairs) -> Reply {
    let project = project_of(&app, pairs.first("project"))?;
    json_reply(&project.graph.specification())
}

#[derive(Serialize)]
struct TaskState {
    id: i64,
    uuid: Uuid,
    data_hash: Uuid,
    data_title: String,
    stage: String,
    status: &'static str,
    priority: f64,
    last_actioned_by: Option<String>,
    /// SHA-256 over the labels on `main`, in hex; null without a label row.
    labels: Option<String>,
}

async fn state(State(app): State<SharedApp>, pairs: Pairs) -> Reply {
    let project = project_of(&app, pairs.first("project"))?;
    let number = |key: &str, default: i64| match pairs.first(key) {
        None => Ok(default),
        Some(text) => text
            .parse()
            .map_err(|_| invalid!("{key} {text:?} is not a number")),
    };
    let (after, limit) = (number("after", 0)?, number("limit", i64::MAX)?);
    let found = app
        .store
        .read(move |c| task_states(c, &project, after, limit))
        .await?;
    json_reply(&json!({"tasks": found}))
}

fn task_states(
    db: &Connection,
    project: &Project,
    after: i64,
    limit: i64,
) -> Result<Vec<TaskState>, Refusal> {
    let mut find = db.prepare_cached(
        "SELECT t.id, d.hash, d.title, t.stage, t.status, t.priority, t.actor,
                l.objects, l.classes, l.actions, l.units, l.spaces, l.extra
         FROM task t JOIN data d ON d.id = t.data
         LEFT JOIN label l ON l.project = t.project AND l.data = t.data AND l.branch = 'main'
         WHERE t.project = ?1 AND t.id > ?2 ORDER BY t.id LIMIT ?3",
    )?;
    let mut rows = find.query(params![project.id, after, limit])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        let data_hash: Uuid = row.get(1)?;
        let stage: usize = row.get(3)?;
        let status: usize = row.get(4)?;
        let parts: Vec<Option<String>> = (7..13).map(|n| row.get(n)).collect::<Result<_, _>>()?;
        let labels = parts[0].is_some().then(|| {
            let mut digest = Sha256::new();
            parts.iter().flatten().for_each(|part| digest.update(part));
            hex(&digest.finalize())
        });
        out.push(TaskState {
            id: row.get(0)?,
            uuid: project.task_of(data_hash),
            data_hash,
            data_title: row.get(2)?,
            stage: project
                .graph
                .nodes
                .get(stage)
                .map(|n| n.title.clone())
                .unwrap_or_default(),
            status: tasks::STATUSES.get(status).copied().unwrap_or("NEW"),
            priority: row.get(5)?,
            last_actioned_by: row.get(6)?,
            labels,
        });
    }
    Ok(out)
}

#[derive(Deserialize)]
struct MoveAsked {
    project: Option<String>,
    tasks: Vec<Uuid>,
    /// Title or UUID.
    stage: String,
    by: Option<String>,
}

async fn move_tasks(State(app): State<SharedApp>, bytes: Bytes) -> Reply {
    let asked: MoveAsked = serde_json::from_slice(&bytes)?;
    let project = project_of(&app, asked.project.as_deref())?;
    let found = project
        .graph
        .stage_called(&asked.stage)
        .map(|(number, _)| number);
    let stage = found.ok_or_else(|| invalid!("the project has no stage {:?}", asked.stage))?;
    let by = asked.by.unwrap_or_else(|| SOMEBODY.to_owned());
    let work = move |tx: &Tx<'_>| tasks::move_tasks(tx, &project, None, &asked.tasks, stage);
    json_reply(&json!({"moved": app.store.write(by, work).await?}))
}

#[derive(Deserialize)]
struct EditAsked {
    project: Option<String>,
    data_hash: Uuid,
    by: Option<String>,
}

async fn edit(State(app): State<SharedApp>, bytes: Bytes) -> Reply {
    let asked: EditAsked = serde_json::from_slice(&bytes)?;
    let project = project_of(&app, asked.project.as_deref())?;
    let by = asked.by.unwrap_or_else(|| SOMEBODY.to_owned());
    let work = move |tx: &Tx<'_>| {
        labels::create(tx, &project, &[asked.data_hash], "main")?;
        let label: Uuid = tx.query_row(
            "SELECT l.hash FROM label l JOIN data d ON d.id = l.data
             WHERE l.project = ?1 AND d.hash = ?2 AND l.branch = 'main'",
            params![project.id, asked.data_hash],
            |r| r.get(0),
        )?;
        labels::disturb(tx, &project, label)?;
        Ok(label)
    };
    json_reply(&json!({"label_hash": app.store.write(by, work).await?}))
}

#[derive(Deserialize)]
struct RenameAsked {
    project: Option<String>,
    id: String,
    name: String,
}

async fn rename(State(app): State<SharedApp>, bytes: Bytes) -> Reply {
    let asked: RenameAsked = serde_json::from_slice(&bytes)?;
    let project = project_of(&app, asked.project.as_deref())?;
    let ontology = Arc::clone(&project.ontology);
    let mut editor: Value = serde_json::from_str(ontology.editor.get())?;
    let renamed = rename_element(&mut editor, &asked.id, &asked.name);
    if renamed == 0 {
        return Err(not_found!("the ontology has no element {:?}", asked.id));
    }
    let editor = editor.to_string();
    let work = move |tx: &Tx<'_>| catalog::save_ontology(tx, ontology.id, None, None, &editor);
    app.store.write(SOMEBODY, work).await?;
    app.reload().await?;
    json_reply(&json!({"renamed": renamed}))
}

/// Names every element with this feature hash; how many there are. A classification is named by its first attribute.
fn rename_element(structure: &mut Value, id: &str, name: &str) -> usize {
    let mut renamed = 0;
    if structure["featureNodeHash"] == id {
        let is_classification =
            structure.get("name").is_none() && structure.get("attributes").is_some();
        let place = match is_classification {
            true => structure.pointer_mut("/attributes/0/name"),
            false if structure.get("label").is_some() => structure.get_mut("label"),
            false => structure.get_mut("name"),
        };
        if let Some(place) = place {
            *place = name.into();
            renamed += 1;
        }
    }
    for list in ["objects", "classifications", "attributes", "options"] {
        let below = structure.get_mut(list).and_then(Value::as_array_mut);
        for element in below.into_iter().flatten() {
            renamed += rename_element(element, id, name);
        }
    }
    renamed
}
