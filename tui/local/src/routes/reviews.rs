//! Reviews of single labels: listed and decided, while their task is in a review stage.

use axum::Extension;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::routing::{get, post};
use bytes::Bytes;
use rusqlite::Connection;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::Shared;
use crate::auth::Caller;
use crate::endpoint::Endpoint;
use crate::error::Refusal;
use crate::routes::reply::{Answer, Page, Pairs, body, json_answer, null, uuid};
use crate::routes::tasks::place;
use crate::store::catalog::Project;
use crate::store::records::{self, Kind};
use crate::store::reviews::{self, Review};
use crate::store::tasks;
use crate::time;
use crate::workflow::NodeKind;

type Place = Path<(String, String, String)>;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route(
            "/v2/public/projects/{project}/workflow/stages/{stage}/tasks/{task}/reviews",
            get(list),
        )
        .route(
            "/v2/public/projects/{project}/workflow/stages/{stage}/tasks/{task}/reviews/actions",
            post(act),
        )
}

fn review_stage(
    app: &Shared,
    project: &str,
    stage: &str,
) -> Result<(std::sync::Arc<Project>, usize), Refusal> {
    let (project, stage) = place(app, project, stage)?;
    let node = &project.graph.nodes[stage];
    if !matches!(node.kind, NodeKind::Review { .. }) {
        return Err(Refusal::Invalid(format!(
            "stage \"{}\" is of type {}; only REVIEW stages have reviews",
            node.title,
            node.kind.name()
        )));
    }
    Ok((project, stage))
}

async fn list(
    State(app): State<Shared>,
    Path((project, stage, task)): Place,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Answer {
    let (project, _) = review_stage(&app, &project, &stage)?;
    let task = uuid(&task, "task")?;
    let statuses: Vec<String> = Pairs(pairs).all("statuses").map(str::to_owned).collect();
    let found = app
        .store
        .read(move |c| reviews::list(c, &project, task))
        .await?;
    let fitting = found
        .into_iter()
        .filter(|r| statuses.is_empty() || statuses.contains(&r.status));
    let one = |r: Review| json!({"reviewUuid": r.uuid, "status": r.status, "labelType": r.label_type, "labelId": r.label_id});
    json_answer(&Page::whole(fitting.map(one).collect::<Vec<Value>>()))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Decision {
    review_uuid: Uuid,
    action: String,
    comment: Option<String>,
    comment_tags: Option<Vec<String>>,
}

impl Decision {
    fn status(&self) -> Result<&'static str, Refusal> {
        match self.action.as_str() {
            "APPROVE" => Ok("APPROVED"),
            "REJECT" => Ok("REJECTED"),
            "REOPEN" => Ok("REOPENED"),
            other => Err(Refusal::Invalid(format!(
                "{other:?} is not an action on a review; known are APPROVE, REJECT and REOPEN"
            ))),
        }
    }
}

/// Decides about labels, or about none where one decision cannot be made.
async fn act(
    State(app): State<Shared>,
    Path((project, stage, task)): Place,
    Extension(caller): Extension<Caller>,
    bytes: Bytes,
) -> Answer {
    let (project, stage) = review_stage(&app, &project, &stage)?;
    let task = uuid(&task, "task")?;
    let sent: Vec<Decision> = body(&bytes)?;
    let work = move |c: &Connection| {
        tasks::task_at(c, &project, stage, task)?;
        let known = reviews::list(c, &project, task)?;
        for decision in &sent {
            let status = decision.status()?;
            let review = known.iter().find(|r| r.uuid == decision.review_uuid);
            let review = review.ok_or_else(|| {
                Refusal::Invalid(format!(
                    "task {task} has no review {}. Nothing of this request was applied",
                    decision.review_uuid
                ))
            })?;
            reviews::decide(c, task, review, status, time::now())?;
            comment(c, &project, task, review, decision, &caller.email)?;
        }
        Ok(sent.len())
    };
    let changed = app.store.write(work).await?;
    app.tally.changed(Endpoint::ReviewActions, changed);
    Ok(null())
}

/// A rejection with a comment is an issue about the label.
fn comment(
    connection: &Connection,
    project: &Project,
    task: Uuid,
    review: &Review,
    decision: &Decision,
    author: &str,
) -> Result<(), Refusal> {
    let Some(text) = decision
        .comment
        .as_ref()
        .filter(|_| decision.action == "REJECT")
    else {
        return Ok(());
    };
    let tags = decision.comment_tags.clone().unwrap_or_default();
    let body = json!({
        "anchor": {"type": "annotation", "dataUuid": project.data_of(task), "annotationId": review.label_id},
        "comment": text, "author": author, "tags": tags,
    });
    let data = project.data_of(task).to_string();
    let issue = Uuid::new_v4();
    records::put(
        connection,
        Kind::Issue,
        project.uuid,
        issue,
        &data,
        &body,
        time::now(),
    )
}
