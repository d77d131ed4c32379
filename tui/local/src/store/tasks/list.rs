//! The tasks of a stage, filtered, page by page.

use rusqlite::types::Value as SqlValue;
use rusqlite::{Connection, params_from_iter};
use serde::Serialize;
use uuid::Uuid;

use super::{NEW, STATUSES};
use crate::error::Refusal;
use crate::store::catalog::Project;
use crate::store::sql::Sql as _;
use crate::time;
use crate::workflow::NodeKind;

/// The filters of `GET …/tasks`. Within a list, any value matches.
#[derive(Debug, Default)]
pub(crate) struct TaskFilter {
    pub emails: Vec<String>,
    pub data_hashes: Vec<Uuid>,
    pub datasets: Vec<Uuid>,
    pub title_contains: Option<String>,
    pub statuses: Vec<String>,
}

/// A task as the API shows it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TaskDto {
    #[serde(skip)]
    pub id: i64,
    pub uuid: Uuid,
    pub created_at: String,
    pub updated_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<&'static str>,
    pub data_hash: Uuid,
    pub data_title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_branch_name: Option<&'static str>,
    pub assignee: Option<String>,
    pub last_actioned_by: Option<String>,
}

/// The filter as SQL conditions; their parameters are appended to `values`.
fn conditions(project: &Project, filter: &TaskFilter, values: &mut Vec<SqlValue>) -> String {
    let mut conditions = String::new();
    let mut any_of = |column: &str, list: Vec<SqlValue>| {
        if list.is_empty() {
            return;
        }
        let marks: Vec<String> = (0..list.len())
            .map(|n| format!("?{}", values.len() + n + 1))
            .collect();
        conditions.push_str(&format!(" AND {column} IN ({})", marks.join(",")));
        values.extend(list);
    };
    let blob = |u: &Uuid| SqlValue::Blob(u.as_bytes().to_vec());
    any_of("d.hash", filter.data_hashes.iter().map(blob).collect());
    if !filter.datasets.is_empty() {
        let known = project
            .datasets
            .iter()
            .filter(|d| filter.datasets.contains(&d.uuid));
        let mut ids: Vec<SqlValue> = known.map(|d| d.id.into()).collect();
        if ids.is_empty() {
            ids.push((-1).into());
        }
        any_of("d.dataset", ids);
    }
    any_of(
        "t.assignee",
        filter.emails.iter().map(|e| e.clone().into()).collect(),
    );
    if !filter.statuses.is_empty() {
        let code = |s: &String| {
            STATUSES
                .iter()
                .position(|k| k.eq_ignore_ascii_case(s))
                .map_or(-1, |c| c as i64)
        };
        any_of(
            "t.status",
            filter.statuses.iter().map(|s| code(s).into()).collect(),
        );
    }
    if let Some(part) = &filter.title_contains {
        values.push(part.to_lowercase().into());
        // SQLite's own lower() is fast and handles ASCII only.
        let lower = if part.is_ascii() {
            "lower"
        } else {
            "lower_unicode"
        };
        conditions.push_str(&format!(
            " AND instr({lower}(d.title), ?{}) > 0",
            values.len()
        ));
    }
    conditions
}

/// Up to `limit` tasks of a stage whose number is above `after`, in the order of their numbers.
pub(crate) fn page(
    db: &Connection,
    project: &Project,
    stage: usize,
    filter: &TaskFilter,
    after: i64,
    limit: usize,
) -> Result<Vec<TaskDto>, Refusal> {
    let mut values: Vec<SqlValue> = vec![
        project.id.into(),
        (stage as i64).into(),
        after.into(),
        (limit as i64).into(),
    ];
    let conditions = conditions(project, filter, &mut values);
    // CROSS JOIN fixes the order: from the few named data units, or along the stage's index.
    let from = if filter.data_hashes.is_empty() {
        "task t CROSS JOIN data d ON d.id = t.data"
    } else {
        "data d CROSS JOIN task t ON t.project = ?1 AND t.data = d.id"
    };
    let sql = format!(
        "SELECT t.id, t.created, t.updated, t.status, d.hash, d.title, t.assignee, t.actor FROM {from}
         WHERE t.project = ?1 AND t.stage = ?2 AND t.id > ?3{conditions} ORDER BY t.id LIMIT ?4"
    );
    // Which fields a task has depends on its stage.
    let (has_status, has_branch) = match project.graph.nodes[stage].kind {
        NodeKind::Done { .. } => (false, false),
        NodeKind::Review { .. } => (true, false),
        _ => (true, true),
    };
    db.rows(&sql, params_from_iter(values), |row| {
        let status: usize = row.get(3)?;
        let status = STATUSES.get(status).copied().unwrap_or(STATUSES[NEW]);
        let data_hash = row.get(4)?;
        Ok(TaskDto {
            id: row.get(0)?,
            uuid: project.task_of(data_hash),
            created_at: time::iso(row.get(1)?),
            updated_at: time::iso(row.get(2)?),
            status: has_status.then_some(status),
            data_hash,
            data_title: row.get(5)?,
            label_branch_name: has_branch.then_some("main"),
            assignee: row.get(6)?,
            last_actioned_by: row.get(7)?,
        })
    })
}
