//! Tasks of a stage, what is done to them, and priorities.

use std::collections::HashSet;
use std::sync::Arc;

use axum::Extension;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::routing::{get, post};
use bytes::Bytes;
use serde::Deserialize;
use uuid::Uuid;

use crate::app::Shared;
use crate::auth::Caller;
use crate::endpoint::Endpoint;
use crate::error::Refusal;
use crate::people;
use crate::routes::door::Spoil;
use crate::routes::reply::{Answer, Page, Pairs, body, json_answer, null, uuid};
use crate::store::catalog::Project;
use crate::store::tasks::{self, Action, ActionKind, TaskFilter, Then};
use crate::store::{history, reviews};
use crate::time;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route(
            "/v2/public/projects/{project}/workflow/stages/{stage}/tasks",
            get(list),
        )
        .route(
            "/v2/public/projects/{project}/workflow/stages/{stage}/actions",
            post(actions),
        )
        .route(
            "/v2/public/projects/{project}/workflow/stages/{stage}/move-tasks",
            post(move_tasks),
        )
        .route("/v2/public/projects/{project}/priorities", post(priorities))
}

type Place = Path<(String, String)>;

/// The project and the number of the stage that a path names.
pub(super) fn place(
    app: &Shared,
    project: &str,
    stage: &str,
) -> Result<(Arc<Project>, usize), Refusal> {
    let project = app.project(project)?;
    let wanted = uuid(stage, "stage")?;
    let found = project.graph.stage(wanted).map(|(number, _)| number);
    let number =
        found.ok_or_else(|| Refusal::NotFound(format!("the project has no stage {wanted}")))?;
    Ok((project, number))
}

async fn list(
    State(app): State<Shared>,
    Path((project, stage)): Place,
    Query(pairs): Query<Vec<(String, String)>>,
    Extension(spoil): Extension<Spoil>,
) -> Answer {
    let (project, stage) = place(&app, &project, &stage)?;
    let pairs = Pairs(pairs);
    let after = pairs.after()?;
    let filter = TaskFilter {
        emails: pairs.all("userEmails").map(str::to_owned).collect(),
        data_hashes: pairs.uuids("dataHashes")?,
        datasets: pairs.uuids("datasetHashes")?,
        title_contains: pairs.first("dataTitleContains").map(str::to_owned),
        statuses: pairs.all("statuses").map(str::to_owned).collect(),
    };
    let size = app.page_size;
    let here = Arc::clone(&project);
    let found = app
        .store
        .read(move |c| tasks::page(c, &here, stage, &filter, after, size + 1))
        .await?;
    if spoil.conflict
        && let Some(task) = found.first()
    {
        people::intrude(&app, &project, stage, task.uuid).await?;
    }
    json_answer(&Page::cut(found, size, |t| t.id))
}

/// One action as sent. Which fields are needed hangs on `action`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ActionDto {
    task_uuid: Uuid,
    action: String,
    pathway_uuid: Option<Uuid>,
    pathway_name: Option<String>,
    assignee: Option<String>,
    #[serde(default)]
    retain_assignee: bool,
    /// Whether the reviews of single labels follow the decision about the task.
    #[serde(default = "yes", alias = "rejectLabelReviews")]
    approve_label_reviews: bool,
}

fn yes() -> bool {
    true
}

impl TryFrom<ActionDto> for Action {
    type Error = Refusal;

    fn try_from(dto: ActionDto) -> Result<Self, Refusal> {
        let then = match &dto.assignee {
            Some(email) if dto.action != "ASSIGN" => Then::This(email.clone()),
            _ if dto.retain_assignee => Then::Same,
            _ => Then::Nobody,
        };
        let kind = match dto.action.as_str() {
            "PATHWAY_ACTION" => ActionKind::Pathway {
                uuid: dto.pathway_uuid,
                name: dto.pathway_name,
            },
            "SUBMIT" => ActionKind::Submit,
            "APPROVE" => ActionKind::Approve,
            "REJECT" => ActionKind::Reject,
            "RELEASE" => ActionKind::Release,
            "SKIP" => ActionKind::Skip,
            "ASSIGN" => {
                let email = dto
                    .assignee
                    .ok_or_else(|| Refusal::Invalid("ASSIGN needs an `assignee`".to_owned()))?;
                ActionKind::Assign(email)
            }
            other => {
                return Err(Refusal::Invalid(format!(
                    "{other:?} is not an action of this server"
                )));
            }
        };
        Ok(Self {
            task: dto.task_uuid,
            kind,
            then,
        })
    }
}

async fn actions(
    State(app): State<Shared>,
    Path((project, stage)): Place,
    Extension(caller): Extension<Caller>,
    Extension(spoil): Extension<Spoil>,
    bytes: Bytes,
) -> Answer {
    let (project, stage) = place(&app, &project, &stage)?;
    let sent: Vec<ActionDto> = body(&bytes)?;
    let leaves_reviews: HashSet<Uuid> = sent
        .iter()
        .filter(|a| !a.approve_label_reviews)
        .map(|a| a.task_uuid)
        .collect();
    let actions: Vec<Action> = sent
        .into_iter()
        .map(Action::try_from)
        .collect::<Result<_, _>>()?;
    if spoil.conflict
        && let Some(action) = actions.first()
    {
        people::intrude(&app, &project, stage, action.task).await?;
    }
    let work = move |c: &rusqlite::Connection| {
        let now = time::now();
        let changed = tasks::act(c, &project, stage, &actions, &caller.email, now)?;
        for action in &actions {
            if !leaves_reviews.contains(&action.task) {
                reviews::follow(c, &project, action, now)?;
            }
            history::note(c, &project, stage, action, &caller.email, now)?;
        }
        Ok(changed)
    };
    let changed = app.store.write(work).await?;
    app.tally.changed(Endpoint::Actions, changed);
    Ok(null())
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MoveDto {
    task_uuids: Vec<Uuid>,
    destination_stage_uuid: Uuid,
}

async fn move_tasks(
    State(app): State<Shared>,
    Path((project, stage)): Place,
    Extension(caller): Extension<Caller>,
    bytes: Bytes,
) -> Answer {
    let (project, origin) = place(&app, &project, &stage)?;
    let sent: MoveDto = body(&bytes)?;
    let wanted = sent.destination_stage_uuid;
    let destination = project.graph.stage(wanted).map(|(number, _)| number);
    let destination = destination
        .ok_or_else(|| Refusal::Invalid(format!("the project has no stage {wanted}")))?;
    let work = move |c: &rusqlite::Connection| {
        let (now, who) = (time::now(), &*caller.email);
        let moved = &sent.task_uuids;
        for task in moved {
            history::note_move(c, &project, origin, *task, who, now)?;
        }
        tasks::move_tasks(c, &project, Some(origin), moved, destination, who, now)
    };
    let changed = app.store.write(work).await?;
    app.tally.changed(Endpoint::MoveTasks, changed);
    Ok(null())
}

#[derive(Debug, Deserialize)]
struct PrioritiesDto {
    priorities: Vec<(Uuid, f64)>,
}

async fn priorities(
    State(app): State<Shared>,
    Path(project): Path<String>,
    bytes: Bytes,
) -> Answer {
    let project = app.project(&project)?;
    let sent: PrioritiesDto = body(&bytes)?;
    let work = move |c: &rusqlite::Connection| {
        tasks::set_priorities(c, &project, &sent.priorities, time::now())
    };
    let changed = app.store.write(work).await?;
    app.tally.changed(Endpoint::Priorities, changed);
    Ok(null())
}
