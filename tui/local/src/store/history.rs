//! What people did to tasks: assigned, submitted, approved, rejected, released, skipped, moved. What
//! agents do is not among the platform's task actions, so it is not noted.

use rusqlite::Connection;
use serde_json::json;
use uuid::Uuid;

use crate::error::Refusal;
use crate::store::catalog::Project;
use crate::store::records::{self, Kind};
use crate::store::tasks::{Action, ActionKind};

/// Notes an action that has been applied to a task of this stage.
pub(crate) fn note(
    connection: &Connection,
    project: &Project,
    stage: usize,
    action: &Action,
    actor: &str,
    now: i64,
) -> Result<(), Refusal> {
    let name = match action.kind {
        ActionKind::Pathway { .. } => return Ok(()),
        ActionKind::Submit => "submit",
        ActionKind::Approve => "approve",
        ActionKind::Reject => "reject",
        ActionKind::Assign(_) => "assign",
        ActionKind::Release => "release",
        ActionKind::Skip => "skip",
    };
    write(connection, project, stage, action.task, name, actor, now)
}

/// Notes that a task is moved away from a stage.
pub(crate) fn note_move(
    connection: &Connection,
    project: &Project,
    stage: usize,
    task: Uuid,
    actor: &str,
    now: i64,
) -> Result<(), Refusal> {
    write(connection, project, stage, task, "move", actor, now)
}

fn write(
    connection: &Connection,
    project: &Project,
    stage: usize,
    task: Uuid,
    name: &str,
    actor: &str,
    now: i64,
) -> Result<(), Refusal> {
    let body = json!({
        "stage": project.graph.nodes[stage].uuid, "task": task, "data": project.data_of(task), "actor": actor,
    });
    records::put(
        connection,
        Kind::Action,
        project.uuid,
        Uuid::new_v4(),
        name,
        &body,
        now,
    )
}
