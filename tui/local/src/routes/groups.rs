//! Groups of people and their access. As for single people, roles are not enforced.

use rusqlite::Connection;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::error::{Refusal, forbidden, invalid, not_found};
use crate::routes::extract::{Call, GroupId, Pairs, Sent, Shareable};
use crate::routes::organisation::known_people;
use crate::routes::paging::Page;
use crate::routes::reply::{Answer, json_answer, null};
use crate::store::records::{self, EVERYWHERE, Kind, Record};
use crate::store::tx::Tx;
use crate::time;

fn group_json(group: &Record) -> Value {
    json!({
        "groupHash": group.uuid, "name": group.name, "description": group.body["description"],
        "createdAt": time::iso(group.created),
    })
}

fn find(db: &Connection, group: Uuid) -> Result<Record, Refusal> {
    records::find(db, Kind::Group, group)?.ok_or_else(|| not_found!("there is no group {group}"))
}

/// Reads a group, changes it, and writes it back.
async fn edit(
    call: &Call,
    group: Uuid,
    change: impl FnOnce(&Tx<'_>, &mut Record) -> Result<(), Refusal> + Send + 'static,
) -> Result<Record, Refusal> {
    let edit = call.write(move |tx| {
        let mut found = find(tx, group)?;
        change(tx, &mut found)?;
        records::put(tx, Kind::Group.global(group), &found.name, &found.body)?;
        Ok(found)
    });
    let edited = edit.await?;
    call.count(1);
    Ok(edited)
}

pub(super) async fn list(call: Call) -> Answer {
    let list = |db: &_| records::list(db, Kind::Group, EVERYWHERE);
    let found = call.store.read(list).await?;
    json_answer(&Page::whole(found.iter().map(group_json)))
}

pub(super) async fn one(call: Call, GroupId(group): GroupId) -> Answer {
    let found = call.store.read(move |db| find(db, group)).await?;
    json_answer(&group_json(&found))
}

#[derive(Deserialize)]
pub(super) struct GroupBody {
    name: Option<String>,
    description: Option<String>,
}

pub(super) async fn create(call: Call, Sent(sent): Sent<GroupBody>) -> Answer {
    let missing = || invalid!("a group needs a `name`");
    let name = sent.name.ok_or_else(missing)?;
    let uuid = Uuid::new_v4();
    let create = call.write(move |tx| {
        let description = sent.description.unwrap_or_default();
        let body = json!({"description": description, "users": [tx.actor]});
        records::put(tx, Kind::Group.global(uuid), &name, &body)?;
        find(tx, uuid)
    });
    let created = create.await?;
    call.count(1);
    json_answer(&group_json(&created))
}

pub(super) async fn change(
    call: Call,
    GroupId(group): GroupId,
    Sent(sent): Sent<GroupBody>,
) -> Answer {
    let edit = edit(&call, group, |_, found| {
        if let Some(name) = sent.name {
            found.name = name;
        }
        if let Some(text) = sent.description {
            found.body["description"] = json!(text);
        }
        Ok(())
    });
    json_answer(&group_json(&edit.await?))
}

pub(super) async fn remove(call: Call, GroupId(group): GroupId) -> Answer {
    call.change(move |tx| {
        find(tx, group)?;
        records::remove(tx, Kind::Group.global(group))?;
        records::remove_everywhere(tx, Kind::GroupUse, group)?;
        Ok(1)
    })
    .await
}

fn users_of(group: &Record) -> Vec<String> {
    serde_json::from_value(group.body["users"].clone()).unwrap_or_default()
}

fn users_page(group: &Record) -> Answer {
    let users = users_of(group).into_iter();
    json_answer(&Page::whole(users.map(|email| json!({"userEmail": email}))))
}

pub(super) async fn people(call: Call, GroupId(group): GroupId) -> Answer {
    users_page(&call.store.read(move |db| find(db, group)).await?)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Emails {
    user_emails: Vec<String>,
}

pub(super) async fn add_people(
    call: Call,
    GroupId(group): GroupId,
    Sent(sent): Sent<Emails>,
) -> Answer {
    let app = call.app.clone();
    let edit = edit(&call, group, move |tx, found| {
        let known = known_people(&app, tx)?;
        let mut users = users_of(found);
        for email in sent.user_emails {
            if !known.contains(&email) {
                return Err(forbidden!(
                    "{email} is not in the organisation; nobody was added"
                ));
            }
            if !users.contains(&email) {
                users.push(email);
            }
        }
        found.body["users"] = json!(users);
        Ok(())
    });
    users_page(&edit.await?)
}

pub(super) async fn remove_people(
    call: Call,
    GroupId(group): GroupId,
    Sent(sent): Sent<Emails>,
) -> Answer {
    let edit = edit(&call, group, move |_, found| {
        let mut users = users_of(found);
        users.retain(|u| !sent.user_emails.contains(u));
        found.body["users"] = json!(users);
        Ok(())
    });
    edit.await?;
    Ok(null())
}

pub(super) async fn uses(call: Call, Shareable(thing): Shareable) -> Answer {
    let list = move |db: &Connection| {
        let mut out = Vec::new();
        for used in records::list(db, Kind::GroupUse, thing)? {
            let mut group = group_json(&find(db, used.uuid)?);
            group["isSameOrganisation"] = json!(true);
            group["userRole"] = used.body;
            out.push(group);
        }
        Ok(out)
    };
    json_answer(&Page::whole(call.store.read(list).await?))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewUses {
    group_hash_list: Vec<Uuid>,
    user_role: Value,
}

pub(super) async fn add_uses(
    call: Call,
    Shareable(thing): Shareable,
    Sent(sent): Sent<NewUses>,
) -> Answer {
    call.change(move |tx| {
        for group in &sent.group_hash_list {
            let name = find(tx, *group)?.name;
            let key = Kind::GroupUse.of(thing, *group);
            records::put(tx, key, &name, &sent.user_role)?;
        }
        Ok(sent.group_hash_list.len())
    })
    .await
}

pub(super) async fn remove_uses(call: Call, Shareable(thing): Shareable, pairs: Pairs) -> Answer {
    let groups = pairs.uuids("groupHashList")?;
    call.change(move |tx| {
        for group in &groups {
            records::remove(tx, Kind::GroupUse.of(thing, *group))?;
        }
        Ok(groups.len())
    })
    .await
}
