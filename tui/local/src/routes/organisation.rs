//! What an organisation has beside its projects: people, tags, schemas of client metadata. Every
//! caller is an administrator of the one organisation that there is.

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::{delete, get, put};
use bytes::Bytes;
use rusqlite::Connection;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::Shared;
use crate::endpoint::Endpoint;
use crate::error::Refusal;
use crate::routes::reply::{Answer, Page, body, json_answer, null, uuid};
use crate::store::records::{self, EVERYWHERE, Kind, Record};
use crate::time;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route(
            "/v2/public/organisation/users",
            get(people).post(add_person),
        )
        .route(
            "/v2/public/organisation/users/{email}",
            delete(remove_person),
        )
        .route(
            "/v2/public/organisation/organisation-tags",
            get(tags).post(add_tag),
        )
        .route(
            "/v2/public/organisation/organisation-tags/{tag}",
            delete(remove_tag),
        )
        .route("/v2/public/projects/{project}/tags", get(tags_of_project))
        .route(
            "/v2/public/projects/{project}/tags/{tag}",
            put(tag_project).delete(untag_project),
        )
        .route(
            "/v2/public/organisation/client-metadata-schema-v2",
            get(schema).post(save_schema),
        )
        .route(
            "/v2/public/organisation/client-metadata-schema",
            get(older_schema).post(save_older_schema),
        )
        .route("/v2/public/cloud-integrations", get(integrations))
}

fn noted(app: &Shared) -> Answer {
    app.tally.changed(Endpoint::ChangeNotes, 1);
    Ok(null())
}

/// Addresses of everybody with a key, and of those who were added.
pub(super) fn known_people(app: &Shared, connection: &Connection) -> Result<Vec<String>, Refusal> {
    let mut out: Vec<String> = app.gate.emails().into_iter().map(str::to_owned).collect();
    let added = records::list(connection, Kind::Person, EVERYWHERE)?;
    out.extend(added.into_iter().map(|p| p.name));
    Ok(out)
}

async fn people(State(app): State<Shared>) -> Answer {
    let added = app
        .store
        .read(|c| records::list(c, Kind::Person, EVERYWHERE))
        .await?;
    let role = |name: &str| Uuid::new_v5(&EVERYWHERE, format!("role/{name}").as_bytes());
    let one = |email: &str, name: &str, member: &str, at: i64| {
        json!({
            "email": email, "roleMnemonicName": name, "roleUuid": role(name), "memberType": member,
            "createdAt": time::iso(at), "lastEditedAt": time::iso(at),
        })
    };
    let mut out: Vec<Value> = app
        .gate
        .emails()
        .into_iter()
        .map(|email| one(email, "ADMIN", "internal", 0))
        .collect();
    out.extend(added.iter().map(|p| {
        let text = |key: &str| p.body[key].as_str().unwrap_or_default().to_owned();
        one(&p.name, &text("role"), &text("member"), p.created)
    }));
    json_answer(&Page::whole(out))
}

async fn add_person(State(app): State<Shared>, bytes: Bytes) -> Answer {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Sent {
        email: String,
        role_mnemonic_name: String,
        member_type: String,
    }
    let sent: Sent = body(&bytes)?;
    let here = Shared::clone(&app);
    let work = move |c: &Connection| {
        if known_people(&here, c)?.contains(&sent.email) {
            return Err(Refusal::Exists(format!(
                "{} is in the organisation already",
                sent.email
            )));
        }
        let uuid = records::named(EVERYWHERE, &sent.email);
        let body = json!({"role": sent.role_mnemonic_name, "member": sent.member_type});
        records::put(
            c,
            Kind::Person,
            EVERYWHERE,
            uuid,
            &sent.email,
            &body,
            time::now(),
        )
    };
    app.store.write(work).await?;
    noted(&app)
}

async fn remove_person(State(app): State<Shared>, Path(email): Path<String>) -> Answer {
    if app.gate.emails().contains(email.as_str()) {
        return Err(Refusal::Invalid(format!(
            "{email} has a key of this server and cannot be removed"
        )));
    }
    let work = move |c: &Connection| {
        let uuid = records::named(EVERYWHERE, &email);
        match records::remove(c, Kind::Person, EVERYWHERE, uuid)? {
            true => Ok(()),
            false => Err(Refusal::NotFound(format!("there is nobody called {email}"))),
        }
    };
    app.store.write(work).await?;
    noted(&app)
}

fn tag_json(tag: &Record) -> Value {
    json!({"uuid": tag.uuid, "name": tag.name})
}

async fn tags(State(app): State<Shared>) -> Answer {
    let found = app
        .store
        .read(|c| records::list(c, Kind::Tag, EVERYWHERE))
        .await?;
    json_answer(&Page::whole(found.iter().map(tag_json).collect()))
}

async fn add_tag(State(app): State<Shared>, bytes: Bytes) -> Answer {
    #[derive(Deserialize)]
    struct Sent {
        name: String,
        description: Option<String>,
    }
    let sent: Sent = body(&bytes)?;
    let work = move |c: &Connection| {
        let known = records::list(c, Kind::Tag, EVERYWHERE)?;
        if known.iter().any(|t| t.name == sent.name) {
            return Err(Refusal::Exists(format!(
                "there is a tag called {:?} already",
                sent.name
            )));
        }
        let (uuid, body) = (Uuid::new_v4(), json!(sent.description));
        records::put(
            c,
            Kind::Tag,
            EVERYWHERE,
            uuid,
            &sent.name,
            &body,
            time::now(),
        )?;
        Ok(json!({"uuid": uuid, "name": sent.name}))
    };
    let made = app.store.write(work).await?;
    app.tally.changed(Endpoint::ChangeNotes, 1);
    json_answer(&made)
}

fn no_tag(tag: Uuid) -> Refusal {
    Refusal::NotFound(format!("there is no tag {tag}"))
}

async fn remove_tag(State(app): State<Shared>, Path(tag): Path<String>) -> Answer {
    let tag = uuid(&tag, "tag")?;
    let work = move |c: &Connection| {
        if !records::remove(c, Kind::Tag, EVERYWHERE, tag)? {
            return Err(no_tag(tag));
        }
        records::remove_everywhere(c, Kind::TagUse, tag)
    };
    app.store.write(work).await?;
    noted(&app)
}

async fn tags_of_project(State(app): State<Shared>, Path(project): Path<String>) -> Answer {
    let project = app.project(&project)?.uuid;
    let found = app
        .store
        .read(move |c| records::list(c, Kind::TagUse, project))
        .await?;
    json_answer(&Page::whole(found.iter().map(tag_json).collect()))
}

async fn tag_project(
    State(app): State<Shared>,
    Path((project, tag)): Path<(String, String)>,
) -> Answer {
    let project = app.project(&project)?.uuid;
    let tag = uuid(&tag, "tag")?;
    let work = move |c: &Connection| {
        let known = records::find(c, Kind::Tag, tag)?.ok_or_else(|| no_tag(tag))?;
        records::put(
            c,
            Kind::TagUse,
            project,
            tag,
            &known.name,
            &Value::Null,
            time::now(),
        )
    };
    app.store.write(work).await?;
    noted(&app)
}

async fn untag_project(
    State(app): State<Shared>,
    Path((project, tag)): Path<(String, String)>,
) -> Answer {
    let project = app.project(&project)?.uuid;
    let tag = uuid(&tag, "tag")?;
    let work = move |c: &Connection| match records::remove(c, Kind::TagUse, project, tag)? {
        true => Ok(()),
        false => Err(no_tag(tag)),
    };
    app.store.write(work).await?;
    noted(&app)
}

/// The two generations of metadata schemas, each under a name of its own.
const SCHEMA: &str = "schema";
const OLDER_SCHEMA: &str = "older schema";

async fn read_schema(app: &Shared, name: &'static str) -> Result<Option<Record>, Refusal> {
    let uuid = records::named(EVERYWHERE, name);
    app.store
        .read(move |c| records::find(c, Kind::MetadataSchema, uuid))
        .await
}

async fn write_schema(app: &Shared, name: &'static str, bytes: &Bytes) -> Answer {
    let schema: serde_json::Map<String, Value> = body(bytes)?;
    let work = move |c: &Connection| {
        let (uuid, body) = (records::named(EVERYWHERE, name), Value::Object(schema));
        records::put(
            c,
            Kind::MetadataSchema,
            EVERYWHERE,
            uuid,
            name,
            &body,
            time::now(),
        )
    };
    app.store.write(work).await?;
    noted(app)
}

async fn schema(State(app): State<Shared>) -> Answer {
    json_answer(&read_schema(&app, SCHEMA).await?.map(|s| s.body))
}

async fn save_schema(State(app): State<Shared>, bytes: Bytes) -> Answer {
    write_schema(&app, SCHEMA, &bytes).await
}

async fn older_schema(State(app): State<Shared>) -> Answer {
    let found = read_schema(&app, OLDER_SCHEMA).await?;
    json_answer(&found.map(|s| {
        json!({
            "uuid": s.uuid, "metadataSchema": s.body, "organisationId": 1, "createdAt": time::iso(s.created),
            "updatedAt": time::iso(s.edited),
        })
    }))
}

async fn save_older_schema(State(app): State<Shared>, bytes: Bytes) -> Answer {
    write_schema(&app, OLDER_SCHEMA, &bytes).await
}

/// There is no cloud storage behind a local project.
async fn integrations() -> Answer {
    json_answer(&json!({"result": []}))
}
