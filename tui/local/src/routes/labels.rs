//! Label rows in v2: classifications in bulk, copies to other branches, validation. Whole rows are read and
//! saved by legacy calls.

use std::collections::{BTreeMap, HashSet};

use rusqlite::{OptionalExtension as _, params};

use crate::routes::prelude::*;
use crate::store::copies;

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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ClassificationsQuery {
    label_uuids: Vec<Uuid>,
    #[serde(default = "main")]
    branch_name: String,
}

fn main() -> String {
    "main".to_owned()
}

/// Classification answers of several rows. Missing rows, and those on another branch, are left out.
pub(super) async fn classifications(
    call: Call,
    project: InProject,
    asked: Sent<ClassificationsQuery>,
) -> Reply {
    let read = move |db: &Connection| {
        let mut find = db.prepare_cached(
            "SELECT l.hash, d.hash, d.title, l.branch, l.classes FROM label l JOIN data d ON d.id = l.data
             WHERE l.hash = ?1 AND l.project = ?2 AND l.branch = ?3",
        )?;
        let mut out = Vec::new();
        for label in &asked.label_uuids {
            let mut rows = find.query(params![label, project.id, asked.branch_name])?;
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
    let labels = call.store.read(read).await?;
    json_reply(&BTreeMap::from([("labels", labels)]))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BranchCopy {
    source_branch_name: String,
    target_branch_name: String,
    #[serde(default)]
    overwrite: bool,
    label_uuids: Option<HashSet<Uuid>>,
}

pub(super) async fn copy_branch(call: Call, project: InProject, sent: Sent<BranchCopy>) -> Reply {
    if sent.source_branch_name == sent.target_branch_name {
        return Err(invalid!("source and target are the same branch"));
    }
    let copy = call.write(move |tx| {
        let branches = (&*sent.source_branch_name, &*sent.target_branch_name);
        let wanted = sent.label_uuids.as_ref();
        copies::branch(tx, &project, branches, wanted, sent.overwrite)
    });
    let copied = copy.await?;
    call.count(copied);
    json_reply(&json!({"copiedCount": copied}))
}

/// Rows are checked when they are saved; what is stored is valid.
pub(super) async fn validation(call: Call, project: InProject, LabelId(label): LabelId) -> Reply {
    let read = move |db: &Connection| {
        let mut find =
            db.prepare_cached("SELECT branch FROM label WHERE hash = ?1 AND project = ?2")?;
        let found: Option<String> = find
            .query_row(params![label, project.id], |r| r.get(0))
            .optional()?;
        found.ok_or_else(|| not_found!("label row {label} is not in this project"))
    };
    let branch = call.store.read(read).await?;
    json_reply(&json!({
        "labelHash": label, "branchName": branch, "version": 1, "isValid": true, "errors": [],
    }))
}
