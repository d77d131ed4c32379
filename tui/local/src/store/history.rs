//! Records what people do to tasks: assign, submit, approve, reject, release, skip, move. The platform
//! does not list the actions of agents, so they are not recorded.

use serde_json::json;
use uuid::Uuid;

use crate::error::Refusal;
use crate::store::catalog::Project;
use crate::store::records::{self, RecordKind};
use crate::store::tasks::{Action, ActionKind};
use crate::store::tx::Tx;

/// Records an action on a task of this stage.
pub(crate) fn note(
    tx: &Tx<'_>,
    project: &Project,
    stage: usize,
    action: &Action,
) -> Result<(), Refusal> {
    let name = match action.kind {
        ActionKind::Pathway { .. } => return Ok(()),
        ActionKind::Submit => "submit",
        ActionKind::Approve => "approve",
        ActionKind::Reject => "reject",
        ActionKind::Assign => "assign",
        ActionKind::Release => "release",
        ActionKind::Skip => "skip",
    };
    write(tx, project, stage, action.task, name)
}

/// Records that a task is moved away from a stage.
pub(crate) fn note_move(
    tx: &Tx<'_>,
    project: &Project,
    stage: usize,
    task: Uuid,
) -> Result<(), Refusal> {
    write(tx, project, stage, task, "move")
}

fn write(
    tx: &Tx<'_>,
    project: &Project,
    stage: usize,
    task: Uuid,
    name: &str,
) -> Result<(), Refusal> {
    let body = json!({
        "stage": project.graph.nodes[stage].uuid, "task": task, "data": project.data_of(task), "actor": tx.actor,
    });
    let key = RecordKind::ACTION.of(project.uuid, Uuid::new_v4());
    records::put(tx, key, name, &body)
}
