//! Tasks: pages of a stage, actions, moves, priorities. A batch is applied whole or refused whole.

use rusqlite::types::Value as SqlValue;
use rusqlite::{Connection, OptionalExtension as _, params, params_from_iter};
use serde::Serialize;
use uuid::Uuid;

use crate::error::Refusal;
use crate::store::catalog::Project;
use crate::workflow::{Node, NodeKind};

/// `status` of a task by its number in the database.
pub(crate) const STATUSES: [&str; 6] = [
    "NEW",
    "ASSIGNED",
    "RELEASED",
    "SKIPPED",
    "REOPENED",
    "COMPLETED",
];
pub(crate) const NEW: usize = 0;
const ASSIGNED: usize = 1;
const RELEASED: usize = 2;
const REOPENED: usize = 4;
pub(crate) const COMPLETED: usize = 5;

/// What `GET …/tasks` may ask for. Within one list any of the values may hold.
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

/// The filter's conditions as SQL, and their values behind those that every page has.
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
        // SQLite's own lower() is quick and knows ASCII only; letters beyond need the other one.
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
    connection: &Connection,
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
        "SELECT t.id, t.uuid, t.created, t.updated, t.status, d.hash, d.title, t.assignee, t.actor FROM {from}
         WHERE t.project = ?1 AND t.stage = ?2 AND t.id > ?3{conditions} ORDER BY t.id LIMIT ?4"
    );
    let plain = conditions.is_empty();
    let shape = Shape::of(&project.graph.nodes[stage]);
    let read = |row: &rusqlite::Row<'_>| shape.read(row);
    let rows = if plain {
        let mut statement = connection.prepare_cached(&sql)?;
        statement
            .query_map(params_from_iter(values), read)?
            .collect::<Result<_, _>>()?
    } else {
        let mut statement = connection.prepare(&sql)?;
        statement
            .query_map(params_from_iter(values), read)?
            .collect::<Result<_, _>>()?
    };
    Ok(rows)
}

/// Which fields a stage's tasks have.
#[derive(Clone, Copy)]
struct Shape {
    status: bool,
    branch: bool,
}

impl Shape {
    fn of(node: &Node) -> Self {
        match node.kind {
            NodeKind::Done { .. } => Self {
                status: false,
                branch: false,
            },
            NodeKind::Review { .. } => Self {
                status: true,
                branch: false,
            },
            _ => Self {
                status: true,
                branch: true,
            },
        }
    }

    fn read(self, row: &rusqlite::Row<'_>) -> Result<TaskDto, rusqlite::Error> {
        let status: usize = row.get(4)?;
        Ok(TaskDto {
            id: row.get(0)?,
            uuid: row.get(1)?,
            created_at: crate::time::iso(row.get(2)?),
            updated_at: crate::time::iso(row.get(3)?),
            status: self
                .status
                .then(|| STATUSES.get(status).copied().unwrap_or(STATUSES[NEW])),
            data_hash: row.get(5)?,
            data_title: row.get(6)?,
            label_branch_name: self.branch.then_some("main"),
            assignee: row.get(7)?,
            last_actioned_by: row.get(8)?,
        })
    }
}

/// What is done to one task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Action {
    pub task: Uuid,
    pub kind: ActionKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ActionKind {
    Pathway {
        uuid: Option<Uuid>,
        name: Option<String>,
    },
    Submit,
    Approve,
    Reject,
    Assign(String),
    Release,
    Skip,
}

/// Applies all actions to tasks that are at `stage` now, or none. Returns how many there were.
pub(crate) fn act(
    connection: &Connection,
    project: &Project,
    stage: usize,
    actions: &[Action],
    actor: &str,
    now: i64,
) -> Result<usize, Refusal> {
    let node = &project.graph.nodes[stage];
    for action in actions {
        let id = task_at(connection, project, stage, action.task)?;
        let target = match &action.kind {
            ActionKind::Assign(email) => {
                set_assignee(connection, id, Some(email), ASSIGNED, actor, now)?;
                continue;
            }
            ActionKind::Release => {
                set_assignee(connection, id, None, RELEASED, actor, now)?;
                continue;
            }
            kind => exit(node, kind)?,
        };
        let back = matches!(action.kind, ActionKind::Reject);
        send(
            connection,
            project,
            id,
            action.task,
            target,
            back,
            actor,
            now,
        )?;
    }
    Ok(actions.len())
}

/// The number of a task that is at `stage`; elsewhere it is refused.
fn task_at(
    connection: &Connection,
    project: &Project,
    stage: usize,
    task: Uuid,
) -> Result<i64, Refusal> {
    let mut find =
        connection.prepare_cached("SELECT id, stage FROM task WHERE uuid = ?1 AND project = ?2")?;
    let found: Option<(i64, usize)> = find
        .query_row(params![task, project.id], |r| Ok((r.get(0)?, r.get(1)?)))
        .optional()?;
    let title = &project.graph.nodes[stage].title;
    match found {
        Some((id, at)) if at == stage => Ok(id),
        Some(_) => Err(Refusal::Invalid(format!(
            "task {task} is not in stage \"{title}\": it has already left it. Nothing of this request was applied"
        ))),
        None => Err(Refusal::Invalid(format!(
            "task {task} is not in this project. Nothing of this request was applied"
        ))),
    }
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
                Refusal::Invalid(format!(
                    "stage \"{}\" has no pathway {asked:?}; it has {}",
                    node.title,
                    known.join(", ")
                ))
            })
        }
        (NodeKind::Annotation { to }, ActionKind::Submit | ActionKind::Skip) => Ok(*to),
        (NodeKind::Review { approve, .. }, ActionKind::Approve) => Ok(*approve),
        (NodeKind::Review { reject, .. }, ActionKind::Reject) => Ok(*reject),
        _ => Err(Refusal::Invalid(format!(
            "this action does not go with stage \"{}\", which is of type {}",
            node.title,
            node.kind.name()
        ))),
    }
}

/// Sends a task on, through routers, to where it comes to rest.
#[expect(
    clippy::too_many_arguments,
    reason = "one row of the task table, field by field"
)]
fn send(
    connection: &Connection,
    project: &Project,
    id: i64,
    task: Uuid,
    target: Uuid,
    back: bool,
    actor: &str,
    now: i64,
) -> Result<(), Refusal> {
    let place = project.graph.rest(target, task).ok_or_else(|| {
        Refusal::Internal(format!(
            "the workflow leads task {task} in a circle of routers"
        ))
    })?;
    put(connection, project, id, place, back, actor, now)
}

/// Writes where a task is now.
fn put(
    connection: &Connection,
    project: &Project,
    id: i64,
    place: usize,
    back: bool,
    actor: &str,
    now: i64,
) -> Result<(), Refusal> {
    let done = matches!(project.graph.nodes[place].kind, NodeKind::Done { .. });
    let status = if done {
        COMPLETED
    } else if back {
        REOPENED
    } else {
        NEW
    };
    let mut update = connection.prepare_cached(
        "UPDATE task SET stage = ?2, status = ?3, assignee = NULL, actor = ?4, updated = ?5 WHERE id = ?1",
    )?;
    update.execute(params![id, place as i64, status as i64, actor, now])?;
    Ok(())
}

fn set_assignee(
    connection: &Connection,
    id: i64,
    assignee: Option<&str>,
    status: usize,
    actor: &str,
    now: i64,
) -> Result<(), Refusal> {
    let mut update = connection.prepare_cached(
        "UPDATE task SET assignee = ?2, status = ?3, actor = ?4, updated = ?5 WHERE id = ?1",
    )?;
    update.execute(params![id, assignee, status as i64, actor, now])?;
    Ok(())
}

/// Moves tasks to any stage; `origin` given, all must be there now.
pub(crate) fn move_tasks(
    connection: &Connection,
    project: &Project,
    origin: Option<usize>,
    tasks: &[Uuid],
    destination: usize,
    actor: &str,
    now: i64,
) -> Result<usize, Refusal> {
    for task in tasks {
        let id = match origin {
            Some(stage) => task_at(connection, project, stage, *task)?,
            None => {
                let mut find = connection
                    .prepare_cached("SELECT id FROM task WHERE uuid = ?1 AND project = ?2")?;
                let found = find
                    .query_row(params![task, project.id], |r| r.get(0))
                    .optional()?;
                found.ok_or_else(|| {
                    Refusal::Invalid(format!("task {task} is not in this project"))
                })?
            }
        };
        put(connection, project, id, destination, false, actor, now)?;
    }
    Ok(tasks.len())
}

/// Sets priorities by data hash; an unknown hash refuses the whole request.
pub(crate) fn set_priorities(
    connection: &Connection,
    project: &Project,
    priorities: &[(Uuid, f64)],
    now: i64,
) -> Result<usize, Refusal> {
    let mut update = connection.prepare_cached(
        "UPDATE task SET priority = ?3, updated = ?4
         WHERE project = ?1 AND data = (SELECT id FROM data WHERE hash = ?2)",
    )?;
    for (hash, priority) in priorities {
        if !(0.0..=1.0).contains(priority) {
            return Err(Refusal::Invalid(format!(
                "priority {priority} of {hash} is not between 0.0 and 1.0"
            )));
        }
        if update.execute(params![project.id, hash, priority, now])? == 0 {
            return Err(Refusal::Invalid(format!(
                "data unit {hash} has no task in this project"
            )));
        }
    }
    Ok(priorities.len())
}

/// Completes or reopens the tasks of label rows.
pub(crate) fn complete_or_reopen(
    connection: &Connection,
    project: &Project,
    labels: &[Uuid],
    complete: bool,
    actor: &str,
    now: i64,
) -> Result<usize, Refusal> {
    let mut find = connection.prepare_cached(
        "SELECT t.id, t.uuid FROM label l JOIN task t ON t.project = l.project AND t.data = l.data
         WHERE l.hash = ?1 AND l.project = ?2",
    )?;
    for label in labels {
        let found: Option<(i64, Uuid)> = find
            .query_row(params![label, project.id], |r| Ok((r.get(0)?, r.get(1)?)))
            .optional()?;
        let (id, task) = found.ok_or_else(|| {
            Refusal::NotFound(format!("label row {label} is not in this project"))
        })?;
        let place = if complete {
            let missing = || Refusal::Invalid("the workflow has no final stage".to_owned());
            project.graph.complete().ok_or_else(missing)?
        } else {
            project.graph.reopened(task)
        };
        put(connection, project, id, place, !complete, actor, now)?;
    }
    Ok(labels.len())
}
