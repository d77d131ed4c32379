//! Issues: comment threads about data units, frames, places and labels, and the tags they carry.

use axum::Extension;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::routing::{get, post};
use bytes::Bytes;
use rusqlite::Connection;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::Shared;
use crate::auth::Caller;
use crate::endpoint::Endpoint;
use crate::error::Refusal;
use crate::routes::reply::{Answer, Page, Pairs, body, json_answer, null};
use crate::store::items;
use crate::store::records::{self, Kind, Record};
use crate::time;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/v2/public/projects/{project}/issues", get(list).post(add))
        .route("/v2/public/projects/{project}/issues/delete", post(delete))
        .route(
            "/v2/public/projects/{project}/issue-tags",
            get(tags).post(add_tags),
        )
}

fn tag_json(project: Uuid, name: &str) -> Value {
    json!({"name": name, "uuid": records::named(project, &format!("issue tag/{name}"))})
}

/// An issue as the API shows it: its anchor's fields beside its own.
fn issue_json(issue: &Record) -> Value {
    let anchor = &issue.body["anchor"];
    let mut out = json!({
        "uuid": issue.uuid, "type": anchor["type"], "dataUuid": anchor["dataUuid"], "spaceId": anchor["spaceId"],
        "comments": [{
            "content": issue.body["comment"], "authorEmail": issue.body["author"],
            "createdAt": time::iso(issue.created),
        }],
        "resolutionHistory": [],
    });
    let tags = issue.body["tags"].as_array().cloned().unwrap_or_default();
    let tag = |t: &Value| tag_json(issue.scope, t.as_str().unwrap_or_default());
    out["tags"] = tags.iter().map(tag).collect();
    for key in ["frameIndex", "annotationId", "frameRanges"] {
        if let Some(value) = anchor.get(key) {
            out[key] = value.clone();
        }
    }
    if anchor.get("x").is_some() {
        out["coordinate"] = json!({"x": anchor["x"], "y": anchor["y"], "z": anchor["z"]});
    }
    out
}

async fn list(
    State(app): State<Shared>,
    Path(project): Path<String>,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Answer {
    let project = app.project(&project)?.uuid;
    let data = Pairs(pairs).first("dataUnitId").map(str::to_owned);
    let found = app
        .store
        .read(move |c| records::list(c, Kind::Issue, project))
        .await?;
    let fitting = found
        .iter()
        .filter(|i| data.as_ref().is_none_or(|d| *d == i.name));
    json_answer(&Page::whole(fitting.map(issue_json).collect()))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewIssue {
    anchor: Value,
    comment: String,
    #[serde(default)]
    issue_tags: Vec<String>,
}

async fn add(
    State(app): State<Shared>,
    Path(project): Path<String>,
    Extension(caller): Extension<Caller>,
    bytes: Bytes,
) -> Answer {
    #[derive(Deserialize)]
    struct Sent {
        issues: Vec<NewIssue>,
    }
    let project = app.project(&project)?;
    let sent: Sent = body(&bytes)?;
    let work = move |c: &Connection| {
        for issue in &sent.issues {
            let text = issue.anchor["dataUuid"].as_str().unwrap_or_default();
            let data = crate::routes::reply::uuid(text, "dataUuid")?;
            let known = items::by_hash(c, &[data])?;
            if !known.iter().any(|d| project.dataset(d.dataset).is_some()) {
                return Err(Refusal::NotFound(format!(
                    "data unit {data} is not in this project"
                )));
            }
            let body = json!({
                "anchor": issue.anchor, "comment": issue.comment, "author": &*caller.email, "tags": issue.issue_tags,
            });
            let (id, name) = (Uuid::new_v4(), data.to_string());
            records::put(c, Kind::Issue, project.uuid, id, &name, &body, time::now())?;
            keep_tags(c, project.uuid, &issue.issue_tags)?;
        }
        Ok(sent.issues.len())
    };
    let n = app.store.write(work).await?;
    app.tally.changed(Endpoint::ChangeNotes, n);
    Ok(null())
}

async fn delete(State(app): State<Shared>, Path(project): Path<String>, bytes: Bytes) -> Answer {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Sent {
        issue_uuids: Vec<Uuid>,
    }
    let project = app.project(&project)?.uuid;
    let sent: Sent = body(&bytes)?;
    let work = move |c: &Connection| {
        for issue in &sent.issue_uuids {
            if !records::remove(c, Kind::Issue, project, *issue)? {
                return Err(Refusal::NotFound(format!(
                    "the project has no issue {issue}. Nothing of this request was applied"
                )));
            }
        }
        Ok(sent.issue_uuids.len())
    };
    let n = app.store.write(work).await?;
    app.tally.changed(Endpoint::ChangeNotes, n);
    Ok(null())
}

fn keep_tags(connection: &Connection, project: Uuid, names: &[String]) -> Result<(), Refusal> {
    for name in names {
        let uuid = records::named(project, &format!("issue tag/{name}"));
        records::put(
            connection,
            Kind::IssueTag,
            project,
            uuid,
            name,
            &Value::Null,
            time::now(),
        )?;
    }
    Ok(())
}

async fn tags(State(app): State<Shared>, Path(project): Path<String>) -> Answer {
    let project = app.project(&project)?.uuid;
    let found = app
        .store
        .read(move |c| records::list(c, Kind::IssueTag, project))
        .await?;
    json_answer(&Page::whole(
        found.iter().map(|t| tag_json(project, &t.name)).collect(),
    ))
}

async fn add_tags(State(app): State<Shared>, Path(project): Path<String>, bytes: Bytes) -> Answer {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Sent {
        issue_tag_names: Vec<String>,
    }
    let project = app.project(&project)?.uuid;
    let names = body::<Sent>(&bytes)?.issue_tag_names;
    let n = names.len();
    app.store
        .write(move |c| keep_tags(c, project, &names))
        .await?;
    app.tally.changed(Endpoint::ChangeNotes, n);
    Ok(null())
}
