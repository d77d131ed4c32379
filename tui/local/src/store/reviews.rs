//! Reviews of single labels. Each object and classification of a task's label row on the main branch has
//! one. It is NEW until it is decided; only decisions are stored.

use rusqlite::{Connection, params};
use serde_json::json;
use uuid::Uuid;

use crate::error::Refusal;
use crate::store::catalog::Project;
use crate::store::exact::Fields;
use crate::store::records::{self, RecordKind};
use crate::store::sql::Sql as _;
use crate::store::tasks::{Action, ActionKind};
use crate::store::tx::Tx;

/// The review of one label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Review {
    pub uuid: Uuid,
    pub status: String,
    /// `JsonObject` or `Classification`.
    pub label_type: &'static str,
    pub label_id: String,
}

/// The reviews of a task's labels.
pub(crate) fn list(db: &Connection, project: &Project, task: Uuid) -> Result<Vec<Review>, Refusal> {
    let parts: Option<(String, String)> = db.row(
        "SELECT l.objects, l.classes FROM data d JOIN label l ON l.data = d.id
         WHERE d.hash = ?1 AND l.project = ?2 AND l.branch = 'main'",
        params![project.data_of(task), project.id],
        |r| r.try_into(),
    )?;
    let Some((objects, classes)) = parts else {
        return Ok(Vec::new());
    };
    let decided = records::list(db, RecordKind::REVIEW, task)?;
    let mut out = Vec::new();
    for (label_type, text) in [("Object", objects), ("Classification", classes)] {
        let labels: Fields<'_> = serde_json::from_str(&text)?;
        for label_id in labels.into_keys() {
            let uuid = records::named(task, &label_id);
            let known = decided.iter().find(|r| r.uuid == uuid);
            let status = known.and_then(|r| r.body.as_str()).unwrap_or("NEW");
            out.push(Review {
                uuid,
                status: status.to_owned(),
                label_type,
                label_id,
            });
        }
    }
    Ok(out)
}

/// Decides about one label.
pub(crate) fn decide(
    tx: &Tx<'_>,
    task: Uuid,
    review: &Review,
    status: &str,
) -> Result<(), Refusal> {
    let key = RecordKind::REVIEW.of(task, review.uuid);
    records::put(tx, key, &review.label_id, &json!(status))
}

/// Applies the decision about a task to each of its labels.
pub(crate) fn follow(tx: &Tx<'_>, project: &Project, action: &Action) -> Result<(), Refusal> {
    let status = match action.kind {
        ActionKind::Approve => "APPROVED",
        ActionKind::Reject => "REJECTED",
        _ => return Ok(()),
    };
    for review in list(tx, project, action.task)? {
        decide(tx, action.task, &review, status)?;
    }
    Ok(())
}
