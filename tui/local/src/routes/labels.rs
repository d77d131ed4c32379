//! What the second generation of the API does with label rows: classifications in bulk, copies on
//! other branches, validation. Reading and saving whole rows is in `legacy`.

use std::collections::HashSet;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::{get, post};
use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::Shared;
use crate::endpoint::Endpoint;
use crate::error::Refusal;
use crate::routes::reply::{Answer, body, json_answer, uuid};
use crate::store::copies;
use crate::time;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route(
            "/v2/public/projects/{project}/label-rows/classifications",
            post(classifications),
        )
        .route(
            "/v2/public/projects/{project}/labels/copy-branch",
            post(copy_branch),
        )
        .route(
            "/v2/public/projects/{project}/labels/{label}/validation-state",
            get(validation),
        )
}

/// Classification answers of several rows; rows that are not there, or on another branch, are left out.
async fn classifications(
    State(app): State<Shared>,
    Path(project): Path<String>,
    bytes: Bytes,
) -> Answer {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Sent {
        label_uuids: Vec<Uuid>,
        #[serde(default = "main")]
        branch_name: String,
    }
    fn main() -> String {
        "main".to_owned()
    }
    let project = app.project(&project)?.id;
    let sent: Sent = body(&bytes)?;
    let read = move |c: &Connection| {
        let mut find = c.prepare_cached(
            "SELECT l.hash, d.hash, d.title, l.branch, l.classes FROM label l JOIN data d ON d.id = l.data
             WHERE l.hash = ?1 AND l.project = ?2 AND l.branch = ?3",
        )?;
        let mut out: Vec<Value> = Vec::new();
        for label in &sent.label_uuids {
            let mut rows = find.query(params![label, project, sent.branch_name])?;
            let Some(row) = rows.next()? else { continue };
            let answers: Value = serde_json::from_str(&row.get::<_, String>(4)?)?;
            let (label, data): (Uuid, Uuid) = (row.get(0)?, row.get(1)?);
            let (title, branch): (String, String) = (row.get(2)?, row.get(3)?);
            out.push(json!({
                "labelUuid": label, "dataUuid": data, "dataTitle": title, "branchName": branch,
                "classificationAnswers": answers, "exportUuid": null, "exportedAt": null,
            }));
        }
        Ok(out)
    };
    let labels = app.store.read(read).await?;
    json_answer(&json!({"labels": labels}))
}

async fn copy_branch(
    State(app): State<Shared>,
    Path(project): Path<String>,
    bytes: Bytes,
) -> Answer {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Sent {
        source_branch_name: String,
        target_branch_name: String,
        #[serde(default)]
        overwrite: bool,
        label_uuids: Option<HashSet<Uuid>>,
    }
    let project = app.project(&project)?;
    let sent: Sent = body(&bytes)?;
    if sent.source_branch_name == sent.target_branch_name {
        return Err(Refusal::Invalid(
            "source and target are the same branch".to_owned(),
        ));
    }
    let work = move |c: &Connection| {
        let branches = (&*sent.source_branch_name, &*sent.target_branch_name);
        let wanted = sent.label_uuids.as_ref();
        copies::branch(c, &project, branches, wanted, sent.overwrite, time::now())
    };
    let copied = app.store.write(work).await?;
    app.tally.changed(Endpoint::CopyLabels, copied);
    json_answer(&json!({"copiedCount": copied}))
}

/// Rows are checked when they are saved; what is kept is valid.
async fn validation(
    State(app): State<Shared>,
    Path((project, label)): Path<(String, String)>,
) -> Answer {
    let project = app.project(&project)?.id;
    let label = uuid(&label, "label")?;
    let read = move |c: &Connection| {
        let mut find =
            c.prepare_cached("SELECT branch FROM label WHERE hash = ?1 AND project = ?2")?;
        let found: Option<String> = find
            .query_row(params![label, project], |r| r.get(0))
            .optional()?;
        found.ok_or_else(|| Refusal::NotFound(format!("label row {label} is not in this project")))
    };
    let branch = app.store.read(read).await?;
    json_answer(&json!({
        "labelHash": label, "branchName": branch, "version": 1, "isValid": true, "errors": [],
    }))
}
