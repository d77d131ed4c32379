//! What the second generation of the API does with label rows: classifications in bulk, copies on
//! other branches, validation. Reading and saving whole rows is in `legacy`.

use std::collections::{BTreeMap, HashSet};

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::{get, post};
use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;
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

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answers {
    label_uuid: Uuid,
    data_uuid: Uuid,
    data_title: String,
    branch_name: String,
    classification_answers: Box<RawValue>,
    export_uuid: Option<Uuid>,
    exported_at: Option<String>,
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
        let mut out = Vec::new();
        for label in &sent.label_uuids {
            let mut rows = find.query(params![label, project, sent.branch_name])?;
            let Some(row) = rows.next()? else { continue };
            out.push(Answers {
                label_uuid: row.get(0)?,
                data_uuid: row.get(1)?,
                data_title: row.get(2)?,
                branch_name: row.get(3)?,
                classification_answers: RawValue::from_string(row.get(4)?)?,
                export_uuid: None,
                exported_at: None,
            });
        }
        Ok(out)
    };
    let labels = app.store.read(read).await?;
    json_answer(&BTreeMap::from([("labels", labels)]))
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
