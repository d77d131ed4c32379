//! Groups of people, and which of them may use what. As with single people, roles restrict nobody.

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
use crate::routes::organisation::known_people;
use crate::routes::reply::{Answer, Page, Pairs, body, json_answer, null, uuid};
use crate::store::records::{self, EVERYWHERE, Kind, Record};
use crate::time;

pub(super) fn routes() -> Router<Shared> {
    let mut out = Router::new()
        .route("/v2/public/organisation/groups", post(create))
        .route("/v2/public/user/current-organisation/groups", get(list))
        .route(
            "/v2/public/organisation/groups/{group}",
            get(one).patch(change).delete(remove),
        )
        .route(
            "/v2/public/organisation/groups/{group}/users",
            get(people).post(add_people),
        )
        .route(
            "/v2/public/organisation/groups/{group}/users/bulk-delete",
            post(remove_people),
        );
    for path in [
        "/v2/public/projects/{thing}/groups",
        "/v2/public/datasets/{thing}/groups",
        "/v2/public/ontologies/{thing}/groups",
        "/v2/public/storage/folders/{thing}/groups",
    ] {
        out = out.route(path, get(uses).post(add_uses).delete(remove_uses));
    }
    out
}

fn group_json(group: &Record) -> Value {
    json!({
        "groupHash": group.uuid, "name": group.name, "description": group.body["description"],
        "createdAt": time::iso(group.created),
    })
}

fn find(connection: &Connection, group: Uuid) -> Result<Record, Refusal> {
    records::find(connection, Kind::Group, group)?
        .ok_or_else(|| Refusal::NotFound(format!("there is no group {group}")))
}

fn save(connection: &Connection, group: &Record) -> Result<(), Refusal> {
    let (uuid, now) = (group.uuid, time::now());
    records::put(
        connection,
        Kind::Group,
        EVERYWHERE,
        uuid,
        &group.name,
        &group.body,
        now,
    )
}

async fn list(State(app): State<Shared>) -> Answer {
    let found = app
        .store
        .read(|c| records::list(c, Kind::Group, EVERYWHERE))
        .await?;
    json_answer(&Page::whole(found.iter().map(group_json).collect()))
}

async fn one(State(app): State<Shared>, Path(group): Path<String>) -> Answer {
    let group = uuid(&group, "group")?;
    json_answer(&group_json(&app.store.read(move |c| find(c, group)).await?))
}

#[derive(Deserialize)]
struct GroupBody {
    name: Option<String>,
    description: Option<String>,
}

async fn create(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    bytes: Bytes,
) -> Answer {
    let sent: GroupBody = body(&bytes)?;
    let name = sent
        .name
        .ok_or_else(|| Refusal::Invalid("a group has a `name`".to_owned()))?;
    let uuid = Uuid::new_v4();
    let work = move |c: &Connection| {
        let description = sent.description.unwrap_or_default();
        let body = json!({"description": description, "users": [&*caller.email]});
        records::put(c, Kind::Group, EVERYWHERE, uuid, &name, &body, time::now())?;
        find(c, uuid)
    };
    let made = app.store.write(work).await?;
    app.tally.changed(Endpoint::ChangeNotes, 1);
    json_answer(&group_json(&made))
}

async fn change(State(app): State<Shared>, Path(group): Path<String>, bytes: Bytes) -> Answer {
    let group = uuid(&group, "group")?;
    let sent: GroupBody = body(&bytes)?;
    let work = move |c: &Connection| {
        let mut found = find(c, group)?;
        found.name = sent.name.unwrap_or(found.name);
        if let Some(text) = sent.description {
            found.body["description"] = json!(text);
        }
        save(c, &found)?;
        Ok(found)
    };
    let changed = app.store.write(work).await?;
    app.tally.changed(Endpoint::ChangeNotes, 1);
    json_answer(&group_json(&changed))
}

async fn remove(State(app): State<Shared>, Path(group): Path<String>) -> Answer {
    let group = uuid(&group, "group")?;
    let work = move |c: &Connection| {
        find(c, group)?;
        records::remove(c, Kind::Group, EVERYWHERE, group)?;
        records::remove_everywhere(c, Kind::GroupUse, group)
    };
    app.store.write(work).await?;
    app.tally.changed(Endpoint::ChangeNotes, 1);
    Ok(null())
}

fn users_of(group: &Record) -> Vec<String> {
    serde_json::from_value(group.body["users"].clone()).unwrap_or_default()
}

fn users_page(group: &Record) -> Answer {
    let user = |email: String| json!({"userEmail": email});
    json_answer(&Page::whole(
        users_of(group).into_iter().map(user).collect(),
    ))
}

async fn people(State(app): State<Shared>, Path(group): Path<String>) -> Answer {
    let group = uuid(&group, "group")?;
    users_page(&app.store.read(move |c| find(c, group)).await?)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Emails {
    user_emails: Vec<String>,
}

async fn add_people(State(app): State<Shared>, Path(group): Path<String>, bytes: Bytes) -> Answer {
    let group = uuid(&group, "group")?;
    let sent: Emails = body(&bytes)?;
    let here = Shared::clone(&app);
    let work = move |c: &Connection| {
        let mut found = find(c, group)?;
        let known = known_people(&here, c)?;
        let mut users = users_of(&found);
        for email in sent.user_emails {
            if !known.contains(&email) {
                return Err(Refusal::Forbidden(format!(
                    "{email} is not in the organisation; nobody was added"
                )));
            }
            if !users.contains(&email) {
                users.push(email);
            }
        }
        found.body["users"] = json!(users);
        save(c, &found)?;
        Ok(found)
    };
    let changed = app.store.write(work).await?;
    app.tally.changed(Endpoint::ChangeNotes, 1);
    users_page(&changed)
}

async fn remove_people(
    State(app): State<Shared>,
    Path(group): Path<String>,
    bytes: Bytes,
) -> Answer {
    let group = uuid(&group, "group")?;
    let sent: Emails = body(&bytes)?;
    let work = move |c: &Connection| {
        let mut found = find(c, group)?;
        let mut users = users_of(&found);
        users.retain(|u| !sent.user_emails.contains(u));
        found.body["users"] = json!(users);
        save(c, &found)
    };
    app.store.write(work).await?;
    app.tally.changed(Endpoint::ChangeNotes, 1);
    Ok(null())
}

/// The project, dataset, ontology or folder with this UUID.
fn thing(app: &Shared, text: &str) -> Result<Uuid, Refusal> {
    let wanted = uuid(text, "UUID")?;
    let catalog = app.catalog();
    let known = catalog.projects.iter().any(|p| p.uuid == wanted)
        || catalog.datasets.iter().any(|d| d.uuid == wanted)
        || catalog.ontologies.iter().any(|o| o.uuid == wanted)
        || catalog.folders.iter().any(|f| f.uuid == wanted);
    known.then_some(wanted).ok_or_else(|| {
        Refusal::Forbidden(format!(
            "there is nothing with the UUID {wanted} on this server, or you have no access to it"
        ))
    })
}

async fn uses(State(app): State<Shared>, Path(text): Path<String>) -> Answer {
    let thing = thing(&app, &text)?;
    let work = move |c: &Connection| {
        let mut out = Vec::new();
        for used in records::list(c, Kind::GroupUse, thing)? {
            let mut group = group_json(&find(c, used.uuid)?);
            group["isSameOrganisation"] = json!(true);
            group["userRole"] = used.body;
            out.push(group);
        }
        Ok(out)
    };
    json_answer(&Page::whole(app.store.read(work).await?))
}

async fn add_uses(State(app): State<Shared>, Path(text): Path<String>, bytes: Bytes) -> Answer {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Sent {
        group_hash_list: Vec<Uuid>,
        user_role: Value,
    }
    let thing = thing(&app, &text)?;
    let sent: Sent = body(&bytes)?;
    let work = move |c: &Connection| {
        for group in &sent.group_hash_list {
            let name = find(c, *group)?.name;
            records::put(
                c,
                Kind::GroupUse,
                thing,
                *group,
                &name,
                &sent.user_role,
                time::now(),
            )?;
        }
        Ok(sent.group_hash_list.len())
    };
    let n = app.store.write(work).await?;
    app.tally.changed(Endpoint::ChangeNotes, n);
    Ok(null())
}

async fn remove_uses(
    State(app): State<Shared>,
    Path(text): Path<String>,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Answer {
    let thing = thing(&app, &text)?;
    let groups = Pairs(pairs).uuids("groupHashList")?;
    let n = groups.len();
    let work = move |c: &Connection| {
        for group in groups {
            records::remove(c, Kind::GroupUse, thing, group)?;
        }
        Ok(())
    };
    app.store.write(work).await?;
    app.tally.changed(Endpoint::ChangeNotes, n);
    Ok(null())
}
