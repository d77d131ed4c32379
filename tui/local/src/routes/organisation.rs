//! The organisation: people, tags, schemas of client metadata. There is one organisation, and every caller
//! is its administrator.

use serde_json::Map;

use crate::routes::prelude::*;

/// Addresses of everybody with a key, and of those who were added.
pub(super) fn known_people(app: &App, db: &Connection) -> Result<Vec<String>, Refusal> {
    let added = records::list(db, RecordKind::PERSON, EVERYWHERE)?;
    let keys = app.keyring.emails().into_iter().map(str::to_owned);
    Ok(keys.chain(added.into_iter().map(|p| p.name)).collect())
}

pub(super) async fn people(call: Call) -> Reply {
    let added = call.records(RecordKind::PERSON, EVERYWHERE).await?;
    let role = |name: &str| Uuid::new_v5(&EVERYWHERE, format!("role/{name}").as_bytes());
    let one = |email: &str, name: &str, member: &str, at: i64| {
        json!({
            "email": email, "roleMnemonicName": name, "roleUuid": role(name), "memberType": member,
            "createdAt": time::iso(at), "lastEditedAt": time::iso(at),
        })
    };
    let keys = call.keyring.emails().into_iter();
    let admins = keys.map(|email| one(email, "ADMIN", "internal", 0));
    let added = added.iter().map(|p| {
        let text = |key: &str| p.body[key].as_str().unwrap_or_default();
        one(&p.name, text("role"), text("member"), p.created)
    });
    json_reply(&Page::whole(admins.chain(added)))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewPerson {
    email: String,
    role_mnemonic_name: String,
    member_type: String,
}

pub(super) async fn add_person(call: Call, Sent(sent): Sent<NewPerson>) -> Reply {
    let app = call.app.clone();
    call.change(move |tx| {
        let email = &sent.email;
        if known_people(&app, tx)?.contains(email) {
            return Err(exists!("{email} is already in the organisation"));
        }
        let key = RecordKind::PERSON.global(records::named(EVERYWHERE, email));
        let body = json!({"role": sent.role_mnemonic_name, "member": sent.member_type});
        records::put(tx, key, email, &body)?;
        Ok(1)
    })
    .await
}

pub(super) async fn remove_person(call: Call, Email(email): Email) -> Reply {
    if call.keyring.emails().contains(email.as_str()) {
        return Err(invalid!(
            "{email} has a key of this server and cannot be removed"
        ));
    }
    call.change(move |tx| {
        let key = RecordKind::PERSON.global(records::named(EVERYWHERE, &email));
        match records::remove(tx, key)? {
            true => Ok(1),
            false => Err(not_found!("{email} is not in the organisation")),
        }
    })
    .await
}

fn tag_json(tag: &Record) -> Value {
    json!({"uuid": tag.uuid, "name": tag.name})
}

async fn tags_in(call: &Call, kind: RecordKind, scope: Uuid) -> Reply {
    let found = call.records(kind, scope).await?;
    json_reply(&Page::whole(found.iter().map(tag_json)))
}

pub(super) async fn tags(call: Call) -> Reply {
    tags_in(&call, RecordKind::TAG, EVERYWHERE).await
}

pub(super) async fn tags_of_project(call: Call, InProject(project): InProject) -> Reply {
    tags_in(&call, RecordKind::TAG_USE, project.uuid).await
}

#[derive(Deserialize)]
pub(super) struct NewTag {
    name: String,
    description: Option<String>,
}

pub(super) async fn add_tag(call: Call, Sent(sent): Sent<NewTag>) -> Reply {
    let add = call.write(move |tx| {
        let (uuid, name) = (Uuid::new_v4(), sent.name);
        let known = records::list(tx, RecordKind::TAG, EVERYWHERE)?;
        if known.iter().any(|t| t.name == name) {
            return Err(exists!("there is already a tag called {name:?}"));
        }
        records::put(
            tx,
            RecordKind::TAG.global(uuid),
            &name,
            &json!(sent.description),
        )?;
        Ok(json!({"uuid": uuid, "name": name}))
    });
    let added = add.await?;
    call.count(1);
    json_reply(&added)
}

pub(super) async fn remove_tag(call: Call, TagId(tag): TagId) -> Reply {
    let uses = Some(RecordKind::TAG_USE);
    call.remove_record(RecordKind::TAG, tag, uses).await
}

pub(super) async fn tag_project(call: Call, project: InProject, TagId(tag): TagId) -> Reply {
    call.change(move |tx| {
        let known = records::required(tx, RecordKind::TAG, tag)?;
        let key = RecordKind::TAG_USE.of(project.uuid, tag);
        records::put(tx, key, &known.name, &Value::Null)?;
        Ok(1)
    })
    .await
}

pub(super) async fn untag_project(call: Call, project: InProject, TagId(tag): TagId) -> Reply {
    let key = RecordKind::TAG_USE.of(project.uuid, tag);
    call.change(move |tx| match records::remove(tx, key)? {
        true => Ok(1),
        false => Err(not_found!("there is no tag {tag}")),
    })
    .await
}

/// The names of the two generations of metadata schemas.
const SCHEMA: &str = "schema";
const OLDER_SCHEMA: &str = "older schema";

async fn read_schema(call: &Call, name: &str) -> Result<Option<Record>, Refusal> {
    let uuid = records::named(EVERYWHERE, name);
    let find = move |db: &_| records::find(db, RecordKind::METADATA_SCHEMA, uuid);
    call.store.read(find).await
}

async fn write_schema(call: &Call, name: &'static str, schema: Map<String, Value>) -> Reply {
    call.change(move |tx| {
        let key = RecordKind::METADATA_SCHEMA.global(records::named(EVERYWHERE, name));
        records::put(tx, key, name, &Value::Object(schema))?;
        Ok(1)
    })
    .await
}

pub(super) async fn schema(call: Call) -> Reply {
    json_reply(&read_schema(&call, SCHEMA).await?.map(|s| s.body))
}

pub(super) async fn save_schema(call: Call, Sent(sent): Sent<Map<String, Value>>) -> Reply {
    write_schema(&call, SCHEMA, sent).await
}

pub(super) async fn older_schema(call: Call) -> Reply {
    let found = read_schema(&call, OLDER_SCHEMA).await?;
    json_reply(&found.map(|s| {
        json!({
            "uuid": s.uuid, "metadataSchema": s.body, "organisationId": 1, "createdAt": time::iso(s.created),
            "updatedAt": time::iso(s.edited),
        })
    }))
}

pub(super) async fn save_older_schema(call: Call, Sent(sent): Sent<Map<String, Value>>) -> Reply {
    write_schema(&call, OLDER_SCHEMA, sent).await
}

/// A local project has no cloud storage.
pub(super) async fn integrations() -> Reply {
    json_reply(&json!({"result": []}))
}
