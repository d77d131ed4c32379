//! Changes to tasks: actions, moves, priorities. A batch is applied as a whole or refused as a whole.

use rusqlite::{Connection, params};
use serde::Deserialize;
use uuid::Uuid;

use super::{ASSIGNED, NEW, RELEASED, REOPENED, status_at};
use crate::error::{Refusal, internal, invalid, not_found};
use crate::store::catalog::Project;
use crate::store::sql::Sql as _;
use crate::store::tx::Tx;
use crate::workflow::{Node, NodeKind};

/// An action on one task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Action {
    pub task: Uuid,
    pub kind: ActionKind,
    /// The assignee: at its next stage if the action moves it.
    pub assignee: Assignee,
}

impl Action {
    /// An action after which nobody is assigned to the task.
    pub(crate) fn new(task: Uuid, kind: ActionKind) -> Self {
        let assignee = Assignee::Nobody;
        Self {
            task,
            kind,
            assignee,
        }
    }
}

/// Who is assigned to a task by an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Assignee {
    Nobody,
    /// The current assignee; an unassigned task is refused.
    Same,
    /// This address.
    This(String),
}

/// An action as the API names it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "action", rename_all = "UPPERCASE")]
pub(crate) enum ActionKind {
    #[serde(rename = "PATHWAY_ACTION")]
    Pathway {
        #[serde(rename = "pathwayUuid")]
        uuid: Option<Uuid>,
        #[serde(rename = "pathwayName")]
        name: Option<String>,
    },
    Submit,
    Approve,
    Reject,
    Assign,
    Release,
    Skip,
}

/// Applies all actions to tasks at `stage`, or none. Returns the number of actions.
pub(crate) fn act(
    tx: &Tx<'_>,
    project: &Project,
    stage: usize,
    actions: &[Action],
) -> Result<usize, Refusal> {
    let node = &project.graph.nodes[stage];
    for action in actions {
        let id = task_at(tx, project, stage, action.task)?;
        if action.kind == ActionKind::Release {
            set_assignee(tx, id, None, RELEASED)?;
            continue;
        }
        let assignee = assignee(tx, id, action)?;
        if action.kind != ActionKind::Assign {
            let target = exit(node, &action.kind)?;
            let place = project.graph.rest(target, action.task);
            let circle = || internal!("task {} runs in a circle of routers", action.task);
            let back = action.kind == ActionKind::Reject;
            put(tx, project, id, place.ok_or_else(circle)?, back)?;
        }
        if let Some(email) = assignee {
            set_assignee(tx, id, Some(&email), ASSIGNED)?;
        }
    }
    Ok(actions.len())
}

fn assignee(db: &Connection, id: i64, action: &Action) -> Result<Option<String>, Refusal> {
    match &action.assignee {
        Assignee::Nobody => Ok(None),
        Assignee::This(email) => Ok(Some(email.clone())),
        Assignee::Same => {
            let mut find = db.prepare_cached("SELECT assignee FROM task WHERE id = ?1")?;
            let now: Option<String> = find.query_row([id], |r| r.get(0))?;
            now.map(Some).ok_or_else(|| {
                invalid!("task {} is not assigned, so there is no assignee to retain. Nothing of this request was applied",
                    action.task)
            })
        }
    }
}

/// The number of a task and of its stage.
fn locate(db: &Connection, project: &Project, task: Uuid) -> Result<(i64, usize), Refusal> {
    let sql =
        "SELECT t.id, t.stage FROM data d CROSS JOIN task t ON t.project = ?2 AND t.data = d.id
         WHERE d.hash = ?1";
    let values = params![project.data_of(task), project.id];
    db.row(sql, values, |r| r.try_into())?.ok_or_else(|| {
        invalid!("task {task} is not in this project. Nothing of this request was applied")
    })
}

/// The number of a task, or a refusal if it is not at `stage`.
pub(crate) fn task_at(
    db: &Connection,
    project: &Project,
    stage: usize,
    task: Uuid,
) -> Result<i64, Refusal> {
    let (id, at) = locate(db, project, task)?;
    if at == stage {
        return Ok(id);
    }
    Err(invalid!(
        "task {task} is not in stage \"{}\": it has already left it. Nothing of this request was applied",
        project.graph.nodes[stage].title
    ))
}

/// Where an action leads from a node.
fn exit(node: &Node, kind: &ActionKind) -> Result<Uuid, Refusal> {
    match (&node.kind, kind) {
        (NodeKind::Agent { pathways }, ActionKind::Pathway { uuid, name }) => {
            let fits = |p: &&crate::workflow::Pathway| {
                uuid.is_none_or(|u| u == p.uuid) && name.as_ref().is_none_or(|n| *n == p.name)
            };
            let named = uuid.is_some() || name.is_some();
            let found = pathways.iter().find(fits).filter(|_| named);
            found.map(|p| p.target).ok_or_else(|| {
                let known: Vec<String> = pathways
                    .iter()
                    .map(|p| format!("\"{}\" ({})", p.name, p.uuid))
                    .collect();
                let asked = uuid
                    .map(|u| u.to_string())
                    .or_else(|| name.clone())
                    .unwrap_or_default();
                invalid!(
                    "stage \"{}\" has no pathway {asked:?}; it has {}",
                    node.title,
                    known.join(", ")
                )
            })
        }
        (NodeKind::Annotation { to }, ActionKind::Submit | ActionKind::Skip) => Ok(*to),
        (NodeKind::Review { approve, .. }, ActionKind::Approve) => Ok(*approve),
        (NodeKind::Review { reject, .. }, ActionKind::Reject) => Ok(*reject),
        _ => Err(invalid!(
            "this action is not possible at stage \"{}\", which is of type {}",
            node.title,
            node.kind.name()
        )),
    }
}

/// Moves a task.
fn put(tx: &Tx<'_>, project: &Project, id: i64, place: usize, back: bool) -> Result<(), Refusal> {
    let status = match status_at(&project.graph, place) {
        NEW if back => REOPENED,
        status => status,
    };
    tx.run(
        "UPDATE task SET stage = ?2, status = ?3, assignee = NULL, actor = ?4, updated = ?5 WHERE id = ?1",
        params![id, place as i64, status as i64, tx.actor, tx.now],
    )?;
    Ok(())
}

fn set_assignee(
    tx: &Tx<'_>,
    id: i64,
    assignee: Option<&str>,
    status: usize,
) -> Result<(), Refusal> {
    tx.run(
        "UPDATE task SET assignee = ?2, status = ?3, actor = ?4, updated = ?5 WHERE id = ?1",
        params![id, assignee, status as i64, tx.actor, tx.now],
    )?;
    Ok(())
}

/// Moves tasks to any stage. If `origin` is given, all must be there.
pub(crate) fn move_tasks(
    tx: &Tx<'_>,
    project: &Project,
    origin: Option<usize>,
    tasks: &[Uuid],
    destination: usize,
) -> Result<usize, Refusal> {
    for task in tasks {
        let id = match origin {
            Some(stage) => task_at(tx, project, stage, *task)?,
            None => locate(tx, project, *task)?.0,
        };
        put(tx, project, id, destination, false)?;
    }
    Ok(tasks.len())
}

/// Sets priorities by data hash, or none if a hash is unknown.
pub(crate) fn set_priorities(
    tx: &Tx<'_>,
    project: &Project,
    priorities: &[(Uuid, f64)],
) -> Result<usize, Refusal> {
    let sql = "UPDATE task SET priority = ?3, updated = ?4
         WHERE project = ?1 AND data = (SELECT id FROM data WHERE hash = ?2)";
    for (hash, priority) in priorities {
        if !(0.0..=1.0).contains(priority) {
            return Err(invalid!(
                "priority {priority} of {hash} is not between 0.0 and 1.0"
            ));
        }
        if tx.run(sql, params![project.id, hash, priority, tx.now])? == 0 {
            return Err(invalid!("data unit {hash} has no task in this project"));
        }
    }
    Ok(priorities.len())
}

/// Completes or reopens the tasks of label rows.
pub(crate) fn complete_or_reopen(
    tx: &Tx<'_>,
    project: &Project,
    labels: &[Uuid],
    complete: bool,
) -> Result<usize, Refusal> {
    let sql =
        "SELECT t.id, d.hash FROM label l JOIN task t ON t.project = l.project AND t.data = l.data
         JOIN data d ON d.id = l.data WHERE l.hash = ?1 AND l.project = ?2";
    for label in labels {
        let found: Option<(i64, Uuid)> =
            tx.row(sql, params![label, project.id], |r| r.try_into())?;
        let (id, data) =
            found.ok_or_else(|| not_found!("label row {label} is not in this project"))?;
        let task = project.task_of(data);
        let place = if complete {
            let missing = || invalid!("the workflow has no final stage");
            project.graph.complete().ok_or_else(missing)?
        } else {
            project.graph.reopened(task)
        };
        put(tx, project, id, place, !complete)?;
    }
    Ok(labels.len())
}
