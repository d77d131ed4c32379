//! Tasks: listed page by page (`list`); acted on, moved and prioritised (`act`).
//!
//! A task has no UUID of its own in the database: it is the data hash under the project's mask, so
//! that one index finds data units, their items and their tasks.

mod act;
mod list;

use rusqlite::params;

use crate::error::Refusal;
use crate::store::sql::Sql as _;
use crate::store::tx::Tx;
use crate::workflow::{Graph, NodeKind};

pub(crate) use act::{
    Action, ActionKind, Assignee, act, complete_or_reopen, move_tasks, set_priorities, task_at,
};
pub(crate) use list::{TaskFilter, page};

/// `status` of a task by its number in the database.
pub(crate) const STATUSES: [&str; 6] = [
    "NEW",
    "ASSIGNED",
    "RELEASED",
    "SKIPPED",
    "REOPENED",
    "COMPLETED",
];
pub(super) const NEW: usize = 0;
pub(super) const ASSIGNED: usize = 1;
pub(super) const RELEASED: usize = 2;
pub(super) const REOPENED: usize = 4;
pub(super) const COMPLETED: usize = 5;

/// The status of a task that arrives at a stage.
fn status_at(graph: &Graph, stage: usize) -> usize {
    match graph.nodes[stage].kind {
        NodeKind::Done { .. } => COMPLETED,
        _ => NEW,
    }
}

/// Creates the task of a data unit at a stage, with a priority.
pub(super) fn insert(
    tx: &Tx<'_>,
    project: i64,
    data: i64,
    graph: &Graph,
    (stage, priority): (usize, f64),
) -> Result<(), Refusal> {
    let status = status_at(graph, stage) as i64;
    tx.run(
        "INSERT INTO task(project, data, stage, status, priority, created, updated)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)",
        params![project, data, stage as i64, status, priority, tx.now],
    )?;
    Ok(())
}
