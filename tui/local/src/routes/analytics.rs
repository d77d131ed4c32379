//! What was done to tasks, and by whom. Nobody works in an editor here, so that editor logs and times
//! spent are always empty.

use std::collections::HashSet;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::routing::get;
use serde_json::{Value, json};

use crate::app::Shared;
use crate::routes::projects::{instant_filter, within};
use crate::routes::reply::{Answer, Page, Pairs, json_answer, token};
use crate::store::records::{self, Kind, Record};
use crate::time;

type QueryPairs = Query<Vec<(String, String)>>;

/// Results of one page.
const PAGE: usize = 1000;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/v2/public/analytics/task-actions", get(task_actions))
        .route("/v2/public/analytics/time-spent", get(nothing_in_a_project))
        .route(
            "/v2/public/analytics/collaborators/timers",
            get(nothing_in_a_project),
        )
        .route("/v2/public/projects/{project}/editor-logs", get(no_logs))
}

async fn task_actions(State(app): State<Shared>, Query(pairs): QueryPairs) -> Answer {
    let pairs = Pairs(pairs);
    let project = app
        .project(pairs.first("projectUuid").unwrap_or_default())?
        .uuid;
    let span = instant_filter(&pairs, "after", "before")?;
    let begin = pairs.after()?;
    let wanted = |key: &str| -> HashSet<String> { pairs.all(key).map(str::to_owned).collect() };
    let (actors, kinds) = (wanted("actorEmails"), wanted("eventTypes"));
    let (stages, units) = (wanted("workflowStageUuids"), wanted("dataUnitUuids"));
    let found = app
        .store
        .read(move |c| records::list(c, Kind::Action, project))
        .await?;
    let has = |set: &HashSet<String>, text: Option<&str>| {
        set.is_empty() || text.is_some_and(|t| set.contains(t))
    };
    let fits = |r: &&Record| {
        r.id > begin
            && within(span, r.created)
            && has(&actors, r.body["actor"].as_str())
            && has(&kinds, Some(&r.name))
            && has(&stages, r.body["stage"].as_str())
            && has(&units, r.body["data"].as_str())
    };
    let mut fitting: Vec<&Record> = found.iter().filter(fits).collect();
    let more = fitting.len() > PAGE;
    fitting.truncate(PAGE);
    let one = |r: &&Record| {
        json!({
            "timestamp": time::iso(r.created), "actionType": r.name, "projectUuid": project,
            "workflowStageUuid": r.body["stage"], "taskUuid": r.body["task"], "dataUnitUuid": r.body["data"],
            "actorEmail": r.body["actor"],
        })
    };
    json_answer(&Page {
        next_page_token: fitting.last().filter(|_| more).map(|r| token(r.id)),
        results: fitting.iter().map(one).collect(),
    })
}

async fn nothing_in_a_project(State(app): State<Shared>, Query(pairs): QueryPairs) -> Answer {
    let pairs = Pairs(pairs);
    let named = pairs.first("projectUuid").or(pairs.first("projectHash"));
    app.project(named.unwrap_or_default())?;
    json_answer(&Page::<Value>::whole(Vec::new()))
}

async fn no_logs(State(app): State<Shared>, Path(project): Path<String>) -> Answer {
    app.project(&project)?;
    json_answer(&Page::<Value>::whole(Vec::new()))
}
