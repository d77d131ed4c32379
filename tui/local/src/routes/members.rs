//! Who may use projects and datasets: everybody with a key of this server, as an administrator, and
//! whoever was added by address. Roles are kept and listed; they restrict nobody.

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::{get, post};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::Shared;
use crate::endpoint::Endpoint;
use crate::error::Refusal;
use crate::routes::reply::{Answer, Page, body, json_answer, null, uuid};
use crate::store::records::{self, Kind};
use crate::time;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/v2/public/projects/{project}/users", get(of_project))
        .route(
            "/v2/public/projects/{project}/users/bulk-delete",
            post(leave_project),
        )
        .route("/v2/public/datasets/{dataset}/users", get(of_dataset))
        .route(
            "/v2/public/datasets/{dataset}/users/bulk-delete",
            post(leave_dataset),
        )
}

const ADMIN: u8 = 0;

/// Address and role of everybody who may use a thing.
async fn all(app: &Shared, thing: Uuid) -> Result<Vec<(String, Value)>, Refusal> {
    let admins = app.gate.emails();
    let mut out: Vec<(String, Value)> = admins
        .iter()
        .map(|email| ((*email).to_owned(), json!(ADMIN)))
        .collect();
    let added = app
        .store
        .read(move |c| records::list(c, Kind::Member, thing))
        .await?;
    out.extend(
        added
            .into_iter()
            .filter(|r| !admins.contains(r.name.as_str()))
            .map(|r| (r.name, r.body)),
    );
    Ok(out)
}

async fn of_project(State(app): State<Shared>, Path(project): Path<String>) -> Answer {
    let project = app.project(&project)?.uuid;
    let user = |(email, role): (String, Value)| json!({"userEmail": email, "userRole": role});
    let found = all(&app, project).await?;
    json_answer(&Page::whole(found.into_iter().map(user).collect()))
}

async fn of_dataset(State(app): State<Shared>, Path(dataset): Path<String>) -> Answer {
    let dataset = app.catalog().dataset(uuid(&dataset, "dataset")?)?.uuid;
    let user = |(email, role): (String, Value)| json!({"datasetUuid": dataset, "userEmail": email, "userRole": role});
    let found = all(&app, dataset).await?;
    json_answer(&Page::whole(found.into_iter().map(user).collect()))
}

/// Adds people by address, or changes their role. Roles up to `highest` are known.
pub(super) async fn add(
    app: &Shared,
    thing: Uuid,
    emails: Vec<String>,
    role: i64,
    highest: i64,
) -> Result<(), Refusal> {
    if !(0..=highest).contains(&role) {
        return Err(Refusal::Invalid(format!("{role} is not a role here")));
    }
    if let Some(wrong) = emails.iter().find(|e| !e.contains('@')) {
        return Err(Refusal::Invalid(format!("{wrong:?} is not an address")));
    }
    app.store
        .write(move |c| {
            for email in &emails {
                let uuid = records::named(thing, email);
                records::put(
                    c,
                    Kind::Member,
                    thing,
                    uuid,
                    email,
                    &json!(role),
                    time::now(),
                )?;
            }
            Ok(())
        })
        .await
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Leaving {
    user_emails: Vec<String>,
}

async fn leave(app: &Shared, thing: Uuid, bytes: &Bytes, endpoint: Endpoint) -> Answer {
    let sent: Leaving = body(bytes)?;
    let admins = app.gate.emails();
    if let Some(email) = sent
        .user_emails
        .iter()
        .find(|e| admins.contains(e.as_str()))
    {
        return Err(Refusal::Invalid(format!(
            "{email} has a key of this server and may use everything on it; nobody was removed"
        )));
    }
    let work = move |c: &rusqlite::Connection| {
        let mut gone = 0;
        for email in &sent.user_emails {
            let there = records::remove(c, Kind::Member, thing, records::named(thing, email))?;
            gone += usize::from(there);
        }
        Ok(gone)
    };
    let gone = app.store.write(work).await?;
    app.tally.changed(endpoint, gone);
    Ok(null())
}

async fn leave_project(
    State(app): State<Shared>,
    Path(project): Path<String>,
    bytes: Bytes,
) -> Answer {
    let project = app.project(&project)?.uuid;
    leave(&app, project, &bytes, Endpoint::ChangeProjects).await
}

async fn leave_dataset(
    State(app): State<Shared>,
    Path(dataset): Path<String>,
    bytes: Bytes,
) -> Answer {
    let dataset = app.catalog().dataset(uuid(&dataset, "dataset")?)?.uuid;
    leave(&app, dataset, &bytes, Endpoint::ChangeDatasets).await
}
